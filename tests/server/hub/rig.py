"""The hub between a log in memory and real connections on socket pairs, with a clock that only moves when it is told.

    with Rig() as rig:
        ana, bob = rig.comes("ana"), rig.comes("bob")
        ana.asks(Post(7, ToGlobal(), "hi"))
        rig.settle()
        assert ana.takes(Ok)[0].n == 7

`settle` runs the loop until nothing moves any more. A client that is told to stop reading leaves its bytes in the
kernel; a log that is held commits nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TypeVar
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mystic_server.accounts.throttle import Throttle, ThrottleLimits
from mystic_server.domain.apply import apply
from mystic_server.domain.decide import EVERYBODY, Rules
from mystic_server.domain.receipts import Watermarks
from mystic_server.domain.world import World
from mystic_server.hub.countdown import Countdown
from mystic_server.hub.dispatch import Gateway
from mystic_server.hub.house import House, Identity
from mystic_server.hub.rates import Rates
from mystic_server.hub.sending import UdpEnded
from mystic_server.hub.sessions import FileTransfer, IncomingFile, Peer, Peers, Witness
from mystic_server.log.base import Rejected
from mystic_server.log.memory import MemoryLog
from mystic_server.net.connection import Connection
from mystic_server.net.outqueue import FileSpan
from mystic_server.net.reactor import Reactor
from mysticproto import model
from mysticproto.auth import login_challenge
from mysticproto.native import PREAMBLE, NativeClient, NativeWire, encode_frame
from mysticproto.wire import Alone, Chunks, Role, Wire
from tests.server.hub.fakes import FakeFiles, FakePasswords, FakeUploads, Offer

SERVER_ID = b"s" * 16
THROTTLE = ThrottleLimits(
    failures_per_minute=10,
    failures_per_account=5,
    delay_max_s=900,
    registrations_per_hour=3,
    registrations_per_hour_private=20,
    registrations_per_ten_minutes=30,
)
HARD_LIMIT = 1024 * 1024
SOFT_LIMIT = 64 * 1024
_ROUNDS = 5_000

Kind = TypeVar("Kind")


class StoppedClock:
    """The module `time`, as the reactor sees it."""

    def __init__(self) -> None:
        self.now = 100_000.0

    def monotonic(self) -> float:
        return self.now


class HubLog(MemoryLog):
    """A log that can be held up, or refuse everything."""

    def __init__(self) -> None:
        super().__init__()
        self.is_held = False
        self.refuses = ""

    def flush(self) -> None:
        if self.is_held:
            return
        if self.refuses and self._waiting:
            drafts, self._waiting = self._waiting, []
            self.on_results([Rejected(draft.token, self.refuses, "No.") for draft in drafts])
        else:
            super().flush()


class OddWire(NativeWire):
    """Native frames of a wire whose authors hear no echo, whose bystanders hear nothing, and whose broadcasts must
    stand alone."""

    name = "odd"
    alone_gap_s = 0.05

    def encode(self, event: model.Event | model.Passing, role: Role) -> Chunks:
        if role is Role.BYSTANDER or (role is Role.AUTHOR and isinstance(event, model.Message)):
            return ()
        chunks = super().encode(event, role)
        if isinstance(event, model.Message) and isinstance(event.conversation, model.Broadcast):
            return tuple(Alone(chunk) for chunk in chunks if isinstance(chunk, bytes))
        return chunks


class Diary:
    """A witness that writes everything down."""

    def __init__(self) -> None:
        self.events: list[model.Event] = []
        self.lines: list[str] = []

    def told(self, event: model.Event) -> None:
        self.events.append(event)

    def connected(self, connection: Connection) -> None:
        self.lines.append("connected")

    def disconnected(self, connection: Connection, name: str, cause: str) -> None:
        self.lines.append(f"{name or 'nobody'} disconnected: {cause}")

    def login_failed(self, connection: Connection, name: str, why: str) -> None:
        self.lines.append(f"{name} not let in: {why}")

    def transfer_started(self, connection: Connection, name: str, transfer: FileTransfer) -> None:
        self.lines.append(f"{name} gets {transfer.path}")

    def transfer_finished(
        self, connection: Connection, name: str, transfer: FileTransfer, complete: bool, seconds: float
    ) -> None:
        self.lines.append(f"{name} {'has' if complete else 'has not'} got {transfer.path}")

    def datagrams_started(self, name: str, transfer: FileTransfer, held: int) -> None:
        self.lines.append(f"{name} gets {transfer.path} in datagrams")

    def datagrams_moved(self, count: int) -> None:
        """Too often to be written down."""

    def datagrams_ended(self, name: str, transfer: FileTransfer, came: int, seconds: float, why: str) -> None:
        self.lines.append(f"{name} {'has not' if why else 'has'} got {transfer.path} in datagrams")

    def upload_started(self, connection: Connection, name: str, upload: IncomingFile, left: int) -> None:
        self.lines.append(f"{name} brings {left} of {upload.name}")

    def upload_finished(self, connection: Connection, name: str, upload: IncomingFile, seconds: float) -> None:
        self.lines.append(f"{name} has brought {upload.name}")

    def upload_failed(self, connection: Connection, name: str, upload: IncomingFile, left: int) -> None:
        self.lines.append(f"{name} has not brought {left} of {upload.name}")


class Client:
    """The other end of one connection: asks, and keeps what it heard until the test takes it."""

    def __init__(self, rig: Rig, sock: socket.socket, connection: Connection) -> None:
        self.rig = rig
        self.connection = connection
        self.heard: list[model.FromServer] = []
        self.reads = True
        self.is_at_end = False
        self._nonce = b""
        self._unsent = b""
        self._sock = sock
        self._speaks = NativeClient()

    @property
    def peer(self) -> Peer:
        peer = self.rig.peers.of(self.connection)
        assert peer, "the hub has forgotten this connection"
        return peer

    @property
    def session(self) -> int:
        return self.peer.session

    def asks(self, *requests: model.Request) -> None:
        """In one segment, as far as the kernel takes it."""
        self.sends(b"".join(map(encode_frame, requests)))

    def sends(self, data: bytes) -> None:
        self._unsent += data
        self.write()

    def takes(self, kind: type[Kind]) -> list[Kind]:
        """Everything of one kind that was heard, oldest first; it is forgotten."""
        heard: list[object] = list(self.heard)
        self.heard = [each for each in self.heard if not isinstance(each, kind)]
        return [each for each in heard if isinstance(each, kind)]

    def goes(self) -> None:
        """Breaks the connection."""
        self._sock.close()

    def write(self) -> bool:
        """Sends what the kernel takes; whether it was anything."""
        if not self._unsent or self._sock.fileno() < 0:
            return False
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            return False
        except OSError:
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        return True

    def read(self) -> bool:
        """Reads what there is; whether there was anything."""
        if not self.reads or self._sock.fileno() < 0:
            return False
        try:
            data = self._sock.recv(1 << 20)
        except BlockingIOError:
            return False
        except ConnectionError:
            data = b""
        if not data:
            self.is_at_end = True
            self._sock.close()
            return True
        said, problem = self._speaks.feed(data)
        assert problem is None, problem
        self.heard += said
        return True

    def drops(self, count: int) -> None:
        """Takes some bytes from the kernel without looking at them: slowly, where `reads` is off."""
        with suppress(BlockingIOError):
            self._sock.recv(count)

    def rest(self) -> bytes:
        """Raw bytes after a `FileStart`."""
        return self._speaks.take_rest()

    def nonce(self) -> bytes:
        if not self._nonce:
            self._nonce = self.takes(model.Hello)[0].nonce
        return self._nonce

    def login(
        self,
        name: str,
        key: Ed25519PrivateKey | None = None,
        *,
        n: int = 1,
        watch: bool = True,
        resume: int = 0,
        after: int = -1,
        password: str = "",
        shares_read: bool = True,
    ) -> model.Login:
        """The request, signed if there is a key. `Hello` must have been heard."""
        nonce = self.nonce()
        public = signature = b""
        if key:
            public = key.public_key().public_bytes_raw()
            signature = key.sign(login_challenge(nonce, SERVER_ID, name))
        return model.Login(n, name, public, signature, watch, resume, after, password=password, shares_read=shares_read)


class Rig:
    """See the module. The same log again is a new run of the server."""

    def __init__(
        self,
        *,
        rates: Rates | None = None,
        log: HubLog | None = None,
        soft: int = SOFT_LIMIT,
        witness: Witness | None = None,
        counts_down: bool = False,
        rules: Rules = EVERYBODY,
        encrypts_passwords: bool = False,
        uploads: str = "members",
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.clock = StoppedClock()
        self.errors: list[BaseException] = []
        self._patch = mock.patch("mystic_server.net.reactor.time", self.clock)
        self._patch.start()
        self.reactor = Reactor(self.errors.append)
        self.log = log or HubLog()
        self.files = FakeFiles()
        self.uploads = FakeUploads()
        self.offers: list[Offer] = []
        self.has_udp = True
        self.ends: list[float] = []
        """When a countdown was over."""
        self.witness = Diary()
        self.peers = Peers()
        self.world = World()
        self.connections: set[Connection] = set()
        self.clients: list[Client] = []
        self._unsent: set[Connection] = set()
        self.passwords = FakePasswords()
        self.watermarks = Watermarks()
        start = self.log.load()
        self.world.load(start.rows, start.applied)
        self.watermarks.load(start.rows)
        for committed in start.tail:
            apply(self.world, committed)
        self.identity = Identity("Test", "1", SERVER_ID, node=1, epoch=start.last + 1)
        self.gateway = Gateway(
            self.reactor,
            self.world,
            self.log,
            self.files,
            self.uploads,
            self.peers,
            witness or self.witness,
            self.identity,
            House(
                send_queue_soft=soft,
                rates=rates,
                rules=rules,
                encrypts_passwords=encrypts_passwords,
                local_may_stop=counts_down,
                uploads=uploads,
            ),
            self._offer_udp,
            self._countdown(),
            self.passwords,
            Throttle(THROTTLE),
            self.watermarks,
        )
        fanout = self.gateway.fanout
        self.log.on_results = fanout.on_results
        for step in (self.log.flush, fanout.end_tick, self._flush, self.log.flush):
            self.reactor.at_tick_end(step)

    def __enter__(self) -> Rig:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self.clients:
            client.goes()
        for connection in list(self.connections):
            connection.close("lost")
        self.reactor.close()
        self._patch.stop()

    # Who is there.

    def connects(self, wire: Callable[[], Wire] = NativeWire, *, sndbuf: int = 0, host: str = "") -> Client:
        """Somebody connects and is greeted. `sndbuf`: what the kernel takes for a client that doesn't read."""
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
            if sndbuf:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
        connection = Connection(
            self.reactor,
            ours,
            (host or self.host, 40_000 + len(self.clients)),
            lambda first_bytes, is_final: wire() if first_bytes or is_final else None,
            self.gateway,
            self.connections.discard,
            self._unsent,
            HARD_LIMIT,
        )
        self.connections.add(connection)
        client = Client(self, theirs, connection)
        self.clients.append(client)
        client.sends(PREAMBLE)
        self.settle()
        return client

    def comes(
        self,
        name: str,
        key: Ed25519PrivateKey | None = None,
        *,
        wire: Callable[[], Wire] = NativeWire,
        watch: bool = True,
        resume: int = 0,
        after: int = -1,
        sndbuf: int = 0,
        host: str = "",
        password: str = "",
        shares_read: bool = True,
    ) -> Client:
        """Somebody connects and logs in. The others forget what they heard."""
        client = self.connects(wire, sndbuf=sndbuf, host=host)
        login = client.login(
            name, key, watch=watch, resume=resume, after=after, password=password, shares_read=shares_read
        )
        client.asks(login)
        self.settle()
        for other in self.clients:
            if other is not client:
                other.heard.clear()
        return client

    # Time.

    def settle(self) -> None:
        """Runs the loop until nothing moves. What a handler raised ends the test."""
        quiet = 0
        for _ in range(_ROUNDS):
            before = self._progress()
            self.reactor.call_later(0, lambda: None)  # so that it doesn't wait
            self.reactor.tick()
            if self.errors:
                raise self.errors[0]
            moved = [client.write() | client.read() for client in self.clients]
            quiet = 0 if any(moved) or self._progress() != before else quiet + 1
            if quiet == 3:
                return
        raise AssertionError("it never settles")

    def wait(self, seconds: float, step: float = 0.1) -> None:
        """Lets time pass, in steps."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.now = min(until, self.clock.now + step)
            self.settle()

    def _offer_udp(self, connection: Connection, span: FileSpan, ended: UdpEnded) -> Offer:
        if not self.has_udp:
            raise OSError(98, "Address already in use")
        self.offers.append(Offer(connection, span, ended))
        return self.offers[-1]

    def _countdown(self) -> Countdown:
        def say(seconds: int) -> None:
            self.gateway.fanout.tell(model.StoppingIn(seconds), self.world.everyone())

        return Countdown(self.reactor, say, lambda: self.ends.append(self.clock.now))

    def _progress(self) -> object:
        return len(self.log.events), self.gateway.fanout.pending, len(self.connections)

    def _flush(self) -> None:
        while self._unsent:
            self._unsent.pop().flush()


def new_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def numbers(replies: Sequence[model.Ok | model.Refused]) -> list[int]:
    """Of the requests that were answered."""
    return [reply.n for reply in replies]


def texts(said: Sequence[model.FromServer]) -> list[str]:
    """Of the messages among these."""
    return [each.text for each in said if isinstance(each, model.Message)]
