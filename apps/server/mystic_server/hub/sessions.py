"""Peers: which connection belongs to which session, and what each peer is waiting for."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from mystic_server.hub.rates import Pace
from mystic_server.net.connection import Connection
from mysticproto.model import Bye, Event, FileStart, Passing, Reply, Request
from mysticproto.wire import Item, Role, Wire


class FileTransfer(Protocol):
    """A file on its way to a peer, as the hub knows it."""

    start: FileStart
    path: str
    size: int
    user: int

    def finished(self, complete: bool) -> None:
        """The connection has ended; the place is free."""


class IncomingFile(Protocol):
    """A file that somebody brings: for a shared folder, where it lies at `path` once it is whole."""

    @property
    def name(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...


class Peer:
    """One connection and what the hub knows of it; without a session until its login is applied."""

    def __init__(
        self,
        connection: Connection,
        wire: Wire,
        nonce: bytes,
        pace: Pace | None = None,
        has_more: Callable[["Peer"], None] = lambda peer: None,
    ) -> None:
        self.connection = connection
        self.wire = wire
        self.nonce = nonce
        self.pace = pace
        self.session = 0
        self.user = 0
        self.name = ""
        self.waiting: deque[Item] = deque()
        """What was read and not yet handled."""
        self.is_barred = False
        """A request that changes more than a timeline is on its way through the log."""
        self.is_asking = False
        """An answer is on its way that will be long."""
        self.is_waiting_for_time = False
        """A timer will go on with `waiting`."""
        self.failed_logins = 0
        self.failed_passwords = 0
        self.shares_read = True
        """Whether others learn what this session has read, and it what they have."""
        self.transfer: FileTransfer | None = None
        self.is_fetching = False
        """Whether a file of an older wire is on its way, or being looked for."""
        self.bytes_due: int | None = None
        """Of a file that comes on this connection, which does nothing else then."""
        self.end_file: Callable[[], None] | None = None
        """Ends that file before its time."""
        self.is_offered = False
        """Whether that file is beside the connection, not on it."""
        self.other: Peer | None = None
        """The other connection of the same session, for wires that have two of them."""
        self.is_second = False
        """Whether this is the one on which nothing is told."""
        self._has_more = has_more

    @property
    def host(self) -> str:
        """Where the peer is."""
        return self.connection.address[0]

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> None:
        """Queues a reply."""
        wire = self.wire
        for chunk in wire.answer(request, reply):
            self.connection.push(chunk)
        self.connection.keep_deadline()
        if follow_ups := wire.take_follow_ups():
            self.waiting.extendleft(reversed(follow_ups))
            self._has_more(self)
        if wire.is_over:
            self.connection.finish()

    def tell(self, event: Event | Passing, role: Role, now: float) -> None:
        """Queues what a personal wire says of something that happened."""
        for chunk in self.wire.tell(event, role, now):
            self.connection.push(chunk)
        self.connection.keep_deadline()

    def end(self, bye: Bye) -> None:
        """Says the last words and closes when they are sent."""
        self.answer(None, bye)
        self.connection.finish()


class Timer(Protocol):
    """A call at a time."""

    def cancel(self) -> None:
        """Makes it not happen."""


class Clock(Protocol):
    """The loop's time, and calls at a time of it; the reactor is one."""

    @property
    def now(self) -> float:
        """Monotonic seconds."""

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Calls once."""


class Witness(Protocol):
    """Who is told what goes on, for the operator's eyes."""

    def told(self, event: Event) -> None:
        """Something other than a message happened."""

    def connected(self, connection: Connection) -> None:
        """A connection was accepted."""

    def disconnected(self, connection: Connection, name: str, cause: str) -> None:
        """A connection ended; `name` is empty if nobody logged in on it."""

    def login_failed(self, connection: Connection, name: str, why: str) -> None:
        """Somebody was not let in as `name`, which is what they typed."""

    def transfer_started(self, connection: Connection, name: str, transfer: FileTransfer) -> None:
        """A file is on its way."""

    def transfer_finished(
        self, connection: Connection, name: str, transfer: FileTransfer, complete: bool, seconds: float
    ) -> None:
        """A file has left, or not; called before `disconnected`."""

    def datagrams_started(self, name: str, transfer: FileTransfer, held: int) -> None:
        """A file is on its way in datagrams; the peer had so many bytes of it."""

    def datagrams_moved(self, count: int) -> None:
        """So many more bytes have come to a peer in datagrams."""

    def datagrams_ended(self, name: str, transfer: FileTransfer, came: int, seconds: float, why: str) -> None:
        """So much of a file has come in datagrams, which is all that was wanted unless `why` says something."""

    def upload_started(self, connection: Connection, name: str, upload: IncomingFile, left: int) -> None:
        """Somebody brings a file, of which so many bytes are to come."""

    def upload_finished(self, connection: Connection, name: str, upload: IncomingFile, seconds: float) -> None:
        """It is whole and in its place; called before `disconnected`."""

    def upload_failed(self, connection: Connection, name: str, upload: IncomingFile, left: int) -> None:
        """It is not; called before `disconnected`."""


class Peers:
    """All connections whose wire is known, and those of the sessions on this node."""

    def __init__(self) -> None:
        self._of_connection: dict[Connection, Peer] = {}
        self._of_session: dict[int, Peer] = {}
        self.version = 0
        """Grows whenever a session gains or loses its connection."""

    def __len__(self) -> int:
        return len(self._of_connection)

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._of_connection.values()))

    def add(self, peer: Peer) -> None:
        """A connection whose wire has become known."""
        self._of_connection[peer.connection] = peer

    def of(self, connection: Connection) -> Peer | None:
        """The peer on a connection."""
        return self._of_connection.get(connection)

    def of_session(self, session: int) -> Peer | None:
        """The peer of a session, if it is on this node and connected."""
        return self._of_session.get(session)

    def bind(self, peer: Peer, session: int) -> None:
        """A login was applied."""
        peer.session = session
        self._of_session[session] = peer
        self.version += 1

    def release(self, peer: Peer) -> None:
        """The session goes on without this connection, or has ended."""
        if self._of_session.get(peer.session) is peer:
            del self._of_session[peer.session]
        peer.session = 0
        self.version += 1

    def remove(self, connection: Connection) -> None:
        """A connection has ended."""
        self._of_connection.pop(connection, None)
