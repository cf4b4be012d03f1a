"""Files that are on their way to somebody who is removed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mystic_server.domain.decide import Rules
from mystic_server.net.outqueue import FileSpan
from mysticproto.errors import Code
from mysticproto.model import (
    Ban,
    Bye,
    DeleteAccount,
    Fetch,
    FileStart,
    Kick,
    Ok,
    Refused,
    Request,
    SendFile,
    SetRole,
    UdpOffer,
)
from tests.server.hub.fakes import Transfer
from tests.server.hub.rig import Client, Rig, new_key
from tests.server.hub.wires import RawFiles

SIZE = 4 * 1024 * 1024
FAR = "9.9.9.9"


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(rules=Rules(operators=frozenset({"olga"}))) as rig:
        yield rig


@pytest.fixture
def olga(rig: Rig) -> Client:
    return rig.comes("olga", new_key())


@pytest.fixture
def ana(rig: Rig, olga: Client) -> Client:
    return rig.comes("ana", new_key(), host=FAR)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"x" * SIZE)
    return path


@pytest.fixture
def ticket(rig: Rig, file: Path) -> Callable[[Client], Transfer]:
    """A file that somebody may fetch with the ticket "t"."""

    def ticket(client: Client) -> Transfer:
        fd = os.open(file, os.O_RDONLY)
        transfer = Transfer(5, FileSpan(fd, 0, SIZE), "a/file", client.peer.user)
        rig.files.transfers[b"t"] = lambda n: transfer
        return transfer

    return ticket


def fetches(rig: Rig, host: str = FAR) -> Client:
    """A connection on which a file is on its way, and which doesn't read."""
    client = rig.connects(host=host)
    client.reads = False
    client.asks(Fetch(5, b"t"))
    rig.settle()
    return client


def does(rig: Rig, operator: Client, request: Request) -> None:
    operator.asks(request)
    rig.settle()
    assert operator.takes(Ok)


@pytest.mark.parametrize(
    "request_", [Kick(1, "ana"), Ban(1, "ana"), Ban(1, "9.9.0.0/16"), DeleteAccount(1, "ana")], ids=str
)
def test_a_download_ends_with_whoever_is_removed(
    rig: Rig, olga: Client, ana: Client, ticket: Callable[[Client], Transfer], request_: Request
) -> None:
    transfer = ticket(ana)
    fetching = fetches(rig)
    assert transfer.outcomes == []
    does(rig, olga, request_)
    assert transfer.outcomes == [False] and transfer.span.fd == -1
    assert "ana disconnected: removed" in rig.witness.lines
    assert ana.takes(Bye)
    assert fetching.connection not in rig.connections


@pytest.mark.parametrize("request_", [Kick(1, "bob"), Ban(1, "bob"), Ban(1, "8.8.8.8"), DeleteAccount(1, "bob")])
def test_others_go_on(
    rig: Rig, olga: Client, ana: Client, ticket: Callable[[Client], Transfer], request_: Request
) -> None:
    rig.comes("bob", new_key(), host="8.8.8.8")
    transfer = ticket(ana)
    fetching = fetches(rig)
    does(rig, olga, request_)
    assert transfer.outcomes == []
    fetching.reads = True
    rig.settle()
    assert transfer.outcomes == [True] and len(fetching.rest()) == SIZE


def test_an_operator_s_download_goes_on_whatever_network_is_banned(
    rig: Rig, olga: Client, ana: Client, ticket: Callable[[Client], Transfer]
) -> None:
    does(rig, olga, SetRole(1, "ana", "operator"))
    transfer = ticket(ana)
    fetches(rig)
    does(rig, olga, Ban(1, "9.9.0.0/16"))
    assert transfer.outcomes == []


def test_who_could_not_be_removed_keeps_the_download(
    rig: Rig, olga: Client, ana: Client, ticket: Callable[[Client], Transfer]
) -> None:
    transfer = ticket(ana)
    fetches(rig)
    second = rig.comes("olga2", new_key())
    does(rig, olga, SetRole(1, "olga2", "operator"))
    rig.log.is_held = True
    olga.asks(SetRole(2, "ana", "operator"))
    rig.settle()
    second.asks(Kick(2, "ana"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert [each.code for each in second.takes(Refused)] == [Code.NOT_ALLOWED]
    assert transfer.outcomes == []


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Ban(1, "ana"), Code.BANNED),
        (Ban(1, "9.9.0.0/16"), Code.BANNED),
        (DeleteAccount(1, "ana"), Code.ACCOUNT_DELETED),
    ],
)
def test_a_ticket_is_worth_nothing_any_more(
    rig: Rig, olga: Client, ana: Client, ticket: Callable[[Client], Transfer], request_: Request, code: Code
) -> None:
    transfer = ticket(ana)
    does(rig, olga, request_)
    late = rig.connects(host=FAR)
    late.asks(Fetch(5, b"t"))
    rig.settle()
    assert [each.code for each in late.takes(Refused)] == [code] and late.takes(FileStart) == []
    assert late.is_at_end and transfer.outcomes == [False] and transfer.span.fd == -1


def test_a_file_of_an_older_wire_ends_with_its_connection(rig: Rig, olga: Client, file: Path) -> None:
    bob = rig.comes("bob", wire=RawFiles)
    bob.reads = False
    transfer = sent(rig, bob, file, "tcp")
    does(rig, olga, Kick(1, "bob"))
    assert transfer.outcomes == [False] and transfer.span.fd == -1
    assert bob.connection not in rig.connections


def test_an_offer_ends_and_the_last_words_arrive(rig: Rig, olga: Client, file: Path) -> None:
    bob = rig.comes("bob", wire=RawFiles)
    transfer = sent(rig, bob, file, "udp")
    assert bob.takes(UdpOffer)
    does(rig, olga, Kick(1, "bob"))
    assert rig.offers[0].is_over and transfer.outcomes == [False]
    assert [bye.code for bye in bob.takes(Bye)] == [Code.KICKED] and bob.is_at_end


def sent(rig: Rig, client: Client, file: Path, over: str) -> Transfer:
    client.asks(SendFile(5, "a/file", over=over))
    rig.settle()
    asked = rig.files.inline.pop()
    transfer = Transfer(5, FileSpan(os.open(file, os.O_RDONLY), 0, SIZE), "a/file", asked.user)
    asked.answered(transfer)
    rig.settle()
    return transfer
