"""Listings, tickets, and files on connections of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.net.outqueue import FileSpan
from mysticproto.errors import Code
from mysticproto.model import (
    Fetch,
    FileHashed,
    FileStart,
    Folder,
    FolderEntry,
    ListFolder,
    Ok,
    OpenDownload,
    Ping,
    Pong,
    Post,
    Refused,
    Ticket,
    ToGlobal,
)
from tests.server.hub.fakes import Transfer
from tests.server.hub.rig import Rig, numbers

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def transfer(rig: Rig, tmp_path: Path) -> Transfer:
    """What the ticket "t" is good for, once; ana's."""
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    rig.comes("ana")
    transfer = Transfer(5, FileSpan(os.open(path, os.O_RDONLY), 0, len(CONTENT)), "a/file", user=1)
    rig.files.transfers[b"t"] = lambda n: transfer
    return transfer


def test_a_listing_comes_in_parts(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(ListFolder(3, "photos"))
    rig.settle()
    parts = [Folder(3, "photos", (FolderEntry("a", "file"),), 2, True), Folder(3, "photos", (), 2)]
    rig.files.listings[0](parts)
    rig.settle()
    assert ana.takes(Folder) == parts


def test_a_listing_may_be_refused_at_once_or_later(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(ListFolder(3, "nowhere"), Ping(4))
    rig.settle()
    rig.files.listings[0](Refused(3, Code.NOT_A_FOLDER, "No."))
    rig.settle()
    assert numbers(ana.takes(Refused)) == [3]
    assert len(ana.takes(Pong)) == 1


def test_a_slow_listing_does_not_keep_messages_waiting(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(ListFolder(1), Post(2, ToGlobal(), "hi"), Ping(3), ListFolder(4), Ping(5))
    rig.settle()
    assert numbers(ana.takes(Ok)) == [2]
    assert [pong.n for pong in ana.takes(Pong)] == [3]
    assert len(rig.files.listings) == 1
    rig.files.listings[0]([])
    rig.settle()
    assert [pong.n for pong in ana.takes(Pong)] == [5]
    assert len(rig.files.listings) == 2


def test_many_listings_that_are_refused_in_the_call_are_all_answered(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        rig.files, "list_folder", lambda n, path, answered: answered(Refused(n, Code.FILES_UNAVAILABLE, "No."))
    )
    ana = rig.comes("ana")
    ana.asks(*[ListFolder(n) for n in range(3000)])
    rig.settle()
    assert numbers(ana.takes(Refused)) == list(range(3000))


def test_a_listing_for_somebody_who_has_gone_is_dropped(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(ListFolder(3))
    rig.settle()
    ana.goes()
    rig.settle()
    rig.files.listings[0]([Folder(3, "", (), 0)])
    rig.settle()
    assert not rig.world.sessions


def test_somebody_who_goes_while_a_request_waits_for_a_listing_is_lost_with_its_answer(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(ListFolder(3), ListFolder(4))
    rig.settle()
    ana.goes()
    rig.settle()
    rig.files.listings[0]([Folder(3, "", (), 0)])
    rig.settle()
    assert not rig.world.sessions


def test_a_ticket_and_later_the_hash(rig: Rig) -> None:
    rig.comes("bob")
    ana = rig.comes("ana")
    ana.asks(OpenDownload(7, "a/file"))
    rig.settle()
    user, path, answered = rig.files.opened[0]
    assert (user, path) == (2, "a/file")
    ticket = Ticket(7, b"t" * 16, "a/file", 5, 6)
    answered(ticket)
    rig.files.hashed[0](FileHashed("a/file", 5, 6, b"h" * 32))
    rig.settle()
    assert ana.takes(Ticket) == [ticket]
    assert ana.takes(FileHashed) == [FileHashed("a/file", 5, 6, b"h" * 32)]


def test_a_file_comes_on_a_connection_of_its_own(rig: Rig, transfer: Transfer) -> None:
    client = rig.connects()
    client.asks(Fetch(5, b"t"))
    rig.settle()
    assert client.takes(FileStart) == [FileStart(5, len(CONTENT), 0)]
    assert client.rest() == CONTENT
    assert client.is_at_end
    rig.settle()
    assert transfer.outcomes == [True]
    assert rig.witness.lines == ["ana gets a/file", "ana has got a/file", "ana disconnected: finished"]
    assert transfer.span.fd == -1


def test_who_breaks_off_has_not_got_the_file(rig: Rig, transfer: Transfer) -> None:
    client = rig.connects(sndbuf=4096)
    client.reads = False
    client.asks(Fetch(5, b"t"))
    rig.settle()
    client.goes()
    rig.settle()
    assert transfer.outcomes == [False]
    assert rig.witness.lines == ["ana gets a/file", "ana has not got a/file", "ana disconnected: lost"]
    assert transfer.span.fd == -1


def test_a_bad_ticket_ends_the_connection(rig: Rig) -> None:
    client = rig.connects()
    client.asks(Fetch(5, b"forged"), Ping(6))
    rig.settle()
    assert [(reply.n, reply.code) for reply in client.takes(Refused)] == [(5, Code.BAD_TICKET)]
    assert client.takes(Pong) == []
    assert client.is_at_end


def test_a_ticket_is_good_once(rig: Rig, transfer: Transfer) -> None:
    one, two = rig.connects(), rig.connects()
    one.asks(Fetch(5, b"t"))
    rig.settle()
    two.asks(Fetch(5, b"t"))
    rig.settle()
    assert len(one.takes(FileStart)) == 1
    assert len(two.takes(Refused)) == 1


def test_a_file_does_not_come_over_the_chat_connection(rig: Rig, transfer: Transfer) -> None:
    bob = rig.comes("bob")
    bob.asks(Fetch(5, b"t"), Ping(6))
    rig.settle()
    assert [reply.code for reply in bob.takes(Refused)] == [Code.BAD_TICKET]
    assert len(bob.takes(Pong)) == 1
    assert b"t" in rig.files.transfers
    transfer.span.close()


def test_a_file_that_becomes_shorter_ends_the_connection(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    transfer = Transfer(5, FileSpan(os.open(path, os.O_RDONLY), 0, 200), "file", user=9)
    rig.files.transfers[b"t"] = lambda n: transfer
    client = rig.connects()
    client.asks(Fetch(5, b"t"))
    rig.settle()
    assert client.is_at_end
    assert transfer.outcomes == [False]
    assert rig.witness.lines[-1] == "nobody disconnected: cut_short"
