"""Sender: the server's side of one transfer."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

from mysticproto.model import UdpTerms
from mysticproto.udp.state import Reason, State

Read = Callable[[int, int], bytes | bytearray | memoryview]  # (offset, length) -> exactly that many bytes, fewer if cut


class Batch(NamedTuple):
    """Datagrams for one address, end to end in `data`: each `segment_bytes` long, the last one perhaps shorter.

    At most 64 of them and 65,507 bytes, so that one call with UDP_SEGMENT sends it. The buffer is the caller's to keep.
    """

    address: Hashable
    data: bytes | bytearray
    segment_bytes: int


class Sender:
    """One file to one client.

    `read(offset, length)` gives bytes of the file (at once: it is called from `take`); fewer than asked, or an OSError,
    means that the file changed and ends the transfer. `entropy`: 32 random bytes that nobody else knows. Addresses are
    opaque. `rate_limit_bytes_per_s` is an upper bound on what is sent, headers included.
    """

    state: State
    reason: Reason | None  # set when FAILED

    def __init__(
        self,
        terms: UdpTerms,
        size: int,
        read: Read,
        entropy: bytes,
        now: float,
        rate_limit_bytes_per_s: float | None = None,
    ) -> None: ...

    def received(self, datagram: bytes | memoryview, address: Hashable, now: float) -> None:
        """One datagram from the client, or from somebody who forged it. Afterwards ask `take` and `next_deadline`."""

    def take(self, now: float) -> list[Batch]:
        """What is to be sent now; empty if nothing. To be called after `received` and at each deadline."""
        return []

    def next_deadline(self) -> float | None:
        """When `take` wants to be called next; None when the transfer is over and can be forgotten."""
        return None

    def abort(self, reason: Reason, now: float) -> None:
        """Ends the transfer; the next `take` says so to the client."""
