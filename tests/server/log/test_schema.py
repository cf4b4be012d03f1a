"""The database file: made, upgraded, checked."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import Raw

from mystic_server.domain.events import encode_event
from mystic_server.log import folder, schema
from mystic_server.log.base import Duplicate, HistoryQuery, StoreError
from mystic_server.log.records import columns
from mystic_server.log.schema import open_database
from tests.contracts.logs import TIME_US, deleted, edited, on_disk, said, shown, wanted


def pragma(connection: sqlite3.Connection, name: str) -> object:
    value: object = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_commit_is_durable_and_nobody_else_is_let_in(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2
        assert pragma(connection, "mmap_size") == 0
        assert pragma(connection, "application_id") == folder.APPLICATION_ID
        assert pragma(connection, "user_version") == len(schema.UPGRADES)
        with pytest.raises(StoreError, match="in use by another program"):
            open_database(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="modes are another matter there")
def test_every_file_is_for_this_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(open_database(tmp_path)) as connection:
            connection.execute("INSERT INTO state VALUES ('user', 1, x'00')")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) >= {"mystic.db", "mystic.db-wal"}
    assert set(modes.values()) == {0o600}


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as connection:
        connection.execute("INSERT INTO state VALUES ('user', 1, x'00')")
    with closing(open_database(tmp_path)) as connection:
        assert connection.execute("SELECT * FROM state").fetchall() == [("user", 1, b"\0")]


def test_a_start_finds_what_a_killed_process_left_in_the_write_ahead_log(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    with closing(open_database(tmp_path)) as connection:
        connection.execute("INSERT INTO state VALUES ('user', 1, x'00')")
        for path in tmp_path.glob("mystic.db*"):
            shutil.copy(path, killed)
    with closing(open_database(killed)) as connection:
        assert connection.execute("SELECT count(*) FROM state").fetchone() == (1,)
        assert not (killed / "mystic.db-wal").stat().st_size


# Upgrades.


NEXT = ("CREATE TABLE second (x)", "INSERT INTO second VALUES (1)", "CREATE TABLE third (x)")


def test_an_older_database_is_upgraded_and_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_database(tmp_path)) as connection:
        connection.execute("INSERT INTO state VALUES ('user', 1, x'00')")
    monkeypatch.setattr(schema, "UPGRADES", (*schema.UPGRADES, NEXT))
    with closing(open_database(tmp_path)) as connection:
        assert pragma(connection, "user_version") == len(schema.UPGRADES)
        assert tables(connection) >= {"events", "second", "third"}
        assert connection.execute("SELECT count(*) FROM state").fetchone() == (1,)


def test_messages_of_the_first_version_are_there_can_be_amended_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [said("old word", cid=b"c" * 16), said("second", conversation="direct:3,4", users=(3, 4))]
    with monkeypatch.context() as old:
        old.setattr(schema, "UPGRADES", schema.UPGRADES[:1])
        with closing(open_database(tmp_path)) as connection:
            rows = [columns(seq, TIME_US, event, Raw(encode_event(event))) for seq, event in enumerate(first, 1)]
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.execute("INSERT INTO directs VALUES (3, 'direct:3,4')")
    with on_disk(tmp_path) as rig:
        assert [each.event for each in rig.start.tail] == first
        assert isinstance(rig.commit(first[0])[0], Duplicate)
        assert shown(rig.page(wanted("word"))) == ["old word"]
        rig.commit(edited(1, "new word"), deleted(2, "direct:3,4", (3, 4)))
        assert shown(rig.page(wanted("new"))) == ["new word"]
        assert shown(rig.page(HistoryQuery(("global", "direct:3,4"), 0, 0, 9))) == ["new word", None]


UPGRADE_AND_DIE = """
import os, pathlib, signal, sys
from mystic_server.log import schema

data, done, *statements = sys.argv[1:]

def dying():
    yield from statements[:int(done)]
    os.kill(os.getpid(), signal.SIGKILL)

schema.UPGRADES = (*schema.UPGRADES, dying())
schema.open_database(pathlib.Path(data))
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("done", range(len(NEXT) + 1))
def test_an_upgrade_that_is_killed_has_not_happened(tmp_path: Path, done: int) -> None:
    with closing(open_database(tmp_path)) as connection:
        connection.execute("INSERT INTO state VALUES ('user', 1, x'00')")
    killed = subprocess.run([sys.executable, "-c", UPGRADE_AND_DIE, str(tmp_path), str(done), *NEXT], check=False)
    assert killed.returncode == -signal.SIGKILL
    with closing(open_database(tmp_path)) as connection:
        assert pragma(connection, "user_version") == len(schema.UPGRADES)
        assert "second" not in tables(connection)
        assert connection.execute("SELECT count(*) FROM state").fetchone() == (1,)


@pytest.mark.parametrize("first", ["", "PRAGMA application_id = 1297699668", "wal"])
def test_a_first_start_that_was_killed_is_finished_by_the_next(tmp_path: Path, first: str) -> None:
    path = tmp_path / schema.FILE_NAME
    folder.make_file(path)
    if first:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA application_id = {folder.APPLICATION_ID}")
            if first == "wal":
                connection.execute("PRAGMA journal_mode = WAL")
    with closing(open_database(tmp_path)) as connection:
        assert "events" in tables(connection)


def test_of_a_large_file_only_what_a_start_reads_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(tmp_path).close()
    monkeypatch.setattr(schema, "CHECKED_WHOLE_BYTES", 0)
    real, statements = sqlite3.connect, list[str]()

    def traced(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = real(*arguments, **options)  # type: ignore[call-overload]
        connection.set_trace_callback(statements.append)
        assert isinstance(connection, sqlite3.Connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    open_database(tmp_path).close()
    checks = [statement for statement in statements if "quick_check" in statement]
    assert checks == ["PRAGMA quick_check(state)", "PRAGMA quick_check(applied)"]


# What must not be used. (That the process then ends without writing is the child's part: test_sqlite.py.)


def test_a_newer_database_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(schema, "UPGRADES", (*schema.UPGRADES, NEXT))
        open_database(tmp_path).close()
    path = tmp_path / schema.FILE_NAME
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer Mystic"):
        open_database(tmp_path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as connection:
        connection.executemany("INSERT INTO state VALUES ('user', ?, ?)", [(n, bytes(500)) for n in range(200)])
    path = tmp_path / schema.FILE_NAME
    data = bytearray(path.read_bytes())
    for page in range(8, len(data) // 4096):
        data[page * 4096] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"(damaged|malformed)"):
        open_database(tmp_path)


def test_a_full_disk_at_the_start_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database(tmp_path).close()
    filling = ("PRAGMA max_page_count = 20", "CREATE TABLE f AS SELECT zeroblob(1000000)")
    monkeypatch.setattr(schema, "UPGRADES", (*schema.UPGRADES, filling))
    with pytest.raises(StoreError, match=r"The disk that holds .+ is full"):
        open_database(tmp_path)
