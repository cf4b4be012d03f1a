"""Search: the newest messages with some words that somebody may read.

Problem: words that are everywhere and nowhere together make FTS5 walk all of its index before it says anything, and it
can't be told to stop at a number. So every message has its block's tag, and the question is asked for some blocks at a
time, the newest first. When the time is over, the page says where to go on.

The index only says which words a message has. Whether some of them stand together is looked up in its text.
"""

import sqlite3
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing
from typing import TypeAlias

from mystic_server.domain.events import Posted, decode_event
from mystic_server.log.base import MAX_PAGE_BYTES, SearchQuery, Word
from mystic_server.log.history import Row, as_now
from mystic_server.log.indexing import BLOCK, author_tag, block_of, block_tag, conversation_tag, participant_tag
from mystic_server.log.records import SentPage
from mystic_server.log.words import has_words
from mysticproto.model import MAX_HISTORY_PAGE

QUICK_S = 0.004
"""After a span that took less the next has four times as many blocks."""
LIMIT_S = 0.02
"""No further span, nor hit, is looked at after so long."""

FIND = """SELECT events.seq, events.time_us, body, amended.text FROM search
    CROSS JOIN events ON events.seq = search.rowid LEFT JOIN amended ON amended.seq = search.rowid
    WHERE search MATCH ? AND search.rowid BETWEEN ? AND ? AND conversation NOT NULL ORDER BY search.rowid DESC"""

Found: TypeAlias = tuple[int, int, bytes, str | None]
"""Number, time and body of a message, and its newer text."""
Span: TypeAlias = tuple[str, int, int]
"""What to ask the index, and the first and the last number to look at."""


def search(connection: sqlite3.Connection, query: SearchQuery, upto: int) -> SentPage:
    """The newest hits among the events up to a number, to which they are indexed."""
    give_up_at = time.monotonic() + LIMIT_S
    hits = _Hits(max(1, min(query.limit, MAX_HISTORY_PAGE)))
    for span in _spans(connection, query, upto):
        before = _read(connection, query, span, hits, give_up_at)
        if not before and time.monotonic() > give_up_at:
            before = span[1]
        if before > 1:
            return SentPage(as_now(connection, hits.rows), more=True, before=before)
    return SentPage(as_now(connection, hits.rows))


class _Hits:
    """A page's rows, as many as it may hold."""

    def __init__(self, limit: int) -> None:
        self.rows: list[Row] = []
        self._limit = limit
        self._room = MAX_PAGE_BYTES

    def add(self, row: Row) -> bool:
        """False: there is no room for it."""
        self._room -= len(row[2])
        if self.rows and (len(self.rows) == self._limit or self._room < 0):
            return False
        self.rows.append(row)
        return True


def _read(connection: sqlite3.Connection, query: SearchQuery, span: Span, hits: _Hits, give_up_at: float) -> int:
    """Adds a span's hits; before which number to go on, if it was left before its end, else 0."""
    with closing(connection.execute(FIND, span)) as rows:
        found: Found
        for found in rows:
            if _is_hit(query, found) and not hits.add(found[:3]):
                return hits.rows[-1][0]
            if time.monotonic() > give_up_at:
                return found[0]
    return 0


def _is_hit(query: SearchQuery, found: Found) -> bool:
    """What the index can't know. Times are nearly in the order of the numbers, but a clock may have been set back."""
    _, time_us, body, new_text = found
    if not query.since_us <= time_us < (query.until_us or time_us + 1):
        return False
    phrases = [word for word in query.words if " " in word.text]
    if not phrases:
        return True
    message = decode_event(body)
    assert type(message) is Posted
    return has_words(message.text if new_text is None else new_text, phrases)


def _spans(connection: sqlite3.Connection, query: SearchQuery, upto: int) -> Iterator[Span]:
    """What to look at, the newest span first."""
    first, last = _bounds(connection, query, upto)
    places = [conversation_tag(each) for each in query.conversations]
    own = [participant_tag(query.user)] if query.user else []
    for low, high, tags in (
        (max(first, query.since), last, places + own),
        (first, min(last, query.since - 1), places),
    ):
        if tags:
            yield from _split(" AND ".join([*_filters(query), f"tags : ({' OR '.join(tags)})"]), low, high)


def _split(expression: str, low: int, high: int) -> Iterator[Span]:
    """One block first, then more of them if that goes quickly."""
    count = 1
    while high >= low:
        newest = block_of(high)
        oldest = max(block_of(low), newest - count + 1)
        blocks = " OR ".join(block_tag(block) for block in range(oldest, newest + 1))
        started = time.monotonic()
        yield f"{expression} AND tags : ({blocks})", max(low, oldest * BLOCK), high
        if time.monotonic() - started < QUICK_S:
            count *= 4
        high = oldest * BLOCK - 1


def _bounds(connection: sqlite3.Connection, query: SearchQuery, upto: int) -> tuple[int, int]:
    """The first and the last number that can be meant."""

    def time_of(seq: int) -> int:
        time_us: int = connection.execute("SELECT time_us FROM events WHERE seq = ?", (seq,)).fetchone()[0]
        return time_us

    numbers = range(1, upto + 1)
    first = 1 + bisect_left(numbers, query.since_us, key=time_of) if query.since_us else 1
    last = bisect_left(numbers, query.until_us, key=time_of) if query.until_us else upto
    return first, min(last, query.before - 1 if query.before else last)


def _filters(query: SearchQuery) -> list[str]:
    found = [_expression(word) for word in query.words]
    if query.author:
        found.append(f"tags : {author_tag(query.author)}")
    if query.within:
        found.append(f"tags : {conversation_tag(query.within)}")
    return found


def _expression(word: Word) -> str:
    """All its tokens as strings of FTS5, in which nothing is an operator; tokens have no quotation marks."""
    strings = [f'text : "{token}"' for token in word.text.split()]
    return " AND ".join(strings) + (" *" if word.is_prefix else "")
