"""Pages: that they use the indexes, and that many conversations are walked right (the rest: contracts/test_logs.py)."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mystic_server.domain.events import Posted, encode_event
from mystic_server.log import history
from mystic_server.log.base import HistoryQuery, MissedQuery
from mystic_server.log.schema import open_database
from mystic_server.log.sqlite import BY_CLIENT_ID


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path)) as connection:
        yield connection


def store(connection: sqlite3.Connection, conversations: list[str]) -> None:
    """One message of user 1 in each, in this order."""
    rows = [
        (seq, seq, name, 1, None, encode_event(Posted(1, 1, name, str(seq))))
        for seq, name in enumerate(conversations, 1)
    ]
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
    directs = [(1, name) for name in set(conversations) if name.startswith("direct:")]
    connection.executemany("INSERT INTO directs VALUES (?, ?)", directs)


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        (history.OLDEST_FIRST, ("global", 1, 2, 3)),
        (history.NEWEST_FIRST, ("global", 1, 2, 3)),
        (history.DIRECTS_WITH_NEWS, (1, 2, 3, 4)),
        (history.HAS_NEWS, ("global", 1, 2)),
    ],
)
def test_every_query_walks_an_index(database: sqlite3.Connection, sql: str, arguments: tuple[object, ...]) -> None:
    plan = [step[3] for step in database.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)]
    wanted = "INDEX events_by_conversation (conversation=? AND seq>? AND seq<?)"
    assert any(wanted in step for step in plan)
    assert not [step for step in plan if step.startswith("SCAN") and "events" in step]


def test_client_ids_are_looked_up_by_their_index(database: sqlite3.Connection) -> None:
    plan = database.execute(f"EXPLAIN QUERY PLAN {BY_CLIENT_ID}", (1, b"x")).fetchone()
    assert "events_by_cid (cid=? AND author=?)" in plan[3]


@pytest.mark.parametrize(
    ("sql", "arguments", "index"),
    [
        (history.LAST_MESSAGES, (1, 2, 3), "events_by_conversation (conversation=? AND seq>?)"),
        (history.LAST_MESSAGE, ("group:7",), "events_by_conversation (conversation=?)"),
        (history.AMENDED, ("[1]",), "INTEGER PRIMARY KEY (rowid=?)"),
    ],
)
def test_the_recent_and_the_amended_are_looked_up(
    database: sqlite3.Connection, sql: str, arguments: tuple[object, ...], index: str
) -> None:
    plan = [step[3] for step in database.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)]
    assert any(index in step for step in plan)
    assert not [step for step in plan if step.startswith("SCAN") and ("events" in step or "amended" in step)]


def test_the_pages_of_many_conversations_join_to_everything_in_order(database: sqlite3.Connection) -> None:
    chance = random.Random(4)
    names = ["global", "group:7", *(f"direct:1,{other}" for other in range(2, 900))]
    said = [chance.choice(names) for _ in range(3000)]
    store(database, said)
    after, found = 0, []
    more = True
    while more:
        page = history.missed(database, MissedQuery(("global",), 1, 1, after, 2900, 100))
        found += [event.seq for event in page.events]
        after, more = found[-1], page.more
    assert found == [seq for seq, name in enumerate(said[:2900], 1) if name != "group:7"]


def test_history_pages_join_to_everything_in_order(database: sqlite3.Connection) -> None:
    store(database, ["global", "broadcast", "group:7"] * 100)
    before, found = 0, list[int]()
    more = True
    while more:
        page = history.history(database, HistoryQuery(("broadcast", "global"), before, 5, 7))
        found = [event.seq for event in page.events] + found
        before, more = found[0], page.more
    assert found == [seq for seq in range(5, 301) if seq % 3]


def test_a_cut_page_leaves_no_cursor_open(database: sqlite3.Connection) -> None:
    store(database, ["global"] * 50)
    assert history.history(database, HistoryQuery(("global",), 0, 0, 3)).more
    database.execute("INSERT INTO state VALUES ('user', 1, x'00')")
    busy, in_log, moved = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert (busy, in_log, moved) == (0, 0, 0)
