"""Owners look after their groups: another name, another owner, kept or not, the end; and who meets whom on the way."""

from __future__ import annotations

import pytest

from mystic_server.domain.events import GroupEnded, GroupHandedOver, GroupKept, GroupRenamed
from tests.support.transcript import (
    Person,
    Room,
    add,
    create,
    delete_account,
    end_group,
    hand_over,
    join,
    keep,
    keep_on,
    leave,
    remove,
    rename,
    say,
    say_in,
)

KEY = b"k" * 32


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


@pytest.fixture
def team(room: Room, ana: Person, bob: Person, carl: Person) -> int:
    """Ana's kept group, with bob in it, made by event 4."""
    ana >> keep("team", "bob")
    room.forget()
    return 4


def members(room: Room, group: str) -> list[str]:
    found = room.world.group_named(group)
    assert found
    return [room.world.users[id].name for id in found.members]


def owner(room: Room, group: str) -> str:
    found = room.world.group_named(group)
    assert found
    return room.world.users[found.owner].name


# Another name.


def test_everybody_is_told_of_another_name(room: Room, ana: Person, bob: Person, team: int) -> None:
    ana >> rename("TEAM", "Crew")
    room.went("""
        bob hears ana renamed team to Crew
        ana is echoed ana renamed team to Crew
        carl notices ana renamed team to Crew
        ana gets ok 5
    """)
    bob >> say_in("crew", "hi")
    bob >> say_in("team", "hi")
    room.went("""
        ana hears [Crew] bob: hi
        bob is echoed [Crew] bob: hi
        bob gets ok 6
        bob is refused: unknown_group
    """)
    assert room.world.group_named("crew") is room.world.groups[team]


def test_the_old_name_is_free(room: Room, ana: Person, carl: Person, team: int) -> None:
    ana >> rename("team", "crew")
    carl >> create("team")
    ana >> rename("crew", "TEAM")
    assert room.lines[-1] == "ana is refused: group_exists"
    assert members(room, "team") == ["carl"]


def test_a_name_may_be_written_in_another_way(room: Room, ana: Person, team: int) -> None:
    ana >> rename("team", "Team")
    room.forget()
    ana >> rename("team", "Team")
    room.went("ana is refused: group_exists")


def test_focus_stays_on_a_group_of_another_name(room: Room, ana: Person, bob: Person, team: int) -> None:
    bob >> join("team")
    ana >> rename("team", "crew")
    room.forget()
    bob >> say_in("", "hi")
    room.went("""
        ana hears [crew] bob: hi
        bob is echoed [crew] bob: hi
        bob gets ok 7
    """)


def test_two_groups_want_one_name(room: Room, ana: Person, carl: Person, team: int) -> None:
    carl >> keep("club")
    room.forget()
    with room.at_once():
        ana >> rename("team", "crew")
        carl >> rename("club", "CREW")
        carl >> create("Crew")
    room.went("""
        bob hears ana renamed team to crew
        ana is echoed ana renamed team to crew
        carl notices ana renamed team to crew
        ana gets ok 6
        carl is refused: group_exists
        carl is refused: group_exists
    """)
    assert members(room, "club") == ["carl"]


# Another owner.


def test_everybody_is_told_of_another_owner(room: Room, ana: Person, bob: Person, team: int) -> None:
    ana >> hand_over("team", "BOB")
    room.went("""
        bob hears ana handed team over to bob
        ana is echoed ana handed team over to bob
        carl notices ana handed team over to bob
        ana gets ok 5
    """)
    ana >> add("team", "carl")
    bob >> add("team", "carl")
    room.went("""
        ana is refused: not_allowed
        ana, carl hear bob added carl to team
        bob is echoed bob added carl to team
        bob gets ok 6
    """)


def test_who_handed_over_and_leaves_leaves_no_owner_behind(room: Room, ana: Person, bob: Person, team: int) -> None:
    ana >> hand_over("team", "bob")
    room.forget()
    ana >> leave("team")
    assert "bob hears ana left team: left" in room.lines
    assert owner(room, "team") == "bob"


def test_an_owner_may_be_away(room: Room, ana: Person, bob: Person, team: int) -> None:
    bob.ends("left")
    ana >> hand_over("team", "bob")
    assert owner(room, "team") == "bob"


def test_nobody_owns_what_they_have_just_left(room: Room, ana: Person, bob: Person, team: int) -> None:
    with room.at_once():
        bob >> leave("team")
        ana >> hand_over("team", "bob")
    room.went("""
        ana hears bob left team: left
        bob is echoed bob left team: left
        carl notices bob left team: left
        bob gets ok 5
        ana is refused: not_in_group
    """)
    assert owner(room, "team") == "ana"


def test_two_are_handed_one_group(room: Room, ana: Person, bob: Person, carl: Person, team: int) -> None:
    ana >> add("team", "carl")
    room.forget()
    with room.at_once():
        ana >> hand_over("team", "bob")
        ana >> hand_over("team", "carl")
        ana >> remove("team", "bob")
    assert owner(room, "team") == "bob"
    assert room.lines[-2:] == ["ana is refused: not_allowed"] * 2


def test_the_owner_leaves_while_a_member_is_added(
    room: Room, ana: Person, bob: Person, carl: Person, team: int
) -> None:
    with room.at_once():
        ana >> add("team", "carl")
        ana >> leave("team")
    room.went("""
        bob, carl hear ana added carl to team
        ana is echoed ana added carl to team
        ana gets ok 5
        bob, carl hear ana left team: left, bob owns it
        ana is echoed ana left team: left, bob owns it
        ana gets ok 6
    """)
    assert members(room, "team") == ["bob", "carl"]


def test_the_owner_leaves_before_a_member_is_added(
    room: Room, ana: Person, bob: Person, carl: Person, team: int
) -> None:
    with room.at_once():
        ana >> leave("team")
        ana >> add("team", "carl")
    room.went("""
        bob hears ana left team: left, bob owns it
        ana is echoed ana left team: left, bob owns it
        carl notices ana left team: left, bob owns it
        ana gets ok 5
        ana is refused: not_allowed
    """)
    assert members(room, "team") == ["bob"]


def test_an_owner_s_account_goes_while_a_member_is_added(room: Room, carl: Person) -> None:
    dora = room.comes("dora", KEY)
    dora >> keep("crew", "carl")
    room.forget()
    with room.at_once():
        dora >> delete_account()
        dora >> add("crew", "bob")
    assert members(room, "crew") == ["carl"]
    assert owner(room, "crew") == "carl"


def test_an_account_goes_while_it_is_added_and_handed_a_group(room: Room, ana: Person, team: int) -> None:
    dora = room.comes("dora", KEY)
    ana >> keep("crew", "dora")
    room.forget()
    with room.at_once():
        dora >> delete_account()
        ana >> add("team", "dora")
        ana >> hand_over("crew", "dora")
        ana >> keep("new", "dora bob")
    assert members(room, "team") == ["ana", "bob"]
    assert owner(room, "crew") == "ana"
    assert members(room, "new") == ["ana", "bob"]


# Kept, or not.


def test_a_room_becomes_a_kept_group_and_stays(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("club")
    bob >> join("club")
    room.forget()
    ana >> keep_on("club")
    room.went("""
        bob hears ana made club a kept group
        ana is echoed ana made club a kept group
        carl notices ana made club a kept group
        ana gets ok 6
    """)
    bob.ends("lost")
    ana.ends("lost")
    assert members(room, "club") == ["ana", "bob"]


def test_those_who_are_away_leave_what_becomes_a_room(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    room.comes("dora").ends("left")
    ana >> keep("team", "bob carl dora")
    bob.ends("left")
    room.forget()
    ana >> keep_on("team", False)
    room.went("""
        carl hears ana made team a room
        ana is echoed ana made team a room
        ana, carl hear bob left team: removed
        ana, carl hear dora left team: removed
        ana gets ok 8
    """)
    assert members(room, "team") == ["ana", "carl"]
    ana.ends("left")
    assert members(room, "team") == ["carl"]


def test_who_was_lost_a_moment_ago_is_not_away_yet(room: Room, ana: Person) -> None:
    dora = room.comes("dora", KEY)
    ana >> keep("team", "dora")
    dora >> join("team")
    dora.ends("lost")
    ana >> keep_on("team", False)
    assert members(room, "team") == ["ana", "dora"]


def test_an_owner_who_only_acts_is_not_away_either(room: Room, ana: Person) -> None:
    room.comes("dora", KEY).ends("left")
    dora = room.comes("dora", KEY, watch=False)
    dora >> keep("team", "ana")
    dora >> keep_on("team", False)
    assert members(room, "team") == ["dora", "ana"]
    dora.ends("left")
    assert members(room, "team") == ["ana"]


def test_a_kept_group_takes_only_those_who_are_added(room: Room, carl: Person, team: int) -> None:
    refused = room.decides(carl, join("team"))
    carl >> join("team")
    carl >> join("team", focus=False)
    room.went("""
        carl is refused: not_allowed
        carl is refused: not_allowed
    """)
    assert "ask its owner ana to add you" in str(refused)


def test_somebody_joins_while_a_room_becomes_a_kept_group(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("club")
    room.forget()
    with room.at_once():
        ana >> keep_on("club")
        bob >> join("club")
        ana >> keep_on("club")
    assert members(room, "club") == ["ana"]
    assert room.lines[-2:] == ["bob is refused: not_allowed", "ana gets ok 7"]


def test_a_room_without_anybody_is_gone(room: Room, ana: Person, bob: Person, team: int) -> None:
    """The owner goes while their wish is on its way."""
    bob.ends("left")
    room.forget()
    with room.at_once():
        ana.ends("left")
        ana >> keep_on("team", False)
    room.went("""
        carl hears ana left: left
        carl notices ana made team a room
        carl notices ana left team: removed, bob owns it
        carl notices bob left team: removed
        carl hears team is gone
        ana gets ok 7
    """)
    assert not room.world.groups


# The end.


def test_everybody_is_told_of_the_end_and_hears_global_again(
    room: Room, ana: Person, bob: Person, carl: Person, team: int
) -> None:
    bob >> join("team")
    room.forget()
    ana >> end_group("team")
    carl >> say("hi")
    bob >> say_in("team", "hi")
    room.went("""
        bob, carl hear ana ended team
        ana is echoed ana ended team
        ana gets ok 6
        ana, bob hear [GLOBAL] carl: hi
        carl is echoed [GLOBAL] carl: hi
        carl gets ok 7
        bob is refused: unknown_group
    """)
    assert not bob.here.focus
    assert all(not user.groups for user in room.world.users.values())


def test_an_operator_ends_any_group(room: Room, ana: Person, bob: Person, carl: Person, team: int) -> None:
    olga = room.operator("olga", KEY)
    bob >> end_group("team")
    carl >> end_group("team")
    olga >> end_group("nowhere")
    olga >> end_group("team")
    room.went("""
        bob is refused: not_allowed
        carl is refused: not_in_group
        olga is refused: unknown_group
        ana, bob, carl hear olga ended team
        olga is echoed olga ended team
        olga gets ok 7
    """)


def test_a_group_ends_while_others_are_busy_in_it(
    room: Room, ana: Person, bob: Person, carl: Person, team: int
) -> None:
    with room.at_once():
        ana >> end_group("team")
        bob >> say_in("team", "hi")
        ana >> add("team", "carl")
        ana >> rename("team", "crew")
        ana >> hand_over("team", "bob")
        ana >> keep_on("team", False)
        bob >> leave("team")
        ana >> end_group("team")
    assert room.lines[:3] == ["bob, carl hear ana ended team", "ana is echoed ana ended team", "ana gets ok 5"]
    assert room.lines[3:] == [
        f"{who} is refused: unknown_group" for who in ("bob", "ana", "ana", "ana", "ana", "bob", "ana")
    ]


def test_a_session_that_was_lost_does_not_come_back_into_it(room: Room, ana: Person) -> None:
    dora = room.comes("dora", KEY)
    ana >> keep("team", "dora")
    dora >> join("team")
    dora.ends("lost")
    ana >> end_group("team")
    room.forget()
    room.comes("dora", KEY, resume=dora)
    room.went("""
        ana hears dora returned
        dora/2 is echoed dora returned
        dora/2 is welcome as dora, member
    """)


def test_an_owner_no_more_ends_nothing(room: Room, ana: Person, bob: Person, team: int) -> None:
    with room.at_once():
        ana >> hand_over("team", "bob")
        ana >> end_group("team")
        ana >> rename("team", "crew")
        ana >> keep_on("team", False)
    assert room.lines[-3:] == ["ana is refused: not_allowed"] * 3
    assert members(room, "team") == ["ana", "bob"]


# What nobody would decide, but a log might hold.


def test_changes_by_nobody_and_of_nothing_change_nothing(room: Room, team: int) -> None:
    for event in (
        GroupRenamed(1, 1, 99, "crew"),
        GroupRenamed(1, 99, 4, "crew"),
        GroupHandedOver(1, 1, 99, 2),
        GroupHandedOver(1, 1, 4, 99),
        GroupKept(1, 99, 4, False),
        GroupEnded(1, 99, 4),
        GroupEnded(1, 2, 4),
        GroupEnded(1, 1, 99),
    ):
        room.commit(event)
    room.went("")
    assert (members(room, "team"), owner(room, "team")) == (["ana", "bob"], "ana")
