"""Receipts: who has a message already, who is away since when, and whom nobody knows."""

from __future__ import annotations

import pytest

from mystic_server.domain.events import Posted
from mystic_server.domain.policy import AWAY_NAMED
from tests.support.transcript import Person, Room, keep, say, say_in, shout, tell

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


def test_a_direct_message_has_reached_who_is_here(room: Room, ana: Person, carl: Person) -> None:
    ana >> tell("bob", "psst", receipt=True)
    room.went("""
        bob hears [PM ana bob] ana: psst
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 4, reached bob
    """)


def test_a_guest_who_is_away_is_known_whether_a_receipt_is_asked_for_or_not(
    room: Room, ana: Person, bob: Person, carl: Person
) -> None:
    bob.ends("lost")
    room.forget()
    ana >> tell("bob", "psst", receipt=True)
    ana >> tell("bob", "psst")
    room.went("""
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 5, away bob since 4
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 6, away bob since 4
    """)


def test_of_several_each_is_accounted_for(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    room.comes("dora", KEY).ends("left")
    bob.ends("left")
    room.forget()
    ana >> tell("Bob carl dora nobody ana", "psst", receipt=True)
    room.went("""
        carl hears [PM ana bob carl dora] ana: psst
        ana is echoed [PM ana bob carl dora] ana: psst
        ana gets ok 7, reached carl, unknown nobody, away bob since 6 dora since 5
    """)


def test_nobody_known_is_a_refusal_all_the_same(room: Room, ana: Person, carl: Person) -> None:
    ana >> tell("nobody", "psst", receipt=True)
    ana >> tell("ana", "psst", receipt=True)
    room.went("""
        ana is refused: unknown_user
        ana is refused: not_to_yourself
    """)


def test_a_group_message_accounts_for_the_members_alone(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    room.comes("dora").ends("left")
    room.comes("emil")
    ana >> keep("team", "bob carl dora")
    bob.ends("lost")
    room.forget()
    carl >> say_in("team", "hi", receipt=True)
    room.went("""
        ana hears [team] carl: hi
        carl is echoed [team] carl: hi
        carl gets ok 9, reached ana, away bob since 8 dora since 5
    """)


def test_a_global_message_accounts_for_everybody(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    bob.ends("left")
    room.forget()
    ana >> say("hi", receipt=True)
    ana >> shout("all")
    room.went("""
        carl hears [GLOBAL] ana: hi
        ana is echoed [GLOBAL] ana: hi
        ana gets ok 5, reached carl, away bob since 4
        carl hears [BROADCAST] ana: all
        ana is echoed [BROADCAST] ana: all
        ana gets ok 6
    """)


def test_of_many_who_are_away_the_last_seen_are_named(room: Room, ana: Person) -> None:
    for number in range(AWAY_NAMED + 5):
        room.comes(f"guest{number}").ends("left")
    room.forget()
    ana >> say("hi", receipt=True)
    newest = " ".join(f"guest{n} since {2 * n + 3}" for n in reversed(range(5, AWAY_NAMED + 5)))
    room.went(f"""
        ana is echoed [GLOBAL] ana: hi
        ana gets ok {2 * AWAY_NAMED + 12}, away {newest}
    """)


def test_who_only_acts_is_neither_here_nor_away(room: Room, ana: Person) -> None:
    dora = room.comes("dora", KEY, watch=False)
    room.forget()
    ana >> say("hi", receipt=True)
    dora.ends("left")
    ana >> say("hi", receipt=True)
    room.went("""
        ana is echoed [GLOBAL] ana: hi
        ana gets ok 3
        ana is echoed [GLOBAL] ana: hi
        ana gets ok 5
    """)


def test_an_author_who_only_acts_is_not_away_for_themselves(room: Room, ana: Person) -> None:
    room.comes("dora", KEY).ends("left")
    dora = room.comes("dora", KEY, watch=False)
    room.forget()
    dora >> say("hi", receipt=True)
    room.went("""
        ana hears [GLOBAL] dora: hi
        dora/2 gets ok 5, reached ana
    """)


def test_a_name_taken_back_is_here_again(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    bob.ends("left")
    room.comes("BOB")
    room.forget()
    ana >> tell("bob", "psst", receipt=True)
    room.went("""
        BOB hears [PM ana BOB] ana: psst
        ana is echoed [PM ana BOB] ana: psst
        ana gets ok 6, reached BOB
    """)


def test_a_receipt_is_the_wish_of_a_single_message(room: Room, ana: Person, carl: Person) -> None:
    ana >> say("one", receipt=True)
    ana >> say("two")
    assert [each.event.receipt for each in room.log if isinstance(each.event, Posted)] == [True, False]
