"""Challenger: which address may be sent file data, because a token came back from it.

A token is bound to the address and to how often the client has moved before, so one that was seen at an earlier place
is worth nothing. A challenge answers a datagram that is at least as long: nobody can be made to send more than he gets.
"""

import hmac
from collections.abc import Hashable

from mysticproto.udp.packets import TOKEN_BYTES

PENDING_MAX = 8


class Challenger:
    """`peer`: the address that has proved itself, None before. `moves`: how often another one has."""

    def __init__(self, entropy: bytes) -> None:
        self.peer: Hashable | None = None
        self.moves = 0
        self._entropy = entropy
        self._sent_at: dict[int, float] = {}  # by the challenge's pn, oldest first

    def token(self, address: Hashable) -> bytes:
        """What the client at this address must give back."""
        said = b"%d %s" % (self.moves, repr(address).encode())
        return hmac.digest(self._entropy, said, "sha256")[:TOKEN_BYTES]

    def sent(self, pn: int, now: float) -> None:
        """A challenge leaves under this pn."""
        self._sent_at[pn] = now
        if len(self._sent_at) > PENDING_MAX:
            del self._sent_at[next(iter(self._sent_at))]

    def answered(self, token: bytes, pn: int, address: Hashable, now: float) -> float | None:
        """The round trip in seconds if the answer is right, and `address` is the peer from now on; else None."""
        sent_at = self._sent_at.get(pn)
        if sent_at is None or not hmac.compare_digest(token, self.token(address)):
            return None
        self._sent_at.clear()
        if self.peer is not None and address != self.peer:
            self.moves += 1
        self.peer = address
        return now - sent_at
