"""`mystic send`: one message, or one for each line of standard input."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from mystic_client.cli.lines import stdin_lines
from mystic_client.cli.output import talk
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, visiting
from mystic_client.model.text import duration_in_words, names_in_words
from mystic_client.session.connection import Ended, Heard, PostState
from mysticproto.model import Target

IN_FLIGHT = 64
"""Messages that may wait for their acknowledgement at once."""


class Ledger:
    """Which line of the input became what."""

    def __init__(self) -> None:
        self.sent = 0
        self.refused = 0
        self.ended = False
        self._lines: dict[bytes, int] = {}
        self._named: set[tuple[str, tuple[str, ...]]] = set()

    def posted(self, cid: bytes, line: int) -> None:
        """Line 0: the only message of a command."""
        self._lines[cid] = line

    def heard(self, batch: list[Heard]) -> None:
        """Counts, and says at once what did not work."""
        self.ended = self.ended or any(isinstance(one, Ended) for one in batch)
        for one in batch:
            if isinstance(one, PostState) and one.state == "sent":
                self._sent(one)
            elif isinstance(one, PostState) and one.state == "failed" and not self.ended:
                self._refused(one)

    def _sent(self, post: PostState) -> None:
        self.sent += 1
        self._lines.pop(post.cid, None)
        self._say_once("unknown", post.unknown, "nobody is called {}")
        self._say_once("away", away_in_words(post), "away, and will get it later: {}")

    def _say_once(self, what: str, names: tuple[str, ...], sentence: str) -> None:
        if names and (what, names) not in self._named:
            self._named.add((what, names))
            talk(sentence.format(names_in_words(names)))

    def _refused(self, post: PostState) -> None:
        self.refused += 1
        line = self._lines.pop(post.cid, 0)
        talk(f"line {line} was not sent: {post.error}" if line else f"not sent: {post.error}")

    @property
    def unanswered(self) -> str:
        """What the server never acknowledged, in a sentence; empty if there is nothing of that kind."""
        lines = self._lines.values()
        if not lines:
            return ""
        return f"; lines {min(lines)} to {max(lines)} were not acknowledged" if min(lines) else "; not acknowledged"

    @property
    def somebody_unknown(self) -> bool:
        return any(what == "unknown" for what, _ in self._named)


def away_in_words(post: PostState) -> tuple[str, ...]:
    """Names of who is away, each with how long already."""
    since_us = dict(zip(post.away, post.away_since_us, strict=False))
    return tuple(_last_seen(name, since_us.get(name, 0), post.time_us) for name in post.away)


def _last_seen(name: str, since_us: int, now_us: int) -> str:
    return f"{name} (last seen {duration_in_words((now_us - since_us) / 1e6)} ago)" if since_us else name


async def send(place: Place, to: Target, text: str, reply_to: int = 0) -> None:
    """Sends, and waits until the server has everything on disk."""
    ledger = Ledger()
    async with visiting(place, ledger.heard) as visit:
        async with aclosing(_texts(text)) as texts:
            number = 0
            async for one in texts:
                number += 1
                await visit.session.drained(IN_FLIGHT - 1)
                if ledger.ended:
                    break
                ledger.posted(visit.session.post(to, one, reply_to), number if text == "-" else 0)
        await visit.session.drained()
        if ledger.ended and visit.ended is not None:
            failure = visit.failure(await visit.ended)
            raise Failure(failure.status, f"{failure}{ledger.unanswered}")
    if ledger.refused:
        what = f"{ledger.refused} of {ledger.refused + ledger.sent} messages were refused"
        raise Failure(Status.REFUSED, what if text == "-" else "")
    if ledger.somebody_unknown:
        raise Failure(Status.REFUSED, "")


async def _texts(text: str) -> AsyncGenerator[str, None]:
    if text != "-":
        yield text
        return
    async with aclosing(stdin_lines()) as lines:
        async for line in lines:
            yield line
