"""Names that become somebody's, get further proofs, lose them, and are given up; and what meets on the way."""

from __future__ import annotations

import pytest

from mystic_server.domain.events import AccountDeleted, PasswordSet, RoleSet
from tests.support.transcript import (
    Person,
    Room,
    create,
    delete_account,
    join,
    keep,
    kick,
    mute,
    remove_device,
    say,
    set_role,
    tell,
)

KEY, OTHER, THIRD = b"k" * 32, b"o" * 32, b"t" * 32


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def olga(room: Room) -> Person:
    return room.operator("olga", KEY)


# Passwords.


def test_a_guest_s_name_becomes_theirs(room: Room) -> None:
    ana, bob = room.comes("ana"), room.comes("bob")
    room.forget()
    bob.sets_password("$1")
    bob.sets_password("$2")
    bob.ends("left")
    room.comes("bob", label="somebody")
    room.comes("Bob", by_password=True, label="bob again")
    ana >> tell("bob", "you are a member now")
    room.went("""
        ana hears bob is member
        bob is echoed bob is member
        bob gets ok 3
        bob gets ok 4
        ana hears bob left: left
        somebody is refused: name_claimed
        ana hears bob joined
        bob again is echoed bob joined
        bob again is welcome as bob, member
        bob again hears [PM ana bob] ana: you are a member now
        ana is echoed [PM ana bob] ana: you are a member now
        ana gets ok 7
    """)
    assert room.world.users[2].password == "$2"


def test_a_password_makes_a_further_device_known(room: Room) -> None:
    ana = room.comes("ana", KEY)
    ana.sets_password()
    room.forget()
    room.comes("ana", OTHER, label="stranger")
    room.comes("ana", OTHER, by_password=True, label="phone")
    room.comes("ana", OTHER, label="phone again")
    room.went("""
        stranger is refused: name_claimed
        phone is welcome as ana, member
        phone again is welcome as ana, member
    """)


def test_the_guest_has_gone_when_the_password_is_ready(room: Room) -> None:
    ana, bob = room.comes("ana"), room.comes("bob")
    room.forget()
    with room.at_once():
        bob.ends("lost")
        bob.sets_password()
    room.comes("bob", label="another bob")
    room.went("""
        ana hears bob left: lost
        ana hears bob joined
        another bob is echoed bob joined
        another bob is welcome as bob, guest
    """)
    assert not room.world.users[2].is_claimed
    assert ana.is_here


def test_a_password_is_set_while_the_account_is_deleted(room: Room, olga: Person) -> None:
    ana = room.comes("ana", OTHER)
    room.forget()
    with room.at_once():
        olga >> delete_account("ana")
        ana.sets_password()
    room.went("""
        olga hears ana left: left
        olga is echoed ana is no more, says olga
        ana must go: account_deleted
        olga gets ok 4
    """)
    assert not room.world.users[3].password


# Devices.


def test_a_lost_device_s_sessions_end(room: Room) -> None:
    bob = room.comes("bob")
    ana = room.comes("ana", KEY)
    ana.sets_password()
    phone = room.comes("ana", OTHER, by_password=True, label="phone")
    room.comes("ana", OTHER, watch=False, label="phone's command")
    room.forget()
    ana >> remove_device(OTHER)
    room.comes("ana", OTHER, label="phone again")
    room.went("""
        phone must go: device_removed
        phone's command must go: device_removed
        ana gets ok 6
        phone again is refused: name_claimed
    """)
    assert phone.session not in room.world.sessions
    assert bob.is_here and ana.is_here


def test_a_room_that_only_the_removed_device_keeps_is_left(room: Room) -> None:
    room.comes("bob")
    phone = room.comes("ana", OTHER)
    phone >> create("team")
    phone.sets_password()
    phone.ends("lost")
    command = room.comes("ana", KEY, by_password=True, watch=False, label="command")
    room.forget()
    command >> remove_device(OTHER)
    room.went("""
        bob notices ana left team: kicked
        bob hears team is gone
        command gets ok 7
    """)
    assert not room.world.lost


def test_the_last_device_is_removed_twice(room: Room) -> None:
    ana = room.comes("ana", KEY)
    ana.sets_password()
    phone = room.comes("ana", OTHER, by_password=True, label="phone")
    room.forget()
    with room.at_once():
        ana >> remove_device(OTHER)
        ana >> remove_device(OTHER)
        phone >> remove_device(OTHER)
    room.went("""
        phone must go: device_removed
        ana gets ok 4
        ana is refused: device_removed
    """)


def test_two_devices_without_a_password_remove_each_other(room: Room) -> None:
    """The second removal would leave a name that nothing proves."""
    ana = room.comes("ana", KEY)
    room.world.users[1].add_device(OTHER, 1)
    room.world.put_user(room.world.users[1])
    phone = room.comes("ana", OTHER, label="phone")
    command = room.comes("ana", OTHER, watch=False, label="command")
    room.forget()
    with room.at_once():
        ana >> remove_device(KEY)
        command >> remove_device(OTHER)
    room.went("""
        ana must go: device_removed
        ana gets ok 4
        command is refused: not_allowed
    """)
    assert phone.is_here


# Giving a name up.


def test_an_account_is_deleted(room: Room) -> None:
    bob, dora = room.comes("bob"), room.comes("dora", KEY)
    dora >> keep("team", "bob")
    dora >> create("room")
    bob >> join("room")
    dora >> say("bye")
    room.forget()
    dora >> delete_account()
    room.comes("dora", label="another dora")
    room.went("""
        bob hears dora left room: left, bob owns it
        bob hears dora left: left
        bob hears dora left team: left, bob owns it
        bob hears dora is no more
        dora must go: account_deleted
        dora gets ok 7
        bob hears dora joined
        another dora is echoed dora joined
        another dora is welcome as dora, guest
    """)
    old, new = room.world.users[2], room.world.users[8]
    assert old.is_gone and not old.is_claimed and not old.groups
    assert room.world.user_named("dora") is new
    assert old.id not in room.world.gone


def test_with_their_last_member_groups_go_too(room: Room) -> None:
    room.comes("bob")
    dora = room.comes("dora", KEY)
    dora >> keep("team")
    dora >> create("room")
    dora.ends("lost")
    command = room.comes("dora", KEY, watch=False, label="command")
    room.forget()
    command >> delete_account()
    room.went("""
        bob notices dora left room: left
        bob hears room is gone
        bob notices dora left team: left
        bob hears team is gone
        bob hears dora is no more
        command must go: account_deleted
        command gets ok 7
    """)
    assert not room.world.groups and not room.world.lost


def test_what_was_held_against_a_name_goes_with_it(room: Room, olga: Person) -> None:
    room.comes("bob", OTHER)
    olga >> mute("bob")
    olga >> delete_account("bob")
    room.comes("bob", THIRD)
    bob = room.world.user_named("bob")
    assert bob and not bob.muted_until_us and bob.has_device(THIRD) and not bob.has_device(OTHER)


def test_an_account_is_deleted_twice(room: Room, olga: Person) -> None:
    omar, ana = room.operator("omar", OTHER), room.comes("ana", THIRD)
    room.forget()
    with room.at_once():
        olga >> delete_account("ana")
        omar >> delete_account("ana")
        ana >> delete_account()
    room.went("""
        olga, omar hear ana left: left
        omar hears ana is no more, says olga
        olga is echoed ana is no more, says olga
        ana must go: account_deleted
        olga gets ok 6
        omar is refused: account_deleted
    """)


def test_somebody_logs_in_while_their_account_is_deleted(room: Room, olga: Person) -> None:
    ana = room.comes("ana", OTHER)
    ana.sets_password()
    room.forget()
    with room.at_once():
        ana >> delete_account()
        room.comes("ana", OTHER, label="tablet")
        room.comes("ana", THIRD, by_password=True, label="phone")
    room.went("""
        olga hears ana left: left
        olga hears ana is no more
        ana must go: account_deleted
        ana gets ok 5
        tablet is refused: account_deleted
        phone is refused: account_deleted
    """)


def test_somebody_takes_the_name_while_its_former_holder_logs_in(room: Room) -> None:
    ana = room.comes("ana", KEY)
    ana >> delete_account()
    room.forget()
    with room.at_once():
        room.comes("ana", KEY, label="one")
        room.comes("ana", OTHER, label="two")
        room.comes("Ana", label="three")
    room.went("""
        one is echoed ana joined
        one is welcome as ana, member
        two is refused: name_claimed
        three is refused: name_claimed
    """)


# Roles.


def test_a_role_is_given_and_taken(room: Room, olga: Person) -> None:
    ana = room.comes("ana", OTHER)
    room.forget()
    olga >> set_role("ana")
    ana >> set_role("olga", "member")
    olga >> kick("ana")
    ana >> set_role("ana", "member")
    room.went("""
        ana hears ana is operator by olga
        olga is echoed ana is operator by olga
        olga gets ok 4
        olga hears olga is member by ana
        ana is echoed olga is member by ana
        ana gets ok 5
        olga is refused: not_allowed
        olga hears ana is member by ana
        ana is echoed ana is member by ana
        ana gets ok 6
    """)


def test_a_role_is_set_twice(room: Room, olga: Person) -> None:
    omar, ana = room.operator("omar", OTHER), room.comes("ana", THIRD)
    room.forget()
    with room.at_once():
        olga >> set_role("ana")
        omar >> set_role("ana")
        olga >> set_role("omar", "member")
        omar >> set_role("olga", "member")
    room.went("""
        ana, omar hear ana is operator by olga
        olga is echoed ana is operator by olga
        olga gets ok 6
        omar gets ok 7
        ana, omar hear omar is member by olga
        olga is echoed omar is member by olga
        olga gets ok 8
        omar is refused: not_allowed
    """)
    assert ana.is_here


def test_the_command_line_makes_an_operator_who_can_be_neither_muted_nor_banned(room: Room, olga: Person) -> None:
    ana = room.comes("ana", OTHER)
    olga >> mute("ana")
    room.forget()
    room.commit(RoleSet(0, 0, 3, "operator"))
    room.commit(RoleSet(0, 0, 3, "operator"))
    room.commit(RoleSet(0, 0, 77, "operator"))
    room.went("ana, olga hear ana is operator")
    ana >> say("hi")
    assert "ana gets ok 8" in room.lines


def test_a_better_hash_of_a_password_that_was_changed_meanwhile_is_none(room: Room) -> None:
    ana = room.comes("ana")
    ana.sets_password("$1")
    room.commit(PasswordSet(ana.here.id, 1, "$1 with more work", replaces="$1"))
    assert room.world.users[1].password == "$1 with more work"
    ana.sets_password("$new")
    room.commit(PasswordSet(ana.here.id, 1, "$1 with even more", replaces="$1 with more work"))
    assert room.world.users[1].password == "$new"


@pytest.mark.parametrize("event", [RoleSet(5, 2, 2, "operator"), AccountDeleted(5, 2, 2), PasswordSet(5, 2, "$1")])
def test_who_is_not_here_asks_for_nothing(room: Room, event: RoleSet | AccountDeleted | PasswordSet) -> None:
    room.comes("ana")
    room.comes("bob")
    room.forget()
    room.commit(event)
    room.went("")
    assert not room.world.users[2].is_claimed and not room.world.users[2].is_gone
