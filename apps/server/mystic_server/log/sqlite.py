"""The child's side of the store: `python -m mystic_server.log.sqlite FD DATA_FOLDER`.

One process, one connection, one transaction per batch; what gathers meanwhile gathers on the loop's side. It locks the
folder, opens the database, says `Opened`, answers what comes in order, and ends when its socket does.

    amendments      done in the transaction that stores them; see `amending`
    pauses          the index of words is brought nearer to the log's end; see `indexing`
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
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Raw
from msgspec.structs import replace

from mystic_server.domain.events import Deleted, Edited, Event, Posted, StateRow, decode_event
from mystic_server.log import folder, history, records, searching
from mystic_server.log.amending import amend, without_text
from mystic_server.log.base import SearchQuery, StoreError
from mystic_server.log.indexing import Index
from mystic_server.log.records import (
    Answer,
    Ask,
    AskHistory,
    AskMessage,
    AskMissed,
    AskPosted,
    AskRecent,
    AskSearch,
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
    timeline,
)
from mystic_server.log.schema import open_database
from mystic_server.net.children import ParentLink
from mysticproto.errors import Code

START_PART = 5000
"""Rows or events in one part of a start."""
QUIET_S = 0.05
"""After so long without a word the index is worked on, step after step."""
FAR_BEHIND = 2000
"""When so many events are not indexed yet, a step is done now and then even if there is no pause."""
BUSY_STEP_INTERVAL_S = 0.1
CATCH_UP_LIMIT_S = 0.015
"""Before a search: what was said a moment ago can be found, if it is not too much."""
FULL_REST_S = 60.0
"""The index leaves a full disk alone for so long."""
STORAGE_FULL = "The server's disk is full; nothing was sent. Try again later."

BY_CLIENT_ID = """SELECT events.seq, events.time_us, body, deleted
    FROM events LEFT JOIN amended ON amended.seq = events.seq WHERE author = ? AND cid = ?"""
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_DIRECT = "INSERT OR IGNORE INTO directs VALUES (?, ?)"
_VOID = "UPDATE events SET conversation = NULL, cid = NULL WHERE seq = ?"
"""What belongs to no conversation is on no page."""
_KNOWN_DIRECTS = 10_000

Fresh = tuple[int, ReceivedDraft, Event]
"""An event that is stored for the first time, under this number."""


class Database:
    """The open log. Raises StoreError when it can't be opened, sqlite3.Error when it stops working."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._connection = open_database(data)
        self._known_directs: set[str] = set()
        self.last = self._read_last()
        self.index = Index(self._connection)

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
        self.index = Index(self._connection)

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
        numbers = range(first, first + len(events))
        self._write(commit, list(zip(numbers, commit.drafts, events, strict=True)))
        return Answer(first)

    def _commit_checked(self, commit: ReceivedCommit, events: Sequence[Event], after: int) -> Answer:
        """The careful way: some events may be there already, from before or because this batch was sent again."""
        seq = after
        fresh: list[Fresh] = []
        not_stored: list[NotStored] = []
        said: dict[tuple[int, bytes], tuple[int, int, str | None]] = {}
        for index, (draft, event) in enumerate(zip(commit.drafts, events, strict=True)):
            known = self._known(event, said)
            if known and known[0] != seq + 1 and known[0] not in commit.void:
                not_stored.append(_repeated(index, event, known))
                continue
            seq += 1
            if type(event) is Posted and event.cid:
                said[event.author, event.cid] = seq, draft.time_us, event.text
            if seq > self.last:
                fresh.append((seq, draft, event))
            else:
                self._check_same(seq, draft, event)
        if seq < self.last:
            raise StoreError(f"The database {self._data} was written by another program meanwhile.")
        self._write(commit, fresh)
        return Answer(after + 1, tuple(not_stored))

    def _known(
        self, event: Event, said: dict[tuple[int, bytes], tuple[int, int, str | None]]
    ) -> tuple[int, int, str | None] | None:
        """Number, time and text of what has this event's client id; the text is None if it was deleted."""
        if type(event) is not Posted or not event.cid:
            return None
        if earlier := said.get((event.author, event.cid)):
            return earlier
        row = self._connection.execute(BY_CLIENT_ID, (event.author, event.cid)).fetchone()
        if not row:
            return None
        seq, time_us, body, deleted = row
        stored = decode_event(body)
        assert type(stored) is Posted
        return seq, time_us, None if deleted else stored.text

    def _check_same(self, seq: int, draft: ReceivedDraft, event: Event) -> None:
        """What a batch that is sent again finds in its place is what it put there, or what itself left of that."""
        body = self._connection.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchone()[0]
        if body not in (bytes(draft.event), without_text(event)):
            raise StoreError(f"Event {seq} of the database {self._data} was written by another program.")

    def _write(self, commit: ReceivedCommit, fresh: Sequence[Fresh]) -> None:
        rows = [columns(seq, draft.time_us, event, draft.event) for seq, draft, event in fresh]
        amendments = [(seq, draft.time_us, event) for seq, draft, event in fresh if isinstance(event, Edited | Deleted)]
        directs = self._new_directs(fresh)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_VOID, [(seq,) for seq in commit.void])
        connection.executemany(_INSERT, rows)
        if directs:
            connection.executemany(_INSERT_DIRECT, [(user, key) for key, users in directs.items() for user in users])
        amend(connection, self.index, amendments)
        if commit.applied >= 0:
            self._save(commit.rows, commit.applied)
        connection.execute("COMMIT")
        self.last += len(rows)
        self._known_directs.update(directs)
        if len(self._known_directs) > _KNOWN_DIRECTS:
            self._known_directs.clear()

    def _new_directs(self, fresh: Sequence[Fresh]) -> dict[str, tuple[int, ...]]:
        """The timelines of direct conversations that were not known yet, and who takes part."""
        directs = {}
        for seq, _, event in fresh:
            if isinstance(event, Posted | Edited | Deleted) and event.users:
                key = timeline(seq, event)
                if key and key not in self._known_directs:
                    directs[key] = event.users
        return directs

    def _save(self, rows: Sequence[StateRow], applied: int) -> None:
        gone = [(row.kind, row.id) for row in rows if row.body is None]
        kept = [(row.kind, row.id, row.body) for row in rows if row.body is not None]
        self._connection.executemany("DELETE FROM state WHERE kind = ? AND id = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", kept)
        self._connection.execute("UPDATE applied SET seq = ?", (applied,))


def _repeated(index: int, event: Event, known: tuple[int, int, str | None]) -> NotStored:
    """Of a message that was deleted nobody can say any more whether these were its words."""
    seq, time_us, text = known
    assert type(event) is Posted
    return NotStored(index, seq, time_us) if text in (None, event.text) else NotStored(index, 0, 0)


class Child:
    """Answers the loop until it hangs up."""

    def __init__(self, link: ParentLink, data: Path) -> None:
        self._link = link
        folder.make_private(data)
        self._lock = folder.lock(data)
        self._database = Database(data)
        self._next_step_at = 0.0

    def run(self) -> None:
        """Returns at the socket's end; raises StoreError when the database can't go on."""
        _say(self._link, Opened(self._database.last))
        while (body := self._receive()) is not None:
            self._answer(records.decode_to_child(body))
        self._database.close()
        os.close(self._lock)

    def _receive(self) -> bytes | None:
        """The next message; works on the index until it comes."""
        database, link = self._database, self._link
        behind = database.last - database.index.upto
        if behind > FAR_BEHIND and time.monotonic() >= self._next_step_at:
            self._step()
        quiet_s = QUIET_S
        while database.index.has_work(database.last) and not link.has_something(quiet_s):
            quiet_s = 0 if self._step() else FULL_REST_S
        return link.receive()

    def _step(self) -> bool:
        """A step of the index; False: the disk is full, and there is no hurry."""
        try:
            self._database.index.step(self._database.last)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise
            self._next_step_at = time.monotonic() + FULL_REST_S
            return False
        self._next_step_at = time.monotonic() + BUSY_STEP_INTERVAL_S
        return True

    def _answer(self, message: ToChild) -> None:
        match message:
            case ReceivedCommit():
                _say(self._link, self._commit(message))
            case Load():
                for part in self._database.start_parts():
                    _say(self._link, part)
            case _:
                _say(self._link, self._page(message))

    def _commit(self, commit: ReceivedCommit) -> Answer:
        after = self._database.last
        try:
            return self._database.commit(commit)
        except sqlite3.Error:
            self._database.reopen()
            again = commit if commit.after >= 0 else replace(commit, after=after)
            return self._database.commit(again)

    def _page(self, ask: Ask) -> SentPage:
        try:
            return self._answer_to(ask)
        except sqlite3.Error as error:
            return SentPage((), failed=f"The history can't be read: {error}.")

    def _answer_to(self, ask: Ask) -> SentPage:
        connection = self._database.connection
        match ask:
            case AskHistory(query):
                return history.history(connection, query)
            case AskMissed(query):
                return history.missed(connection, query)
            case AskMessage(seq):
                return history.message(connection, seq)
            case AskPosted(query):
                return history.posted(connection, query)
            case AskRecent(query):
                return history.recent(connection, query)
            case AskSearch(query):
                return self._search(query)

    def _search(self, query: SearchQuery) -> SentPage:
        database = self._database
        give_up_at = time.monotonic() + CATCH_UP_LIMIT_S
        while database.index.upto < database.last and time.monotonic() < give_up_at and self._step():
            pass
        page = searching.search(database.connection, query, database.index.upto)
        return replace(page, searched=database.index.upto + 1) if database.index.upto < database.last else page


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
