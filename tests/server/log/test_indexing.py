"""The index of words: kept up in steps, taken back and put in anew, merged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mystic_server.domain.events import Event, GroupEntered, Posted, encode_event
from mystic_server.log import indexing
from mystic_server.log.amending import amend
from mystic_server.log.indexing import Index, tags
from mystic_server.log.schema import open_database
from tests.contracts.logs import deleted, edited, said


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path)) as connection:
        yield connection


def store(connection: sqlite3.Connection, *events: Event) -> int:
    """The last one's number."""
    first: int = (connection.execute("SELECT max(seq) FROM events").fetchone()[0] or 0) + 1
    rows = [(seq, seq, None, 0, None, encode_event(event)) for seq, event in enumerate(events, first)]
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
    return first + len(rows) - 1


def finish(index: Index, last: int) -> int:
    """Does all steps, and counts them."""
    steps = 0
    while index.has_work(last):
        index.step(last)
        steps += 1
    return steps


def found(connection: sqlite3.Connection, expression: str) -> list[int]:
    rows = connection.execute("SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid", (expression,))
    return [rowid for (rowid,) in rows]


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether what was taken out was what had been put in: then a search for everything finds what is there."""
    connection.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    return True


def test_a_step_takes_fewer_long_messages_and_one_at_least(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wants to say something waits for it."""
    monkeypatch.setattr(indexing, "STEP_BYTES", 1000)
    index = Index(database)
    last = store(database, *(said("word " * 60) for _ in range(5)), said("word " * 600), said("end"))
    upto = []
    while index.upto < last:
        index.step(last)
        upto.append(index.upto)
    assert list(dict.fromkeys(upto)) == [0, 3, 5, 6, 7]
    assert found(database, "word OR end") == [1, 2, 3, 4, 5, 6, 7]


def test_steps_index_some_events_each(database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "STEP_EVENTS", 2)
    index = Index(database)
    last = store(database, said("one"), GroupEntered(1, 2, 3), said("three"), said("four"), said("five"))
    index.step(last)  # nothing is there to merge
    index.step(last)
    assert (index.upto, found(database, "one OR three")) == (2, [1])
    assert index.has_work(last)
    finish(index, last)
    assert (index.upto, found(database, "one OR three OR five")) == (5, [1, 3, 5])
    assert not index.has_work(last)
    assert index.has_work(last + 1)


def test_a_later_index_goes_on_where_an_earlier_one_was(database: sqlite3.Connection) -> None:
    finish(Index(database), store(database, said("one")))
    index = Index(database)
    assert index.upto == 1
    finish(index, store(database, said("two")))
    assert found(database, "one OR two") == [1, 2]


def test_what_was_amended_before_is_indexed_as_it_is(database: sqlite3.Connection) -> None:
    index = Index(database)
    last = store(database, said("one"), said("two"), edited(1, "uno"), deleted(2))
    amend(database, index, [(3, 3, edited(1, "uno")), (4, 4, deleted(2))])
    finish(index, last)
    assert (found(database, "one"), found(database, "two"), found(database, "uno")) == ([], [], [1])


def test_what_is_amended_later_is_indexed_anew_at_once(database: sqlite3.Connection) -> None:
    index = Index(database)
    last = store(database, said("One é"), said("two"), edited(1, "uno"), edited(1, "un"), deleted(2))
    finish(index, last)
    amend(database, index, [(3, 3, edited(1, "uno"))])
    assert (found(database, "one"), found(database, "uno"), found(database, "e")) == ([], [1], [])
    amend(database, index, [(4, 4, edited(1, "un")), (5, 5, deleted(2))])
    assert (found(database, "uno"), found(database, "un"), found(database, "two")) == ([], [1], [])
    assert found(database, "a3") == [1]
    finish(index, last)
    assert is_whole(database)


def test_an_amendment_that_is_undone_leaves_the_index_as_it_was(database: sqlite3.Connection) -> None:
    index = Index(database)
    finish(index, store(database, said("one"), edited(1, "uno")))
    database.execute("BEGIN")
    amend(database, index, [(2, 2, edited(1, "uno"))])
    database.execute("ROLLBACK")
    assert (found(database, "one"), found(database, "uno")) == ([1], [])


def test_many_steps_leave_few_segments(database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "STEP_EVENTS", 3)
    index = Index(database)
    last = store(database, *(said(f"word{number} common") for number in range(600)))
    assert finish(index, last) > 200
    assert found(database, "common") == list(range(1, 601))
    segments = database.execute("SELECT count(DISTINCT segid) FROM search_idx").fetchone()[0]
    assert segments < 20
    assert is_whole(database)


def test_a_step_that_fails_has_not_happened(database: sqlite3.Connection) -> None:
    index = Index(database)
    last = store(database, *(said(f"{number} " * 50) for number in range(300)))
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        finish(index, last)
    assert index.upto == 0
    assert not database.in_transaction
    assert database.execute("PRAGMA synchronous").fetchone()[0] == 2
    database.execute("PRAGMA max_page_count = 100000")
    finish(index, last)
    assert len(found(database, "a3")) == 300


def test_tags_are_tokens_of_their_own() -> None:
    message = Posted(1, 3, "direct:3,41", "x", users=(3, 41))
    assert tags(70_000, message) == "b2 kdirectx3x41 a3 u3 u41"
    assert tags(5, said("x", author=7, conversation="group:12")) == "b0 kgroupx12 a7"
