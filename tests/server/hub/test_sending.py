"""Files in line and over UDP: one at a time, and whatever happens, the place is free and the descriptor closed."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mystic_server.net.outqueue import Base64Span, FileSpan
from mysticproto.errors import Code
from mysticproto.model import (
    FileEnd,
    FileStart,
    Logout,
    Message,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    SendFile,
    ToGlobal,
    UdpOffer,
)
from mysticproto.native import encode_frame
from tests.server.hub.fakes import Transfer
from tests.server.hub.rig import Client, Rig, numbers
from tests.server.hub.wires import Base64Files, RawFiles

CONTENT = bytes(range(256)) * 3000
Give = Callable[..., Transfer]


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def ana(rig: Rig) -> Client:
    return rig.comes("ana", wire=RawFiles)


@pytest.fixture
def give(rig: Rig, tmp_path: Path) -> Give:
    """Answers the oldest request for a file."""

    def give(data: bytes = CONTENT) -> Transfer:
        asked = rig.files.inline.pop(0)
        path = tmp_path / "file"
        path.write_bytes(data)
        fd = os.open(path, os.O_RDONLY)
        span = (Base64Span if asked.as_base64 else FileSpan)(fd, 0, len(data))
        transfer = Transfer(asked.n, span, asked.path, asked.user)
        asked.answered(transfer)
        rig.settle()
        return transfer

    return give


def is_closed(transfer: Transfer) -> bool:
    return transfer.span.fd == -1


def test_a_file_stands_between_its_start_and_its_end(rig: Rig, ana: Client, give: Give) -> None:
    ana.asks(SendFile(5, "a/file"))
    rig.settle()
    transfer = give()
    assert ana.takes(FileStart) == [FileStart(5, len(CONTENT), 0)]
    assert ana.rest() == CONTENT + encode_frame(FileEnd(5, len(CONTENT)))
    assert transfer.outcomes == [True] and is_closed(transfer)
    assert rig.witness.lines == ["ana gets a/file", "ana has got a/file"]
    assert not ana.peer.is_fetching and ana.peer.transfer is None


def test_base64_is_the_wire_s_affair(rig: Rig, give: Give) -> None:
    bob = rig.comes("bob", wire=Base64Files)
    bob.asks(SendFile(5, "a/file", avoid=b"<END>"))
    rig.settle()
    asked = rig.files.inline[0]
    assert (asked.user, asked.path, asked.avoid, asked.as_base64) == (1, "a/file", b"<END>", True)
    transfer = give()
    assert bob.takes(FileStart)[0].size == len(CONTENT)
    assert bob.rest() == base64.b64encode(CONTENT) + encode_frame(FileEnd(5, len(CONTENT)))
    assert transfer.outcomes == [True]


@pytest.mark.parametrize("wire", [RawFiles, Base64Files])
def test_an_empty_file_is_a_file(rig: Rig, give: Give, wire: Callable[[], RawFiles | Base64Files]) -> None:
    bob = rig.comes("bob", wire=wire)
    bob.asks(SendFile(5, "empty"))
    rig.settle()
    transfer = give(b"")
    assert bob.takes(FileStart) == [FileStart(5, 0, 0)]
    assert bob.rest() == encode_frame(FileEnd(5, 0))
    assert transfer.outcomes == [True] and is_closed(transfer)


def test_what_is_said_meanwhile_comes_after_the_file(rig: Rig, ana: Client, give: Give) -> None:
    bob = rig.comes("bob")
    ana.reads = False
    ana.asks(SendFile(5, "a/file"))
    rig.settle()
    give()
    bob.asks(Post(1, ToGlobal(), "meanwhile"))
    ana.asks(Ping(6), Post(7, ToGlobal(), "me too"))
    rig.settle()
    assert len(bob.takes(Message)) == 2
    ana.reads = True
    rig.settle()
    end = encode_frame(FileEnd(5, len(CONTENT)))
    rest = ana.rest()
    assert rest.startswith(CONTENT + end)
    assert b"meanwhile" in rest and b"me too" in rest


def test_a_refusal_is_the_answer(rig: Rig, ana: Client) -> None:
    ana.asks(SendFile(5, "no"), Ping(6))
    rig.settle()
    assert [pong.n for pong in ana.takes(Pong)] == [6]
    rig.files.inline.pop().answered(Refused(5, Code.FILE_NOT_FOUND, "No.", "no"))
    rig.settle()
    assert ana.takes(Refused) == [Refused(5, Code.FILE_NOT_FOUND, "No.", "no")]
    assert not ana.peer.is_fetching
    assert rig.witness.lines == []


def test_many_that_are_refused_in_the_call_are_all_answered(
    rig: Rig, ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.files, "open_inline", lambda n, *rest: rest[-1](Refused(n, Code.FILES_UNAVAILABLE, "No.")))
    ana.asks(*[SendFile(n, "x") for n in range(2000)])
    rig.settle()
    assert numbers(ana.takes(Refused)) == list(range(2000))


def test_one_file_at_a_time_and_nothing_else_waits_for_it(rig: Rig, ana: Client, give: Give) -> None:
    ana.asks(SendFile(5, "one"), Post(6, ToGlobal(), "hi"), SendFile(7, "two"), Ping(8))
    rig.settle()
    assert [asked.n for asked in rig.files.inline] == [5]
    assert numbers(ana.takes(Ok)) == [6]
    give(b"first")
    assert [asked.n for asked in rig.files.inline] == [7]
    give(b"second")
    assert rig.files.inline == []
    assert ana.rest().count(b"first") == 1


def test_the_next_file_is_looked_for_without_anything_else_happening(rig: Rig, ana: Client, give: Give) -> None:
    """It is the end of a tick that sends the file, so the loop must not go to sleep after it."""
    ana.asks(SendFile(5, "one"), SendFile(7, "two"))
    rig.settle()
    asked = rig.files.inline.pop()
    path = os.open(os.devnull, os.O_RDONLY)
    asked.answered(Transfer(5, FileSpan(path, 0, 0), "one", 1))
    rig.reactor.call_later(0, lambda: None)
    rig.reactor.tick()
    assert not ana.peer.is_fetching
    assert rig.reactor._wait_s() == 0.0


@pytest.mark.parametrize("wire", [RawFiles, Base64Files])
def test_a_connection_lost_in_the_middle_frees_the_place(
    rig: Rig, give: Give, wire: Callable[[], RawFiles | Base64Files]
) -> None:
    bob = rig.comes("bob", wire=wire, sndbuf=4096)
    bob.reads = False
    bob.asks(SendFile(5, "a/file"))
    rig.settle()
    transfer = give()
    assert transfer.outcomes == [] and not is_closed(transfer)
    bob.goes()
    rig.settle()
    assert transfer.outcomes == [False] and is_closed(transfer)
    assert rig.witness.lines == ["bob gets a/file", "bob has not got a/file", "bob disconnected: lost"]


def test_who_has_gone_before_the_file_was_found_gets_none(rig: Rig, ana: Client, give: Give) -> None:
    ana.asks(SendFile(5, "a/file"))
    rig.settle()
    ana.goes()
    rig.settle()
    transfer = give()
    assert transfer.outcomes == [False] and is_closed(transfer)
    assert rig.witness.lines == ["ana disconnected: lost"]


def test_who_logs_out_meanwhile_gets_the_whole_file(rig: Rig, ana: Client, give: Give) -> None:
    ana.reads = False
    ana.asks(SendFile(5, "a/file"))
    rig.settle()
    transfer = give()
    ana.asks(Logout(6))
    rig.settle()
    ana.reads = True
    rig.settle()
    assert ana.is_at_end
    assert ana.rest().startswith(CONTENT)
    assert transfer.outcomes == [True]


def test_a_file_that_becomes_shorter_ends_the_connection(rig: Rig, give: Give, tmp_path: Path) -> None:
    bob = rig.comes("bob", wire=RawFiles, sndbuf=4096)
    bob.reads = False
    bob.asks(SendFile(5, "a/file"))
    rig.settle()
    transfer = give()
    os.truncate(tmp_path / "file", 100)
    bob.reads = True
    rig.settle()
    assert bob.is_at_end
    assert transfer.outcomes == [False] and is_closed(transfer)


def test_the_native_wire_has_its_own_way(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(SendFile(5, "x"))
    rig.settle()
    assert [reply.code for reply in ana.takes(Refused)] == [Code.UNKNOWN_REQUEST]
    assert rig.files.inline == []


# Over UDP.


def test_a_file_waits_on_a_port_and_the_end_is_known(rig: Rig, ana: Client, give: Give) -> None:
    ana.asks(SendFile(5, "a/file", over="udp", avoid=b"<END>"), SendFile(6, "next"))
    rig.settle()
    assert rig.files.inline[0].avoid == b""
    transfer = give()
    offer = rig.offers[0]
    assert ana.takes(UdpOffer) == [UdpOffer(5, len(CONTENT), offer.port)]
    assert offer.span is transfer.span and transfer.outcomes == [] and not is_closed(transfer)
    assert rig.files.inline == []
    offer.ends()
    rig.settle()
    assert transfer.outcomes == [True] and is_closed(transfer)
    assert rig.witness.lines == ["ana gets a/file", "ana has got a/file"]
    assert [asked.n for asked in rig.files.inline] == [6]


def test_an_offer_that_failed_is_answered(rig: Rig, ana: Client, give: Give) -> None:
    ana.asks(SendFile(5, "a/file", over="udp"))
    rig.settle()
    transfer = give()
    rig.offers[0].ends(Code.TOO_SLOW, "Nobody came.")
    rig.settle()
    assert ana.takes(Refused) == [Refused(5, Code.TOO_SLOW, "Nobody came.", "a/file")]
    assert transfer.outcomes == [False] and is_closed(transfer)


def test_without_a_port_it_is_refused(rig: Rig, ana: Client, give: Give) -> None:
    rig.has_udp = False
    ana.asks(SendFile(5, "a/file", over="udp"))
    rig.settle()
    transfer = give()
    assert [reply.code for reply in ana.takes(Refused)] == [Code.FILES_UNAVAILABLE]
    assert ana.takes(UdpOffer) == []
    assert transfer.outcomes == [False] and is_closed(transfer)


def test_an_offer_ends_with_its_connection(rig: Rig, ana: Client, give: Give) -> None:
    ana.asks(SendFile(5, "a/file", over="udp"))
    rig.settle()
    transfer = give()
    ana.goes()
    rig.settle()
    assert rig.offers[0].is_over
    assert transfer.outcomes == [False] and is_closed(transfer)
    assert rig.witness.lines == ["ana gets a/file", "ana has not got a/file", "ana disconnected: lost"]


def test_what_the_wire_can_t_carry_goes_over_udp(rig: Rig, ana: Client, give: Give) -> None:
    ana.asks(SendFile(5, "a/file", avoid=b"<END>", can_udp=True))
    rig.settle()
    assert rig.files.inline[0].avoid == b"<END>"
    rig.files.inline.pop().answered(Refused(5, Code.FILE_UNFIT, "No."))
    assert rig.files.inline[0].avoid == b""
    give()
    assert len(ana.takes(UdpOffer)) == 1
    assert ana.takes(Refused) == []


def test_what_the_wire_can_t_carry_is_refused_without_udp(rig: Rig, ana: Client) -> None:
    ana.asks(SendFile(5, "a/file", avoid=b"<END>"))
    rig.settle()
    rig.files.inline.pop().answered(Refused(5, Code.FILE_UNFIT, "No."))
    rig.settle()
    assert [reply.code for reply in ana.takes(Refused)] == [Code.FILE_UNFIT]
    assert rig.files.inline == []
    assert not ana.peer.is_fetching
