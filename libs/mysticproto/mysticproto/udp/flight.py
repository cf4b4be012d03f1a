"""Flight: every pn that was sent and may still be reported, as bits of whole numbers that start at `base`.

    unacked   sent, and not reported as arrived
    live      of these, those that still count as being on their way; the others were given up and their blocks repeated
    skipped   left out on purpose: whoever reports one as arrived lies

Python works on thousands of bits at once, so that a report costs a few operations and not one per datagram. Which
block a pn carried, and when it left, is in two rings.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import compress, count

RING = 1 << 16
_MASK = RING - 1
_FLAGS = bytes(49) + b"\x01" + bytes(206)  # the digit "1" -> 1, all others -> 0


class Lied(Exception):
    """The report names a pn that was never sent."""


def numbers_of(bits: int, base: int) -> Iterator[int]:
    """`base` + the position of every bit that is set, lowest first."""
    digits = bin(bits)[:1:-1].encode()
    return compress(count(base), digits.translate(_FLAGS))


class Flight:
    """`next_pn` is what the next datagram will have; `in_flight` how many are live."""

    __slots__ = ("_blocks", "_live", "_skipped", "_times", "_unacked", "base", "in_flight", "next_pn")

    def __init__(self, next_pn: int) -> None:
        self.base = self.next_pn = next_pn
        self.in_flight = 0
        self._live = self._unacked = self._skipped = 0
        self._blocks = array("Q", bytes(8 * RING))
        self._times = array("d", bytes(8 * RING))

    @property
    def room(self) -> int:
        """How many more can be remembered."""
        return RING - (self.next_pn - self.base)

    def sent_at(self, pn: int) -> float:
        """When a pn of the last `RING` left."""
        return self._times[pn & _MASK]

    def add(self, blocks: list[int], now: float) -> None:
        """These blocks leave under the next pns; not more than there is room for."""
        pn = self.next_pn
        for position, block in enumerate(blocks, pn):
            self._blocks[position & _MASK] = block
            self._times[position & _MASK] = now
        bits = ((1 << len(blocks)) - 1) << (pn - self.base)
        self._unacked |= bits
        self._live |= bits
        self.next_pn += len(blocks)
        self.in_flight += len(blocks)

    def skip(self) -> None:
        """The next pn is left out."""
        self._skipped |= 1 << (self.next_pn - self.base)
        self._times[self.next_pn & _MASK] = self._times[(self.next_pn - 1) & _MASK]
        self.next_pn += 1

    def add_other(self, now: float) -> None:
        """The next pn leaves with something that is no block, and is not repeated."""
        self._times[self.next_pn & _MASK] = now
        self.next_pn += 1

    def acknowledge(self, first: int, bitmap: int) -> tuple[list[int], int]:
        """(blocks that arrived newly, how many of them had been given up). Raises `Lied`."""
        if first > self.next_pn:
            raise Lied
        shift = first - self.base
        reported = bitmap << shift if shift >= 0 else bitmap >> -shift
        if reported & self._skipped or reported >> (self.next_pn - self.base):
            raise Lied
        new = reported & self._unacked
        live = (new & self._live).bit_count()
        self._unacked &= ~new
        self._live &= ~new
        self.in_flight -= live
        ring = self._blocks
        return [ring[pn & _MASK] for pn in numbers_of(new, self.base)], new.bit_count() - live

    def sent_since(self, moment: float) -> int:
        """The first pn that left after this, which may be `next_pn`."""
        pns = range(self.base, self.next_pn)
        return self.base + bisect_right(pns, moment, key=self.sent_at)

    def give_up_from(self, pn: int) -> list[int]:
        """Blocks of all live pns from this one on; they are live no more."""
        below = (1 << max(0, pn - self.base)) - 1
        blocks = [self._blocks[live & _MASK] for live in numbers_of(self._live & ~below, self.base)]
        self._live &= below
        self.in_flight -= len(blocks)
        return blocks

    def give_up(self, below_pn: int, sent_before: float) -> list[int]:
        """Blocks of the live pns below `below_pn` that left at `sent_before` or earlier; they are live no more."""
        candidates = self._live & ((1 << max(0, below_pn - self.base)) - 1)
        lost, blocks = 0, []
        for pn in numbers_of(candidates, self.base):
            if self._times[pn & _MASK] > sent_before:
                break
            lost |= 1 << (pn - self.base)
            blocks.append(self._blocks[pn & _MASK])
        self._live &= ~lost
        self.in_flight -= len(blocks)
        return blocks

    def oldest_live(self) -> float | None:
        """When the oldest live pn left."""
        if not self._live:
            return None
        return self._times[(self.base + (self._live & -self._live).bit_length() - 1) & _MASK]

    def forget_below(self, pn: int) -> None:
        """No report will name a pn below this any more; none of them may be live."""
        shift = pn - self.base
        if shift > 0:
            self._unacked >>= shift
            self._live >>= shift
            self._skipped >>= shift
            self.base = pn
