"""Searches: how they ask the index, and that they end in time. (What they find: contracts/test_logs_search.py.)"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Raw

from mystic_server.domain.events import encode_event
from mystic_server.log import indexing, searching
from mystic_server.log.records import ReceivedCommit, ReceivedDraft
from mystic_server.log.sqlite import Database
from tests.contracts.logs import said, wanted
from tests.server.log.store_child import opened, received


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Blocks of ten numbers; `a` is in all messages, `b` in every second one."""
    for module in (indexing, searching):
        monkeypatch.setattr(module, "BLOCK", 10)
    with opened(tmp_path) as database:
        database.commit(received([said("a b" if number % 2 == 0 else "a c") for number in range(1, 101)]))
        while database.index.has_work(database.last):
            database.index.step(database.last)
        yield database


def test_a_search_walks_the_index_and_sorts_nothing(database: Database) -> None:
    arguments = ("text : a", 1, 2)
    plan = [step[3] for step in database.connection.execute(f"EXPLAIN QUERY PLAN {searching.FIND}", arguments)]
    assert [step.split()[:2] for step in plan] == [["SCAN", "search"], ["SEARCH", "events"], ["SEARCH", "amended"]]


def test_spans_of_blocks_join_to_everything(database: Database) -> None:
    page = searching.search(database.connection, wanted("b ", limit=100), 100)
    assert [each.seq for each in page.events] == list(range(100, 0, -2))
    assert not page.more
    page = searching.search(database.connection, wanted("b ", limit=100, before=57), 100)
    assert [each.seq for each in page.events] == list(range(56, 0, -2))


def test_when_the_time_is_over_a_page_says_where_to_go_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "LIMIT_S", -1.0)
    found, before, pages = [], 0, 0
    while True:
        page = searching.search(database.connection, wanted("b ", limit=100, before=before), 100)
        found += [each.seq for each in page.events]
        pages += 1
        if not page.more:
            break
        assert 0 < page.before < (before or 101)
        before = page.before
    assert found == list(range(100, 0, -2))
    assert pages > 10


def test_what_is_nowhere_is_given_up_block_by_block(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "LIMIT_S", -1.0)
    page = searching.search(database.connection, wanted("nowhere"), 95)
    assert (page.events, page.more, page.before) == ((), True, 90)


def test_quick_spans_grow(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(searching, "QUICK_S", 60.0)
    for _, first, last in searching._split("x", 3, 95):
        seen.append((first, last))
    assert seen == [(90, 95), (50, 89), (3, 49)]
    monkeypatch.setattr(searching, "QUICK_S", -1.0)
    assert [last for *_, last in searching._split("x", 65, 95)] == [95, 89, 79, 69]


def test_times_are_looked_up_and_not_walked_to(database: Database) -> None:
    """Number n of the batch has the time 999 + n."""
    statements: list[str] = []
    database.connection.set_trace_callback(statements.append)
    page = searching.search(database.connection, wanted("a ", since_us=1041, until_us=1044), 100)
    database.connection.set_trace_callback(None)
    assert [each.seq for each in page.events] == [44, 43, 42]
    assert len(statements) < 25


def test_where_a_clock_was_set_back_no_wrong_time_is_shown(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        for number, time_us in enumerate((50, 60, 55, 70), 1):
            event = Raw(encode_event(said(f"word {number}")))
            database.commit(ReceivedCommit((ReceivedDraft(0, time_us, event),), (), -1))
        while database.index.has_work(4):
            database.index.step(4)
        page = searching.search(database.connection, wanted("word ", until_us=58), 4)
        assert [each.time_us for each in page.events] == [55, 50]


def test_a_long_search_ends_in_time(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("to be or not " * 20) for _ in range(3000)]))
        while database.index.has_work(database.last):
            database.index.step(database.last)
        started = time.monotonic()
        page = searching.search(database.connection, wanted('"not or"', limit=500), 3000)
        assert page.more or time.monotonic() - started < searching.LIMIT_S
        assert not page.events
