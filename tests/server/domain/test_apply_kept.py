"""Kept groups: made with their members, who stay while they are away; the owner adds and removes."""

from __future__ import annotations

import pytest

from mystic_server.domain import policy
from mysticproto.errors import Code
from mysticproto.model import CreateGroup, Refused
from tests.support.transcript import Person, Room, add, create, join, keep, leave, remove, say, say_in


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def ana(room: Room) -> Person:
    return room.comes("ana")


@pytest.fixture
def bob(room: Room, ana: Person) -> Person:
    return room.comes("bob")


@pytest.fixture
def carl(room: Room, bob: Person) -> Person:
    carl = room.comes("carl")
    room.forget()
    return carl


def members(room: Room, group: str) -> list[str]:
    found = room.world.group_named(group)
    assert found
    return [room.world.users[id].name for id in found.members]


# Making one.


def test_a_group_is_made_with_its_members_and_everybody_is_told_of_them(room: Room, ana: Person, carl: Person) -> None:
    ana >> keep("team", "Bob bob nobody ana two~words carl")
    room.went("""
        bob, carl hear ana created team with ana bob carl
        ana is echoed ana created team with ana bob carl
        ana enters team of ana (ana bob carl)
    """)


def test_members_hear_their_group_without_focus(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    room.forget()
    bob >> say_in("team", "hi")
    carl >> say("global")
    room.went("""
        ana hears [team] bob: hi
        bob is echoed [team] bob: hi
        bob gets ok 5
        ana, bob hear [GLOBAL] carl: global
        carl is echoed [GLOBAL] carl: global
        carl gets ok 6
    """)


def test_a_kept_group_may_begin_with_its_owner_alone(room: Room, ana: Person, carl: Person) -> None:
    ana >> keep("team", "nobody")
    room.went("""
        bob, carl hear ana created team
        ana is echoed ana created team
        ana enters team of ana (ana)
    """)


def test_a_room_has_no_members_from_the_beginning(room: Room, ana: Person, carl: Person) -> None:
    ana >> CreateGroup(1, "team", members=("bob",))
    assert members(room, "team") == ["ana"]


def test_who_is_away_can_be_a_member_from_the_beginning(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    bob.ends("left")
    ana >> keep("team", "bob carl")
    room.forget()
    bob = room.comes("bob")
    room.forget()
    carl >> say_in("team", "hi")
    room.went("""
        ana, bob/2 hear [team] carl: hi
        carl is echoed [team] carl: hi
        carl gets ok 7
    """)


def test_who_is_in_too_many_groups_is_left_out(
    room: Room, ana: Person, carl: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MAX_GROUPS_JOINED", 1)
    ana >> keep("team", "bob")
    carl >> keep("other", "bob")
    assert members(room, "team") == ["ana", "bob"]
    assert members(room, "other") == ["carl"]


def test_a_list_that_is_too_long_fills_the_group_and_no_more(
    room: Room, ana: Person, carl: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MAX_GROUP_MEMBERS", 2)
    ana >> keep("team", "bob carl")
    assert members(room, "team") == ["ana", "bob"]


# Members stay.


def test_members_stay_while_they_are_away_and_the_group_stays_without_anybody(
    room: Room, ana: Person, bob: Person, carl: Person
) -> None:
    ana >> keep("team", "bob")
    room.forget()
    ana.ends("left")
    bob.ends("lost")
    room.went("""
        bob, carl hear ana left: left
        carl hears bob left: lost
    """)
    assert members(room, "team") == ["ana", "bob"]


def test_its_owner_is_away_and_still_the_owner(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    ana.ends("left")
    room.forget()
    bob >> add("team", "carl")
    ana = room.comes("ana")
    room.forget()
    ana >> add("team", "carl")
    room.went("""
        bob, carl hear ana added carl to team
        ana/2 is echoed ana added carl to team
        ana/2 gets ok 7
    """)


# Adding.


def test_the_owner_adds_a_member_who_hears_of_it(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team")
    room.forget()
    ana >> add("TEAM", "BOB")
    room.went("""
        bob hears ana added bob to team
        ana is echoed ana added bob to team
        carl notices ana added bob to team
        ana gets ok 5
    """)


def test_the_group_that_one_is_in_needs_no_name(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", focus=True)
    ana >> add("", "bob")
    ana >> remove("", "carl")
    ana >> remove("", "bob")
    assert members(room, "team") == ["ana"]


@pytest.mark.parametrize(
    ("group", "name", "code"),
    [
        ("nowhere", "bob", "unknown_group"),
        ("", "bob", "no_group"),
        ("team", "nobody", "unknown_user"),
        ("team", "", "unknown_user"),
        ("team", "x" * 100_000, "unknown_user"),
        ("team", "bob", "already_in_group"),
        ("team", "ana", "already_in_group"),
    ],
)
def test_what_the_owner_can_t_add(room: Room, ana: Person, carl: Person, group: str, name: str, code: str) -> None:
    ana >> keep("team", "bob")
    room.forget()
    ana >> add(group, name)
    room.went(f"ana is refused: {code}")


def test_others_add_nobody(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    room.forget()
    bob >> add("team", "carl")
    carl >> add("team", "carl")
    room.went("""
        bob is refused: not_allowed
        carl is refused: not_in_group
    """)


def test_a_room_is_joined_by_hand_alone(room: Room, ana: Person, carl: Person) -> None:
    ana >> create("room")
    room.forget()
    ana >> add("room", "bob")
    room.went("ana is refused: not_allowed")


def test_a_full_group_takes_nobody_more(room: Room, ana: Person, carl: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_GROUP_MEMBERS", 2)
    ana >> keep("team", "bob")
    room.forget()
    ana >> add("team", "carl")
    room.went("ana is refused: limit_reached")


def test_somebody_in_too_many_groups_is_spoken_of_by_name(
    room: Room, ana: Person, bob: Person, carl: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MAX_GROUPS_JOINED", 1)
    ana >> keep("team")
    bob >> keep("other")
    room.forget()
    refused = room.decides(ana, add("team", "bob"))
    assert refused == Refused(1, Code.LIMIT_REACHED, "bob is in 1 groups already.", "bob")


# Removing.


def test_the_owner_removes_a_member_who_hears_of_it(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob carl")
    room.forget()
    ana >> remove("team", "carl")
    room.went("""
        ana, bob hear carl left team: removed
        carl is echoed carl left team: removed
        ana gets ok 5
    """)
    carl >> say_in("team", "still here?")
    room.went("carl is refused: not_in_group")


def test_a_removed_member_hears_global_again(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    bob >> join("team")
    assert bob.here.focus
    ana >> remove("team", "bob")
    assert not bob.here.focus
    room.forget()
    carl >> say("hi")
    room.went("""
        ana, bob hear [GLOBAL] carl: hi
        carl is echoed [GLOBAL] carl: hi
        carl gets ok 7
    """)


def test_a_member_who_is_away_is_removed_too(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    bob.ends("left")
    room.forget()
    ana >> remove("team", "bob")
    room.went("""
        ana hears bob left team: removed
        carl notices bob left team: removed
        ana gets ok 6
    """)


def test_a_lost_session_does_not_come_back_into_a_group_it_was_removed_from(room: Room, ana: Person) -> None:
    dora = room.comes("dora", b"d" * 32)
    ana >> keep("team", "dora")
    dora >> join("team")
    dora.ends("lost")
    ana >> remove("team", "dora")
    room.forget()
    room.comes("dora", b"d" * 32, resume=dora)
    room.went("""
        ana hears dora returned
        dora/2 is echoed dora returned
        dora/2 is welcome as dora, member
    """)


@pytest.mark.parametrize(
    ("group", "name", "code"),
    [
        ("nowhere", "bob", "unknown_group"),
        ("team", "nobody", "not_in_group"),
        ("team", "carl", "not_in_group"),
        ("team", "ana", "not_to_yourself"),
    ],
)
def test_whom_the_owner_can_t_remove(room: Room, ana: Person, carl: Person, group: str, name: str, code: str) -> None:
    ana >> keep("team", "bob")
    room.forget()
    ana >> remove(group, name)
    room.went(f"ana is refused: {code}")


def test_others_remove_nobody(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    room.forget()
    bob >> remove("team", "ana")
    carl >> remove("team", "bob")
    room.went("""
        bob is refused: not_allowed
        carl is refused: not_in_group
    """)


def test_a_room_s_owner_removes_members_too(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("room")
    bob >> join("room")
    room.forget()
    ana >> remove("room", "bob")
    room.went("""
        ana hears bob left room: removed
        bob is echoed bob left room: removed
        carl notices bob left room: removed
        ana gets ok 6
    """)


# The owner leaves.


def test_the_next_member_owns_the_group_when_its_owner_leaves(
    room: Room, ana: Person, bob: Person, carl: Person
) -> None:
    ana >> keep("team", "bob carl")
    ana >> leave("team")
    room.forget()
    ana >> add("team", "ana")
    carl >> add("team", "ana")
    bob >> add("team", "ana")
    room.went("""
        ana is refused: not_in_group
        carl is refused: not_allowed
        ana, carl hear bob added ana to team
        bob is echoed bob added ana to team
        bob gets ok 6
    """)


def test_a_kept_group_ends_with_its_last_member(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    ana >> leave("team")
    room.forget()
    bob >> leave("team")
    room.went("""
        bob is echoed bob left team: left
        ana, carl notice bob left team: left
        ana, bob, carl hear team is gone
        bob gets ok 6
    """)


# Several at once.


def test_who_was_removed_meanwhile_is_removed_once(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob carl")
    room.forget()
    with room.at_once():
        ana >> remove("team", "bob")
        ana >> remove("team", "bob")
        bob >> say_in("team", "hi")
        bob >> leave("team")
    room.went("""
        ana, carl hear bob left team: removed
        bob is echoed bob left team: removed
        ana gets ok 5
        ana is refused: not_in_group
        ana, carl hear [team] bob: hi
        bob is echoed [team] bob: hi
        bob gets ok 7
        bob is refused: not_in_group
    """)


def test_adding_twice_is_told_once(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team")
    room.forget()
    with room.at_once():
        ana >> add("team", "bob")
        ana >> add("team", "bob")
    room.went("""
        bob hears ana added bob to team
        ana is echoed ana added bob to team
        carl notices ana added bob to team
        ana gets ok 5
        ana gets ok 6
    """)


def test_an_owner_who_has_just_left_owns_nothing(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    room.forget()
    with room.at_once():
        ana >> leave("team")
        ana >> add("team", "carl")
        ana >> remove("team", "bob")
    room.went("""
        bob hears ana left team: left, bob owns it
        ana is echoed ana left team: left, bob owns it
        carl notices ana left team: left, bob owns it
        ana gets ok 5
        ana is refused: not_allowed
        ana is refused: not_allowed
    """)


def test_a_group_that_has_just_gone_takes_nobody(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team")
    room.forget()
    with room.at_once():
        ana >> leave("team")
        ana >> add("team", "carl")
    room.went("""
        ana is echoed ana left team: left
        bob, carl notice ana left team: left
        ana, bob, carl hear team is gone
        ana gets ok 5
        ana is refused: unknown_group
    """)


def test_two_groups_of_one_name_become_one(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    with room.at_once():
        ana >> keep("team", "carl")
        bob >> keep("team", "carl")
    assert members(room, "team") == ["ana", "carl"]
    assert room.lines[-1] == "bob is refused: group_exists"
