"""How long to wait before the next attempt to connect: longer every time, and never the same for everybody."""

import random

FIRST_S = 0.2
LONGEST_S = 10.0
STEADY_S = 5.0
"""A connection that held this long was a good one: the next break starts from `FIRST_S` again."""


class Backoff:
    """Counts failures. Half of each wait is chance, so that not all clients of a restarted server come at once."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._failures = 0

    def failed(self) -> float:
        """The wait before the next attempt, seconds."""
        longest_s: float = min(LONGEST_S, FIRST_S * 2 ** min(self._failures, 16))
        self._failures += 1
        return longest_s * (0.5 + 0.5 * self._chance.random())

    def held(self, online_s: float) -> None:
        """Says how long a connection was usable before it broke."""
        if online_s >= STEADY_S:
            self._failures = 0
