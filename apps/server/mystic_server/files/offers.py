"""Offers: files in datagrams, at the loop's end. The child (`datagrams`) sends them; here is who wants to hear of it.

    offer -> the child has the file and waits -> `waiting`: the peer may be told -> `moved` ... -> `ended`
                                              -> `unavailable`
    withdraw -> the child gives it a moment, tells the peer -> `ended`

If the child dies, all that it was sending has ended; the peers notice it by silence,
and go on with another ticket.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeAlias

from msgspec import Struct

from mystic_server.files.datagram_messages import (
    Ended,
    Moved,
    Offer,
    Unavailable,
    Waiting,
    Withdraw,
    encode,
    from_child,
)
from mystic_server.net.children import CAN_PASS_FILES
from mysticproto.model import UdpTerms

CHILD_MODULE = "mystic_server.files.datagrams"
"""What the child runs; its arguments are the ports that it may take, in the order of preference."""
SECRET_BYTES = 32
CID_BYTES = 4
DATAGRAM_BYTES = (8224, 1440, 1200, 1024, 512)
"""Sizes that are tried in turn. TCP's segments on the same way tell what passes; a smaller choice of them than there
are ways keeps the blocks of an earlier attempt useful."""
_OVERHEAD_BYTES = 32
_NOT_NOW = "The server can't send datagrams just now."
_TCP_SAVES_BYTES = 12
"""What TCP's headers are longer than UDP's, at the least."""


class Route(Struct, frozen=True):
    """The way to a peer, as its chat connection shows it: both ends' addresses, and what TCP puts into one packet there
    (0 if that is unknown)."""

    local_host: str
    peer_host: str
    segment_bytes: int


class Watcher(Protocol):
    """Who asked for a file in datagrams. First `waiting` or `unavailable`; after `waiting`, `ended` comes once."""

    def waiting(self, terms: UdpTerms) -> None:
        """The child has the file and waits for the peer, for ten seconds."""

    def unavailable(self, why: str) -> None:
        """It can't be had in datagrams; a sentence."""

    def moved(self, held: int) -> None:
        """The peer has so many bytes of it; the first time it has just begun."""

    def ended(self, held: int, why: str) -> None:
        """It is over; `why` is empty if the peer has all."""


Withdrawal: TypeAlias = Callable[[], None]
"""Ends an offer soon, if it is not over: who asked for it is gone. Its watcher hears of the end as of any other."""


class FileChild(Protocol):
    """What of a `net.children.ChildProcess` is needed."""

    @property
    def is_up(self) -> bool: ...

    def start(self) -> None: ...

    def send(self, body: bytes) -> None: ...

    def send_file(self, body: bytes, fd: int) -> bool: ...


class _Offered(Struct):
    """What the child has."""

    terms: UdpTerms
    watcher: Watcher
    is_waiting: bool = False


class Offers:
    """See the module. The owner of the child passes on its `received` and `went_down`."""

    def __init__(self, child: FileChild, random_bytes: Callable[[int], bytes]) -> None:
        self._child = child
        self._random_bytes = random_bytes
        self._offered: dict[int, _Offered] = {}

    def start(self) -> None:
        """Starts the child, where systems can pass open files; elsewhere everything is unavailable."""
        if CAN_PASS_FILES:
            self._child.start()

    def offer(self, fd: int, size: int, route: Route, watcher: Watcher) -> Withdrawal:
        """Hands a file to the child, which gets a descriptor of its own."""
        if not self._child.is_up:
            watcher.unavailable(_NOT_NOW)
            return _nothing
        terms = UdpTerms(0, self._new_cid(), self._random_bytes(SECRET_BYTES), block_bytes(route.segment_bytes))
        offer = Offer(terms.cid, terms.secret, terms.block, size, route.local_host, route.peer_host)
        if self._child.send_file(encode(offer), fd):
            self._offered[terms.cid] = _Offered(terms, watcher)
            return partial(self._withdraw, terms.cid)
        watcher.unavailable("The server has too much to send in datagrams just now.")
        return _nothing

    def received(self, body: bytes) -> None:
        """A message of the child."""
        said = from_child.decode(body)
        offered = self._offered.get(said.cid)
        if offered is None:
            return
        match said:
            case Waiting(port=port):
                terms, offered.is_waiting = offered.terms, True
                offered.watcher.waiting(UdpTerms(port, terms.cid, terms.secret, terms.block))
            case Moved(held=held):
                offered.watcher.moved(held)
            case Unavailable(cid, why):
                del self._offered[cid]
                offered.watcher.unavailable(why)
            case Ended(cid, held, why):
                del self._offered[cid]
                offered.watcher.ended(held, why)

    def went_down(self) -> None:
        """The child died."""
        offered, self._offered = self._offered, {}
        for each in offered.values():
            if each.is_waiting:
                each.watcher.ended(0, "the process that sends datagrams ended")
            else:
                each.watcher.unavailable(_NOT_NOW)

    def _withdraw(self, cid: int) -> None:
        if cid in self._offered:
            self._child.send(encode(Withdraw(cid)))

    def _new_cid(self) -> int:
        """Not 0, and nobody's."""
        while True:
            cid = int.from_bytes(self._random_bytes(CID_BYTES), "big")
            if cid and cid not in self._offered:
                return cid


def _nothing() -> None:
    """The withdrawal of what was never offered."""


def block_bytes(segment_bytes: int) -> int:
    """How many bytes of a file a datagram can have where TCP has so many in a segment."""
    fits = [size for size in DATAGRAM_BYTES if size <= segment_bytes + _TCP_SAVES_BYTES]
    return (fits[0] if fits else 1200 if not segment_bytes else DATAGRAM_BYTES[-1]) - _OVERHEAD_BYTES
