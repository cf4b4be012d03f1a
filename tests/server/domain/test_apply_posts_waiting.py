"""What waits for those who are away: for everybody who is known, with the time since when, and with limits."""

from __future__ import annotations

import pytest

from mystic_server.domain import policy
from mystic_server.domain.queries import waiting_scope
from mystic_server.domain.world import User
from mysticproto.model import Post, Refused, ToUsers
from tests.support.transcript import Person, Room, announce, delete_account, keep, say, say_in, tell

KEY = b"k" * 32


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def ana(room: Room) -> Person:
    return room.comes("ana")


@pytest.fixture
def bob(room: Room, ana: Person) -> Person:
    """Was here, and left with event 3."""
    bob = room.comes("bob")
    bob.ends("left")
    room.forget()
    return bob


def user(room: Room, name: str) -> User:
    found = room.world.user_named(name)
    assert found
    return found


def test_who_is_away_is_said_with_the_time(room: Room, ana: Person, bob: Person) -> None:
    room.comes("dora", KEY).ends("lost")
    room.forget()
    ana >> tell("bob dora nobody", "psst")
    room.went("""
        ana is echoed [PM ana bob dora] ana: psst
        ana gets ok 6, unknown nobody, away dora since 5 bob since 3
    """)


def test_the_names_and_the_times_belong_together_however_many_there_are(room: Room, ana: Person) -> None:
    names = [f"guest{number}" for number in range(policy.AWAY_NAMED + 5)]
    for name in names:
        room.comes(name).ends("left")
    room.lines.clear()
    ana >> tell(" ".join(names), "psst")
    assert sum(" since " in part for part in room.lines[-1].split(" guest")) == len(names)


def test_an_unknown_name_is_refused_by_name(room: Room, ana: Person) -> None:
    refused = room.decides(ana, tell("zed yves", "psst"))
    assert refused == Refused(1, "unknown_user", "Nobody here is called zed, yves.", "zed")


def test_who_has_deleted_their_account_is_unknown(room: Room, ana: Person) -> None:
    dora = room.comes("dora", KEY)
    dora >> delete_account()
    room.forget()
    ana >> tell("dora", "psst")
    room.went("ana is refused: unknown_user")


def test_who_deletes_their_account_meanwhile_gets_nothing(room: Room, ana: Person) -> None:
    dora = room.comes("dora", KEY)
    with room.at_once():
        dora >> delete_account()
        ana >> tell("dora", "psst")
    assert not room.world.users[dora_id(room)].waiting


def dora_id(room: Room) -> int:
    return next(user.id for user in room.world.users.values() if user.name == "dora")


def test_what_waits_is_counted_until_a_watching_session_has_it(room: Room, ana: Person, bob: Person) -> None:
    ana >> tell("bob", "psst")
    ana >> tell("bob", "é")
    assert (user(room, "bob").waiting, user(room, "bob").waiting_bytes) == ({1: 2}, 6)
    acts = room.comes("bob", watch=False)
    assert user(room, "bob").waiting == {1: 2}
    acts.ends("left")
    room.comes("bob")
    assert (user(room, "bob").waiting, user(room, "bob").waiting_bytes) == ({}, 0)
    ana >> tell("bob", "hi")
    assert user(room, "bob").waiting == {}


def test_only_direct_messages_wait_so(room: Room, ana: Person, bob: Person) -> None:
    ana >> keep("team", "bob")
    ana >> say("hi")
    ana >> say_in("team", "hi")
    assert user(room, "bob").waiting == {}


def test_what_waits_begins_after_the_going_whoever_comes_next(room: Room, ana: Person, bob: Person) -> None:
    ana >> tell("bob", "psst")
    again = room.comes("bob")
    scope = waiting_scope(room.world, again.here, "direct", user(room, "bob").left_seq)
    assert scope.since == 4
    assert user(room, "bob").since == 5  # history begins with the next holder


def test_so_many_of_one_sender_wait(room: Room, ana: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_WAITING_OF_ONE", 2)
    carl = room.comes("carl")
    room.forget()
    for _ in range(3):
        ana >> tell("bob carl", "psst")
    carl >> tell("bob", "psst")
    assert [line for line in room.lines if " gets " in line or "refused" in line] == [
        "ana gets ok 5, away bob since 3",
        "ana gets ok 6, away bob since 3",
        "ana is refused: waiting_full",
        "carl gets ok 7, away bob since 3",
    ]
    refused = room.decides(ana, tell("carl bob", "psst"))
    assert isinstance(refused, Refused) and refused.about == "bob" and "bob" in refused.text


def test_so_many_wait_of_all_together(room: Room, ana: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_WAITING", 2)
    carl = room.comes("carl")
    ana >> tell("bob", "psst")
    carl >> tell("bob", "psst")
    room.forget()
    ana >> tell("bob", "psst")
    room.comes("bob")
    room.forget()
    ana >> tell("bob", "psst")
    room.went("""
        bob/2 hears [PM ana bob] ana: psst
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 8
    """)


def test_so_many_bytes_wait(room: Room, ana: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_WAITING_BYTES", 10)
    ana >> tell("bob", "x" * 8)
    room.forget()
    ana >> tell("bob", "éé")
    ana >> tell("bob", "xx")
    room.went("""
        ana is refused: waiting_full
        ana is echoed [PM ana bob] ana: xx
        ana gets ok 5, away bob since 3
    """)


def test_the_limits_are_those_of_a_month_of_absence() -> None:
    assert (policy.MAX_WAITING, policy.MAX_WAITING_OF_ONE, policy.MAX_WAITING_BYTES) == (1_000, 200, 4 * 1024 * 1024)


def test_an_announcement_is_marked_as_one(room: Room, ana: Person) -> None:
    olga = room.operator("olga", KEY)
    olga >> announce("closing at ten")
    room.went("""
        ana hears [BROADCAST!] olga: closing at ten
        olga is echoed [BROADCAST!] olga: closing at ten
        olga gets ok 4
    """)


def test_who_sends_again_is_told_who_is_away_now(room: Room, ana: Person, bob: Person) -> None:
    ana >> Post(1, ToUsers(("bob",)), "psst", b"c" * 16)
    room.went("""
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 4, away bob since 3
    """)
