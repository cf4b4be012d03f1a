"""The loop's side: how batches form, and what becomes of them when the child dies. (What holds always: contracts.)"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.domain.events import Posted, StateRow
from mystic_server.log import store
from mystic_server.log.base import Draft, Duplicate, HistoryQuery, Page, Rejected, Stored, StoreError
from mystic_server.log.store import StoreLog
from mystic_server.net.reactor import Reactor
from mysticproto.errors import Code
from tests.contracts.logs import TIME_US, Rig, numbers, on_disk, said, texts

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed in other ways there")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with on_disk(tmp_path / "data") as rig:
        yield rig


def kill(rig: Rig) -> None:
    os.kill(rig.store.pid, signal.SIGKILL)


def went_down(rig: Rig) -> None:
    """Kills the child and waits until the log has noticed."""
    kill(rig)
    troubles = len(rig.troubles)
    rig.until(lambda: len(rig.troubles) > troubles)


def came_back(rig: Rig) -> None:
    """Waits until drafts are taken again."""
    rig.until(lambda: not rejected(rig, "knock"))


def rejected(rig: Rig, text: str) -> bool:
    """Whether a draft is turned away at once."""
    before = len(rig.results)
    rig.append(said(text))
    rig.log.flush()
    return len(rig.results) > before


# Batches.


def test_what_gathers_while_a_batch_is_written_is_one_batch(rig: Rig) -> None:
    rig.append(said("first"))
    rig.log.flush()
    for index in range(20):
        rig.append(said(str(index)))
        rig.log.flush()
    assert rig.log.backlog() == 21
    rig.until(lambda: len(rig.results) == 21)
    assert rig.batches == [1, 20]


def test_a_batch_has_a_limit(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_BATCH", 10)
    numbers(rig.commit(*(said(str(index)) for index in range(25))))
    assert rig.batches == [10, 10, 5]


def test_more_than_the_backlog_holds_is_rejected(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_BACKLOG", 5)
    results = rig.commit(*(said(str(index)) for index in range(8)))
    stored = [each for each in results if isinstance(each, Stored)]
    others = [each for each in results if isinstance(each, Rejected)]
    assert [each.token for each in stored] == [1, 2, 3, 4, 5]
    assert [each.token for each in others] == [6, 7, 8]
    assert {each.code for each in others} == {Code.STORE_UNAVAILABLE}
    assert numbers(rig.commit(said("later"))) == [6]


def test_more_questions_than_the_queue_holds_fail(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_QUERIES", 2)
    rig.commit(said("a"))
    pages: list[Page] = []
    for _ in range(3):
        rig.log.history(HistoryQuery(("global",), 0, 0, 9), pages.append)
    assert pages == []
    rig.until(lambda: len(pages) == 3)
    assert sorted(bool(page.failed) for page in pages) == [False, False, True]


# World state.


def test_state_is_written_after_a_while(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SAVE_DELAY_S", 0)
    rig.log.save([StateRow("user", 1, b"one")], 0)
    for _ in range(2):  # it goes with one of these or between them
        rig.commit(said("a"))
    went_down(rig)  # so that nothing is saved at the stop
    rig.log.stop()
    with on_disk(tmp_path / "data") as again:
        assert again.start.rows == (StateRow("user", 1, b"one"),)


def test_state_that_could_not_be_written_is_written_later(rig: Rig, tmp_path: Path) -> None:
    rig.commit(said("a"))
    rig.log.save([StateRow("user", 1, b"one"), StateRow("user", 2, b"two")], 1)
    went_down(rig)
    rig.log.save([StateRow("user", 2, b"new")], 1)
    came_back(rig)
    rig.log.stop()
    with on_disk(tmp_path / "data") as again:
        assert sorted((row.id, row.body) for row in again.start.rows) == [(1, b"one"), (2, b"new")]


@pytest.mark.parametrize("is_sent", [True, False])
def test_what_is_void_is_so_though_the_child_died(rig: Rig, is_sent: bool) -> None:
    (stored, _) = rig.commit(said("lost"), said("a"))
    assert isinstance(stored, Stored)
    if not is_sent:
        went_down(rig)
    else:
        os.kill(rig.store.pid, signal.SIGSTOP)
    rig.log.void(stored.committed)
    rig.log.flush()
    if is_sent:
        kill(rig)
        rig.until(lambda: bool(rig.troubles))
    came_back(rig)
    assert texts(rig.page(HistoryQuery(("global",), 0, 0, 99)))[0] == "a"


# The child dies.


def test_a_batch_in_flight_is_answered_by_the_next_child(rig: Rig) -> None:
    os.kill(rig.store.pid, signal.SIGSTOP)  # it will not have read the batch
    rig.append(said("a"), said("b", cid=b"b" * 16), said("b", cid=b"b" * 16))
    rig.log.flush()
    kill(rig)
    rig.until(lambda: len(rig.results) == 3)
    assert numbers(rig.results[:2]) == [1, 2]
    assert rig.results[2] == Duplicate(3, 2, TIME_US + 2)
    assert texts(rig.page(HistoryQuery(("global",), 0, 0, 9))) == ["a", "b"]


def test_what_had_only_gathered_is_rejected(rig: Rig) -> None:
    os.kill(rig.store.pid, signal.SIGSTOP)
    rig.append(said("in flight"))
    rig.log.flush()
    rig.append(said("gathered"))
    kill(rig)
    rig.until(lambda: len(rig.results) == 2)
    assert isinstance(rig.results[0], Rejected)
    assert (rig.results[0].token, rig.results[0].code) == (2, Code.STORE_UNAVAILABLE)
    assert numbers(rig.results[1:]) == [1]


def test_while_there_is_no_child_everything_is_refused_with_a_sentence(rig: Rig) -> None:
    rig.commit(said("before"))
    went_down(rig)
    (result,) = rig.commit(said("meanwhile"))
    assert isinstance(result, Rejected)
    assert (result.code, bool(result.text)) == (Code.STORE_UNAVAILABLE, True)
    assert rig.page(HistoryQuery(("global",), 0, 0, 9)).failed
    assert rig.troubles == ["The store's process died; it is started again."]
    came_back(rig)
    rig.until(lambda: rig.log.backlog() == 0)
    assert texts(rig.page(HistoryQuery(("global",), 0, 0, 9))) == ["before", "knock"]


def test_questions_that_were_asked_fail_with_the_child(rig: Rig) -> None:
    os.kill(rig.store.pid, signal.SIGSTOP)
    pages: list[Page] = []
    rig.log.history(HistoryQuery(("global",), 0, 0, 9), pages.append)
    kill(rig)
    rig.until(lambda: bool(pages))
    assert pages[0].failed
    came_back(rig)
    assert not rig.page(HistoryQuery(("global",), 0, 0, 9)).failed


def test_kills_at_any_moment_lose_nothing_and_double_nothing(rig: Rig, tmp_path: Path) -> None:
    chance = random.Random(7)
    for round in range(12):
        for index in range(200):
            rig.append(said(f"{round}.{index}", cid=chance.choice([b"", chance.randbytes(16)])))
            if chance.random() < 0.2:
                rig.log.flush()
            if chance.random() < 0.1 and rig.log.backlog():
                rig.reactor.call_later(0, lambda: None)
                rig.reactor.tick()
        if rig.store.pid:
            kill(rig)
        rig.until(lambda: len(rig.results) == rig.tokens)
        came_back(rig)
    rig.until(lambda: len(rig.results) == rig.tokens)
    answered = [each for each in rig.results if isinstance(each, Stored)]
    assert [each.committed.seq for each in answered] == list(range(1, len(answered) + 1))
    rig.log.stop()
    with on_disk(tmp_path / "data") as again:
        assert list(again.start.tail) == [each.committed for each in answered]


TALK_FOR_EVER = """
import sys
from pathlib import Path
from mystic_server.domain.events import Posted
from mystic_server.log.base import Draft
from mystic_server.log.store import StoreLog
from mystic_server.net.reactor import Reactor

reactor = Reactor(print)
log = StoreLog(reactor, Path(sys.argv[1]), print)
log.load()
count = 0

def talk():
    global count
    for _ in range(10):
        count += 1
        log.append(Draft(count, 1, Posted(1, 1, "global", str(count))))

def answered(results):
    for result in results:
        print(result.committed.seq, result.committed.event.text, flush=True)
    talk()

log.on_results = answered
talk()
reactor.at_tick_end(log.flush)
log.flush()
reactor.run()
"""


def test_what_a_killed_server_had_answered_is_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TALK_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said_so = [server.stdout.readline() for _ in range(500)]
        server.kill()
        said_so += server.stdout.readlines()
    answers = [line.split() for line in said_so if line.endswith("\n")]
    with on_disk(tmp_path) as rig:
        found = [[str(each.seq), each.event.text] for each in rig.start.tail if isinstance(each.event, Posted)]
        assert found[: len(answers)] == answers
        assert [int(seq) for seq, _ in found] == list(range(1, len(found) + 1))


# Starts that fail.


def failed_start(data: Path) -> str:
    reactor = Reactor(lambda error: pytest.fail(str(error)))
    try:
        with pytest.raises(StoreError) as error:
            StoreLog(reactor, data, pytest.fail).load()
    finally:
        reactor.close()
    return str(error.value)


def test_a_start_on_a_broken_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mystic.db").write_text("something else")
    assert failed_start(tmp_path) == (
        f"The file {tmp_path}/mystic.db is not a database; move it away or give another folder with --data."
    )
    assert (tmp_path / "mystic.db").read_text() == "something else"


def test_a_start_whose_child_dies_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert failed_start(tmp_path) == "The store's process ended before the database was open."


# Failures while it runs.


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process can be set there alone")
def test_an_error_of_the_disk_is_reported_and_got_over(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(store, "RETRY_DELAY_S", 0.01)
    rig.commit(said("before"))
    resource.prlimit(rig.store.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    results = rig.commit(*(said("x" * 30_000) for _ in range(20)))
    assert numbers(results) == list(range(2, 22))  # by the next child, which has no such limit
    assert [text.startswith("The database") and text.endswith(".") for text in rig.troubles] == [True]
    assert len(rig.page(HistoryQuery(("global",), 0, 0, 99)).events) == 21


def test_a_database_that_lost_events_is_not_used(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RETRY_DELAY_S", 0.01)
    rig.commit(said("a"), said("b"))
    went_down(rig)
    for path in (tmp_path / "data").glob("mystic.db*"):
        path.rename(tmp_path / path.name)
    rig.until(lambda: len(rig.troubles) > 1)
    assert rig.troubles[1] == "The database lost events: its last is 0, and 2 was stored."
    assert rejected(rig, "now")


def test_drafts_and_queries_after_the_end_are_refused_quietly(tmp_path: Path) -> None:
    with on_disk(tmp_path) as rig:
        rig.log.stop()
        rig.log.append(Draft(1, 1, said("late")))
        rig.log.save([StateRow("user", 1, b"x")], 1)
        rig.log.flush()
        assert [type(each) for each in rig.results] == [Rejected]
