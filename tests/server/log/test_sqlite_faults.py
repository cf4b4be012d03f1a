"""Files that must not be used, and disks that fail: nothing is acknowledged that is not there."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.domain.events import GLOBAL
from mystic_server.log import history, schema, sqlite
from mystic_server.log.base import HistoryQuery
from mystic_server.log.records import (
    Answer,
    AskHistory,
    Failed,
    Opened,
    PagePart,
    ReceivedCommit,
    decode_from_child,
    encode,
)
from mystic_server.log.sqlite import Database
from mystic_server.net.children import ParentLink
from tests.contracts.logs import said
from tests.server.log.store_child import Child, as_commit, opened, received, stored

pytestmark = pytest.mark.skipif(os.name == "nt", reason="descriptors are not inherited there")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path)
    try:
        yield child
    finally:
        child.kill()


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
