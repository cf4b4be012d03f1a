"""The index of words: which messages have which, kept up to a number that is behind the log's last.

Indexing waits for pauses, so a commit does not wait for it: `step` takes some events, or merges some of the segments
that earlier steps have left. What a step did may be lost with the machine's power, for it does not wait for the disk;
then it is done again. A message that is amended is indexed anew in the transaction that amends it.

Besides its text a message has tags: whose it is, where it was said, and when about. So a search for what one user may
read is a search for words. The index keeps no texts, and what is taken out of it must be told as it was put in.
"""

import sqlite3
from contextlib import closing

from mystic_server.domain.events import Posted, decode_event
from mystic_server.log.words import fold

STEP_EVENTS = 200
"""In one step: about three milliseconds."""
STEP_BYTES = 64 * 1024
"""Of bodies in one step, unless it is a single one: whoever commits waits for it, and 6 MB of words take 1.5 s."""
MERGED_PAGES = 20
BLOCK = 32_768
"""Numbers with one tag, see `searching`."""

_NEXT = """SELECT events.seq, body, amended.text, deleted FROM events LEFT JOIN amended ON amended.seq = events.seq
    WHERE events.seq > ? ORDER BY events.seq LIMIT ?"""
_ADD = "INSERT INTO search (rowid, text, tags) VALUES (?, ?, ?)"
_REMOVE = "INSERT INTO search (search, rowid, text, tags) VALUES ('delete', ?, ?, ?)"
_MERGE = "INSERT INTO search (search, rank) VALUES ('merge', ?)"


class Index:
    """The index in an open database; events up to number `upto` are in it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.upto: int = connection.execute("SELECT seq FROM indexed").fetchone()[0]
        self._may_merge = True

    def has_work(self, last: int) -> bool:
        """Whether a step would do something, if the log's last event has this number."""
        return self.upto < last or self._may_merge

    def step(self, last: int) -> None:
        """A bit of the work, in a transaction of its own."""
        connection = self._connection
        connection.execute("PRAGMA synchronous = NORMAL")
        try:
            connection.execute("BEGIN IMMEDIATE")
            if self._may_merge or self.upto == last:
                upto = self.upto
                self._merge()
            else:
                upto = self._index_next()
            connection.execute("COMMIT")
            self.upto = upto
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("PRAGMA synchronous = FULL")

    def amend(self, seq: int, message: Posted, old: str, new: str | None) -> None:
        """A message has another text, or none any more; in the caller's transaction."""
        if seq <= self.upto:
            self._connection.execute(_REMOVE, (seq, fold(old), tags(seq, message)))
            if new is not None:
                self._connection.execute(_ADD, (seq, fold(new), tags(seq, message)))
            self._may_merge = True

    def _index_next(self) -> int:
        entries = []
        upto, room = self.upto, STEP_BYTES
        with closing(self._connection.execute(_NEXT, (upto, STEP_EVENTS))) as rows:
            for seq, body, new_text, deleted in rows:
                room -= len(body) + len(new_text or "")
                if room < 0 and upto > self.upto:
                    break
                upto = seq
                event = decode_event(body)
                if type(event) is Posted and not deleted:
                    entries.append((seq, fold(event.text if new_text is None else new_text), tags(seq, event)))
        self._connection.executemany(_ADD, entries)
        self._connection.execute("UPDATE indexed SET seq = ?", (upto,))
        self._may_merge = True
        return upto

    def _merge(self) -> None:
        before = self._connection.total_changes
        self._connection.execute(_MERGE, (MERGED_PAGES,))
        self._may_merge = self._connection.total_changes - before >= 2  # as FTS5's manual says


def tags(seq: int, message: Posted) -> str:
    """What a message is found by besides its words."""
    own = block_tag(block_of(seq)), conversation_tag(message.conversation), author_tag(message.author)
    return " ".join((*own, *map(participant_tag, message.users)))


def conversation_tag(conversation: str) -> str:
    """Of what was said in a conversation: its key as one token."""
    return "k" + conversation.replace(":", "x").replace(",", "x")


def author_tag(user: int) -> str:
    """Of what a user said."""
    return f"a{user}"


def participant_tag(user: int) -> str:
    """Of what was said in a user's direct conversations."""
    return f"u{user}"


def block_of(seq: int) -> int:
    """The block that a number is in; it begins at this times `BLOCK`."""
    return seq // BLOCK


def block_tag(block: int) -> str:
    """Of messages whose numbers are near each other."""
    return f"b{block}"
