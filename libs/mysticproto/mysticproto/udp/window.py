"""ArrivedWindow: which of the last pns have arrived. Refuses replays, and is what reports are made of.

One byte per pn in a ring, because setting one is the cheapest thing that Python can do per datagram; a report turns a
stretch of it into bits, which is done some hundred times a second.
"""

WINDOW = 1 << 17  # pns; 150 MB of datagrams in flight
_MASK = WINDOW - 1
_DIGITS = bytes((48, 49)) + bytes(254)  # byte 0 -> "0", byte 1 -> "1"


class ArrivedWindow:
    """`largest` is the largest pn that arrived, 0 before any."""

    __slots__ = ("_ring", "largest")

    def __init__(self) -> None:
        self.largest = 0
        self._ring = bytearray(WINDOW)

    def is_new(self, pn: int) -> bool:
        """Whether `pn` has not arrived yet; one that is too old to be remembered counts as arrived."""
        return pn > self.largest or (pn > self.largest - WINDOW and pn > 0 and not self._ring[pn & _MASK])

    def add(self, pn: int) -> None:
        """Notes a pn that is new and belongs to an authenticated datagram."""
        if pn > self.largest:
            if pn != self.largest + 1:
                self._clear(self.largest + 1, min(pn - self.largest - 1, WINDOW))
            self.largest = pn
        self._ring[pn & _MASK] = 1

    def bitmap(self, first: int, count: int) -> int:
        """Bit i says whether pn `first + i` arrived, for `count` pns that are still remembered."""
        start = first & _MASK
        stretch = self._ring[start : start + count]
        stretch += self._ring[: count - len(stretch)]
        stretch.reverse()
        return int(stretch.translate(_DIGITS), 2) if stretch else 0

    def _clear(self, first: int, count: int) -> None:
        start = first & _MASK
        until_end = min(count, WINDOW - start)
        self._ring[start : start + until_end] = bytes(until_end)
        self._ring[: count - until_end] = bytes(count - until_end)
