"""Pacer: a token bucket in datagrams, which lets them go in batches of about a millisecond.

The kernel sends a batch of equal datagrams for the price of one call; TCP's own bursts are as long. The bucket holds at
most 4 ms of the rate or 10 datagrams, so that a late wake-up is made good, and a long pause is not.
"""

BATCH_S = 0.001
BATCH_MAX = 54  # what UDP_SEGMENT takes of 1200 bytes: 64 segments and 65,507 bytes
BURST_S = 0.004
BURST_MIN = 10.0
_ROUNDING = 1e-3  # datagrams: a deadline computed in floats must not come an instant too early for ever


class Pacer:
    """`rate` in datagrams per second; may be changed at any time."""

    __slots__ = ("_filled_at", "_tokens", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._tokens = min(BURST_MIN, rate)
        self._filled_at = now

    @property
    def batch(self) -> int:
        """How many datagrams to send at once."""
        return max(1, min(BATCH_MAX, int(self.rate * BATCH_S)))

    def allowed(self, now: float) -> int:
        """How many datagrams may be sent now."""
        burst = max(BURST_MIN, self.rate * BURST_S)
        self._tokens = min(burst, self._tokens + max(0.0, now - self._filled_at) * self.rate)
        self._filled_at = max(self._filled_at, now)
        return int(self._tokens + _ROUNDING)

    def spend(self, count: int) -> None:
        self._tokens -= count

    def ready_at(self) -> float:
        """When a whole batch may be sent."""
        return self._filled_at + max(0.0, self.batch - self._tokens) / self.rate
