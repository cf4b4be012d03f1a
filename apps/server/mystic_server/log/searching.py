"""Search: the newest messages with some words that somebody may read.

The index is walked from the newest number down and read only as far as the page goes. A question of words that are
everywhere and nowhere together would walk all of it, so it is asked in spans of numbers; when the time is over the page
says where to go on. What the index can't know is looked at in the messages that it finds.
"""

import sqlite3
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing

from mystic_server.log.base import MAX_PAGE_BYTES, SearchQuery, Word
from mystic_server.log.history import AMENDED_COLUMNS, JOIN_AMENDED, Row, stored_event
from mystic_server.log.indexing import author_tag, conversation_tag, participant_tag
from mystic_server.log.records import SentPage, StoredEvent
from mysticproto.model import MAX_HISTORY_PAGE

SPAN = 500_000
"""Numbers in one span; the longest that one took among a million messages was 15 ms."""
LIMIT_S = 0.02
"""No further span, nor hit, is looked at after so long."""

FIND = f"""SELECT events.seq, events.time_us, body, {AMENDED_COLUMNS} FROM search
    CROSS JOIN events ON events.seq = search.rowid {JOIN_AMENDED}
    WHERE search MATCH ? AND search.rowid BETWEEN ? AND ? ORDER BY search.rowid DESC"""


def search(connection: sqlite3.Connection, query: SearchQuery, upto: int) -> SentPage:
    """The newest hits among the events up to a number, to which they are indexed."""
    give_up_at = time.monotonic() + LIMIT_S
    limit = max(1, min(query.limit, MAX_HISTORY_PAGE))
    hits: list[StoredEvent] = []
    size = 0
    for first, last, expression in _spans(connection, query, upto):
        with closing(connection.execute(FIND, (expression, first, last))) as rows:
            for row in rows:
                is_late = time.monotonic() > give_up_at
                if _is_hit(query, row):
                    size += len(row[2])
                    if len(hits) == limit or (hits and size > MAX_PAGE_BYTES):
                        return SentPage(tuple(hits), more=True, before=hits[-1].seq)
                    hits.append(stored_event(row))
                if is_late:
                    return SentPage(tuple(hits), more=True, before=row[0])
        if time.monotonic() > give_up_at and first > 1:
            return SentPage(tuple(hits), more=True, before=first)
    return SentPage(tuple(hits))


def _is_hit(query: SearchQuery, row: Row) -> bool:
    """Times are nearly in the order of the numbers, but a clock may have been set back."""
    return not row[5] and query.since_us <= row[1] < (query.until_us or row[1] + 1)


def _spans(connection: sqlite3.Connection, query: SearchQuery, upto: int) -> Iterator[tuple[int, int, str]]:
    """First and last number and what to ask the index, the newest span first."""
    first, last = _bounds(connection, query, upto)
    filters = _filters(query)
    places = [conversation_tag(each) for each in query.conversations]
    own = [participant_tag(query.user)] if query.user else []
    for low, high, tags in (
        (max(first, query.since), last, places + own),
        (first, min(last, query.since - 1), places),
    ):
        if not tags:
            continue
        expression = " AND ".join([*filters, f"tags : ({' OR '.join(tags)})"])
        for end in range(high, low - 1, -SPAN):
            yield max(low, end - SPAN + 1), end, expression


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
    """As a string of FTS5, in which nothing is an operator; a word's tokens have no quotation marks."""
    return f'text : "{word.text}"' + (" *" if word.is_prefix else "")
