"""The child's side: batches that are committed once and answered the same however often, full disks, broken files."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from mystic_server.domain.events import GLOBAL, Event, GroupCreated, Posted, StateRow, encode_event
from mystic_server.log import folder, history, schema, searching, sqlite
from mystic_server.log.base import Draft, HistoryQuery, StoreError
from mystic_server.log.records import (
    Answer,
    AskHistory,
    AskSearch,
    Commit,
    Failed,
    FromChild,
    Load,
    NotStored,
    Opened,
    PagePart,
    ReceivedCommit,
    ReceivedDraft,
    StartPart,
    decode_from_child,
    encode,
)
from mystic_server.log.sqlite import Database
from mystic_server.net.children import ParentLink
from mysticproto.errors import Code
from tests.contracts.logs import deleted, edited, said, wanted

IDS = [b"", b"a" * 16, b"b" * 16]
events = st.builds(said, st.sampled_from(["x", "y"]), author=st.sampled_from([1, 2]), cid=st.sampled_from(IDS))
# Once a message is deleted nobody knows its words, so here the same client id always comes with the same ones.
amended = (
    st.sampled_from([said(f"of {number}", author=1, cid=cid) for number, cid in enumerate(IDS)])
    | st.builds(edited, st.integers(1, 8), st.sampled_from(["x", "y"]))
    | st.builds(deleted, st.integers(1, 8))
)
amended_batches = st.lists(st.lists(amended, max_size=6), min_size=1, max_size=4)
batches = st.lists(st.lists(events | st.just(GroupCreated(1, 2, "team")), max_size=6), min_size=1, max_size=4)


def received(events: Sequence[Event], after: int = -1) -> ReceivedCommit:
    """A commit as the child reads it."""
    drafts = [ReceivedDraft(index, 1000 + index, Raw(encode_event(event))) for index, event in enumerate(events)]
    return ReceivedCommit(tuple(drafts), (), -1, after)


def stored(database: Database) -> list[tuple[int, bytes]]:
    return database.connection.execute("SELECT seq, body FROM events ORDER BY seq").fetchall()


@contextmanager
def opened(data: Path) -> Iterator[Database]:
    database = Database(data)
    try:
        yield database
    finally:
        database.close()


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


def finish_index(database: Database) -> None:
    while database.index.has_work(database.last):
        database.index.step(database.last)


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


# The process.


class Child:
    """The child's process and our end of its socket."""

    def __init__(self, data: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "mystic_server.log.sqlite", str(theirs.fileno()), str(data)]
            self.process = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
        self._socket = ours
        self._link = ParentLink(ours)

    def send(self, message: Load | Commit | AskHistory | AskSearch) -> None:
        self._link.send(encode(message))

    def receive(self) -> FromChild | None:
        body = self._link.receive()
        return None if body is None else decode_from_child(body)

    def hang_up(self) -> int:
        """Ends it the usual way and returns its exit status."""
        self._socket.close()
        return self.process.wait()

    def kill(self) -> None:
        self.process.kill()
        self.hang_up()


def as_commit(events: Sequence[Event], after: int = -1) -> Commit:
    """The same batch as `received` makes."""
    return Commit(tuple(Draft(index, 1000 + index, event) for index, event in enumerate(events)), (), -1, after)


pytestmark = pytest.mark.skipif(os.name == "nt", reason="descriptors are not inherited there")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path)
    try:
        yield child
    finally:
        child.kill()


def test_the_child_speaks_first_and_ends_with_its_socket(child: Child) -> None:
    assert child.receive() == Opened(0)
    assert child.hang_up() == 0


def test_what_was_sent_before_the_end_is_committed(child: Child, tmp_path: Path) -> None:
    child.send(as_commit([said("a"), said("b")]))
    assert child.hang_up() == 0
    with opened(tmp_path) as database:
        assert database.last == 2


def test_signals_of_the_terminal_do_not_end_it(child: Child) -> None:
    child.receive()
    child.process.send_signal(signal.SIGINT)
    child.process.send_signal(signal.SIGTERM)
    child.send(as_commit([said("a")]))
    assert child.receive() == Answer(1)


def test_a_batch_whose_answer_was_lost_gets_it_from_the_next_child(child: Child, tmp_path: Path) -> None:
    batch = [said("a", cid=IDS[1]), said("a", cid=IDS[1]), said("b"), said("c", cid=IDS[1])]
    child.receive()
    child.send(as_commit(batch))
    answer = child.receive()
    assert answer == Answer(1, (NotStored(1, 1, 1000), NotStored(3, 0, 0)))
    child.kill()
    successor = Child(tmp_path)
    try:
        assert successor.receive() == Opened(2)
        successor.send(as_commit(batch, after=0))
        assert successor.receive() == answer
        successor.send(Load())
        part = successor.receive()
        assert isinstance(part, StartPart)
        assert [each.event for each in part.tail] == [batch[0], batch[2]]
    finally:
        successor.kill()


def test_a_successor_waits_for_the_lock(tmp_path: Path) -> None:
    held = folder.lock(tmp_path)
    child = Child(tmp_path)
    try:
        os.close(held)
        assert child.receive() == Opened(0)
    finally:
        child.kill()


@pytest.mark.slow
def test_a_second_server_is_told_after_a_while(child: Child, tmp_path: Path) -> None:
    child.receive()
    second = Child(tmp_path)
    try:
        failed = second.receive()
        assert isinstance(failed, Failed)
        assert failed.text.startswith(f"Another server is using the data folder {tmp_path}")
        assert second.hang_up() == 1
    finally:
        second.kill()
    child.send(as_commit([said("a")]))
    assert child.receive() == Answer(1)


# Pauses.


def served(data: Path, *messages: Load | Commit | AskHistory | AskSearch) -> list[FromChild]:
    """What a child in this process answers to these, which all wait for it already."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = sqlite.Child(ParentLink(theirs), data)
        link = ParentLink(ours)
        for message in messages:
            link.send(encode(message))
        ours.shutdown(socket.SHUT_WR)
        child.run()
        return [decode_from_child(link.receive() or b"") for _ in range(len(messages) + 1)]


def test_in_a_pause_the_index_is_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "QUIET_S", 0.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = sqlite.Child(ParentLink(theirs), tmp_path)
        hang_up_at = iter([False, False, False, False, True])
        step = child._database.index.step

        def last_step(last: int) -> None:
            step(last)
            if next(hang_up_at):
                ours.shutdown(socket.SHUT_WR)

        monkeypatch.setattr(child._database.index, "step", last_step)
        ParentLink(ours).send(encode(as_commit([said("word") for _ in range(300)])))
        child.run()
    with opened(tmp_path) as database:
        assert database.index.upto == 300


@pytest.mark.parametrize(("far", "upto"), [(1000, 0), (100, 200)])
def test_without_a_pause_the_index_waits_unless_it_is_far_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, far: int, upto: int
) -> None:
    monkeypatch.setattr(sqlite, "FAR_BEHIND", far)
    monkeypatch.setattr(sqlite, "BUSY_STEP_INTERVAL_S", 0.0)
    asked = AskHistory(HistoryQuery((GLOBAL,), 0, 0, 1))
    served(tmp_path, as_commit([said("word")] * 300), asked, asked)
    with opened(tmp_path) as database:
        assert database.index.upto == upto


def test_a_search_finds_what_was_said_just_now(tmp_path: Path) -> None:
    *_, page = served(tmp_path, as_commit([said("word")]), AskSearch(wanted("word")))
    assert isinstance(page, PagePart)
    assert ([each.seq for each in page.events], page.searched) == ([1], 0)


def test_a_search_says_from_where_on_it_has_not_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CATCH_UP_LIMIT_S", -1.0)
    *_, page = served(tmp_path, as_commit([said("word")] * 3), AskSearch(wanted("word")))
    assert isinstance(page, PagePart)
    assert (page.events, page.more, page.searched) == ((), False, 1)


def test_a_full_disk_does_not_stop_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("early word")]))
        finish_index(database)
        database.commit(received([said(f"word {'x' * 500} {number}") for number in range(300)]))
    real = sqlite.Database

    def on_a_full_disk(data: Path) -> Database:
        database = real(data)
        pages = database.connection.execute("PRAGMA page_count").fetchone()[0]
        database.connection.execute(f"PRAGMA max_page_count = {pages}")
        return database

    monkeypatch.setattr(sqlite, "Database", on_a_full_disk)
    *_, page = served(tmp_path, AskSearch(wanted("word")))
    assert isinstance(page, PagePart)
    assert ([each.seq for each in page.events], page.searched) == ([1], 2)


# Broken files.


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a killed server leaves it: something in the database, something in its write-ahead log."""
    data = tmp_path_factory.mktemp("healthy")
    with opened(data) as database:
        database.commit(received([said("x" * 500) for _ in range(100)]))
    copy = tmp_path_factory.mktemp("killed")
    with opened(data) as database:
        database.commit(received([said("x" * 500) for _ in range(100)]))
        for path in data.glob("mystic.db*"):
            shutil.copy(path, copy)
    return copy


def garbage(path: Path) -> None:
    path.write_bytes(b"no database " * 1000)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def newer(path: Path) -> None:
    _poke(path, 63, len(schema.UPGRADES) + 1)


def foreign(path: Path) -> None:
    _poke(path, 71, 0)


def damaged(path: Path) -> None:
    for page in range(4, path.stat().st_size // 4096):
        _poke(path, page * 4096, 0xFF)


def _poke(path: Path, offset: int, value: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes([value]))


@pytest.mark.parametrize("fault", [garbage, cut, newer, foreign, damaged])
def test_a_file_that_must_not_be_used_is_named_and_left_as_it_is(healthy: Path, tmp_path: Path, fault: object) -> None:
    assert callable(fault)
    for path in healthy.iterdir():
        shutil.copy(path, tmp_path)
    fault(tmp_path / "mystic.db")
    before = hashes(tmp_path)
    child = Child(tmp_path)
    try:
        failed = child.receive()
        assert isinstance(failed, Failed)
        assert str(tmp_path / "mystic.db") in failed.text
        assert failed.text.endswith(".")
        assert child.receive() is None
        assert child.hang_up() == 1
    finally:
        child.kill()
    assert hashes(tmp_path) == before


def test_a_killed_server_s_folder_opens_with_everything(healthy: Path, tmp_path: Path) -> None:
    for path in healthy.iterdir():
        shutil.copy(path, tmp_path)
    with opened(tmp_path) as database:
        assert database.last == len(stored(database)) == 200


def hashes(data: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in data.glob("mystic.db*")}


# Errors of the disk.


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can be set there alone")
def test_after_an_error_of_the_disk_nothing_is_acknowledged_that_is_not_there(child: Child, tmp_path: Path) -> None:
    import resource

    assert child.receive() == Opened(0)
    child.send(as_commit([said("before")]))
    assert child.receive() == Answer(1)
    resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    child.send(as_commit([said("x" * 30_000) for _ in range(20)]))
    failed = child.receive()
    assert isinstance(failed, Failed)
    assert failed.text.endswith(".")
    assert child.hang_up() == 1
    with opened(tmp_path) as database:
        assert [seq for seq, _ in stored(database)] == [1]


@pytest.mark.parametrize("happened", [False, True])
def test_a_commit_that_failed_is_decided_by_what_the_disk_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happened: bool
) -> None:
    """An error at the commit leaves open whether it happened; the answer is the truth either way."""
    real = Database.commit
    attempts: list[int] = []

    def commit(self: Database, commit: ReceivedCommit) -> Answer:
        attempts.append(commit.after)
        if len(attempts) == 1:
            if happened:
                real(self, commit)
            raise sqlite3.OperationalError("disk I/O error")
        return real(self, commit)

    monkeypatch.setattr(Database, "commit", commit)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = sqlite.Child(ParentLink(theirs), tmp_path)
        link = ParentLink(ours)
        link.send(encode(as_commit([said("a"), said("b")])))
        ours.shutdown(socket.SHUT_WR)
        child.run()
        assert [decode_from_child(link.receive() or b"") for _ in range(2)] == [Opened(0), Answer(1)]
    assert attempts == [-1, 0]
    with opened(tmp_path) as database:
        assert [seq for seq, _ in stored(database)] == [1, 2]


def test_a_page_that_can_t_be_read_is_an_answer_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(history, "history", broken)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = sqlite.Child(ParentLink(theirs), tmp_path)
        link = ParentLink(ours)
        link.send(encode(AskHistory(HistoryQuery((GLOBAL,), 0, 0, 3))))
        link.send(encode(as_commit([said("a")])))
        ours.shutdown(socket.SHUT_WR)
        child.run()
        _, page, answer = [decode_from_child(link.receive() or b"") for _ in range(3)]
    assert page == PagePart((), failed="The history can't be read: database disk image is malformed.")
    assert answer == Answer(1)


def test_a_message_is_stored_as_it_was_said(tmp_path: Path) -> None:
    event = Posted(1, 3, "global", "hé\0\x1b[31m", IDS[1])
    with opened(tmp_path) as database:
        database.commit(received([event]))
        assert stored(database) == [(1, encode_event(event))]
