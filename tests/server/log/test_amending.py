"""Amendments in the database: where texts are and are no more. (What is shown: contracts/test_logs_amended.py.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from mystic_server.domain.events import Edited, Left, Posted, decode_event, encode_event
from mystic_server.log.amending import without_text
from mystic_server.log.schema import FILE_NAME
from mystic_server.log.sqlite import Database
from tests.contracts.logs import deleted, edited, said
from tests.server.log.store_child import opened, received

SECRET = "an unspeakable thing"


def texts(database: Database) -> list[str]:
    """Of all stored messages and edits."""
    bodies = database.connection.execute("SELECT body FROM events ORDER BY seq")
    events = [decode_event(body) for (body,) in bodies]
    return [event.text for event in events if isinstance(event, Posted | Edited)]


def test_a_deletion_takes_the_texts_of_a_message_and_its_edits(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("one"), edited(1, "uno"), said("two"), edited(3, "dos")]))
        database.commit(received([edited(1, "un"), deleted(1), edited(1, "late")]))
        assert texts(database) == ["", "", "two", "dos", "", ""]
        amended = database.connection.execute("SELECT * FROM amended").fetchall()
        assert amended == [(1, 6, 1001, "", 1), (3, 4, 1003, "dos", 0)]
        assert database.connection.execute("SELECT * FROM edits").fetchall() == [(3, 4)]


@pytest.mark.parametrize("size", [1, 1000])
def test_no_deleted_text_stays_in_the_file(tmp_path: Path, size: int) -> None:
    """Its words may for a while, each alone, until the index's segments are merged."""
    with opened(tmp_path) as database:
        database.commit(received([said(f"{SECRET} " * size), edited(1, f"more {SECRET}s " * size), said("another")]))
        while database.index.has_work(database.last):
            database.index.step(database.last)
        database.commit(received([deleted(1)]))
    assert SECRET.encode() not in (tmp_path / FILE_NAME).read_bytes()


def test_a_batch_is_committed_with_all_its_amendments_or_not_at_all(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("one")]))
        pages = database.connection.execute("PRAGMA page_count").fetchone()[0]
        database.connection.execute(f"PRAGMA max_page_count = {pages}")
        assert database.commit(received([edited(1, "x" * 30_000)])).code
        database.connection.execute("PRAGMA max_page_count = 100000")
        assert database.connection.execute("SELECT * FROM amended").fetchall() == []


@pytest.mark.parametrize("event", [said("one", cid=b"c" * 16, users=(3, 4)), edited(1, "uno")])
def test_without_its_text_an_event_is_as_it_was(event: Posted | Edited) -> None:
    blank = decode_event(without_text(event))
    assert isinstance(blank, Posted | Edited)
    assert blank.text == ""
    assert (blank.conversation, blank.users) == (event.conversation, event.users)


def test_what_has_no_text_stays_the_same() -> None:
    assert without_text(Left(1, "left")) == encode_event(Left(1, "left"))
