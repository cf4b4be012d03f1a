"""Pages of stored events. Each conversation is one walk along the index, and the walks are merged as far as the page
goes.

So a page costs what it holds and a look-up for each conversation, however many events there are.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from typing import TypeAlias

from msgspec import Raw

from mystic_server.log.base import MAX_PAGE_BYTES, HistoryQuery, MissedQuery
from mystic_server.log.records import SentPage, StoredEvent
from mysticproto.model import MAX_HISTORY_PAGE

NEWEST_FIRST = """SELECT seq, time_us, body FROM events
    WHERE conversation = ? AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?"""
OLDEST_FIRST = """SELECT seq, time_us, body FROM events
    WHERE conversation = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"""
DIRECTS_WITH_NEWS = """SELECT conversation FROM (SELECT conversation, (SELECT seq FROM events
        WHERE events.conversation = directs.conversation AND seq > ? AND seq <= ? ORDER BY seq LIMIT 1) AS first
    FROM directs WHERE user = ?) WHERE first IS NOT NULL ORDER BY first LIMIT ?"""
"""A page of n events holds events of the n conversations that begin first, at most: others need not be walked."""

_NO_END = 2**63 - 1

Row: TypeAlias = tuple[int, int, bytes]
Bounds: TypeAlias = tuple[int, int]


def history(connection: sqlite3.Connection, query: HistoryQuery) -> SentPage:
    """The newest events of some conversations."""
    limit = min(query.limit, MAX_HISTORY_PAGE)
    before = query.before or _NO_END
    walks = dict.fromkeys(query.conversations, (query.since, before))
    rows, more = _merged(connection, NEWEST_FIRST, walks, limit, newest_first=True)
    return _page(reversed(rows), more)


def missed(connection: sqlite3.Connection, query: MissedQuery) -> SentPage:
    """The oldest events that somebody has not seen."""
    limit = min(query.limit, MAX_HISTORY_PAGE)
    after = max(query.after, query.since - 1)
    directs = connection.execute(DIRECTS_WITH_NEWS, (after, query.upto, query.user, limit + 1)).fetchall()
    walks = {conversation: (after, query.upto) for (conversation,) in directs}
    walks |= dict.fromkeys(query.conversations, (query.after, query.upto))
    rows, more = _merged(connection, OLDEST_FIRST, walks, limit, newest_first=False)
    return _page(rows, more)


def _merged(
    connection: sqlite3.Connection, sql: str, walks: dict[str, Bounds], limit: int, newest_first: bool
) -> tuple[list[Row], bool]:
    """The first rows of all these walks together, and whether there are more."""
    with ExitStack() as stack:  # a cursor left open would keep the write-ahead log from being emptied
        cursors: list[Iterator[Row]] = [
            stack.enter_context(closing(connection.execute(sql, (conversation, *bounds, limit + 1))))
            for conversation, bounds in walks.items()
        ]
        return _cut(heapq.merge(*cursors, key=_number, reverse=newest_first), limit)


def _number(row: Row) -> int:
    return row[0]


def _cut(rows: Iterable[Row], limit: int) -> tuple[list[Row], bool]:
    """As many rows as a page may hold, and whether there are more."""
    taken: list[Row] = []
    size = 0
    for row in rows:
        size += len(row[2])
        if len(taken) == limit or (taken and size > MAX_PAGE_BYTES):
            return taken, True
        taken.append(row)
    return taken, False


def _page(rows: Iterable[Row], more: bool) -> SentPage:
    return SentPage(tuple(StoredEvent(seq, time_us, Raw(body)) for seq, time_us, body in rows), more)
