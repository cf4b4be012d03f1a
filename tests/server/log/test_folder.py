"""The data folder: private, one server's, and never harmed by looking."""

from __future__ import annotations

import os
import sqlite3
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.log import folder
from mystic_server.log.base import StoreError

NEWEST = 3


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="modes are another matter there")
def test_everything_is_for_this_user_alone(tmp_path: Path, open_umask: None) -> None:
    data = tmp_path / "deep" / "data"
    folder.make_private(data)
    os.close(folder.lock(data))
    folder.make_file(data / "mystic.db")
    assert mode(data) == 0o700
    assert [mode(path) for path in data.iterdir()] == [0o600, 0o600]


def test_a_folder_that_is_there_is_used(tmp_path: Path) -> None:
    folder.make_private(tmp_path)
    folder.make_private(tmp_path)


def test_a_file_in_the_folder_s_place_is_named(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.write_text("mine")
    with pytest.raises(StoreError, match=r"data folder .*data can't be made: .+\."):
        folder.make_private(place)
    assert place.read_text() == "mine"


def test_a_folder_that_can_t_be_written_to_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"can't be written to: .+\."):
        folder.lock(tmp_path / "missing")
    with pytest.raises(StoreError, match=r"can't be opened: .+\."):
        folder.make_file(tmp_path / "missing" / "mystic.db")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only for this user")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"can't be written to: Permission denied\."):
            folder.lock(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    held = folder.lock(tmp_path)
    with pytest.raises(StoreError, match=r"Another server is using the data folder .+ --data\."):
        folder.lock(tmp_path, wait_s=0)
    os.close(held)
    os.close(folder.lock(tmp_path, wait_s=0))


# Headers.


def write_header(path: Path, application: int = folder.APPLICATION_ID, schema: int = 1, pages: int = 2) -> None:
    """A real database's header with some fields changed."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size = 4096")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    data = bytearray(path.read_bytes())
    struct.pack_into(">I", data, 28, pages)
    struct.pack_into(">I", data, 60, schema)
    struct.pack_into(">I", data, 68, application)
    path.write_bytes(data)


@pytest.mark.parametrize("schema", [0, 1, NEWEST])
def test_our_own_database_is_accepted(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "mystic.db"
    write_header(path, schema=schema)
    folder.check_header(path, NEWEST)


def test_an_empty_file_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mystic.db"
    path.touch()
    folder.check_header(path, NEWEST)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"application": 0}, "belongs to another program"),
        ({"application": 1}, "belongs to another program"),
        ({"schema": NEWEST + 1}, r"newer Mystic \(format 4\)"),
        ({"pages": 3}, "cut short"),
    ],
)
def test_what_must_not_be_opened_is_left_as_it_is(tmp_path: Path, changes: dict[str, int], said: str) -> None:
    path = tmp_path / "mystic.db"
    write_header(path, **changes)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=said):
        folder.check_header(path, NEWEST)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_short_database_is_accepted_while_its_rest_may_be_in_the_write_ahead_log(tmp_path: Path) -> None:
    path = tmp_path / "mystic.db"
    write_header(path, pages=3)
    log = tmp_path / "mystic.db-wal"
    log.touch()
    with pytest.raises(StoreError, match="cut short"):
        folder.check_header(path, NEWEST)
    log.write_bytes(bytes(4152))
    folder.check_header(path, NEWEST)


@pytest.mark.parametrize("content", [b"x", b"SQLite format 3\0", b"hello " * 1000, bytes(4096)])
def test_what_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mystic.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"The file .+mystic\.db is not a database"):
        folder.check_header(path, NEWEST)


def test_a_database_that_can_t_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"can't be read: .+\."):
        folder.check_header(tmp_path, NEWEST)
