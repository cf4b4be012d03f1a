"""Pages of stored events. Each conversation is one walk along the index, and the walks are merged as far as the page
goes.

So a page costs what it holds and a look-up for each conversation, however many events there are.
"""

import heapq
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import TypeAlias

from msgspec import Raw

from mystic_server.domain.events import Amended, Posted, decode_event
from mystic_server.log.base import MAX_PAGE_BYTES, HistoryQuery, MissedQuery, PostedQuery, RecentQuery
from mystic_server.log.records import SentPage, StoredEvent, edits_of
from mysticproto.model import MAX_HISTORY_PAGE

NEWEST_FIRST = """SELECT seq, time_us, body FROM events
    WHERE conversation = ? AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?"""
OLDEST_FIRST = """SELECT seq, time_us, body FROM events
    WHERE conversation = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"""
HAS_NEWS = "SELECT 1 FROM events WHERE conversation = ? AND seq > ? AND seq <= ? LIMIT 1"
DIRECTS_WITH_NEWS = """SELECT conversation FROM (SELECT conversation, (SELECT seq FROM events
        WHERE events.conversation = directs.conversation AND seq > ? AND seq <= ? ORDER BY seq LIMIT 1) AS first
    FROM directs WHERE user = ?) WHERE first IS NOT NULL ORDER BY first LIMIT ?"""
"""A page of n events holds events of the n conversations that begin first, at most: others need not be walked."""
LAST_MESSAGES = """SELECT last FROM (SELECT (SELECT seq FROM events
        WHERE events.conversation = directs.conversation AND seq >= ? ORDER BY seq DESC LIMIT 1) AS last
    FROM directs WHERE user = ? AND conversation NOT LIKE '%/edits') WHERE last NOT NULL ORDER BY last DESC LIMIT ?"""
LAST_MESSAGE = "SELECT max(seq) FROM events WHERE conversation = ? AND author != 0"
AMENDED = "SELECT seq, text, time_us, deleted FROM amended WHERE seq IN (SELECT value FROM json_each(?))"
_BY_CLIENT_ID = "SELECT seq, time_us, body FROM events WHERE author = ? AND cid = ?"
_ONE = "SELECT seq, time_us, body FROM events WHERE seq = ? AND conversation NOT NULL"

_NO_END = 2**63 - 1

Row: TypeAlias = tuple[int, int, bytes]
"""Number, time and body of an event."""
Bounds: TypeAlias = tuple[int, int]


def history(connection: sqlite3.Connection, query: HistoryQuery) -> SentPage:
    """The newest events of some conversations, or those about a number."""
    limit = max(1, min(query.limit, MAX_HISTORY_PAGE))
    around, after = min(query.around, _NO_END - 1), min(query.after, _NO_END - 1)
    if around:
        # Half of the page's bytes too, so that long messages before a hit don't leave out what follows it.
        rows, more = _older(connection, query, around + 1, (limit + 1) // 2, MAX_PAGE_BYTES // 2)
        later, newer = _newer(connection, query, around, limit - len(rows), MAX_PAGE_BYTES // 2)
        return _page(connection, rows + later, more, newer)
    if after:
        rows, newer = _newer(connection, query, after, limit)
        more = _older(connection, query, rows[0][0] if rows else after + 1, 0)[1]
        return _page(connection, rows, more, newer)
    before = query.before or _NO_END
    rows, more = _older(connection, query, before, limit)
    newer = bool(query.before) and _newer(connection, query, rows[-1][0] if rows else before - 1, 0)[1]
    return _page(connection, rows, more, newer)


def missed(connection: sqlite3.Connection, query: MissedQuery) -> SentPage:
    """The oldest events that somebody has not seen."""
    limit = min(query.limit, MAX_HISTORY_PAGE)
    after = max(query.after, query.since - 1)
    directs = connection.execute(DIRECTS_WITH_NEWS, (after, query.upto, query.user, limit + 1)).fetchall()
    walks = {conversation: (after, query.upto) for (conversation,) in directs}
    bounds = query.after, query.upto
    for conversation in (*query.conversations, *map(edits_of, query.conversations)):
        if connection.execute(HAS_NEWS, (conversation, *bounds)).fetchone():  # a tenth of what a walk costs
            walks[conversation] = bounds
    return _page(connection, *_merged(connection, OLDEST_FIRST, walks, limit, newest_first=False))


def message(connection: sqlite3.Connection, seq: int) -> SentPage:
    """One message as it is now."""
    rows = connection.execute(_ONE, (min(seq, _NO_END),)).fetchall()
    return _page(connection, [row for row in rows if type(decode_event(row[2])) is Posted], more=False)


def posted(connection: sqlite3.Connection, query: PostedQuery) -> SentPage:
    """One message by its client id."""
    author = min(query.author, _NO_END)
    return _page(connection, connection.execute(_BY_CLIENT_ID, (author, query.cid)).fetchall(), more=False)


def recent(connection: sqlite3.Connection, query: RecentQuery) -> SentPage:
    """The last message of each conversation that somebody has."""
    limit = min(query.limit, MAX_HISTORY_PAGE)
    rows = connection.execute(LAST_MESSAGES, (query.since, query.user, limit + 1)).fetchall()
    rows += [connection.execute(LAST_MESSAGE, (group,)).fetchone() for group in dict.fromkeys(query.conversations)]
    last = sorted({seq for (seq,) in rows if seq}, reverse=True)
    found = (connection.execute(_ONE, (seq,)).fetchone() for seq in last)
    return _page(connection, *_cut(found, limit))


def as_now(connection: sqlite3.Connection, rows: Sequence[Row]) -> tuple[StoredEvent, ...]:
    """Events with what has become of them, looked up for a page at once: to join each row costs half as much again."""
    numbers = json.dumps([row[0] for row in rows])
    amended = {
        seq: Amended(text, time_us, bool(deleted))
        for seq, text, time_us, deleted in connection.execute(AMENDED, (numbers,))
    }
    return tuple(StoredEvent(seq, time_us, Raw(body), amended.get(seq)) for seq, time_us, body in rows)


def _older(
    connection: sqlite3.Connection, query: HistoryQuery, before: int, limit: int, room: int = MAX_PAGE_BYTES
) -> tuple[list[Row], bool]:
    """The newest before a number, oldest first, and whether there are others before them."""
    walks = dict.fromkeys(query.conversations, (query.since, before))
    rows, more = _merged(connection, NEWEST_FIRST, walks, limit, newest_first=True, room=room)
    return rows[::-1], more


def _newer(
    connection: sqlite3.Connection, query: HistoryQuery, after: int, limit: int, room: int = MAX_PAGE_BYTES
) -> tuple[list[Row], bool]:
    """The oldest after a number, and whether there are others after them."""
    walks = dict.fromkeys(query.conversations, (max(after, query.since - 1), _NO_END))
    return _merged(connection, OLDEST_FIRST, walks, limit, newest_first=False, room=room)


def _merged(
    connection: sqlite3.Connection,
    sql: str,
    walks: dict[str, Bounds],
    limit: int,
    newest_first: bool,
    room: int = MAX_PAGE_BYTES,
) -> tuple[list[Row], bool]:
    """The first rows of all these walks together, and whether there are more."""
    with ExitStack() as stack:  # a cursor left open would keep the write-ahead log from being emptied
        cursors: list[Iterator[Row]] = [
            stack.enter_context(closing(connection.execute(sql, (conversation, *bounds, limit + 1))))
            for conversation, bounds in walks.items()
        ]
        return _cut(heapq.merge(*cursors, key=_number, reverse=newest_first), limit, room)


def _number(row: Row) -> int:
    return row[0]


def _cut(rows: Iterable[Row], limit: int, room: int = MAX_PAGE_BYTES) -> tuple[list[Row], bool]:
    """As many rows as a page may hold, and whether there are more."""
    taken: list[Row] = []
    size = 0
    for row in rows:
        size += len(row[2])
        if len(taken) == limit or (taken and size > room):
            return taken, True
        taken.append(row)
    return taken, False


def _page(connection: sqlite3.Connection, rows: Sequence[Row], more: bool, newer: bool = False) -> SentPage:
    return SentPage(as_now(connection, rows), more, newer=newer)
