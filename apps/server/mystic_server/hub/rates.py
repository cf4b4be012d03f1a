"""How fast a peer may go on. Who is too fast is read later, not refused and not cut off."""

from msgspec import Struct

from mysticproto.model import Announce, Edit, ListConversations, Mark, Post, Request, Search, SetPassword
from mysticproto.wire import Local, Raw

_CHEAP = 0.25
"""Of a command: a watermark follows every few messages."""
_SEARCHES = (Search, ListConversations, SetPassword)
"""What costs a child process more than all else."""
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
    searches: float = 1.0
    searches_burst: float = 5.0


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
    """One peer's buckets: messages by number and by length, everything else as commands, and searches besides."""

    __slots__ = ("_commands", "_messages", "_searches", "_text")

    def __init__(self, rates: Rates, now: float) -> None:
        self._messages = TokenBucket(rates.messages, rates.messages_burst, now)
        self._commands = TokenBucket(rates.commands, rates.commands_burst, now)
        self._searches = TokenBucket(rates.searches, rates.searches_burst, now)
        self._text = TokenBucket(rates.text, rates.text_burst, now)

    def wait_s(self, request: Request | Local | Raw, now: float) -> float:
        """Seconds until this request may be handled. What a wire answers by itself counts as a command; a file's bytes
        cost nothing, they have a window of their own."""
        if isinstance(request, Raw):
            return 0.0
        if isinstance(request, Post | Edit | Announce):
            return max(self._messages.wait_s(now), self._text.wait_s(now, len(request.text)))
        if isinstance(request, _SEARCHES):
            return max(self._commands.wait_s(now), self._searches.wait_s(now))
        return self._commands.wait_s(now, _CHEAP if isinstance(request, Mark) else 1.0)

    def spend(self, request: Request | Local | Raw) -> None:
        """The request is handled now."""
        if isinstance(request, Raw):
            return
        if isinstance(request, Post | Edit | Announce):
            self._messages.spend()
            self._text.spend(len(request.text))
            return
        self._commands.spend(_CHEAP if isinstance(request, Mark) else 1.0)
        if isinstance(request, _SEARCHES):
            self._searches.spend()
