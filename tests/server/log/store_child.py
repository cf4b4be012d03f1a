"""The store's child for tests: its database in this process, or the process itself."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Raw

from mystic_server.domain.events import Event, encode_event
from mystic_server.log.base import Draft
from mystic_server.log.records import (
    AskHistory,
    AskSearch,
    Commit,
    FromChild,
    Load,
    ReceivedCommit,
    ReceivedDraft,
    decode_from_child,
    encode,
)
from mystic_server.log.sqlite import Database
from mystic_server.net.children import ParentLink

IDS = [b"", b"a" * 16, b"b" * 16]


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


def finish_index(database: Database) -> None:
    while database.index.has_work(database.last):
        database.index.step(database.last)


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
