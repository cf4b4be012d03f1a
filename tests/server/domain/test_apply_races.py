"""Two who want what only one can have, and events that are overtaken on their way to the log: the earlier wins."""

from __future__ import annotations

import pytest

from mystic_server.domain.apply import apply, is_void
from mystic_server.domain.events import (
    Committed,
    Event,
    GroupEntered,
    GroupExited,
    GroupRenamed,
    Joined,
    Kicked,
    Left,
    LingerEnded,
    Posted,
)
from tests.support.transcript import START_US, Person, Room, create, join, leave, log_out, say, say_in, tell

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def people(room: Room) -> tuple[Person, Person]:
    people = room.comes("ana"), room.comes("bob")
    room.forget()
    return people


Two = tuple[Person, Person]


@pytest.mark.parametrize(("key", "code"), [(b"", "name_in_use"), (OTHER_KEY, "name_in_use")])
def test_two_take_one_name(room: Room, key: bytes, code: str) -> None:
    with room.at_once():
        room.comes("eve")
        room.comes("Eve", key)
    room.went(f"""
        eve is echoed eve joined
        eve is welcome as eve, guest
        Eve is refused: {code}
    """)


def test_two_claim_one_name(room: Room) -> None:
    with room.at_once():
        room.comes("eve", KEY)
        room.comes("Eve", OTHER_KEY)
        room.comes("EVE")
    room.went("""
        eve is echoed eve joined
        eve is welcome as eve, member
        Eve is refused: name_claimed
        EVE is refused: name_claimed
    """)


def test_two_devices_of_one_user_come_at_once(room: Room) -> None:
    with room.at_once():
        room.comes("eve", KEY)
        room.comes("Eve", KEY)
    room.went("""
        eve is echoed eve joined
        eve is welcome as eve, member
        Eve is welcome as eve, member
    """)
    assert len(room.world.users) == 1


def test_one_session_is_taken_over_twice_at_once(room: Room) -> None:
    old = room.comes("eve", KEY)
    room.forget()
    with room.at_once():
        room.comes("eve", KEY, label="first", resume=old)
        room.comes("eve", KEY, label="second", resume=old)
    room.went(
        """
        old must go: replaced
        first is welcome as eve, member
        second is welcome as eve, member
    """.replace("old", "eve")
    )


def test_two_come_for_the_last_place_of_a_name(room: Room) -> None:
    sessions = [room.comes("eve", KEY) for _ in range(9)]
    room.forget()
    with room.at_once():
        room.comes("eve", KEY, label="last")
        room.comes("eve", KEY, label="one more")
        room.comes("eve", KEY, label="acting", watch=False, resume=sessions[0])
        room.comes("eve", KEY, label="instead", resume=sessions[0])
        room.comes("eve", KEY, label="as well", resume=sessions[0])
    room.went("""
        last is welcome as eve, member
        one more is refused: too_many_sessions
        acting is refused: too_many_sessions
        eve must go: replaced
        instead is welcome as eve, member
        as well is refused: too_many_sessions
    """)
    assert len(room.world.sessions) == 10


def test_two_create_one_group(room: Room, people: Two) -> None:
    ana, bob = people
    with room.at_once():
        ana >> create("team")
        bob >> create("TEAM")
    bob >> join("team")
    room.went("""
        bob hears ana created team
        ana is echoed ana created team
        ana enters team of ana (ana) with focus
        bob is refused: group_exists
        ana hears bob joined team
        bob is echoed bob joined team
        bob enters team of ana (ana bob) with focus
    """)


def test_one_session_joins_two_groups_at_once(room: Room, people: Two) -> None:
    ana, bob = people
    ana >> create("team")
    ana >> create("club", focus=False)
    room.forget()
    with room.at_once():
        bob >> join("team")
        bob >> join("club")
        bob >> create("third")
    room.went("""
        ana hears bob joined team
        bob is echoed bob joined team
        bob enters team of ana (ana bob) with focus
        bob is refused: in_another_group
        bob is refused: in_another_group
    """)


def test_a_group_goes_while_somebody_joins_it(room: Room, people: Two) -> None:
    ana, bob = people
    ana >> create("team")
    room.forget()
    with room.at_once():
        ana >> leave()
        bob >> join("team")
    room.went("""
        ana is echoed ana left team: left
        bob notices ana left team: left
        ana, bob hear team is gone
        ana gets ok 4
        bob is refused: unknown_group
    """)


def test_a_group_goes_while_somebody_writes_to_it(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one >> create("team")
    room.forget()
    with room.at_once():
        one >> leave()
        two >> say_in("team", "hello?")
    room.went("""
        dora, dora/2 are echoed dora left team: left
        dora, dora/2 hear team is gone
        dora gets ok 4
        dora/2 is refused: unknown_group
    """)


def test_somebody_leaves_twice_at_once(room: Room, people: Two) -> None:
    ana, bob = people
    ana >> create("team")
    bob >> join("team")
    room.forget()
    with room.at_once():
        bob >> leave()
        bob >> leave("team")
    room.went("""
        ana hears bob left team: left
        bob is echoed bob left team: left
        bob gets ok 5
        bob is refused: not_in_group
    """)


def test_the_last_member_leaves_twice_at_once(room: Room, people: Two) -> None:
    ana, _ = people
    ana >> create("team")
    room.forget()
    with room.at_once():
        ana >> leave()
        ana >> leave()
    room.went("""
        ana is echoed ana left team: left
        bob notices ana left team: left
        ana, bob hear team is gone
        ana gets ok 4
        ana is refused: unknown_group
    """)


def test_a_session_is_gone_before_what_it_asked_for(room: Room, people: Two) -> None:
    ana, bob = people
    bob >> create("club", focus=False)
    room.forget()
    with room.at_once():
        ana.ends("lost")
        ana >> create("team")
        ana >> join("club")
        ana >> log_out()
    room.went("bob hears ana left: lost")
    assert [group.name for group in room.world.groups.values()] == ["club"]


def test_a_message_outlives_its_session(room: Room, people: Two) -> None:
    ana, _ = people
    with room.at_once():
        ana.ends("lost")
        ana >> say("famous last words")
        ana >> tell("bob", "yours")
    room.went("""
        bob hears ana left: lost
        bob hears [GLOBAL] ana: famous last words
        ana gets ok 4
        bob hears [PM ana bob] ana: yours
        ana gets ok 5
    """)


def test_somebody_goes_while_they_are_written_to(room: Room, people: Two) -> None:
    ana, bob = people
    with room.at_once():
        bob.ends("left")
        ana >> tell("bob", "psst")
    room.went("""
        ana hears bob left: left
        ana is echoed [PM ana bob] ana: psst
        ana gets ok 4, away bob since 3
    """)


def test_a_session_comes_back_while_its_end_is_on_the_way(room: Room, people: Two) -> None:
    dora = room.comes("dora", KEY)
    dora >> create("team")
    room.forget()
    with room.at_once():
        dora.ends("lost")
        room.comes("dora", KEY, label="back", resume=dora)
    room.commit(LingerEnded(dora.session))
    room.went("""
        ana, bob hear dora left: lost
        ana, bob hear dora returned
        back is echoed dora returned
        back is welcome as dora, member, in team
    """)


def test_a_session_comes_back_while_its_room_is_given_up(room: Room) -> None:
    dora = room.comes("dora", KEY)
    dora >> create("team")
    dora.ends("lost")
    room.forget()
    with room.at_once():
        room.proceed(None, LingerEnded(dora.session))
        room.comes("dora", KEY, label="back", resume=dora)
    room.went("""
        back is echoed dora joined
        back is welcome as dora, member
    """)
    assert not room.world.groups


# What nobody would decide, but a log might hold.


def test_a_session_number_is_never_used_twice(room: Room, people: Two) -> None:
    ana, _ = people
    room.commit(Joined(ana.session, "eve"))
    dora = room.comes("dora", KEY)
    dora.ends("lost")
    room.forget()
    room.commit(Joined(dora.session, "eve", resume=dora.session))
    room.went("")
    assert room.world.user_named("eve") is None


def test_events_of_nobody_and_nothing_change_nothing(room: Room, people: Two) -> None:
    before = room.world.users.copy()
    for event in (
        Posted(1, 99, "global", "boo"),
        Posted(1, 99, "direct:1,99", "boo", users=(1, 99)),
        GroupEntered(people[0].session, 1, 99),
        GroupEntered(99, 1, 99),
        GroupExited(99, 1, 99),
        GroupExited(99, 99, 2),
        Left(99, "lost"),
        LingerEnded(99),
        LingerEnded(people[0].session),
    ):
        room.commit(event)
    room.went("")
    assert room.world.users == before


def test_what_nobody_was_told_is_void(room: Room, people: Two) -> None:
    ana, bob = people
    ana >> create("team")
    lost: list[Event] = [
        GroupRenamed(ana.session, 2, 3, "two", "team"),
        GroupEntered(99, 1, 3),
        GroupEntered(ana.session, 1, 3),
        Posted(ana.session, 1, "group:99", "boo"),
        Kicked(99, 1, 2),
        Joined(99, "ana", 1),
    ]
    for event in lost:
        assert is_void(event, apply(room.world, Committed(100, START_US, event))), event
    held: list[Event] = [Posted(ana.session, 1, "group:3", "hi"), Left(bob.session, "stopped", 2)]
    for event in held:
        assert not is_void(event, apply(room.world, Committed(101, START_US, event))), event


@pytest.mark.parametrize(
    "conversation", ["", "group:", "group:x", "group:99", "group:-1", "group:" + "9" * 5000, "GLOBAL"]
)
def test_a_message_to_no_conversation_reaches_nobody(room: Room, people: Two, conversation: str) -> None:
    ana, _ = people
    room.commit(Posted(ana.session, 1, conversation, "boo"), ana)
    room.went("ana is refused: unknown_group")


def test_addressees_whom_nobody_remembers_have_no_name(room: Room, people: Two) -> None:
    ana, _ = people
    room.commit(Posted(ana.session, 1, "direct:1,2,99", "boo", users=(1, 2, 99)), ana)
    room.went("""
        bob hears [PM ana bob (forgotten)] ana: boo
        ana is echoed [PM ana bob (forgotten)] ana: boo
        ana gets ok 3
    """)
