"""What the child does when there is nothing to commit, and what a search waits for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mystic_server.domain.events import GLOBAL
from mystic_server.log import sqlite
from mystic_server.log.base import HistoryQuery
from mystic_server.log.records import (
    AskHistory,
    AskSearch,
    Commit,
    FromChild,
    Load,
    PagePart,
    decode_from_child,
    encode,
)
from mystic_server.log.sqlite import Database
from mystic_server.net.children import ParentLink
from tests.contracts.logs import said, wanted
from tests.server.log.store_child import as_commit, finish_index, opened, received

pytestmark = pytest.mark.skipif(os.name == "nt", reason="descriptors are not inherited there")


def served(data: Path, *messages: Load | Commit | AskHistory | AskSearch) -> list[FromChild]:
    """What a child in this process answers to these, which all wait for it already."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = sqlite.Child(ParentLink(theirs), data)
        link = ParentLink(ours)
        for message in messages:
            link.send(encode(message))
        ours.shutdown(socket.SHUT_WR)
        child.run()
        return [decode_from_child(link.receive() or b"") for _ in range(len(messages) + 1)]


def test_in_a_pause_the_index_is_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "QUIET_S", 0.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = sqlite.Child(ParentLink(theirs), tmp_path)
        hang_up_at = iter([False, False, False, False, True])
        step = child._database.index.step

        def last_step(last: int) -> None:
            step(last)
            if next(hang_up_at):
                ours.shutdown(socket.SHUT_WR)

        monkeypatch.setattr(child._database.index, "step", last_step)
        ParentLink(ours).send(encode(as_commit([said("word") for _ in range(300)])))
        child.run()
    with opened(tmp_path) as database:
        assert database.index.upto == 300


@pytest.mark.parametrize(("far", "upto"), [(1000, 0), (100, 200)])
def test_without_a_pause_the_index_waits_unless_it_is_far_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, far: int, upto: int
) -> None:
    monkeypatch.setattr(sqlite, "FAR_BEHIND", far)
    monkeypatch.setattr(sqlite, "BUSY_STEP_INTERVAL_S", 0.0)
    asked = AskHistory(HistoryQuery((GLOBAL,), 0, 0, 1))
    served(tmp_path, as_commit([said("word")] * 300), asked, asked)
    with opened(tmp_path) as database:
        assert database.index.upto == upto


def test_a_search_finds_what_was_said_just_now(tmp_path: Path) -> None:
    *_, page = served(tmp_path, as_commit([said("word")]), AskSearch(wanted("word")))
    assert isinstance(page, PagePart)
    assert ([each.seq for each in page.events], page.searched) == ([1], 0)


def test_a_search_says_from_where_on_it_has_not_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CATCH_UP_LIMIT_S", -1.0)
    *_, page = served(tmp_path, as_commit([said("word")] * 3), AskSearch(wanted("word")))
    assert isinstance(page, PagePart)
    assert (page.events, page.more, page.searched) == ((), False, 1)


def test_a_full_disk_does_not_stop_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as database:
        database.commit(received([said("early word")]))
        finish_index(database)
        database.commit(received([said(f"word {'x' * 500} {number}") for number in range(300)]))
    real = sqlite.Database

    def on_a_full_disk(data: Path) -> Database:
        database = real(data)
        pages = database.connection.execute("PRAGMA page_count").fetchone()[0]
        database.connection.execute(f"PRAGMA max_page_count = {pages}")
        return database

    monkeypatch.setattr(sqlite, "Database", on_a_full_disk)
    *_, page = served(tmp_path, AskSearch(wanted("word")))
    assert isinstance(page, PagePart)
    assert ([each.seq for each in page.events], page.searched) == ([1], 2)
