"""The child's side of the store: `python -m mystic_server.log.sqlite FD DATA_FOLDER`.

One process, one connection, one transaction per batch; what gathers meanwhile gathers on the loop's side. It locks the
folder, opens the database, says `Opened`, answers what comes in order, and ends when its socket does.

    new batch       inserted blindly with the next numbers; if a client id is not new, undone and done event by event
    sent again      a child before this one may have committed it: then its numbers are read, not given again
    disk full       undone and refused; the next batch is tried as any other
    other errors    whether it is on disk is unknown: the database is opened anew and tells, or this process ends
"""

import gc
import os
import signal
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Raw

from mystic_server.domain.events import Event, Posted, StateRow, decode_event
from mystic_server.log import folder, history, records
from mystic_server.log.base import StoreError
from mystic_server.log.records import (
    Answer,
    AskHistory,
    AskMissed,
    Columns,
    Failed,
    Load,
    NotStored,
    Opened,
    ReceivedCommit,
    ReceivedDraft,
    SentPage,
    SentStartPart,
    StoredEvent,
    ToChild,
    columns,
)
from mystic_server.log.schema import open_database
from mystic_server.net.children import ParentLink
from mysticproto.errors import Code

START_PART = 5000
"""Rows or events in one part of a start."""
STORAGE_FULL = "The server's disk is full; nothing was sent. Try again later."

_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_DIRECT = "INSERT OR IGNORE INTO directs VALUES (?, ?)"
_KNOWN_DIRECTS = 10_000


class Database:
    """The open log. Raises StoreError when it can't be opened, sqlite3.Error when it stops working."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._connection = open_database(data)
        self._known_directs: set[str] = set()
        self.last = self._read_last()

    @property
    def connection(self) -> sqlite3.Connection:
        """For the queries."""
        return self._connection

    def close(self) -> None:
        """Closes the file; everything is in it."""
        self._connection.close()

    def reopen(self) -> None:
        """After an error that leaves unknown what is on disk."""
        self._known_directs.clear()
        self._connection.close()
        self._connection = open_database(self._data)
        self.last = self._read_last()

    def commit(self, commit: ReceivedCommit) -> Answer:
        """Makes a batch durable, all of it or nothing."""
        events = [decode_event(draft.event) for draft in commit.drafts]
        try:
            if commit.after < 0:
                return self._commit_new(commit, events)
            return self._commit_checked(commit, events, commit.after)
        except sqlite3.IntegrityError:
            self._roll_back()
            return self._commit_checked(commit, events, self.last)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise
            self._roll_back()
            return Answer(0, code=Code.STORAGE_FULL, text=STORAGE_FULL)

    def start_parts(self) -> Iterable[SentStartPart]:
        """The world: state rows first, then the events after them."""
        applied: int = self._connection.execute("SELECT seq FROM applied").fetchone()[0]
        rows = self._connection.execute("SELECT kind, id, body FROM state ORDER BY kind, id")
        while part := rows.fetchmany(START_PART):
            yield SentStartPart(tuple(StateRow(*row) for row in part), applied, (), self.last, more=True)
        tail = self._connection.execute("SELECT seq, time_us, body FROM events WHERE seq > ? ORDER BY seq", (applied,))
        while part := tail.fetchmany(START_PART):
            events = tuple(StoredEvent(seq, time_us, Raw(body)) for seq, time_us, body in part)
            yield SentStartPart((), applied, events, self.last, more=True)
        yield SentStartPart((), applied, (), self.last, more=False)

    def _read_last(self) -> int:
        last: int | None = self._connection.execute("SELECT max(seq) FROM events").fetchone()[0]
        return last or 0

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _commit_new(self, commit: ReceivedCommit, events: Sequence[Event]) -> Answer:
        """The fast way: every event is new."""
        first = self.last + 1
        rows = [
            columns(seq, draft.time_us, event, draft.event)
            for seq, (draft, event) in enumerate(zip(commit.drafts, events, strict=True), first)
        ]
        self._write(commit, rows, events)
        return Answer(first)

    def _commit_checked(self, commit: ReceivedCommit, events: Sequence[Event], after: int) -> Answer:
        """The careful way: some events may be there already, from before or because this batch was sent again."""
        seq = after
        rows: list[Columns] = []
        not_stored: list[NotStored] = []
        said: dict[tuple[int, bytes], tuple[int, int, str]] = {}
        for index, (draft, event) in enumerate(zip(commit.drafts, events, strict=True)):
            known = self._known(event, said)
            if known and known[0] != seq + 1:
                not_stored.append(_repeated(index, event, known))
                continue
            seq += 1
            if type(event) is Posted and event.cid:
                said[event.author, event.cid] = seq, draft.time_us, event.text
            if seq > self.last:
                rows.append(columns(seq, draft.time_us, event, draft.event))
            else:
                self._check_same(seq, draft)
        if seq < self.last:
            raise StoreError(f"The database {self._data} was written by another program meanwhile.")
        self._write(commit, rows, events)
        return Answer(after + 1, tuple(not_stored))

    def _known(self, event: Event, said: dict[tuple[int, bytes], tuple[int, int, str]]) -> tuple[int, int, str] | None:
        """Number, time and text of what has this event's client id."""
        if type(event) is not Posted or not event.cid:
            return None
        if earlier := said.get((event.author, event.cid)):
            return earlier
        sql = "SELECT seq, time_us, body FROM events WHERE author = ? AND cid = ?"
        row = self._connection.execute(sql, (event.author, event.cid)).fetchone()
        if not row:
            return None
        stored = decode_event(row[2])
        assert type(stored) is Posted
        return row[0], row[1], stored.text

    def _check_same(self, seq: int, draft: ReceivedDraft) -> None:
        """What a batch that is sent again finds in its place is what it put there."""
        body = self._connection.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchone()[0]
        if body != bytes(draft.event):
            raise StoreError(f"Event {seq} of the database {self._data} was written by another program.")

    def _write(self, commit: ReceivedCommit, rows: Sequence[Columns], events: Sequence[Event]) -> None:
        directs = self._new_directs(events)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, rows)
        if directs:
            connection.executemany(_INSERT_DIRECT, [(user, key) for key, users in directs.items() for user in users])
        if commit.applied >= 0:
            self._save(commit.rows, commit.applied)
        connection.execute("COMMIT")
        self.last += len(rows)
        self._known_directs.update(directs)
        if len(self._known_directs) > _KNOWN_DIRECTS:
            self._known_directs.clear()

    def _new_directs(self, events: Sequence[Event]) -> dict[str, tuple[int, ...]]:
        known = self._known_directs
        return {
            event.conversation: event.users
            for event in events
            if type(event) is Posted and event.users and event.conversation not in known
        }

    def _save(self, rows: Sequence[StateRow], applied: int) -> None:
        gone = [(row.kind, row.id) for row in rows if row.body is None]
        kept = [(row.kind, row.id, row.body) for row in rows if row.body is not None]
        self._connection.executemany("DELETE FROM state WHERE kind = ? AND id = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", kept)
        self._connection.execute("UPDATE applied SET seq = ?", (applied,))


def _repeated(index: int, event: Event, known: tuple[int, int, str]) -> NotStored:
    seq, time_us, text = known
    assert type(event) is Posted
    return NotStored(index, seq, time_us) if text == event.text else NotStored(index, 0, 0)


class Child:
    """Answers the loop until it hangs up."""

    def __init__(self, link: ParentLink, data: Path) -> None:
        self._link = link
        folder.make_private(data)
        self._lock = folder.lock(data)
        self._database = Database(data)

    def run(self) -> None:
        """Returns at the socket's end; raises StoreError when the database can't go on."""
        _say(self._link, Opened(self._database.last))
        while (body := self._link.receive()) is not None:
            self._answer(records.decode_to_child(body))
        self._database.close()
        os.close(self._lock)

    def _answer(self, message: ToChild) -> None:
        match message:
            case ReceivedCommit():
                _say(self._link, self._commit(message))
            case AskHistory() | AskMissed():
                _say(self._link, self._page(message))
            case Load():
                for part in self._database.start_parts():
                    _say(self._link, part)

    def _commit(self, commit: ReceivedCommit) -> Answer:
        after = self._database.last
        try:
            return self._database.commit(commit)
        except sqlite3.Error:
            self._database.reopen()
            again = commit if commit.after >= 0 else ReceivedCommit(commit.drafts, commit.rows, commit.applied, after)
            return self._database.commit(again)

    def _page(self, ask: AskHistory | AskMissed) -> SentPage:
        try:
            if isinstance(ask, AskHistory):
                return history.history(self._database.connection, ask.query)
            return history.missed(self._database.connection, ask.query)
        except sqlite3.Error as error:
            return SentPage((), failed=f"The history can't be read: {error}.")


def _say(link: ParentLink, message: Opened | Failed | SentStartPart | Answer | SentPage) -> None:
    """Nobody may be there to hear it; what was asked for before the end is done all the same."""
    with suppress(ConnectionError):
        link.send(records.encode(message))


def main() -> None:
    """Runs the child; what stops it is the last thing that the loop hears of it."""
    os.umask(0o077)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # they are for the server, which ends its children when it is ready
    link = ParentLink.inherited(sys.argv[1])
    gc.freeze()  # what is imported stays; the collector need not look at it again and again
    try:
        Child(link, Path(sys.argv[2])).run()
    except (StoreError, sqlite3.Error) as error:
        text = str(error) if isinstance(error, StoreError) else f"The database can't be written: {error}."
        _say(link, Failed(text))
        os._exit(1)  # at once: closing a damaged database would write to it


if __name__ == "__main__":
    main()
