"""Who a newcomer is: the proofs of a name when the session begins, and what ended sessions leave behind."""

from __future__ import annotations

import pytest

from mystic_server.domain import policy
from mystic_server.domain.apply import apply
from mystic_server.domain.apply_people import end_sessions, sessions_of
from mystic_server.domain.decide import Rules
from mystic_server.domain.events import Committed, Joined
from mystic_server.domain.world import World
from mysticproto.errors import Code
from mysticproto.model import Bye, Refused, UserJoined, Welcome
from tests.support.transcript import START_US, Room, create, remove_device

KEY, OTHER, THIRD = b"k" * 32, b"o" * 32, b"t" * 32


@pytest.fixture
def room() -> Room:
    return Room()


def test_two_take_one_name_at_once(room: Room) -> None:
    with room.at_once():
        room.comes("ana", KEY, label="one")
        room.comes("ANA", OTHER, label="two")
        room.comes("ana", label="three")
    room.went("""
        one is echoed ana joined
        one is welcome as ana, member
        two is refused: name_claimed
        three is refused: name_claimed
    """)


def test_a_guest_and_a_key_take_one_name_at_once(room: Room) -> None:
    with room.at_once():
        room.comes("ana", label="guest")
        room.comes("ana", KEY, label="owner")
    room.went("""
        guest is echoed ana joined
        guest is welcome as ana, guest
        owner is refused: name_in_use
    """)


def test_a_session_knows_its_device(room: Room) -> None:
    ana, bob = room.comes("ana", KEY), room.comes("bob")
    assert (ana.here.device, bob.here.device) == (KEY, b"")
    ana.ends("lost")
    assert room.tables.loaded(3).lost[ana.session].device == KEY


def test_a_device_is_removed_while_it_logs_in(room: Room) -> None:
    ana = room.comes("ana", KEY)
    ana.sets_password()
    room.comes("ana", OTHER, by_password=True)
    room.forget()
    with room.at_once():
        ana >> remove_device(OTHER)
        room.comes("ana", OTHER, label="phone")
    room.went("""
        ana/2 must go: device_removed
        ana gets ok 4
        phone is refused: name_claimed
    """)


def test_a_password_proves_the_name_of_whom_it_was_asked_of(room: Room) -> None:
    """While it was hashed the account went, and the name is somebody else's now."""
    ana = room.comes("ana", KEY)
    ana.sets_password()
    for user in (0, 9):
        world = room.tables.loaded(2)
        event = Joined(5, "ana", user, OTHER, by_password=True)
        applied = apply(world, Committed(3, START_US, event))
        assert isinstance(applied.answer, Refused) and applied.answer.code == Code.NAME_CLAIMED


def test_a_name_has_so_many_devices_and_no_more(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_DEVICES", 2)
    ana = room.comes("ana", KEY)
    ana.sets_password()
    room.forget()
    with room.at_once():
        room.comes("ana", OTHER, by_password=True, label="two")
        room.comes("ana", THIRD, by_password=True, label="three")
    room.comes("ana", THIRD, by_password=True, label="three again")
    room.comes("ana", by_password=True, label="without")
    room.comes("ana", OTHER, label="two again")
    room.went("""
        two is welcome as ana, member
        three is refused: limit_reached
        three again is refused: limit_reached
        without is welcome as ana, member
        two again is welcome as ana, member
    """)


def test_what_a_newcomer_and_the_others_are_told_of_the_name() -> None:
    world = World()
    first = apply(world, Committed(1, START_US, Joined(5, "ana", key=KEY)))
    assert isinstance(first.answer, Welcome)
    assert (first.answer.role, first.answer.has_password) == ("member", False)
    said = first.deliveries[0].event
    assert isinstance(said, UserJoined) and said.role == "member"
    world.users[1].password = "$1"
    second = apply(world, Committed(2, START_US, Joined(6, "ana", 1, by_password=True)))
    assert isinstance(second.answer, Welcome) and second.answer.has_password


def test_ended_sessions_end_whatever_they_were(room: Room) -> None:
    room.comes("bob")
    ana = room.comes("ana", KEY)
    ana >> create("team")
    ana.ends("lost")
    command = room.comes("ana", KEY, watch=False)
    world, user = room.world, room.world.users[2]
    assert [session.id for session in sessions_of(world, user)] == [command.session, ana.session]
    bye = Bye(Code.KICKED, "bye")
    deliveries, endings = end_sessions(world, 6, START_US, user, "kicked", bye)
    assert [ending.session for ending in endings] == [command.session]
    assert len(deliveries) == 2 and not world.groups
    assert end_sessions(world, 7, START_US, user, "kicked", bye) == ([], [])


# What the settings say.


def test_where_names_are_somebody_s_guests_stay_outside(room: Room) -> None:
    claimed_only = Rules(claimed_only=True)
    room.comes("ana").sets_password()
    room.forget()
    room.comes("bob", rules=claimed_only)
    room.comes("bob", KEY, rules=claimed_only, label="bob with a key")
    room.comes("ana", by_password=True, rules=claimed_only, label="ana with a password")
    room.went("""
        bob is refused: claim_required
        ana hears bob joined
        bob with a key is echoed bob joined
        bob with a key is welcome as bob, member
        ana with a password is welcome as ana, member
    """)


def test_an_operator_s_name_is_claimed_on_the_own_machine(room: Room) -> None:
    rules = Rules(operators=frozenset({"olga"}))
    room.comes("Olga", KEY, rules=rules, label="stranger")
    room.comes("Olga", KEY, rules=rules, host="127.0.0.1", label="owner")
    room.comes("olga", KEY, rules=rules, label="owner elsewhere")
    room.comes("olga", OTHER, rules=rules, label="stranger again")
    room.went("""
        stranger is refused: name_claimed
        owner is echoed Olga joined
        owner is welcome as Olga, member
        owner elsewhere is welcome as Olga, member
        stranger again is refused: name_claimed
    """)


def test_a_guest_s_name_that_becomes_an_operator_s_is_kept_too(room: Room) -> None:
    room.comes("olga").ends("left")
    room.forget()
    room.comes("olga", KEY, rules=Rules(operators=frozenset({"olga"})), label="stranger")
    room.went("stranger is refused: name_claimed")
