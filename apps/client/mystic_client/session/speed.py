"""How fast bytes come, smoothed so that a number that is read by people doesn't jump."""

import math

SETTLING_S = 3.0
"""After this long two thirds of the number are what happened since."""
SHORTEST_S = 0.05
"""Samples closer together than this are taken together."""


class Speed:
    """Fed with totals and the time of any clock, seconds."""

    def __init__(self) -> None:
        self.bytes_s = 0.0
        self._received = 0
        self._at_s = 0.0
        self._measured = False

    def start(self, received: int, now_s: float) -> None:
        """Measures from here; what was had before didn't come now."""
        self._received = received
        self._at_s = now_s

    def moved(self, received: int, now_s: float) -> None:
        """Says how many bytes there are now."""
        passed_s = now_s - self._at_s
        if passed_s < SHORTEST_S:
            return
        sample = (received - self._received) / passed_s
        weight = 1 - math.exp(-passed_s / SETTLING_S) if self._measured else 1.0
        self.bytes_s += (sample - self.bytes_s) * weight
        self._measured = True
        self._received = received
        self._at_s = now_s

    def left_s(self, missing: int) -> float | None:
        """How long `missing` bytes will take at this speed; None while nobody can tell."""
        return missing / self.bytes_s if self.bytes_s > 0 else None
