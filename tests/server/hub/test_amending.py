"""Edits and deletions: looked up first, then decided."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.log.base import Page
from mysticproto.errors import Code
from mysticproto.model import (
    CatchUp,
    CreateGroup,
    Delete,
    Edit,
    Entered,
    GetHistory,
    History,
    Message,
    MessageDeleted,
    MessageEdited,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    ToGlobal,
    Welcome,
)
from tests.server.hub.rig import Client, Rig, new_key


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def ana(rig: Rig) -> Client:
    return rig.comes("ana")


def says(rig: Rig, client: Client, text: str = "helo") -> int:
    """A message's number."""
    client.asks(Post(90, ToGlobal(), text))
    rig.settle()
    return client.takes(Ok)[0].seq


def test_everybody_hears_an_edit_and_a_deletion(rig: Rig, ana: Client) -> None:
    bob = rig.comes("bob")
    message = says(rig, ana)
    ana.asks(Edit(2, message, "hello"), Delete(3, message))
    rig.settle()
    assert [ok.n for ok in ana.takes(Ok)] == [2, 3]
    for client in (ana, bob):
        assert [(each.message, each.text) for each in client.takes(MessageEdited)] == [(message, "hello")]
        assert [each.message for each in client.takes(MessageDeleted)] == [message]


@pytest.mark.parametrize("message", [-1, 0, 1, 99, 2**63 - 1])
def test_what_is_no_message_is_unknown(rig: Rig, ana: Client, message: int) -> None:
    ana.asks(Edit(2, message, "hello"), Delete(3, message), Ping(4))
    rig.settle()
    assert [(each.n, each.code) for each in ana.takes(Refused)] == [
        (2, Code.UNKNOWN_MESSAGE),
        (3, Code.UNKNOWN_MESSAGE),
    ]
    assert ana.takes(Pong)


def test_an_edit_right_after_the_ok_finds_the_message_and_keeps_its_place(rig: Rig, ana: Client) -> None:
    message = says(rig, ana)
    ana.asks(Edit(2, message, "one"), Edit(3, message, "two"), Post(4, ToGlobal(), "next"), GetHistory(5, ToGlobal()))
    rig.settle()
    assert [each.text for each in ana.takes(MessageEdited)] == ["one", "two"]
    texts = [each.text for each in ana.takes(History)[0].events if isinstance(each, Message)]
    assert texts == ["two", "next"]


def test_an_edit_doesn_t_let_through_what_waits_for_something_bigger(rig: Rig, ana: Client) -> None:
    message = says(rig, ana)
    rig.log.is_held = True
    ana.asks(Edit(2, message, "one"))
    rig.settle()
    rig.log.is_held = False
    rig.log.flush()  # the message was found, the edit is on its way
    rig.log.is_held = True
    ana.asks(CreateGroup(3, "team"), Ping(4))
    rig.settle()
    assert ana.takes(Pong) == []
    rig.log.is_held = False
    rig.settle()
    assert ana.takes(Entered)
    assert ana.takes(Pong)
    assert ana.takes(Ok)


def test_when_the_store_can_t_be_asked_nothing_is_done(rig: Rig, ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    message = says(rig, ana)
    monkeypatch.setattr(rig.log, "message", lambda seq, answered: answered(Page((), failed="No.")))
    ana.asks(Edit(2, message, "one"), Delete(3, message))
    rig.settle()
    assert [each.code for each in ana.takes(Refused)] == [Code.STORE_UNAVAILABLE] * 2


def test_who_has_gone_meanwhile_changes_nothing(rig: Rig, ana: Client) -> None:
    message = says(rig, ana)
    rig.log.is_held = True
    ana.asks(Edit(2, message, "one"))
    rig.settle()
    ana.goes()
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert not rig.world.sessions and len(rig.log.events) == message + 1


def test_who_was_away_hears_of_it_when_they_return(rig: Rig, ana: Client) -> None:
    key = new_key()
    dora = rig.comes("dora", key)
    message = says(rig, ana)
    upto = rig.world.applied
    dora.goes()
    rig.settle()
    ana.asks(Edit(2, message, "hello"))
    rig.settle()
    dora = rig.comes("dora", key, after=upto)
    assert dora.takes(Welcome)[0].catching_up
    missed = [event for part in dora.takes(CatchUp) for event in part.events]
    assert [(each.message, each.text) for each in missed if isinstance(each, MessageEdited)] == [(message, "hello")]
