"""The child's side: batches that are committed once and answered the same however often, full disks."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.domain.events import GLOBAL, Event, GroupCreated, Posted, StateRow, encode_event
from mystic_server.log import history, searching, sqlite
from mystic_server.log.base import HistoryQuery, StoreError
from mystic_server.log.records import (
    Answer,
    NotStored,
    ReceivedCommit,
)
from mysticproto.errors import Code
from tests.contracts.logs import deleted, edited, said, wanted
from tests.server.log.store_child import IDS, finish_index, opened, received, stored

events = st.builds(said, st.sampled_from(["x", "y"]), author=st.sampled_from([1, 2]), cid=st.sampled_from(IDS))
# Once a message is deleted nobody knows its words, so here the same client id always comes with the same ones.
amended = (
    st.sampled_from([said(f"of {number}", author=1, cid=cid) for number, cid in enumerate(IDS)])
    | st.builds(edited, st.integers(1, 8), st.sampled_from(["x", "y"]))
    | st.builds(deleted, st.integers(1, 8))
)
amended_batches = st.lists(st.lists(amended, max_size=6), min_size=1, max_size=4)
batches = st.lists(st.lists(events | st.just(GroupCreated(1, 2, "team")), max_size=6), min_size=1, max_size=4)


# Batches.


@given(batches)
def test_a_batch_that_is_sent_again_gets_the_same_answer_and_is_stored_once(batches: list[list[Event]]) -> None:
    """Whether the first attempt was committed (its child could only not say so) or not."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        with opened(Path(one)) as database, opened(Path(other)) as lost:
            for batch in batches:
                after = database.last
                answer = database.commit(received(batch))
                assert database.commit(received(batch, after)) == answer
                assert lost.commit(received(batch, after)) == answer
                assert database.last == lost.last == after + len(batch) - len(answer.not_stored)
            assert stored(database) == stored(lost)
            assert [seq for seq, _ in stored(database)] == list(range(1, database.last + 1))


@given(amended_batches)
def test_a_batch_that_is_sent_again_amends_once(batches: list[list[Event]]) -> None:
    """Though it finds its own messages without the texts that it deleted itself; whatever is indexed meanwhile."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        with opened(Path(one)) as database, opened(Path(other)) as lost:
            for batch in batches:
                after = database.last
                answer = database.commit(received(batch))
                database.index.step(database.last)
                assert database.commit(received(batch, after)) == answer
                assert lost.commit(received(batch, after)) == answer
            for table in ("events", "amended", "edits"):
                rows = f"SELECT * FROM {table} ORDER BY seq"
                assert database.connection.execute(rows).fetchall() == lost.connection.execute(rows).fetchall()
            for each in (database, lost):
                finish_index(each)
            page = searching.search(database.connection, wanted("", limit=99), database.last)
            assert page == searching.search(lost.connection, wanted("", limit=99), lost.last)


def test_a_batch_that_is_sent_again_does_not_take_the_place_of_other_events(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("a"), said("b")]))
        with pytest.raises(StoreError, match="written by another program"):
            database.commit(received([said("a"), said("other")], 0))
        with pytest.raises(StoreError, match="written by another program"):
            database.commit(received([said("a")], 0))


def test_duplicates_are_found_after_any_time(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("a", cid=IDS[1])]))
    with opened(tmp_path) as database:
        answer = database.commit(received([said("b"), said("a", cid=IDS[1]), said("other", cid=IDS[1])]))
        assert answer == Answer(2, (NotStored(1, 1, 1000), NotStored(2, 0, 0)))


def test_who_takes_part_in_a_private_conversation_is_kept_once(tmp_path: Path) -> None:
    message = said("a", conversation="direct:3,4", users=(3, 4))
    with opened(tmp_path) as database:
        database.commit(received([message, message]))
        database.commit(received([message]))
    with opened(tmp_path) as database:
        database.commit(received([message]))
        directs = database.connection.execute("SELECT * FROM directs").fetchall()
        assert directs == [(3, "direct:3,4"), (4, "direct:3,4")]


def test_a_start_comes_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "START_PART", 2)
    with opened(tmp_path) as database:
        database.commit(received([said(str(number)) for number in range(6)]))
        rows = tuple(StateRow("user", number, b"x") for number in range(1, 4))
        database.commit(ReceivedCommit((), rows, 1))
        parts = list(database.start_parts())
    assert [(len(part.rows), len(part.tail), part.more) for part in parts] == [
        (2, 0, True), (1, 0, True), (0, 2, True), (0, 2, True), (0, 1, True), (0, 0, False),
    ]  # fmt: skip
    assert [event.seq for part in parts for event in part.tail] == [2, 3, 4, 5, 6]
    assert {(part.applied, part.last) for part in parts} == {(1, 6)}


# Full disks.


def test_a_full_disk_refuses_whole_batches_and_recovers(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("before", cid=IDS[1])]))
        pages = database.connection.execute("PRAGMA page_count").fetchone()[0]
        database.connection.execute(f"PRAGMA max_page_count = {pages + 4}")
        batch = [said("x" * 2000) for _ in range(20)]
        for after in (-1, database.last):
            answer = database.commit(received(batch, after))
            assert (answer.code, bool(answer.text), answer.not_stored) == (Code.STORAGE_FULL, True, ())
        assert database.last == len(stored(database)) == 1
        repeated = database.commit(received([said("before", cid=IDS[1])]))
        assert repeated == Answer(2, (NotStored(0, 1, 1000),))
        assert len(history.history(database.connection, HistoryQuery((GLOBAL,), 0, 0, 9)).events) == 1
        database.connection.execute("PRAGMA max_page_count = 100000")
        assert database.commit(received(batch)) == Answer(2)
        assert len(stored(database)) == 21
        assert database.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_message_is_stored_as_it_was_said(tmp_path: Path) -> None:
    event = Posted(1, 3, "global", "hé\0\x1b[31m", IDS[1])
    with opened(tmp_path) as database:
        database.commit(received([event]))
        assert stored(database) == [(1, encode_event(event))]
