"""Connection: one peer's socket, its wire, and its out-queue.

    DETECTING -> OPEN -> FINISHING -> ENDING -> CLOSED
                    \\_________________________/

In DETECTING the first bytes decide which wire is spoken. `finish` stops reading and sends what is queued (FINISHING),
then says end of file and waits a moment for the peer's own (ENDING): closing with unread bytes in the kernel would
reset the connection, and the peer could lose the last words. What the selector watches is derived from the state every
time.

Whose very first byte is that of a TLS record speaks TLS from then on, on any port; the wire inside is found as always.
Where the port alone says which wire it is, that byte is waited for a moment before anything is said in the clear.
"""

import socket
import ssl
from collections.abc import Callable
from enum import Enum
from typing import Protocol, TypeAlias

from mystic_server.net.outqueue import FileCutShort, OutChunk, OutQueue
from mystic_server.net.reactor import READ, WRITE, Reactor, Timer
from mystic_server.net.tls import RECORD_TYPE, TlsSocket
from mysticproto.errors import ProtocolError
from mysticproto.wire import Item, Local, Wire

READ_BYTES = 64 * 1024
"""What one peer may bring in one turn of the loop."""
FILES_TICK_S, FILES_BESIDE_CHAT_S = 0.004, 0.0005
"""How long a tick may take until those who still wait get only a little of their files in it."""
_ENDING_LIMIT_S = 2.0
_DETECTING_LIMIT_S = 0.2
"""How long bytes may wait that are the beginning of several languages: somebody may really be called V."""
_SPEAKING_FIRST_AFTER_S = 0.1
"""How long the first byte of TLS is waited for where the server has the first word."""
_HANDSHAKE_LIMIT_S = 5.0

WireChoice: TypeAlias = Wire | bytes | None
"""A wire; None: more bytes are needed; bytes: an answer to somebody who speaks none of them."""


ChooseWire: TypeAlias = Callable[[bytes, bool], WireChoice]
"""From the bytes so far, and whether nothing has come after them for a while; None then: it can mean one thing only."""


class State(Enum):
    """See the module."""

    DETECTING = 1
    OPEN = 2
    FINISHING = 3
    ENDING = 4
    CLOSED = 5


class Owner(Protocol):
    """Who is told what happens on a connection."""

    def opened(self, connection: "Connection") -> None:
        """The wire is known."""

    def received(self, connection: "Connection", items: list[Item]) -> None:
        """The peer has said something."""

    def drained(self, connection: "Connection") -> None:
        """The out-queue has become empty after it did not fit in one go, or after `tell_when_drained`."""

    def closed(self, connection: "Connection", cause: str) -> None:
        """Called once, last. `cause`: "finished", "lost", "too_slow", "cut_short", "silent", "removed" or "fault"."""


class Connection:
    """See the module. `address` is the peer's host and port; `hard_limit` what may be queued in memory, bytes; `tls`
    what to speak TLS with, None: not at all."""

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        address: tuple[str, int],
        choose_wire: ChooseWire,
        owner: Owner,
        departed: Callable[["Connection"], None],
        unsent: set["Connection"],
        hard_limit: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        self.wire: Wire | None = None
        self.queue = OutQueue()
        self.since = self.heard_at = reactor.now
        self.bytes_from_peer = 0
        self.state = State.DETECTING
        self._reactor = reactor
        self._sock: socket.socket | TlsSocket = sock
        self._tls: TlsSocket | None = None  # then it is `_sock` too
        self._tls_context = tls
        self._choose_wire = choose_wire
        self._owner = owner
        self._departed = departed
        self._unsent = unsent
        self._hard_limit = hard_limit
        self._first_bytes = b""
        self._is_known = False  # which wire, whatever comes
        self._paused = False
        self._tells_drained = False
        self._events = READ
        self._detecting: Timer | None = None
        self._deadline: Timer | None = None  # of the wire
        self._silence: Timer | None = None
        self._ending: Timer | None = None
        self._handshake: Timer | None = None
        reactor.register(sock, self, READ)

    def __repr__(self) -> str:
        wire = self.wire.name if self.wire else "no wire"
        return f"<{self.address[0]} port {self.address[1]} {wire} {self.state.name} {self.queue.bytes_held} held>"

    @property
    def local_host(self) -> str:
        """The address of this machine that the peer has connected to."""
        return str(self._sock.getsockname()[0])

    @property
    def segment_bytes(self) -> int:
        """How many bytes TCP puts into one packet to the peer, since its way takes them; 0 if that can't be told."""
        try:
            return self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        except (AttributeError, OSError):
            return 0

    @property
    def is_secure(self) -> bool:
        """Whether what is said here is encrypted."""
        return self._tls is not None

    @property
    def is_open(self) -> bool:
        """Whether what is pushed has a chance to arrive."""
        return self.state in (State.DETECTING, State.OPEN)

    # What the owner asks for.

    def push(self, chunk: OutChunk) -> None:
        """Queues; it goes out at the end of the tick."""
        if self.state in (State.OPEN, State.DETECTING):
            self.queue.push(chunk)
            self._unsent.add(self)
        elif hasattr(chunk, "close"):
            chunk.close()

    def deliver(self, data: bytes) -> None:
        """As `push`, for the end of a tick: what meets an empty queue goes to the kernel without waiting in it."""
        if self.state is not State.OPEN:
            return
        try:
            if self.queue.send_past(self._sock, data):
                if self.queue:
                    self.flush()
                return
        except OSError:
            self.close("lost")
            return
        self.queue.push(data)
        self.flush()

    def begin(self) -> None:
        """Chooses the wire before a byte of it has come: on a port where it is known, and may speak first."""
        self._is_known = True
        if self._tls_context:
            self._detecting = self._reactor.call_later(_SPEAKING_FIRST_AFTER_S, self._decide)
        else:
            self._detect(is_final=True)

    def keep_deadline(self) -> None:
        """Sees to it that the wire is called when it wants to be; after whatever may have changed that."""
        deadline = self.wire.next_deadline() if self.wire and self.is_open else None
        if deadline is None or (self._deadline and self._deadline.when <= deadline):
            return
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self._reactor.call_at(deadline, lambda: self._reactor.guard(self, self._deadline_passed))

    def pause(self) -> None:
        """Reads no more for now; the peer's own kernel makes it wait."""
        if not self._paused:
            self._paused = True
            self._watch()

    def resume(self) -> None:
        """Reads again."""
        if self._paused:
            self._paused = False
            self._watch()

    def tell_when_drained(self) -> None:
        """Asks for `drained` once everything queued has left."""
        self._tells_drained = True
        self._unsent.add(self)

    def finish(self) -> None:
        """Sends what is queued and closes; nothing more is read."""
        if self.is_open:
            self.state = State.FINISHING
            self._unsent.add(self)
            self._watch()

    def close(self, cause: str) -> None:
        """Closes at once; what is queued is lost."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        for timer in (self._detecting, self._deadline, self._silence, self._ending, self._handshake):
            if timer:
                timer.cancel()
        self._reactor.unregister(self._sock)
        self._unsent.discard(self)
        self._sock.close()
        try:
            self._departed(self)
            self._owner.closed(self, cause)
        finally:
            self.queue.close()

    def flush(self) -> None:
        """Writes what the kernel takes."""
        try:
            if self._tls:
                self._tls.flush()
            silence_until = self.queue.flush(self._sock, self._reactor.now, self.queue.sends_file and self._is_late)
        except FileCutShort:
            self.close("cut_short")
            return
        except OSError:
            self.close("lost")
            return
        if silence_until is not None and not self._silence:
            self._silence = self._reactor.call_at(silence_until, self._break_silence)
        if self.queue.bytes_held > self._hard_limit:
            self.close("too_slow")
            return
        self._after_flush(silence_until is not None)

    @property
    def _is_late(self) -> bool:
        """Whether this tick has sent enough of files already. Who speaks waits for answers, which take more ticks."""
        limit_s = FILES_BESIDE_CHAT_S if self._reactor.has_news else FILES_TICK_S
        return self._reactor.elapsed_s > limit_s

    # The reactor's calls.

    def ready(self, readable: bool, writable: bool) -> None:
        """Uses what is ready."""
        if writable and self.state in (State.OPEN, State.DETECTING, State.FINISHING):
            self.flush()
        if readable and self.state is not State.CLOSED:
            self._receive()

    def abort(self) -> None:
        """Our own mistake: this connection ends, the others live."""
        self.close("fault")

    def _receive(self) -> None:
        try:
            data = self._sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            self._tls_moved()
            return
        except OSError:
            self.close("finished" if self.state is State.ENDING else "lost")
            return
        if self._tls:
            self._tls_moved()
        if self.state in (State.FINISHING, State.ENDING):
            if not data:
                self.close("finished" if self.state is State.ENDING else "lost")
            return
        self.bytes_from_peer += len(data)
        self.heard_at = self._reactor.now
        if data:
            self._heard(data)
        if not data or (self._tls and self._tls.has_ended and self.is_open):
            self._end_of_file()

    def _heard(self, data: bytes) -> None:
        if self.wire is None:
            if self._tls_context and not self._tls and not self._first_bytes and data.startswith(RECORD_TYPE):
                self._begin_tls(self._tls_context, data)
                return
            self._first_bytes += data
            self._detect(is_final=False)
            return
        self._owner.received(self, self.wire.feed(data, self._reactor.now))
        self.keep_deadline()

    def _begin_tls(self, context: ssl.SSLContext, first_bytes: bytes) -> None:
        assert isinstance(self._sock, socket.socket)
        self._sock = self._tls = TlsSocket(self._sock, context, first_bytes)
        self.bytes_from_peer = 0
        if self._detecting:
            self._detecting.cancel()
        self._handshake = self._reactor.call_later(_HANDSHAKE_LIMIT_S, lambda: self.close("silent"))
        self._receive()

    def _tls_moved(self) -> None:
        """After TLS has read something, be it none of the peer's words."""
        if self._handshake and self._tls and self._tls.is_established:
            self._handshake.cancel()
            self._handshake = None
            if self._is_known and self.state is State.DETECTING:
                self._detect(is_final=True)
        if self._tls and self._tls.has_unsent:
            self._watch()

    def _deadline_passed(self) -> None:
        self._deadline = None
        if self.wire and self.is_open:
            self._owner.received(self, self.wire.feed(b"", self._reactor.now))
            self.keep_deadline()

    def _detect(self, is_final: bool) -> None:
        choice = self._choose_wire(self._first_bytes, is_final)
        if choice is None:
            if self._detecting:
                self._detecting.cancel()
            if not is_final:
                self._detecting = self._reactor.call_later(_DETECTING_LIMIT_S, self._decide)
            return
        if isinstance(choice, bytes):
            self.push(choice)
            self.finish()
            return
        first_bytes, self._first_bytes = self._first_bytes, b""
        self.wire, self.state = choice, State.OPEN
        self.queue.pace(choice.alone_gap_s)
        for item in choice.opened(self._reactor.now):
            assert isinstance(item, Local)
            for chunk in item.chunks:
                self.push(chunk)
        self._owner.opened(self)
        if first_bytes:
            self._heard(first_bytes)

    def _decide(self) -> None:
        if self.state is State.DETECTING:
            self._reactor.guard(self, lambda: self._detect(is_final=True))

    def _end_of_file(self) -> None:
        if self.wire:
            items = self.wire.eof(self._reactor.now)
            self._owner.received(self, [item for item in items if not isinstance(item, ProtocolError)])
        self.close("lost")

    def _after_flush(self, is_silent: bool) -> None:
        if self.queue:
            self._tells_drained = True
        elif self.state is State.FINISHING:
            self._say_end_of_file()
            return
        self._watch(is_silent)
        if self._tells_drained and not self.queue:
            self._tells_drained = False
            self._owner.drained(self)

    def _say_end_of_file(self) -> None:
        self.state = State.ENDING
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close("finished")
            return
        self._ending = self._reactor.call_later(_ENDING_LIMIT_S, lambda: self.close("finished"))
        self._watch()

    def _break_silence(self) -> None:
        self._silence = None
        if self.state in (State.OPEN, State.FINISHING):
            self.flush()

    def _watch(self, is_silent: bool = False) -> None:
        """Tells the selector what this state waits for."""
        if self.state is State.CLOSED:
            return
        reads = self.state is State.ENDING or self.state is State.FINISHING or not self._paused
        writes = bool(self.queue) and not is_silent
        if self._tls and self.state is not State.ENDING:
            writes = self._tls.has_unsent or (writes and self._tls.is_established)
        events = (READ if reads else 0) | (WRITE if writes else 0)
        if events != self._events:
            self._events = events
            self._reactor.modify(self._sock, self, events)
