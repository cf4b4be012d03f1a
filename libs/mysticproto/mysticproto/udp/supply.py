"""Supply: which block goes next. Those that were lost come first, then those that were never sent."""

from collections import deque
from collections.abc import Iterable

from mysticproto.udp.blocks import BlockSet


class Supply:
    """Blocks of a file of which the client has `runs` already. `confirmed` is what it has, as far as is known."""

    def __init__(self, total: int, runs: Iterable[tuple[int, int]]) -> None:
        self.confirmed = BlockSet(total)
        for first, end in runs:
            self.confirmed.add(first, end - first)
        self._fresh = deque(self.confirmed.missing())
        self._again: deque[int] = deque()

    @property
    def complete(self) -> bool:
        return self.confirmed.complete

    @property
    def empty(self) -> bool:
        """Whether there is nothing to send but what is on its way."""
        again, confirmed = self._again, self.confirmed
        while again and again[0] in confirmed:
            again.popleft()
        return not again and not self._fresh

    def take(self, count: int) -> list[int]:
        """Up to `count` blocks to be sent now."""
        taken: list[int] = []
        again, confirmed = self._again, self.confirmed
        while again and len(taken) < count:
            block = again.popleft()
            if block not in confirmed:
                taken.append(block)
        while self._fresh and len(taken) < count:
            taken.extend(self._take_fresh(count - len(taken)))
        return taken

    def give_back(self, blocks: Iterable[int]) -> None:
        """They were probably lost."""
        confirmed = self.confirmed
        self._again.extend(block for block in blocks if block not in confirmed)

    def _take_fresh(self, count: int) -> range:
        first, end = self._fresh.popleft()
        taken = range(first, min(end, first + count))
        if taken.stop < end:
            self._fresh.appendleft((taken.stop, end))
        return taken
