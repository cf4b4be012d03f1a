"""The child as a process: what it hears and says, and who may have the folder."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.log import folder
from mystic_server.log.records import (
    Answer,
    Failed,
    Load,
    NotStored,
    Opened,
    StartPart,
)
from tests.contracts.logs import said
from tests.server.log.store_child import IDS, Child, as_commit, opened

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
