"""Groups: making, joining, leaving, focus, owners, and rooms that vanish."""

from __future__ import annotations

import pytest

from mystic_server.domain import policy
from tests.support.transcript import Person, Room, create, join, leave, say

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


def test_everybody_is_told_of_a_new_group(room: Room, ana: Person, carl: Person) -> None:
    ana >> create("Team")
    room.went("""
        bob, carl hear ana created Team
        ana is echoed ana created Team
        ana enters Team of ana (ana) with focus
    """)


def test_a_name_is_taken_however_it_is_written(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("Straße")
    room.forget()
    bob >> create("STRASSE")
    bob >> join("strasse")
    room.went("""
        bob is refused: group_exists
        ana hears bob joined Straße
        bob is echoed bob joined Straße
        carl notices bob joined Straße
        bob enters Straße of ana (ana bob) with focus
    """)


@pytest.mark.parametrize("name", ["", "two words", "server", "a\nb", "x" * 65, "..", "tеam"])
def test_what_can_t_be_a_group_s_name_is_refused(room: Room, ana: Person, carl: Person, name: str) -> None:
    ana >> create(name)
    room.went("ana is refused: group_name_invalid")


def test_members_are_told_who_joins_and_bystanders_may_know(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    room.forget()
    bob >> join("team")
    room.went("""
        ana hears bob joined team
        bob is echoed bob joined team
        carl notices bob joined team
        bob enters team of ana (ana bob) with focus
    """)


def test_a_second_join_is_refused_until_leaving(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    bob >> create("club")
    room.forget()
    bob >> join("team")
    bob >> create("third")
    bob >> join("nowhere")
    bob >> join("club")
    bob >> leave()
    bob >> join("team")
    room.went("""
        bob is refused: in_another_group
        bob is refused: in_another_group
        bob is refused: in_another_group
        bob is refused: already_in_group
        bob is echoed bob left club: left
        ana, carl notice bob left club: left
        ana, bob, carl hear club is gone
        bob gets ok 6
        ana hears bob joined team
        bob is echoed bob joined team
        carl notices bob joined team
        bob enters team of ana (ana bob) with focus
    """)


def test_one_can_join_without_focus_and_hear_both(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    bob >> join("team", focus=False)
    bob >> create("club", focus=False)
    room.forget()
    carl >> say("hi")
    bob >> join("team", focus=False)
    bob >> join("team")
    carl >> say("hi again")
    room.went("""
        bob hears [GLOBAL] carl: hi
        carl is echoed [GLOBAL] carl: hi
        carl gets ok 7
        bob is refused: already_in_group
        bob enters team of ana (ana bob) with focus
        carl is echoed [GLOBAL] carl: hi again
        carl gets ok 9
    """)


def test_in_a_group_by_focus_one_may_join_others_without(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    bob >> create("club")
    room.forget()
    bob >> join("team", focus=False)
    room.went("""
        ana hears bob joined team
        bob is echoed bob joined team
        carl notices bob joined team
        bob enters team of ana (ana bob)
    """)


def test_leaving_brings_global_back(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    ana >> leave("team")
    room.forget()
    bob >> say("hi")
    room.went("""
        ana, carl hear [GLOBAL] bob: hi
        bob is echoed [GLOBAL] bob: hi
        bob gets ok 6
    """)


def test_leaving_what_one_is_not_in_is_refused(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    room.forget()
    bob >> leave()
    bob >> leave("team")
    bob >> leave("club")
    room.went("""
        bob is refused: no_group
        bob is refused: not_in_group
        bob is refused: unknown_group
    """)


def test_leaving_another_group_keeps_the_focus(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    bob >> create("club")
    bob >> join("team", focus=False)
    room.forget()
    bob >> leave("team")
    assert room.world.groups[bob.here.focus].name == "club"


def test_the_next_member_owns_what_the_owner_leaves(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    carl >> join("team")
    bob >> join("team")
    room.forget()
    ana >> leave()
    assert room.world.group_info(room.world.groups[4]).owner.name == "carl"
    carl.ends("lost")
    assert room.world.group_info(room.world.groups[4]).owner.name == "bob"
    room.went("""
        bob, carl hear ana left team: left, carl owns it
        ana is echoed ana left team: left, carl owns it
        ana gets ok 7
        bob hears carl left team: lost, bob owns it
        ana notices carl left team: lost, bob owns it
        ana, bob hear carl left: lost
    """)


def test_a_room_vanishes_with_its_last_member_and_the_name_is_free(
    room: Room, ana: Person, bob: Person, carl: Person
) -> None:
    ana >> create("team")
    room.forget()
    ana >> leave()
    bob >> join("team")
    bob >> create("TEAM")
    room.went("""
        ana is echoed ana left team: left
        bob, carl notice ana left team: left
        ana, bob, carl hear team is gone
        ana gets ok 5
        bob is refused: unknown_group
        ana, carl hear bob created TEAM
        bob is echoed bob created TEAM
        bob enters TEAM of bob (bob) with focus
    """)


def test_all_rooms_are_left_on_disconnect(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("team")
    bob >> join("team", focus=False)
    bob >> create("club")
    room.forget()
    bob.ends("kicked")
    room.went("""
        ana hears bob left team: kicked
        carl notices bob left team: kicked
        ana, carl notice bob left club: kicked
        ana, carl hear club is gone
        ana, carl hear bob left: kicked
    """)


def test_leaving_ends_the_focus_of_all_the_user_s_sessions(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one >> create("team")
    two >> join("team")
    room.forget()
    one >> leave()
    assert (one.here.focus, two.here.focus) == (0, 0)
    room.went("""
        dora, dora/2 are echoed dora left team: left
        dora, dora/2 hear team is gone
        dora gets ok 5
    """)


def test_a_second_session_of_a_member_only_sets_its_focus(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one >> create("team")
    room.forget()
    two >> join("team")
    room.went("dora/2 enters team of dora (dora) with focus")


def test_who_only_acts_has_no_focus(room: Room) -> None:
    bot = room.comes("bot", watch=False)
    bot >> create("team")
    bot >> create("club")
    assert bot.here.focus == 0
    assert len(room.world.groups) == 2


# Limits.


def test_a_user_owns_so_many_groups_and_no_more(room: Room, ana: Person, carl: Person) -> None:
    for number in range(policy.MAX_GROUPS_OWNED):
        ana >> create(f"team-{number}", focus=False)
    room.forget()
    ana >> create("one-more", focus=False)
    room.went("ana is refused: limit_reached")


def test_a_user_is_in_so_many_groups_and_no_more(
    room: Room, ana: Person, bob: Person, carl: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MAX_GROUPS_JOINED", 3)
    for number in range(4):
        ana >> create(f"team-{number}", focus=False)
        bob >> create(f"club-{number}", focus=False)
        carl >> join(f"team-{number}", focus=False)
    room.forget()
    ana >> create("one-more", focus=False)
    carl >> join("club-0", focus=False)
    carl >> join("team-0")
    room.went("""
        ana is refused: limit_reached
        carl is refused: limit_reached
        carl enters team-0 of ana (ana carl) with focus
    """)


def test_a_group_has_so_many_members_and_no_more(
    room: Room, ana: Person, bob: Person, carl: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MAX_GROUP_MEMBERS", 2)
    ana >> create("team", focus=False)
    bob >> join("team")
    room.forget()
    carl >> join("team")
    ana >> join("team")
    room.went("""
        carl is refused: limit_reached
        ana enters team of ana (ana bob) with focus
    """)


def test_there_are_so_many_groups_and_no_more(
    room: Room, ana: Person, bob: Person, carl: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MAX_GROUPS", 1)
    ana >> create("team")
    room.forget()
    bob >> create("club")
    room.went("bob is refused: limit_reached")
