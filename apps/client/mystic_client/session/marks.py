"""How far this user has got in each conversation, on its way to the server: at most one `Mark` a second for each.

What is delivered is noted by the session for whatever it has passed on, what is read by its owner. Both wait here until
`due`, and again if the connection broke before they were acknowledged. A watermark never goes back, so the latest says
it all.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from mysticproto.model import Mark

EVERY_S: Final = 1.0
MAX_CONVERSATIONS: Final = 2000
"""Beyond it, the conversation that was quiet for longest is forgotten."""


class _Way(Struct):
    """One conversation: what the server was told, what it is to be told, and when it was told last."""

    told: tuple[int, int] = (0, 0)
    wanted: tuple[int, int] = (0, 0)
    told_at_s: float = -EVERY_S

    @property
    def waits(self) -> bool:
        return self.wanted != self.told


class Marks:
    """The watermarks of one session. `private`: what was read is not for others."""

    def __init__(self, *, private: bool) -> None:
        self.private = private
        self._ways: dict[str, _Way] = {}
        self._waiting: set[str] = set()
        self._asked: dict[int, str] = {}

    def note(self, conversation: str, delivered: int = 0, read: int = 0) -> None:
        """Somebody has got so far; what was read has been delivered too."""
        way = self._ways.pop(conversation, None) or _Way()
        self._ways[conversation] = way
        way.wanted = (max(way.wanted[0], delivered, read), max(way.wanted[1], read))
        if way.waits:
            self._waiting.add(conversation)
        if len(self._ways) > MAX_CONVERSATIONS:
            forgotten = next(iter(self._ways))
            del self._ways[forgotten]
            self._waiting.discard(forgotten)

    def take_due(self, now_s: float, next_n: Callable[[], int], *, all_of_them: bool = False) -> list[Mark]:
        """The requests to send now."""
        due = [key for key in self._waiting if all_of_them or now_s >= self._ways[key].told_at_s + EVERY_S]
        return [self._request(key, next_n(), now_s) for key in due]

    def maybe_due_at_s(self) -> float | None:
        """When `take_due` will have something next."""
        return min((self._ways[key].told_at_s + EVERY_S for key in self._waiting), default=None)

    def answered(self, n: int) -> bool:
        """Whether this was the answer to one of ours; a refusal is an answer like any other."""
        return self._asked.pop(n, None) is not None

    def disconnected(self) -> None:
        """What was not acknowledged is to be told once more."""
        for conversation in set(self._asked.values()) & self._ways.keys():
            self._ways[conversation].told = (0, 0)
            self._waiting.add(conversation)
        self._asked.clear()

    def forget(self) -> None:
        """Another server: its conversations and numbers are others."""
        self._ways.clear()
        self._waiting.clear()
        self._asked.clear()

    def _request(self, conversation: str, n: int, now_s: float) -> Mark:
        way = self._ways[conversation]
        delivered, read = (new if new > old else 0 for new, old in zip(way.wanted, way.told, strict=True))
        self._asked[n] = conversation
        if len(self._asked) > MAX_CONVERSATIONS:
            del self._asked[next(iter(self._asked))]
        way.told, way.told_at_s = way.wanted, now_s
        self._waiting.discard(conversation)
        return Mark(n, conversation, delivered, read, private=self.private)
