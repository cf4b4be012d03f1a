"""TokenBucket: how fast a peer may go on. Who is too fast is read later, not refused and not cut off."""


class TokenBucket:
    """`burst` at once, then `rate` a second; `now` is any monotonic clock's seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> float:
        """Takes one and returns 0, or takes none and returns the seconds until there will be one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate
