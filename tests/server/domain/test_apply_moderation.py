"""Kicks, bans and mutes: who goes, who hears of it, and what meets on the way."""

from __future__ import annotations

import pytest

from mystic_server.domain import policy
from mystic_server.domain.decide_moderation import address_is_banned
from mystic_server.domain.events import Banned, Kicked, NodeStarted
from mysticproto.model import FOR_EVER_US
from tests.support.transcript import NODE, Person, Room, ban, create, keep, kick, mute, say, set_role, unban, unmute

KEY, OTHER, THIRD = b"k" * 32, b"o" * 32, b"t" * 32


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def olga(room: Room) -> Person:
    return room.operator("olga", KEY)


# Kicks.


def test_all_sessions_of_a_user_end(room: Room, olga: Person) -> None:
    dora, _ = room.comes("dora", OTHER), room.comes("dora", OTHER)
    room.comes("dora", OTHER, watch=False, label="command")
    dora >> create("room")
    dora >> keep("team")
    room.forget()
    olga >> kick("dora", "spam")
    room.comes("dora", OTHER, label="dora again")
    room.went("""
        olga is echoed olga: kick dora, spam
        olga notices dora left room: kicked
        olga hears room is gone
        olga hears dora left: kicked
        dora must go: kicked
        dora/2 must go: kicked
        command must go: kicked
        olga gets ok 8
        olga hears dora joined
        dora again is echoed dora joined
        dora again is welcome as dora, member
    """)


def test_what_a_lost_session_keeps_is_given_up(room: Room, olga: Person) -> None:
    dora = room.comes("dora", OTHER)
    dora >> create("room")
    dora.ends("lost")
    room.forget()
    olga >> kick("dora")
    room.comes("dora", OTHER, resume=dora, label="dora again")
    room.went("""
        olga is echoed olga: kick dora
        olga notices dora left room: kicked
        olga hears room is gone
        olga gets ok 6
        olga hears dora joined
        dora again is echoed dora joined
        dora again is welcome as dora, member
    """)


def test_a_kick_of_somebody_who_has_just_left(room: Room, olga: Person) -> None:
    bob = room.comes("bob")
    room.forget()
    with room.at_once():
        bob.ends("left")
        olga >> kick("bob")
    room.went("""
        olga hears bob left: left
        olga is refused: unknown_user
    """)


def test_somebody_becomes_an_operator_while_they_are_kicked(room: Room, olga: Person) -> None:
    dora = room.comes("dora", OTHER)
    omar = room.operator("omar", THIRD)
    with room.at_once():
        olga >> set_role("dora")
        omar >> kick("dora")
        omar >> ban("dora")
        omar >> mute("dora")
    room.went("""
        dora, omar hear dora is operator by olga
        olga is echoed dora is operator by olga
        olga gets ok 6
        omar is refused: not_allowed
        omar is refused: not_allowed
        omar is refused: not_allowed
    """)
    assert dora.is_here and not room.world.bans


def test_an_operator_is_none_any_more_when_it_comes_to_it(room: Room, olga: Person) -> None:
    omar, bob = room.operator("omar", OTHER), room.comes("bob")
    room.forget()
    with room.at_once():
        olga >> set_role("omar", "member")
        omar >> kick("bob")
        omar >> ban("10.0.0.1")
    room.went("""
        bob, omar hear omar is member by olga
        olga is echoed omar is member by olga
        olga gets ok 6
        omar is refused: not_allowed
        omar is refused: not_allowed
    """)
    assert bob.is_here


@pytest.mark.parametrize("event", [Kicked(5, 1, 3), Kicked(0, 0, 3), Banned(5, 1, "bob", 3), Banned(0, 7, "bob", 3)])
def test_whose_session_is_gone_does_nothing_to_anybody(room: Room, olga: Person, event: Kicked | Banned) -> None:
    bob = room.comes("bob")
    room.forget()
    room.commit(event)
    room.went("")
    assert bob.is_here and not room.world.bans


# Bans of names.


def test_a_banned_name_goes_and_stays_out_until_its_time_is_over(room: Room, olga: Person) -> None:
    room.comes("dora", OTHER)
    room.forget()
    olga >> ban("DORA", 60, "spam")
    room.comes("dora", OTHER, label="dora again")
    room.wait(60)
    room.comes("dora", OTHER, label="dora later")
    room.went("""
        olga is echoed olga: ban dora until 63, spam
        olga hears dora left: kicked
        dora must go: banned
        olga gets ok 4
        dora again is refused: banned
        olga hears dora joined
        dora later is echoed dora joined
        dora later is welcome as dora, member
    """)


def test_somebody_logs_in_while_they_are_banned(room: Room, olga: Person) -> None:
    with room.at_once():
        olga >> ban("dora")
        room.comes("dora", OTHER)
    room.went("""
        olga is echoed olga: ban dora until for ever
        olga gets ok 3
        dora is refused: banned
    """)
    assert room.world.user_named("dora") is None


def test_somebody_is_banned_while_they_log_in(room: Room, olga: Person) -> None:
    with room.at_once():
        room.comes("dora", OTHER)
        olga >> ban("dora")
    room.went("""
        olga hears dora joined
        dora is echoed dora joined
        dora is welcome as dora, member
        olga is echoed olga: ban dora until for ever
        olga hears dora left: kicked
        dora must go: banned
        olga gets ok 4
    """)


def test_a_ban_is_replaced_and_ended(room: Room, olga: Person) -> None:
    room.comes("bob")
    olga >> ban("bob", 0, "spam")
    olga >> ban("bob", 60, "a little spam")
    assert [ban.reason for ban in room.world.bans.values()] == ["a little spam"]
    room.forget()
    with room.at_once():
        olga >> unban("BOB")
        olga >> unban("bob")
    room.went("""
        olga is echoed olga: unban bob
        olga gets ok 6
        olga is refused: unknown_user
    """)
    room.comes("bob", label="bob again")
    assert "bob again is welcome as bob, guest" in room.lines


def test_whoever_becomes_an_operator_is_let_in_again(room: Room, olga: Person) -> None:
    room.comes("dora", OTHER)
    olga >> ban("dora")
    olga >> set_role("dora")
    assert not room.world.bans


# Bans of networks.


def test_operators_alone_hear_which_network_is_banned(room: Room, olga: Person) -> None:
    room.operator("omar", OTHER)
    room.comes("bob")
    room.forget()
    olga >> ban("10.1.2.3/16", 60, "spam")
    olga >> unban("10.1.0.0/16")
    olga >> ban("2001:db8::1")
    room.went("""
        omar hears olga: ban 10.1.0.0/16 until 65, spam
        olga is echoed olga: ban 10.1.0.0/16 until 65, spam
        olga gets ok 6
        omar hears olga: unban 10.1.0.0/16
        olga is echoed olga: unban 10.1.0.0/16
        olga gets ok 7
        omar hears olga: ban 2001:db8::1 until for ever
        olga is echoed olga: ban 2001:db8::1 until for ever
        olga gets ok 8
    """)


def test_from_a_banned_network_only_operators_come_in(room: Room, olga: Person) -> None:
    olga >> ban("10.1.0.0/16", 60)
    room.forget()
    room.comes("bob", host="::ffff:10.1.9.9")
    room.comes("olga", KEY, host="10.1.9.9")
    room.comes("olga", OTHER, host="10.1.9.9", label="not olga")
    room.comes("bob", host="10.2.9.9", label="bob elsewhere")
    room.wait(60)
    room.comes("carl", host="10.1.9.9")
    room.went("""
        bob is refused: banned
        olga/2 is welcome as olga, operator
        not olga is refused: name_claimed
        olga, olga/2 hear bob joined
        bob elsewhere is echoed bob joined
        bob elsewhere is welcome as bob, guest
        bob elsewhere, olga, olga/2 hear carl joined
        carl is echoed carl joined
        carl is welcome as carl, guest
    """)


# What is over, and what is too much.


def test_bans_that_are_over_are_forgotten(room: Room, olga: Person) -> None:
    olga >> ban("bob", 60)
    olga >> ban("10.0.0.1", 60)
    olga >> ban("zed", 90)
    room.wait(60)
    assert len(room.world.bans) == 3
    room.commit(NodeStarted(NODE, 2))
    assert list(room.world.bans) == ["zed"]
    assert [row.kind for row in room.tables.rows.values() if row.kind.startswith("ban:")] == ["ban:zed"]


def test_two_operators_take_the_last_place(room: Room, olga: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_BANS", 1)
    with room.at_once():
        olga >> ban("bob")
        olga >> ban("10.0.0.1")
        olga >> ban("bob", 60)
    assert list(room.world.bans) == ["bob"]
    assert "olga is refused: limit_reached" in room.lines
    assert room.world.bans["bob"].until_us < FOR_EVER_US
    assert address_is_banned(room.world, "10.0.0.1", room.now_us) is None


# Mutes.


def test_who_is_muted_reads_and_everybody_knows(room: Room, olga: Person) -> None:
    bob = room.comes("bob")
    room.forget()
    olga >> mute("bob", 60, "spam")
    bob >> say("hi")
    olga >> say("think about it")
    olga >> unmute("bob")
    bob >> say("sorry")
    room.went("""
        bob hears olga: mute bob until 63, spam
        olga is echoed olga: mute bob until 63, spam
        olga gets ok 4
        bob is refused: muted
        bob hears [GLOBAL] olga: think about it
        olga is echoed [GLOBAL] olga: think about it
        olga gets ok 5
        bob hears olga: unmute bob
        olga is echoed olga: unmute bob
        olga gets ok 6
        olga hears [GLOBAL] bob: sorry
        bob is echoed [GLOBAL] bob: sorry
        bob gets ok 7
    """)


def test_a_mute_outlasts_a_new_login(room: Room, olga: Person) -> None:
    bob = room.comes("bob")
    olga >> mute("bob")
    bob.ends("left")
    bob = room.comes("bob")
    room.forget()
    bob >> say("hi")
    room.went("bob/2 is refused: muted")
