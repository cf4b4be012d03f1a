"""Fairness: when loss means congestion, and how far to step back for those who share the path.

Loss alone says little on a radio link or a long one. A round is congested when more is lost than the path loses by
itself (`p0`, learnt from rounds without a queue) while there is a queue, or far too much at all. Then what may be in
flight is capped at 0.7 of what was, and grows as CUBIC's window would; without a queue it also grows by a tenth each
round. A cap above three times the path's own capacity is dropped.
"""

import math

BETA = 0.7
CUBIC_C = 0.4
DEVIATIONS = 2.5
FEW = 3.0  # losses a round that are never a verdict
HOPELESS = 0.2
GROWTH = 1.1
CAP_MIN = 10.0
DROPPED_ABOVE_BDP = 3.0
MEMORY = 8000.0  # datagrams that p0 is learnt from, then half of them count


class Fairness:
    """`cap`: datagrams in flight, None while there is no reason for one. `p0`: the share that the path itself loses."""

    __slots__ = ("_acked", "_capped_at", "_clean", "_clean_lost", "_lost", "_top", "cap")

    def __init__(self) -> None:
        self.cap: float | None = None
        self._acked = self._lost = 0
        self._clean = self._clean_lost = 0.0  # datagrams of rounds without a queue, and how many of them were lost
        self._top = self._capped_at = 0.0

    @property
    def p0(self) -> float:
        return self._clean_lost / self._clean if self._clean else 0.0

    @property
    def round_total(self) -> int:
        """What has arrived or was lost in this round so far."""
        return self._acked + self._lost

    @property
    def round_loss(self) -> float:
        """The share of it that was lost."""
        return self._lost / max(1, self.round_total)

    def count(self, acked: int, lost: int) -> None:
        """Adds to the round. `lost` is negative where some were given up too early."""
        self._acked += acked
        self._lost = max(0, self._lost + lost)

    def end_round(self, queue: bool, starting: bool, in_flight: float, bdp: float, now: float) -> None:
        """Judges the round. What is lost while `starting` is one's own doing and no verdict."""
        congested = not starting and self._is_congested(queue)
        if not queue and not (starting and self.hopeless):
            self._learn()
        self._acked = self._lost = 0
        if congested:
            self.step_back(in_flight, now)
        elif self.cap is not None:
            self._grow(queue, bdp, now)

    def step_back(self, in_flight: float, now: float) -> None:
        """Caps what may be in flight, as CUBIC caps its window: after a verdict, and when a start went too far."""
        self._top, self._capped_at = in_flight, now
        self.cap = max(CAP_MIN, BETA * in_flight)

    @property
    def hopeless(self) -> bool:
        """Whether so much is lost in this round that it needs no queue to be a verdict."""
        total = self.round_total
        return self._lost > max(HOPELESS * total, 1.5 * self.p0 * total) + self._scatter(total)

    def _is_congested(self, queue: bool) -> bool:
        total = self.round_total
        return self.hopeless or (queue and self._lost > self.p0 * total + self._scatter(total))

    def _scatter(self, total: int) -> float:
        """How many more than usual may be lost by chance."""
        return DEVIATIONS * math.sqrt(self.p0 * total) + FEW

    def _learn(self) -> None:
        if self._clean > MEMORY:
            self._clean /= 2
            self._clean_lost /= 2
        self._clean += self.round_total
        self._clean_lost += self._lost

    def _grow(self, queue: bool, bdp: float, now: float) -> None:
        since = now - self._capped_at - math.pow(self._top * (1 - BETA) / CUBIC_C, 1 / 3)
        cap = max(self.cap or 0.0, CUBIC_C * since**3 + self._top)
        cap *= 1.0 if queue else GROWTH
        self.cap = None if cap > DROPPED_ABOVE_BDP * bdp else cap
