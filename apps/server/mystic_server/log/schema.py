"""The database file: its tables, how it is opened, and how an older one becomes this version's.

`user_version` counts the upgrades that have run. Each runs in a transaction with its count, so one that is interrupted
has not happened.
"""

import sqlite3
from pathlib import Path

from mystic_server.log import folder
from mystic_server.log.base import StoreError

FILE_NAME = "mystic.db"
CHECKPOINT_PAGES = 1000
CHECKED_WHOLE_BYTES = 64 * 1024 * 1024
"""A larger file is checked only where every start reads it: all of it would take a start seconds."""

UPGRADES: tuple[tuple[str, ...], ...] = (
    (
        # An event as it was said, and what of it is searched for.
        """CREATE TABLE events (
            seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, conversation TEXT, author INTEGER NOT NULL, cid BLOB,
            body BLOB NOT NULL)""",
        # The client id stands in front: those that begin with a time (UUIDv7) then all go to the index's end, where a
        # batch writes a page or two; random ones cost a page for each message.
        "CREATE UNIQUE INDEX events_by_cid ON events (cid, author) WHERE cid IS NOT NULL",
        "CREATE INDEX events_by_conversation ON events (conversation, seq) WHERE conversation IS NOT NULL",
        # Who takes part in which direct conversation.
        "CREATE TABLE directs (user INTEGER, conversation TEXT, PRIMARY KEY (user, conversation)) WITHOUT ROWID",
        # The world as of the event number in `applied`.
        """CREATE TABLE state (kind TEXT, id INTEGER, body BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID""",
        "CREATE TABLE applied (only INTEGER PRIMARY KEY CHECK (only = 0), seq INTEGER NOT NULL)",
        "INSERT INTO applied VALUES (0, 0)",
    ),
    (
        # What has become of messages: another text, or none because they were deleted.
        """CREATE TABLE amended (
            seq INTEGER PRIMARY KEY, amended_by INTEGER NOT NULL, time_us INTEGER NOT NULL, text TEXT NOT NULL,
            deleted INTEGER NOT NULL)""",
        # Which events hold texts that a message has had.
        "CREATE TABLE edits (message INTEGER, seq INTEGER, PRIMARY KEY (message, seq)) WITHOUT ROWID",
        # The words of messages up to the number in `indexed`; see `indexing`. It keeps no texts: they are in `events`.
        """CREATE VIRTUAL TABLE search USING fts5(
            text, tags, content = '', columnsize = 0, detail = column, prefix = '2 3',
            tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'")""",
        # Segments are merged in pauses, a little at a time, and not by whoever writes the one too many.
        "INSERT INTO search (search, rank) VALUES ('automerge', 0)",
        "CREATE TABLE indexed (only INTEGER PRIMARY KEY CHECK (only = 0), seq INTEGER NOT NULL)",
        "INSERT INTO indexed VALUES (0, 0)",
    ),
)


def open_database(data: Path) -> sqlite3.Connection:
    """Opens the database in a locked folder, makes or upgrades it, and checks it. Raises StoreError.

    After an error the connection must not be closed (that would write): the process ends instead.
    """
    path = data / FILE_NAME
    folder.make_file(path)
    folder.check_header(path, len(UPGRADES))
    try:
        connection = _connect(path)
        _check(connection, path)
        _upgrade(connection)
        # What an earlier process left is brought into the database, and is thereby written and synced once more:
        # after a failed sync the kernel may show bytes that never reached the disk.
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError(_sentence(error, path)) from error
    assert not busy, "there is no other connection"
    return connection


def _sentence(error: sqlite3.Error, path: Path) -> str:
    match error.sqlite_errorcode & 0xFF:  # the rest says where
        case sqlite3.SQLITE_BUSY:
            return f"The database {path} is in use by another program."
        case sqlite3.SQLITE_FULL:
            return f"The disk that holds {path} is full; make room and start again."
    return f"The database {path} can't be used: {error}."


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1, isolation_level=None)
    # Nobody else may open it: SQLite before 3.51.3 is safe in WAL mode with one connection only. It also saves the
    # file locks of every transaction and the shared memory.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted shall not stay in the file's free pages
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    if not path.stat().st_size and not _has_tables(connection):
        connection.execute(f"PRAGMA application_id = {folder.APPLICATION_ID}")
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise StoreError(f"The database {path} is on a file system that SQLite can't share memory on.")
    return connection


def _has_tables(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _check(connection: sqlite3.Connection, path: Path) -> None:
    tables = ("state", "applied") if path.stat().st_size > CHECKED_WHOLE_BYTES else ("1",)
    problems = [connection.execute(f"PRAGMA quick_check({table})").fetchone()[0] for table in tables]
    for problem in problems:
        if problem != "ok":
            raise StoreError(f"The database {path} is damaged ({problem}); restore it from a backup.")


def _upgrade(connection: sqlite3.Connection) -> None:
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    for version, statements in enumerate(UPGRADES[done:], done + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
