"""A search as it is typed, what is asked of the server for it, and where its words are in what was found."""

import re
from typing import Final, TypeAlias

from msgspec import Struct

from mystic_client.model.spans import parse_when
from mysticproto.model import Search, ToGlobal, ToGroup, ToUsers

PAGE: Final = 50
MARGIN_CHARS: Final = 24
"""Of a long text, so much before the first word that was found."""
_WORDS: Final = re.compile(r'"([^"]+)"|([^\s"]+)')

STILL_INDEXING: Final = "still indexing: the newest messages may be missing"
"""When the server has not looked through everything."""

Where: TypeAlias = ToGlobal | ToUsers | ToGroup


class Wish(Struct, frozen=True):
    """What was typed; `here`: only in the conversation in front."""

    words: str = ""
    author: str = ""
    since: str = ""
    until: str = ""
    here: bool = False


class Query(Struct, frozen=True):
    """What is asked of the server."""

    words: str
    of: Where | None = None
    author: str = ""
    since_us: int = 0
    until_us: int = 0

    def request(self, n: int, before: int) -> Search:
        """The request for the page before a number; 0 for the newest."""
        return Search(n, self.words, self.of, self.author, self.since_us, self.until_us, before, PAGE)


def query_of(wish: Wish, of: Where | None, now_us: int) -> Query:
    """What a wish asks; `of` is the conversation in front. Raises ValueError with a sentence."""
    words = " ".join(wish.words.split())
    if not words:
        raise ValueError("What are you looking for? Type a word or two.")
    since_us = parse_when(wish.since, now_us) if wish.since.strip() else 0
    until_us = parse_when(wish.until, now_us, end=True) if wish.until.strip() else 0
    if until_us and since_us > until_us:
        raise ValueError("That ends before it begins.")
    return Query(words, of if wish.here else None, wish.author.strip().removeprefix("@"), since_us, until_us)


def marks(text: str, words: str) -> list[tuple[int, int]]:
    """Where the words that were searched for are in a text, as (start, end), in order."""
    wanted = [re.escape(quoted or word) for quoted, word in _WORDS.findall(words)]
    if not wanted:
        return []
    return [match.span() for match in re.finditer(rf"(?<!\w)(?:{'|'.join(wanted)})", text, re.IGNORECASE)]


def snippet(text: str, words: str) -> str:
    """One line of a text in which the first word that was found is near the beginning."""
    line = " ".join(text.split())
    found = marks(line, words)
    if not found or found[0][0] <= 2 * MARGIN_CHARS:
        return line
    return "…" + line[found[0][0] - MARGIN_CHARS :]
