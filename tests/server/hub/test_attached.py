"""Who may fetch the file of a message, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.domain.events import Posted, SharedFile
from mystic_server.hub.house import now_us
from mystic_server.log.base import Page
from mysticproto.model import OpenDownload, Refused, Ticket
from tests.server.hub.fakes import FakeUploads
from tests.server.hub.rig import Client, Rig, new_key

HASH = b"h" * 32
ID = "0" * 32


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    (tmp_path / ID).write_bytes(b"12345")
    monkeypatch.setattr("tests.server.hub.rig.FakeUploads", lambda: FakeUploads(tmp_path))
    with Rig() as rig:
        yield rig


@pytest.fixture
def ana(rig: Rig) -> Client:
    return rig.comes("ana", new_key())


def says(rig: Rig, author: Client, to: Client, file: SharedFile | None) -> int:
    """A direct message with a file; its number."""
    users = tuple(sorted((author.peer.user, to.peer.user)))
    key = "direct:" + ",".join(map(str, users))
    rig.gateway.fanout.propose(Posted(author.session, author.peer.user, key, "x", users=users, file=file), now_us())
    rig.settle()
    return len(rig.log.events)


def asks(rig: Rig, client: Client, message: int) -> Ticket | Refused:
    client.asks(OpenDownload(5, "", message=message))
    rig.settle()
    answers: list[Ticket | Refused] = [*client.takes(Ticket), *client.takes(Refused)]
    (answer,) = answers
    assert answer.n == 5
    return answer


def test_those_who_may_read_it_get_what_was_kept(rig: Rig, ana: Client) -> None:
    bob, eve = rig.comes("bob"), rig.comes("eve")
    message = says(rig, ana, bob, SharedFile("plan.txt", 5, HASH, "", ID))
    for client in (ana, bob):
        assert asks(rig, client, message) == Ticket(5, b"t" * 16, "plan.txt", 5, 0, HASH)
    refused = asks(rig, eve, message)
    assert isinstance(refused, Refused) and refused.code == "file_not_found"
    assert [name for name, _, _ in rig.files.own] == ["plan.txt"] * 2


def test_what_lies_in_the_shared_folder_comes_from_there(rig: Rig, ana: Client) -> None:
    message = says(rig, ana, rig.comes("bob"), SharedFile("plan.txt", 5, HASH, "plans/plan.txt"))
    ana.asks(OpenDownload(5, "", message=message))
    rig.settle()
    assert [path for _, path, _ in rig.files.opened] == ["plans/plan.txt"]


@pytest.mark.parametrize("message", [0, -1, 2**62])
def test_numbers_of_nothing(rig: Rig, ana: Client, message: int) -> None:
    if not message:
        message = says(rig, ana, rig.comes("bob"), None)
    refused = asks(rig, ana, message)
    assert isinstance(refused, Refused) and refused.code == "file_not_found"


def test_a_file_that_is_gone_is_a_refusal(rig: Rig, ana: Client) -> None:
    message = says(rig, ana, rig.comes("bob"), SharedFile("plan.txt", 6, HASH, "", ID))
    refused = asks(rig, ana, message)
    assert isinstance(refused, Refused) and (refused.code, refused.about) == ("file_not_found", "plan.txt")


def test_a_log_that_can_t_be_read_says_so(rig: Rig, ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.log, "message", lambda seq, answered: answered(Page((), failed="No.")))
    refused = asks(rig, ana, 1)
    assert isinstance(refused, Refused) and (refused.code, refused.text) == ("store_unavailable", "No.")
