"""What lost a race is not told later as if it had held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest

from mystic_server.domain.decide import Rules
from mysticproto.errors import Code
from mysticproto.model import (
    CatchUp,
    CreateGroup,
    DeleteGroup,
    Entered,
    GetHistory,
    GroupHandedOver,
    GroupLeft,
    GroupRenamed,
    HandOver,
    History,
    Kick,
    Message,
    Moderated,
    Ok,
    Post,
    Refused,
    RemoveMember,
    RenameGroup,
    Request,
    SetRole,
    ToGlobal,
    ToGroup,
    UserJoined,
)
from tests.server.hub.rig import Client, Rig, new_key

Kind = TypeVar("Kind")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(rules=Rules(operators=frozenset({"olga"}))) as rig:
        yield rig


@pytest.fixture
def olga(rig: Rig) -> Client:
    return rig.comes("olga", new_key())


def at_once(rig: Rig, *asked: tuple[Client, Request]) -> None:
    """All is decided before any of it is applied."""
    rig.log.is_held = True
    for client, request in asked:
        client.asks(request)
        rig.settle()
    rig.log.is_held = False
    rig.settle()


def has_team(rig: Rig, client: Client, *members: str) -> None:
    client.asks(CreateGroup(1, "team", focus=False, kept=True, members=members))
    rig.settle()
    assert client.takes(Entered)


def codes(client: Client) -> list[str]:
    return [refused.code for refused in client.takes(Refused)]


def told(rig: Rig, client: Client, of: ToGlobal | ToGroup, kind: type[Kind]) -> list[Kind]:
    client.asks(GetHistory(9, of))
    rig.settle()
    return [each for each in client.takes(History)[0].events if isinstance(each, kind)]


def test_a_name_that_was_taken_meanwhile(rig: Rig, olga: Client) -> None:
    key = new_key()
    ana = rig.comes("ana", key)
    has_team(rig, ana)
    seen = rig.world.applied
    at_once(
        rig,
        (olga, CreateGroup(1, "club")),
        (ana, RenameGroup(2, "team", "Club")),
        (ana, Post(3, ToGroup("team"), "hm")),
    )
    assert codes(ana) == [Code.GROUP_EXISTS]
    assert told(rig, ana, ToGroup("team"), GroupRenamed) == []
    back = rig.comes("ana", key, after=seen)
    caught_up = [event for part in back.takes(CatchUp) for event in part.events]
    assert [type(event) for event in caught_up] == [Message]


def test_a_group_that_was_another_s_by_then(rig: Rig, olga: Client) -> None:
    key = new_key()
    ana, phone, bob = rig.comes("ana", key), rig.comes("ana", key), rig.comes("bob", new_key())
    has_team(rig, ana, "olga", "bob")
    at_once(rig, (ana, HandOver(2, "team", "olga")), (phone, RemoveMember(2, "team", "bob")))
    assert codes(phone) == [Code.NOT_ALLOWED]
    assert told(rig, bob, ToGroup("team"), GroupLeft) == []
    assert len(told(rig, bob, ToGroup("team"), GroupHandedOver)) == 1


def test_an_operator_who_is_none_any_more(rig: Rig, olga: Client) -> None:
    ana, zed = rig.comes("ana"), rig.comes("zed", new_key())
    at_once(rig, (olga, SetRole(1, "zed", "operator")))
    at_once(rig, (olga, SetRole(2, "zed", "member")), (zed, Kick(1, "ana")))
    assert codes(zed) == [Code.NOT_ALLOWED]
    assert told(rig, ana, ToGlobal(), Moderated) == []


def test_who_came_second_never_came(rig: Rig, olga: Client) -> None:
    rig.comes("ana").goes()
    rig.settle()
    first, second = rig.connects(), rig.connects()
    at_once(rig, (first, first.login("ana")), (second, second.login("ana")))
    assert codes(second) == [Code.NAME_IN_USE]
    assert len([each for each in told(rig, olga, ToGlobal(), UserJoined) if each.user.name == "ana"]) == 2


def test_what_was_said_in_a_group_that_had_just_gone_was_not_said(rig: Rig, olga: Client) -> None:
    ana = rig.comes("ana", new_key())
    has_team(rig, ana)
    message = Post(3, ToGroup("team"), "hi", b"0123456789abcdef")
    at_once(rig, (olga, DeleteGroup(2, "team")), (ana, message))
    assert codes(ana) == [Code.UNKNOWN_GROUP]
    ana.asks(message)
    rig.settle()
    assert codes(ana) == [Code.UNKNOWN_GROUP]
    has_team(rig, ana)
    ana.asks(message)
    rig.settle()
    assert [each.n for each in ana.takes(Ok)] == [3]
    assert [each.text for each in told(rig, ana, ToGroup("team"), Message)] == ["hi"]
