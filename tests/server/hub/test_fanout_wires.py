"""Wires whose peers are told one by one, and wires that follow the roster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest
from msgspec.structs import replace

from mystic_server.domain.queries import list_users
from mystic_server.net.connection import Connection
from mysticproto.model import (
    CreateGroup,
    Event,
    GroupCreated,
    GroupJoined,
    GroupLeft,
    JoinGroup,
    LeaveGroup,
    Message,
    Notice,
    Ok,
    Passing,
    Post,
    Roster,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
    UserJoined,
    UserLeft,
    Welcome,
)
from mysticproto.wire import Role
from tests.server.hub.rig import Client, Rig, texts
from tests.server.hub.wires import Follower, Personal

Kind = TypeVar("Kind", bound=Event | Passing)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def told(client: Client, kind: type[Kind]) -> list[tuple[Kind, Role]]:
    """What the client's own wire was told of one kind since the last look."""
    wire = client.peer.wire
    assert isinstance(wire, Personal)
    said: list[tuple[Kind, Role]] = [(event, role) for event, role in wire.told if isinstance(event, kind)]
    wire.told = [(event, role) for event, role in wire.told if not isinstance(event, kind)]
    return said


def roles(client: Client, kind: type[Event | Passing]) -> list[Role]:
    return [role for _, role in told(client, kind)]


# One by one.


def test_an_author_among_the_hearers_is_told_once_as_one(rig: Rig) -> None:
    ana, bob = rig.comes("ana", wire=Personal), rig.comes("bob", wire=Personal)
    ana.asks(Post(1, ToGlobal(), "one"), Post(2, ToUsers(("bob",)), "two"))
    rig.settle()
    assert roles(ana, Message) == [Role.AUTHOR, Role.AUTHOR]
    assert roles(bob, Message) == [Role.OTHER, Role.OTHER]
    assert texts(ana.heard) == texts(bob.heard) == ["one", "two"]


def test_an_author_who_is_elsewhere_is_told_once_too(rig: Rig) -> None:
    ana, bob = rig.comes("ana", wire=Personal), rig.comes("bob", wire=Personal)
    ana.asks(CreateGroup(1, "team"))  # with focus: ana hears no global now
    rig.settle()
    ana.asks(Post(2, ToGlobal(), "hi"), Post(3, ToEveryone(), "all"), Post(4, ToGroup(), "team"))
    rig.settle()
    assert [(event.text, role) for event, role in told(ana, Message)] == [
        ("hi", Role.AUTHOR),
        ("all", Role.AUTHOR),
        ("team", Role.AUTHOR),
    ]
    assert [(event.text, role) for event, role in told(bob, Message)] == [("hi", Role.OTHER), ("all", Role.OTHER)]


def test_bystanders_are_told_as_such(rig: Rig) -> None:
    ana, bob, carl = (rig.comes(name, wire=Personal) for name in ("ana", "bob", "carl"))
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    assert [roles(each, GroupCreated) for each in (ana, bob, carl)] == [[Role.AUTHOR], [Role.OTHER], [Role.OTHER]]
    bob.asks(JoinGroup(1, "team"))
    rig.settle()
    assert [roles(each, GroupJoined) for each in (ana, bob, carl)] == [[Role.OTHER], [Role.AUTHOR], [Role.BYSTANDER]]
    bob.asks(LeaveGroup(2))
    rig.settle()
    assert [roles(each, GroupLeft) for each in (ana, bob, carl)] == [[Role.OTHER], [Role.AUTHOR], [Role.BYSTANDER]]
    bob.goes()
    rig.settle()
    assert [roles(each, UserLeft) for each in (ana, carl)] == [[Role.OTHER], [Role.OTHER]]


def test_others_get_their_batches_all_the_same(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, bob, carl = rig.comes("ana"), rig.comes("bob", wire=Personal), rig.comes("carl")
    batches: list[int] = []
    deliver = Connection.deliver

    def counted(connection: Connection, data: bytes) -> None:
        batches.append(connection.address[1])
        deliver(connection, data)

    monkeypatch.setattr(Connection, "deliver", counted)
    ana.asks(*[Post(n, ToGlobal(), f"{n}") for n in range(20)])
    rig.settle()
    expected = [f"{n}" for n in range(20)]
    assert texts(ana.heard) == texts(bob.heard) == texts(carl.heard) == expected
    assert sorted(batches) == sorted(each.connection.address[1] for each in (ana, carl))
    assert len(told(bob, Message)) == 20


def test_everybody_hears_in_one_order(rig: Rig) -> None:
    ana, bob, carl = rig.comes("ana", wire=Personal), rig.comes("bob"), rig.comes("carl", wire=Personal)
    for round_ in range(5):
        ana.asks(Post(1, ToGlobal(), f"a{round_}"), Post(2, ToUsers(("carl", "bob")), f"p{round_}"))
        bob.asks(Post(1, ToEveryone(), f"b{round_}"), Post(2, ToGlobal(), f"c{round_}"))
    rig.settle()
    assert texts(ana.heard) == texts(bob.heard) == texts(carl.heard)
    assert len(texts(ana.heard)) == 20


def test_a_room_of_nobody_else(rig: Rig) -> None:
    people = [rig.comes(name, wire=Personal) for name in ("ana", "bob")]
    for person in people:
        person.asks(*[Post(n, ToGlobal(), f"{n}") for n in range(10)])
    rig.settle()
    assert all(len(told(person, Message)) == 20 for person in people)


def test_a_notice_reaches_them_too(rig: Rig) -> None:
    ana, bob = rig.comes("ana", wire=Personal), rig.comes("bob")
    rig.gateway.fanout.tell(Notice("hello"), rig.world.everyone())
    rig.settle()
    assert roles(ana, Notice) == [Role.OTHER]
    assert bob.takes(Notice) == [Notice("hello")]


def test_newcomers_are_not_told_of_themselves(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Personal)
    bob = rig.comes("bob", wire=Personal)
    assert roles(ana, UserJoined) == [Role.OTHER]
    assert roles(bob, UserJoined) == []


# The roster.


def rosters(client: Client) -> list[list[str]]:
    return [[info.user.name for info in each.users] for each in client.takes(Roster)]


def test_a_newcomer_is_welcome_first_and_then_on_the_list(rig: Rig) -> None:
    ana = rig.connects(Follower)
    ana.asks(ana.login("ana"))
    rig.settle()
    assert [type(each) for each in ana.heard] == [Welcome, Roster]
    assert rosters(ana) == [["ana"]]


def test_followers_hear_who_is_here_at_every_change(rig: Rig) -> None:
    ana, bob = rig.comes("ana", wire=Follower), rig.comes("bob")
    ana.heard.clear()
    carl = rig.comes("carl")
    assert rosters(ana) == []  # the rig has forgotten what others heard
    ana.asks(Post(1, ToGlobal(), "no change"))
    rig.settle()
    assert rosters(ana) == []
    carl.goes()
    rig.settle()
    assert rosters(ana) == [["ana", "bob"]]
    assert rosters(bob) == []


def test_the_list_has_what_people_like_to_be_called(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Follower)
    bob = rig.connects()
    bob.asks(replace(bob.login("bob"), display="Bob B."))
    rig.settle()
    assert [info.display for info in ana.takes(Roster)[-1].users] == ["", "Bob B."]


def test_many_changes_at_once_are_one_list(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Follower)
    ana.heard.clear()
    newcomers = [rig.connects() for _ in range(10)]
    rig.log.is_held = True
    for number, each in enumerate(newcomers):
        each.asks(each.login(f"guest{number}"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert len(ana.takes(UserJoined)) == 10
    assert [len(each.users) for each in ana.takes(Roster)] == [11]


def test_after_a_burst_there_is_one_list_a_second_and_the_last_is_true(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Follower)
    ana.heard.clear()
    newcomers = [rig.connects() for _ in range(40)]
    for number, each in enumerate(newcomers):
        each.asks(each.login(f"guest{number}"))
        rig.settle()
    in_the_burst = len(ana.takes(Roster))
    assert in_the_burst < 20
    rig.wait(1.1)
    lists = ana.takes(Roster)
    assert len(lists) <= 2
    assert lists[-1].users == next(list_users(rig.world, 1)).users
    rig.wait(5.0)
    assert ana.takes(Roster) == []


def test_waiting_for_the_next_list_needs_one_timer(rig: Rig) -> None:
    ana, bob = rig.comes("ana", wire=Follower), rig.comes("bob")
    for _ in range(30):
        rig.comes("guest").goes()
        rig.settle()
    before = len(rig.reactor._timers)
    for n in range(50):
        bob.asks(Post(n, ToGlobal(), "hi"))
        rig.settle()
    assert len(rig.reactor._timers) <= before + 1
    assert len(bob.takes(Ok)) == 50
    assert rosters(ana) == []
    rig.wait(1.1)
    assert rosters(ana) == [["ana", "bob"]]


def test_without_followers_nothing_is_told_and_nothing_counts(rig: Rig) -> None:
    bob = rig.comes("bob")
    for _ in range(30):
        rig.comes("guest").goes()
    rig.settle()
    ana = rig.comes("ana", wire=Follower)
    assert rosters(ana) == [["bob", "ana"]]
    assert rosters(bob) == []
