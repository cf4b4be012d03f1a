"""A file in datagrams: drives a `Receiver` with a UDP socket, in a thread of its own.

A thread, because what it does with every datagram adds up, and because a disk that hesitates must not stop the screen.
It naps between wakes unless datagrams come faster than it reads them: a thousand wakes a second cost more than what
they bring. Where the kernel can it joins datagrams (UDP_GRO) and says when they came (SO_TIMESTAMPNS); everything works
without, only slower, or with a worse idea of how fast the way is.
"""

import contextlib
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mystic_client.session.direct import follow
from mystic_client.session.fetch import Cut, UdpFailed
from mystic_client.session.partial import PartialFile
from mysticproto.errors import ProtocolError
from mysticproto.model import Ticket, UdpTerms
from mysticproto.udp.packets import OVERHEAD_BYTES
from mysticproto.udp.receiver import Receiver
from mysticproto.udp.state import Reason, State

if TYPE_CHECKING:
    from mystic_client.session.connection import Session

NAP_S = 0.0015
LOOK_EVERY_S = 0.1
"""How long a thread that has nothing to do waits before it looks whether it shall stop."""
READS_IN_A_WAKE, MAX_WAKE_BYTES = 256, 1024 * 1024
RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
MAX_READ_BYTES = 64 * 1024
SAVE_EVERY_S, SAVE_SHARE = 1.0, 20
"""How often it is noted which blocks there are; a large file's notes must not take more than a share of the time."""
REFUSALS_MAX = 3
"""So many times in a row a closed port has answered: nobody is there."""
HASH_EVERY_S = 0.02
"""How often a mebibyte is hashed of what has come, while there is time: 50 MB/s, more than long ways bring."""
HOPELESS_BYTES_S, HOPELESS_S = 32 * 1024, 10.0

# From Linux's headers; Python has no names for them.
_SOL_UDP, _UDP_GRO, _SO_TIMESTAMPNS = 17, 104, 35
_ANCILLARY_BYTES = 128
_TIMESPEC = struct.Struct("@ll")
_INT = struct.Struct("@i")
_STAMP_MAX_AGE_S = 10.0


async def fetch_udp(session: "Session", ticket: Ticket, part: PartialFile, moved: Callable[[int], None]) -> None:
    """Brings by `ticket.udp` the blocks that `part.blocks` lacks; `moved` is told how many bytes there are.

    Raises `UdpFailed` if nothing comes, or hopelessly little; `Cut` if it broke off after it had worked; `OSError` if
    it can't be written. Which blocks there are is noted in all cases.
    """
    assert ticket.udp is not None
    try:
        sock = open_socket(session.peer_host, ticket.udp.port)
    except OSError as problem:
        raise UdpFailed(f"there is no way for datagrams: {problem.strerror or problem}") from None
    try:
        fetching = Fetching(sock, ticket.udp, part)
        await follow(fetching.run, fetching.stop, lambda: moved(fetching.bytes_held))
    except BaseException:
        sock.close()
        raise
    session.see_off(fetching.part_company)


class Read(NamedTuple):
    """What one read of the socket brought: `length` bytes, in datagrams of `segment_bytes`, and when the kernel had
    them (`time.time()`; 0 if it doesn't say)."""

    length: int
    segment_bytes: int
    stamp_s: float


class Fetching:
    """The thread's work: `run`, and when that has brought the file `part_company`. `stop` and `bytes_held` may be used
    by others meanwhile."""

    def __init__(self, sock: socket.socket, terms: UdpTerms, part: PartialFile) -> None:
        assert part.blocks is not None
        self._sock = sock
        self._part = part
        self._had = part.blocks.held
        self._buffer = memoryview(bytearray(2 * MAX_READ_BYTES))
        self._one = terms.block + OVERHEAD_BYTES
        self._can_ask_more = hasattr(sock, "recvmsg_into")
        self._is_stopped = False
        self._problem: OSError | None = None  # why something could not be written
        self._refusals = 0
        self._slow = ""
        now = time.monotonic()
        self._save_at = now + SAVE_EVERY_S
        self._judged_at = self._hash_at = now
        try:
            self._receiver = Receiver(terms, part.size, part.blocks, self._store, now)
        except ProtocolError as problem:
            raise UdpFailed(problem.text) from None
        self._judged_bytes = self._receiver.bytes_held

    @property
    def bytes_held(self) -> int:
        """Bytes of the file that there are, those from before included."""
        return self._receiver.bytes_held

    def stop(self) -> None:
        """Lets `run` end soon; the server is told."""
        self._is_stopped = True

    def run(self) -> None:
        """Until all is there, and the server has been told so once. Raises as `fetch_udp`."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._sock, selectors.EVENT_READ)
                while self._receiver.state is not State.DONE and self._turn(selector, self._look_after):
                    pass
        finally:
            self._part.save_blocks()
        self._raise_what_went_wrong()
        self._say_what_is_due()

    def part_company(self) -> None:
        """Says that all is there until the server has heard it, which may take a second; then closes the socket."""
        with self._sock, selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            while self._turn(selector, lambda now: None):
                pass

    def _turn(self, selector: selectors.BaseSelector, look_after: Callable[[float], None]) -> bool:
        """Waits for the next thing, and does it. False: there is nothing more, or nobody there."""
        deadline = self._receiver.next_deadline()
        if deadline is None or self._refusals >= REFUSALS_MAX:
            return False
        wait_s = max(0.0, min(deadline - time.monotonic(), LOOK_EVERY_S))
        is_backlogged = bool(selector.select(wait_s)) and self._read_some()
        look_after(time.monotonic())
        self._say_what_is_due()
        if not is_backlogged and self._receiver.state is State.RUNNING:
            time.sleep(NAP_S)
        return True

    def _say_what_is_due(self) -> None:
        for datagram in self._receiver.take(time.monotonic()):
            self._send(datagram)

    def _read_some(self) -> bool:
        """True: there may be more. Datagrams that come singly are gathered, and handed on in rows."""
        gathered = total = 0
        stamp_s = 0.0
        try:
            for _ in range(READS_IN_A_WAKE):
                read = self._read(gathered)
                self._refusals = 0
                total += read.length
                if read.length == self._one == read.segment_bytes and gathered < MAX_READ_BYTES - self._one:
                    gathered, stamp_s = gathered + read.length, read.stamp_s
                else:
                    self._hand_on(0, gathered, self._one, stamp_s)
                    self._hand_on(gathered, read.length, read.segment_bytes, read.stamp_s)
                    gathered = 0
                if total >= MAX_WAKE_BYTES:
                    break
            return True
        except (BlockingIOError, InterruptedError):
            return False
        except ConnectionError:  # the port is closed
            self._refusals += 1
            return False
        except OSError:  # whatever it is, silence will end it
            return False
        finally:
            self._hand_on(0, gathered, self._one, stamp_s)

    def _hand_on(self, start: int, length: int, segment_bytes: int, stamp_s: float) -> None:
        if length:
            now = time.monotonic()
            age_s = time.time() - stamp_s
            arrival = now - age_s if 0 < age_s < _STAMP_MAX_AGE_S else now
            self._receiver.received(self._buffer[start : start + length], segment_bytes, arrival, now)

    def _read(self, start: int) -> Read:
        """One read into the buffer from `start` on."""
        buffer = self._buffer[start : start + MAX_READ_BYTES]
        if not self._can_ask_more:
            length = self._sock.recv_into(buffer)
            return Read(length, length, 0.0)
        length, ancillary, _, _ = self._sock.recvmsg_into([buffer], _ANCILLARY_BYTES)
        segment_bytes, stamp_s = length, 0.0
        for level, kind, data in ancillary:
            if level == _SOL_UDP and kind == _UDP_GRO:
                segment_bytes = _INT.unpack_from(data)[0]
            elif level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack_from(data)
                stamp_s = seconds + nanoseconds * 1e-9
        return Read(length, segment_bytes, stamp_s)

    def _send(self, datagram: bytes) -> None:
        try:
            self._sock.send(datagram)
        except ConnectionError:
            self._refusals += 1
        except OSError:  # lost, as on the way
            pass

    def _store(self, offset: int, data: bytes | memoryview) -> None:
        try:
            self._part.store(offset, data)
        except OSError as problem:
            self._problem = problem
            raise

    def _look_after(self, now: float) -> None:
        """What is to be done now and then."""
        if self._is_stopped:
            self._receiver.abort(Reason.CANCELLED, now)
        if now >= self._save_at:
            self._part.save_blocks()
            done = time.monotonic()
            self._save_at = done + max(SAVE_EVERY_S, SAVE_SHARE * (done - now))
        if now >= self._hash_at:
            self._part.hash_ahead()
            self._hash_at = now + HASH_EVERY_S
        if now >= self._judged_at + HOPELESS_S:
            self._judge(now)

    def _judge(self, now: float) -> None:
        """Where datagrams are held back TCP may be faster; a silence has other reasons."""
        speed = (self.bytes_held - self._judged_bytes) / (now - self._judged_at)
        self._judged_at, self._judged_bytes = now, self.bytes_held
        if self._receiver.state is State.RUNNING and 0 < speed < HOPELESS_BYTES_S:
            self._slow = f"only {speed / 1024:.0f} KiB a second came in datagrams"
            self._receiver.abort(Reason.CANCELLED, now)

    def _raise_what_went_wrong(self) -> None:
        receiver = self._receiver
        if receiver.state is State.DONE or self._is_stopped:
            return
        if self._problem is not None:
            raise self._problem
        if self._slow:
            raise UdpFailed(self._slow)
        reason = Reason.NO_ANSWER if receiver.reason is None else receiver.reason
        if receiver.have.held == self._had:
            raise UdpFailed(reason.sentence)
        raise Cut(reason.sentence)


def open_socket(host: str, port: int) -> socket.socket:
    """Connected to a host in numbers, so that the kernel drops what others send. Raises `OSError`."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    _enlarge(sock)
    if sys.platform == "linux":
        for level, name in ((_SOL_UDP, _UDP_GRO), (socket.SOL_SOCKET, _SO_TIMESTAMPNS)):
            with contextlib.suppress(OSError):
                sock.setsockopt(level, name, 1)
    return sock


def _enlarge(sock: socket.socket) -> None:
    """As much room for what comes while the thread is kept from reading as the system gives."""
    size = RECEIVE_BUFFER_BYTES
    while size > MAX_READ_BYTES:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
            return
        except OSError:  # Linux takes what it may, others refuse
            size //= 2
