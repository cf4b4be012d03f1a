"""Questions that wait for their answers, by number. Answers in parts become one."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from mystic_client.session.heard import NotConnected
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import Bans, Folder, Groups, Reply, Users

MAX_WAITING = 256
MAX_LINES = 200_000
"""Lines that all parts of one answer may have together."""

Part: TypeAlias = Bans | Folder | Groups | Users

_LINES: Final[dict[type[Part], str]] = {Bans: "bans", Folder: "entries", Groups: "groups", Users: "users"}
"""What comes in parts, and the field that is joined."""


class Asks:
    """The open questions of the running connection."""

    def __init__(self) -> None:
        self._open: dict[int, asyncio.Future[Reply]] = {}
        self._parts: dict[int, list[Part]] = {}
        self._lines: dict[int, int] = {}
        self._goes_on: dict[int, Callable[[], None]] = {}

    def open(self, n: int, goes_on: Callable[[], None] = lambda: None) -> asyncio.Future[Reply]:
        """The answer to `n`, when it comes; `goes_on` is called for every part that isn't the last.

        Raises `NotConnected` if too many wait already.
        """
        if len(self._open) >= MAX_WAITING:
            raise NotConnected("the server leaves too many questions unanswered")
        self._goes_on[n] = goes_on
        self._open[n] = asyncio.get_running_loop().create_future()
        return self._open[n]

    def forget(self, n: int) -> None:
        """Nobody waits for this answer any more."""
        self._open.pop(n, None)
        self._parts.pop(n, None)
        self._lines.pop(n, None)
        self._goes_on.pop(n, None)

    def answered(self, reply: Reply) -> None:
        """Passes on a whole answer, keeps a part; what nobody waits for is dropped."""
        n = getattr(reply, "n", 0)
        future = self._open.get(n)
        if future is None or future.done():
            return
        if isinstance(reply, Part):
            self._keep(n, reply)
            if reply.more:
                self._goes_on[n]()
                return
            reply = _joined(self._parts[n])
        self.forget(n)
        future.set_result(reply)

    def disconnected(self, reason: str) -> None:
        """No answer will come."""
        waiting, self._open = self._open, {}
        self._parts.clear()
        self._lines.clear()
        self._goes_on.clear()
        for future in waiting.values():
            if not future.done():
                future.set_exception(NotConnected(reason))

    def _keep(self, n: int, part: Part) -> None:
        self._parts.setdefault(n, []).append(part)
        self._lines[n] = self._lines.get(n, 0) + len(_lines(part)) + 1
        if self._lines[n] > MAX_LINES:
            raise ProtocolError(Code.FRAME_TOO_LARGE, "an answer has too many parts")


def _lines(part: Part) -> tuple[Any, ...]:
    lines: tuple[Any, ...] = getattr(part, _LINES[type(part)])
    return lines


def _joined(parts: list[Part]) -> Reply:
    """The last part with the lines of all of its kind."""
    last = parts[-1]
    lines = tuple(line for part in parts if type(part) is type(last) for line in _lines(part))
    return msgspec.structs.replace(last, **{_LINES[type(last)]: lines})
