"""Who hears a message, and what its author is told."""

from __future__ import annotations

import pytest

from tests.support.transcript import Person, Room, create, join, say, say_in, shout, tell

KEY = b"k" * 32


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def people(room: Room) -> tuple[Person, Person, Person]:
    """Three guests in global, whose coming is not part of the story."""
    people = room.comes("ana"), room.comes("bob"), room.comes("carl")
    room.forget()
    return people


Three = tuple[Person, Person, Person]


def test_everybody_hears_a_global_message(room: Room, people: Three) -> None:
    ana, _, _ = people
    ana >> say("hi")
    room.went("""
        bob, carl hear [GLOBAL] ana: hi
        ana is echoed [GLOBAL] ana: hi
        ana gets ok 4
    """)


def test_a_message_says_what_it_was_asked_to(room: Room, people: Three) -> None:
    ana, _, _ = people
    ana >> say("hi", cid=b"0123456789abcdef", reply_to=2)
    event = room.log[-1].event
    assert (getattr(event, "cid", b""), getattr(event, "reply_to", 0)) == (b"0123456789abcdef", 2)


def test_who_is_in_a_group_hears_no_global_messages(room: Room, people: Three) -> None:
    ana, bob, _ = people
    bob >> create("team")
    room.forget()
    ana >> say("hi")
    bob >> say("hi from the team")
    room.went("""
        carl hears [GLOBAL] ana: hi
        ana is echoed [GLOBAL] ana: hi
        ana gets ok 5
        ana, carl hear [GLOBAL] bob: hi from the team
        bob is echoed [GLOBAL] bob: hi from the team
        bob gets ok 6
    """)


def test_a_broadcast_reaches_people_in_groups_too(room: Room, people: Three) -> None:
    ana, bob, _ = people
    bob >> create("team")
    room.forget()
    ana >> shout("fire")
    room.went("""
        bob, carl hear [BROADCAST] ana: fire
        ana is echoed [BROADCAST] ana: fire
        ana gets ok 5
    """)


def test_only_members_hear_a_group(room: Room, people: Three) -> None:
    ana, bob, carl = people
    ana >> create("team")
    bob >> join("team", focus=False)
    room.forget()
    bob >> say_in("team", "with its name")
    ana >> say_in("", "where I am")
    carl >> say_in("team", "let me in")
    carl >> say_in("", "where?")
    carl >> say_in("club", "where?")
    room.went("""
        ana hears [team] bob: with its name
        bob is echoed [team] bob: with its name
        bob gets ok 6
        bob hears [team] ana: where I am
        ana is echoed [team] ana: where I am
        ana gets ok 7
        carl is refused: not_in_group
        carl is refused: no_group
        carl is refused: unknown_group
    """)


def test_a_direct_message_reaches_one(room: Room, people: Three) -> None:
    ana, _, _ = people
    ana >> tell("bob", "psst")
    room.went("""
        bob hears [PM ana bob] ana: psst
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 4
    """)


def test_both_directions_are_one_conversation(room: Room, people: Three) -> None:
    ana, bob, _ = people
    ana >> tell("bob", "ping")
    bob >> tell("Ana", "pong")
    conversations = {getattr(each.event, "conversation", "") for each in room.log[-2:]}
    assert conversations == {"direct:1,2"}


def test_a_direct_message_reaches_several_and_names_may_repeat(room: Room, people: Three) -> None:
    ana, _, _ = people
    ana >> tell("bob carl BOB ana", "psst")
    room.went("""
        bob, carl hear [PM ana bob carl] ana: psst
        ana is echoed [PM ana bob carl] ana: psst
        ana gets ok 4
    """)


def test_unknown_names_are_reported_and_the_rest_delivered(room: Room, people: Three) -> None:
    ana, _, _ = people
    ana >> tell("zed bob Quentin", "psst")
    room.went("""
        bob hears [PM ana bob] ana: psst
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 4, unknown zed Quentin
    """)


def test_nobody_known_is_a_refusal(room: Room, people: Three) -> None:
    ana, _, _ = people
    ana >> tell("zed", "psst")
    ana >> tell("zed quentin", "psst")
    ana >> tell("x" * 500, "psst")
    room.went("""
        ana is refused: unknown_user
        ana is refused: unknown_user
        ana is refused: unknown_user
    """)


def test_a_message_to_oneself_is_refused(room: Room, people: Three) -> None:
    ana, _, _ = people
    ana >> tell("ana", "psst")
    ana >> tell("ANA ana", "psst")
    room.went("""
        ana is refused: not_to_yourself
        ana is refused: not_to_yourself
    """)


def test_a_guest_who_has_gone_is_written_to_all_the_same(room: Room, people: Three) -> None:
    ana, bob, _ = people
    bob.ends("left")
    room.forget()
    ana >> tell("bob", "psst")
    ana >> tell("bob carl", "psst")
    room.went("""
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 5, away bob since 4
        carl hears [PM ana bob carl] ana: psst
        ana is echoed [PM ana bob carl] ana: psst
        ana gets ok 6, away bob since 4
    """)


def test_a_member_who_is_away_is_written_to_all_the_same(room: Room, people: Three) -> None:
    ana, _, _ = people
    room.comes("dora", KEY).ends("left")
    room.forget()
    ana >> tell("Dora bob", "psst")
    ana >> tell("ana dora", "psst")
    room.went("""
        bob hears [PM ana bob dora] ana: psst
        ana is echoed [PM ana bob dora] ana: psst
        ana gets ok 6, away dora since 5
        ana is echoed [PM ana dora] ana: psst
        ana gets ok 7, away dora since 5
    """)


def test_direct_messages_come_whatever_the_focus(room: Room, people: Three) -> None:
    ana, bob, _ = people
    bob >> create("team")
    room.forget()
    ana >> tell("bob", "psst")
    room.went("""
        bob hears [PM ana bob] ana: psst
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 5
    """)


def test_all_sessions_of_a_user_hear_and_are_echoed(room: Room) -> None:
    dora, _, ana = room.comes("dora", KEY), room.comes("dora", KEY), room.comes("ana")
    room.forget()
    dora >> say("one")
    ana >> tell("dora", "two")
    room.went("""
        ana hears [GLOBAL] dora: one
        dora, dora/2 are echoed [GLOBAL] dora: one
        dora gets ok 4
        dora, dora/2 hear [PM dora ana] ana: two
        ana is echoed [PM dora ana] ana: two
        ana gets ok 5
    """)


def test_focus_is_the_session_s_and_membership_the_user_s(room: Room) -> None:
    dora, _, ana = room.comes("dora", KEY), room.comes("dora", KEY), room.comes("ana")
    dora >> create("team")
    ana >> join("team", focus=False)
    room.forget()
    ana >> say("global")
    ana >> say_in("team", "group")
    room.went("""
        dora/2 hears [GLOBAL] ana: global
        ana is echoed [GLOBAL] ana: global
        ana gets ok 6
        dora, dora/2 hear [team] ana: group
        ana is echoed [team] ana: group
        ana gets ok 7
    """)


def test_who_only_acts_is_heard_and_hears_nothing(room: Room, people: Three) -> None:
    ana, _, _ = people
    bot = room.comes("bot", watch=False)
    bot >> say("done")
    ana >> say("thanks")
    ana >> shout("thanks")
    ana >> tell("bot", "thanks")
    room.went("""
        bot is welcome as bot, guest
        ana, bob, carl hear [GLOBAL] bot: done
        bot gets ok 5
        bob, carl hear [GLOBAL] ana: thanks
        ana is echoed [GLOBAL] ana: thanks
        ana gets ok 6
        bob, carl hear [BROADCAST] ana: thanks
        ana is echoed [BROADCAST] ana: thanks
        ana gets ok 7
        ana is echoed [PM ana bot] ana: thanks
        ana gets ok 8, away bot since never
    """)


def test_the_watching_sessions_of_who_acts_are_echoed(room: Room) -> None:
    room.comes("dora", KEY)
    bot = room.comes("dora", KEY, watch=False, label="bot")
    room.forget()
    bot >> say("done")
    room.went("""
        dora is echoed [GLOBAL] dora: done
        bot gets ok 3
    """)


def test_an_audience_is_the_same_object_until_somebody_comes_or_goes(room: Room, people: Three) -> None:
    world = room.world
    everyone, hearers = world.everyone(), world.global_hearers()
    people[0] >> say("hi")
    people[0] >> tell("bob", "hi")
    assert world.everyone() is everyone
    assert world.global_hearers() is hearers
    people[1].ends("left")
    assert world.everyone() is not everyone
    assert world.global_hearers() is not hearers
