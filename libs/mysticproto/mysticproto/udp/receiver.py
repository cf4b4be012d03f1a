"""Receiver: the client's side of one transfer."""

from collections.abc import Callable

from mysticproto.model import UdpTerms
from mysticproto.udp.blocks import BlockSet
from mysticproto.udp.state import Reason, State

Store = Callable[[int, memoryview], None]  # (offset, bytes): to be written before it returns; the view is then reused


class Receiver:
    """One file from one server.

    `have` says which blocks the caller holds already, and is updated as blocks are stored (persist `have.to_bytes()`
    beside the file, after the file itself). `store(offset, data)` writes; an OSError from it ends the transfer.
    """

    state: State
    reason: Reason | None  # set when FAILED
    have: BlockSet

    def __init__(self, terms: UdpTerms, size: int, have: BlockSet, store: Store, now: float) -> None: ...

    @property
    def bytes_held(self) -> int:
        """Bytes of the file that are stored, those from before included."""
        return 0

    def received(self, data: bytes | memoryview, segment_bytes: int, arrival: float, now: float) -> None:
        """What one read of the socket brought: datagrams of `segment_bytes`, the last perhaps shorter (UDP_GRO).

        `arrival`: when the kernel got it, on the clock of `now`: `now - (time.time() - stamp)` of SO_TIMESTAMPNS.
        Pass `now` where there are no stamps.
        """

    def take(self, now: float) -> list[bytes]:
        """Datagrams to be sent to the server now; to be called after `received` and at each deadline."""
        return []

    def next_deadline(self) -> float | None:
        """When `take` wants to be called next; None when the transfer is over and nothing is left to say."""
        return None

    def abort(self, reason: Reason, now: float) -> None:
        """Ends the transfer; the next `take` says so to the server."""
