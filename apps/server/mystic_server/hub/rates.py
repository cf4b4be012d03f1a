"""How fast a peer may go on. Who is too fast is read later, not refused and not cut off."""

from msgspec import Struct

from mysticproto.model import Post, Request
from mysticproto.wire import Local

_SHORTEST_WAIT_S = 1e-6
"""Less is no wait: the clock might not show it, and the same would be asked again and again."""


class Rates(Struct, frozen=True, kw_only=True):
    """What one peer may do in a second, and at once; `text` in characters, all else in requests."""

    messages: float
    messages_burst: float
    commands: float
    commands_burst: float
    text: float
    text_burst: float


class TokenBucket:
    """`burst` at once, then `rate` a second; `now` is any monotonic clock's seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def wait_s(self, now: float, amount: float = 1.0) -> float:
        """Seconds until so much may be spent, 0 for now. More than a burst is allowed when the bucket is full."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        wait_s = (min(amount, self._burst) - self._tokens) / self._rate
        return wait_s if wait_s > _SHORTEST_WAIT_S else 0.0

    def spend(self, amount: float = 1.0) -> None:
        """Takes what `wait_s` has allowed."""
        self._tokens -= min(amount, self._burst)


class Pace:
    """One peer's buckets: messages by number and by length, everything else as commands."""

    __slots__ = ("_commands", "_messages", "_text")

    def __init__(self, rates: Rates, now: float) -> None:
        self._messages = TokenBucket(rates.messages, rates.messages_burst, now)
        self._commands = TokenBucket(rates.commands, rates.commands_burst, now)
        self._text = TokenBucket(rates.text, rates.text_burst, now)

    def wait_s(self, request: Request | Local, now: float) -> float:
        """Seconds until this request may be handled. What a wire answers by itself counts as a command."""
        if isinstance(request, Post):
            return max(self._messages.wait_s(now), self._text.wait_s(now, len(request.text)))
        return self._commands.wait_s(now)

    def spend(self, request: Request | Local) -> None:
        """The request is handled now."""
        if isinstance(request, Post):
            self._messages.spend()
            self._text.spend(len(request.text))
        else:
            self._commands.spend()
