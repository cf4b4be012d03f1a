"""Heights of many entries, and which entry is at which row.

Heights are kept in one array with a sum for every block of 256, so finding a row among 100,000 entries looks at some
hundreds of numbers. A height is a guess until it is set as exact.
"""

from array import array
from collections.abc import Iterable
from typing import Final

BLOCK: Final = 256


class Heights:
    """Heights in rows, by index. `total` is their sum."""

    def __init__(self, guesses: Iterable[int] = ()) -> None:
        self._heights = array("l", guesses)
        self._exact = bytearray(len(self._heights))
        self._sums: list[int] = []
        self.total = 0
        self._sum_up(0)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def exact_count(self) -> int:
        """How many heights are known."""
        return self._exact.count(1)

    def is_exact(self, index: int) -> bool:
        return bool(self._exact[index])

    def set_exact(self, index: int, height: int) -> None:
        """The true height of an entry."""
        difference = height - self._heights[index]
        self._heights[index] = height
        self._exact[index] = 1
        self._sums[index // BLOCK] += difference
        self.total += difference

    def doubt(self, index: int) -> None:
        """The height is a guess again."""
        self._exact[index] = 0

    def prepend(self, guesses: Iterable[int]) -> None:
        """New entries in front."""
        new = array("l", guesses)
        self._heights = new + self._heights
        self._exact = bytearray(len(new)) + self._exact
        self._sum_up(0)

    def replace_from(self, index: int, guesses: Iterable[int]) -> None:
        """Everything from `index` on is new."""
        del self._heights[index:]
        self._heights.extend(guesses)
        self._exact = self._exact[:index] + bytearray(len(self._heights) - index)
        self._sum_up(index // BLOCK)

    def top_of(self, index: int) -> int:
        """The row on which an entry begins; for the number of entries, the row after the last."""
        block = index // BLOCK
        return sum(self._sums[:block]) + sum(self._heights[block * BLOCK : index])

    def at(self, row: int) -> tuple[int, int]:
        """The entry on a row and how many rows of it are above; rows outside give the first or last entry."""
        row = min(max(0, row), max(0, self.total - 1))
        block = 0
        while block < len(self._sums) - 1 and row >= self._sums[block]:
            row -= self._sums[block]
            block += 1
        index = block * BLOCK
        while index < len(self._heights) - 1 and row >= self._heights[index]:
            row -= self._heights[index]
            index += 1
        return index, row

    def _sum_up(self, first_block: int) -> None:
        del self._sums[first_block:]
        starts = range(first_block * BLOCK, len(self._heights), BLOCK)
        self._sums.extend(sum(self._heights[start : start + BLOCK]) for start in starts)
        self.total = sum(self._sums)
