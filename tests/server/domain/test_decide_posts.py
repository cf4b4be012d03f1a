"""What a message may refer to, and who may say one."""

from __future__ import annotations

import pytest

from mystic_server.domain.decide_posts import direct_key
from mystic_server.domain.events import Posted
from mysticproto.model import Post, Refused, ToEveryone, ToGlobal, ToGroup, ToUsers
from tests.support.transcript import Person, Room, create, mute, say


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def ana(room: Room) -> Person:
    ana = room.comes("ana")
    room.comes("bob")
    room.forget()
    return ana


@pytest.mark.parametrize(
    ("number", "code"), [(3, "unknown_message"), (2**63 - 1, "unknown_message"), (-1, "malformed")]
)
def test_a_reply_is_to_something_that_has_been_said(room: Room, ana: Person, number: int, code: str) -> None:
    ana >> say("hi", reply_to=number)
    room.went(f"ana is refused: {code}")


def test_a_reply_names_what_it_is_to(room: Room, ana: Person) -> None:
    ana >> say("hi")
    ana >> say("yes", reply_to=3)
    event = room.log[-1].event
    assert isinstance(event, Posted) and event.reply_to == 3


@pytest.mark.parametrize("target", [ToGlobal(), ToEveryone(), ToGroup("team"), ToUsers(("bob",))])
def test_who_is_muted_says_nothing_anywhere(room: Room, ana: Person, target: ToGlobal) -> None:
    olga = room.operator("olga", b"o" * 32)
    ana >> create("team")
    olga >> mute("ana", 60)
    room.forget()
    ana >> Post(1, target, "hi")
    room.wait(61)
    room.went("ana is refused: muted")
    assert isinstance(room.decides(ana, Post(1, target, "hi")), Posted)


def test_a_refusal_says_for_how_long(room: Room, ana: Person) -> None:
    olga = room.operator("olga", b"o" * 32)
    olga >> mute("ana", 3600)
    refused = room.decides(ana, say("hi"))
    assert isinstance(refused, Refused) and "next" in refused.text


def test_a_direct_conversation_has_one_key() -> None:
    assert direct_key((3, 17)) == "direct:3,17"
