"""Amendments: what an edit or a deletion does to a stored message, in the transaction that stores the amendment.

edited       `amended` has the text that counts; the message keeps the one that it was said with, since a client may
             still ask whether it had said just that; `edits` remembers where other texts are
deleted      `amended` says so for ever; the texts are taken out of the message, its edits and the index
"""

import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from msgspec.structs import replace

from mystic_server.domain.events import Deleted, Edited, Event, Posted, decode_event, encode_event
from mystic_server.log.indexing import Index

Amendment: TypeAlias = tuple[int, int, Edited | Deleted]
"""Number, time in microseconds, event."""

_TARGET = """SELECT body, amended.text, deleted FROM events LEFT JOIN amended ON amended.seq = events.seq
    WHERE events.seq = ?"""
_AMEND = "INSERT OR REPLACE INTO amended (seq, amended_by, time_us, text, deleted) VALUES (?, ?, ?, ?, ?)"
_SET_BODY = "UPDATE events SET body = ? WHERE seq = ?"


def amend(connection: sqlite3.Connection, index: Index, amendments: Sequence[Amendment]) -> None:
    """Does what these say, in order."""
    for seq, time_us, event in amendments:
        row = connection.execute(_TARGET, (event.message,)).fetchone()
        message = decode_event(row[0]) if row else None
        if type(message) is not Posted:
            continue
        _, text, deleted = row
        if deleted:
            _blank(connection, seq, event)
            continue
        new_text = event.text if type(event) is Edited else None
        index.amend(event.message, message, message.text if text is None else text, new_text)
        connection.execute(_AMEND, (event.message, seq, time_us, new_text or "", new_text is None))
        if new_text is None:
            _take_texts(connection, event.message, message)
        else:
            connection.execute("INSERT INTO edits VALUES (?, ?)", (event.message, seq))


def without_text(event: Event) -> bytes:
    """The bytes of an event whose text was taken out, and of a message its file."""
    if isinstance(event, Posted):
        event = replace(event, text="", file=None)
    return encode_event(replace(event, text="") if isinstance(event, Edited) else event)


def _take_texts(connection: sqlite3.Connection, seq: int, message: Posted) -> None:
    _blank(connection, seq, message)
    edits = "SELECT seq, body FROM events WHERE seq IN (SELECT seq FROM edits WHERE message = ?)"
    for number, body in connection.execute(edits, (seq,)).fetchall():
        _blank(connection, number, decode_event(body))
    connection.execute("DELETE FROM edits WHERE message = ?", (seq,))


def _blank(connection: sqlite3.Connection, seq: int, event: Event) -> None:
    connection.execute(_SET_BODY, (without_text(event), seq))
