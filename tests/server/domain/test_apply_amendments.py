"""Edits and deletions: whose they are, who hears of them, and what happens when they cross."""

from __future__ import annotations

import pytest

from mystic_server.domain import world
from mystic_server.domain.events import Deleted, Edited
from tests.support.transcript import (
    Person,
    Room,
    create,
    delete,
    edit,
    end_group,
    join,
    keep,
    leave,
    mute,
    say,
    say_in,
    shout,
    tell,
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
    """With number 3; the next event is the fourth."""
    carl = room.comes("carl")
    room.forget()
    return carl


# Editing.


def test_who_hears_the_conversation_hears_the_edit(room: Room, ana: Person, carl: Person) -> None:
    ana >> say("helo")
    room.forget()
    ana >> edit(4, "hello")
    room.went("""
        bob, carl hear [GLOBAL] ana edited 4: hello
        ana is echoed [GLOBAL] ana edited 4: hello
        ana gets ok 5
    """)


def test_a_direct_message_s_edit_stays_between_them(room: Room, ana: Person, carl: Person) -> None:
    ana >> tell("bob", "helo")
    room.forget()
    ana >> edit(4, "hello")
    room.went("""
        bob hears [PM ana bob] ana edited 4: hello
        ana is echoed [PM ana bob] ana edited 4: hello
        ana gets ok 5
    """)


def test_a_group_s_edit_stays_in_the_group(room: Room, ana: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    ana >> say_in("team", "helo")
    room.forget()
    ana >> edit(5, "hello")
    room.went("""
        bob hears [team] ana edited 5: hello
        ana is echoed [team] ana edited 5: hello
        ana gets ok 6
    """)


def test_who_went_into_a_group_may_have_had_the_global_message_and_learns_of_its_edit(
    room: Room, ana: Person, bob: Person, carl: Person
) -> None:
    ana >> say("helo")
    bob >> create("club")
    room.forget()
    ana >> edit(4, "hello")
    ana >> delete(4)
    room.went("""
        carl hears [GLOBAL] ana edited 4: hello
        ana is echoed [GLOBAL] ana edited 4: hello
        bob notices [GLOBAL] ana edited 4: hello
        ana gets ok 6
        carl hears [GLOBAL] ana deleted 4
        ana is echoed [GLOBAL] ana deleted 4
        bob notices [GLOBAL] ana deleted 4
        ana gets ok 7
    """)


def test_a_broadcast_s_edit_is_one_too(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    bob >> create("club")
    ana >> shout("helo")
    room.forget()
    ana >> edit(5, "hello")
    room.went("""
        bob, carl hear [BROADCAST] ana edited 5: hello
        ana is echoed [BROADCAST] ana edited 5: hello
        ana gets ok 6
    """)


def test_a_message_is_edited_as_often_as_one_likes(room: Room, ana: Person, carl: Person) -> None:
    ana >> say("one")
    room.forget()
    ana >> edit(4, "two")
    ana >> edit(4, "three")
    assert room.lines[-1] == "ana gets ok 6"


def test_an_edit_is_no_message_that_could_be_edited(room: Room, ana: Person, carl: Person) -> None:
    ana >> say("one")
    ana >> edit(4, "two")
    room.forget()
    ana >> edit(5, "three")
    ana >> delete(5)
    room.went("""
        ana is refused: unknown_message
        ana is refused: unknown_message
    """)


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "text_empty"), (" \n", "text_empty"), ("\x1b[2J", "text_empty"), ("x" * 32769, "text_too_long")],
)
def test_an_edit_has_the_rules_of_a_message(room: Room, ana: Person, carl: Person, text: str, code: str) -> None:
    ana >> say("one")
    room.forget()
    ana >> edit(4, text)
    room.went(f"ana is refused: {code}")


def test_an_edit_is_cleaned(room: Room, ana: Person, carl: Person) -> None:
    ana >> say("one")
    ana >> edit(4, "\x1b[31mtwo\x07")
    event = room.log[-1].event
    assert isinstance(event, Edited) and event.text == "two\ufffd"


@pytest.mark.parametrize("number", [0, -1, 3, 99, 2**63 - 1, 2**64])
def test_there_must_be_such_a_message(room: Room, ana: Person, carl: Person, number: int) -> None:
    ana >> edit(number, "boo")
    ana >> delete(number)
    room.went("""
        ana is refused: unknown_message
        ana is refused: unknown_message
    """)


def test_another_s_message_stays_as_it_is(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> say("hi")
    ana >> tell("bob", "psst")
    room.forget()
    for number in (4, 5):
        bob >> edit(number, "boo")
        bob >> delete(number)
        room.went("""
            bob is refused: not_allowed
            bob is refused: not_allowed
        """)


def test_what_one_can_t_read_isn_t_there(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    ana >> say_in("team", "hi")
    ana >> tell("bob", "psst")
    room.forget()
    for number in (5, 6):
        carl >> edit(number, "boo")
        carl >> delete(number)
        room.went("""
            carl is refused: unknown_message
            carl is refused: unknown_message
        """)


def test_who_has_left_a_group_changes_nothing_there(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    bob >> say_in("team", "hi")
    bob >> leave("team")
    room.forget()
    bob >> edit(5, "boo")
    bob >> delete(5)
    room.went("""
        bob is refused: unknown_message
        bob is refused: unknown_message
    """)


def test_the_next_holder_of_a_name_has_said_nothing_yet(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    bob >> say("hi")
    bob >> tell("ana", "psst")
    bob.ends("left")
    bob = room.comes("bob")
    room.forget()
    bob >> edit(4, "boo")
    bob >> delete(4)
    bob >> edit(5, "boo")
    bob >> delete(5)
    room.went("""
        bob/2 is refused: not_allowed
        bob/2 is refused: not_allowed
        bob/2 is refused: unknown_message
        bob/2 is refused: unknown_message
    """)


def test_a_claimed_name_edits_from_every_device(room: Room) -> None:
    one = room.comes("dora", KEY)
    one >> say("helo")
    one.ends("lost")
    two = room.comes("dora", KEY)
    room.forget()
    two >> edit(2, "hello")
    room.went("""
        dora/2 is echoed [GLOBAL] dora edited 2: hello
        dora/2 gets ok 5
    """)


def test_who_is_muted_edits_nothing_but_may_take_it_back(room: Room, ana: Person, carl: Person) -> None:
    olga = room.operator("olga", KEY)
    ana >> say("hi")
    olga >> mute("ana", 60)
    room.forget()
    ana >> edit(6, "boo")
    ana >> say("boo")
    ana >> delete(6)
    room.went("""
        ana is refused: muted
        ana is refused: muted
        bob, carl, olga hear [GLOBAL] ana deleted 6
        ana is echoed [GLOBAL] ana deleted 6
        ana gets ok 8
    """)


# Deleting.


def test_who_hears_the_conversation_hears_that_something_is_gone(room: Room, ana: Person, carl: Person) -> None:
    ana >> tell("bob", "oops")
    room.forget()
    ana >> delete(4)
    room.went("""
        bob hears [PM ana bob] ana deleted 4
        ana is echoed [PM ana bob] ana deleted 4
        ana gets ok 5
    """)


def test_what_is_deleted_is_so_for_ever(room: Room, ana: Person, carl: Person) -> None:
    ana >> say("oops")
    ana >> delete(4)
    room.world.recently_deleted.clear()  # a look-up finds it all the same
    room.forget()
    ana >> edit(4, "better")
    ana >> delete(4)
    room.went("""
        ana is refused: message_deleted
        ana is refused: message_deleted
    """)


def test_an_operator_deletes_what_others_can_read(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    olga = room.operator("olga", KEY)
    ana >> say("spam")
    ana >> keep("team", "bob")
    ana >> say_in("team", "spam")
    ana >> tell("bob", "psst")
    room.forget()
    olga >> edit(6, "ham")
    olga >> delete(6)
    olga >> delete(8)
    olga >> delete(9)
    room.went("""
        olga is refused: not_allowed
        ana, bob, carl hear [GLOBAL] olga deleted 6
        olga is echoed [GLOBAL] olga deleted 6
        olga gets ok 10
        ana, bob hear [team] olga deleted 8
        olga is echoed [team] olga deleted 8
        olga gets ok 11
        olga is refused: unknown_message
    """)


def test_only_an_operator_of_this_moment_does(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    dora = room.comes("dora", KEY)
    ana >> say("hi")
    room.forget()
    dora >> delete(5)
    room.went("dora is refused: not_allowed")


# Several at once.


def test_an_edit_that_crosses_a_deletion_changes_nothing(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one >> say("oops")
    room.forget()
    with room.at_once():
        one >> delete(3)
        two >> edit(3, "better")
        two >> delete(3)
    room.went("""
        dora, dora/2 are echoed [GLOBAL] dora deleted 3
        dora gets ok 4
        dora/2 is refused: message_deleted
        dora/2 is refused: message_deleted
    """)


def test_an_edit_that_comes_first_is_gone_with_the_message(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one >> say("oops")
    room.forget()
    with room.at_once():
        two >> edit(3, "better")
        one >> delete(3)
    room.went("""
        dora, dora/2 are echoed [GLOBAL] dora edited 3: better
        dora/2 gets ok 4
        dora, dora/2 are echoed [GLOBAL] dora deleted 3
        dora gets ok 5
    """)


def test_a_group_goes_while_something_in_it_is_changed(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> keep("team", "bob")
    bob >> say_in("team", "one")
    bob >> say_in("team", "two")
    room.forget()
    with room.at_once():
        ana >> end_group("team")
        bob >> edit(5, "better")
        bob >> delete(6)
    room.went("""
        bob, carl hear ana ended team
        ana is echoed ana ended team
        ana gets ok 7
        bob is refused: unknown_group
        bob is refused: unknown_group
    """)


def test_a_deletion_outlives_its_session(room: Room, ana: Person, carl: Person) -> None:
    ana >> say("oops")
    room.forget()
    with room.at_once():
        ana.ends("lost")
        ana >> delete(4)
    room.went("""
        bob, carl hear ana left: lost
        bob, carl hear [GLOBAL] ana deleted 4
        ana gets ok 6
    """)


def test_so_many_deletions_are_remembered_and_no_more(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "MAX_DELETED_REMEMBERED", 2)
    for number in (5, 6, 7):
        room.world.remember_deleted(number)
    assert list(room.world.recently_deleted) == [6, 7]


# What nobody would decide, but a log might hold.


def test_amendments_by_nobody_and_of_nothing_change_nothing(room: Room, ana: Person, carl: Person) -> None:
    room.commit(Edited(1, 99, 1, "global", "boo"))
    room.commit(Deleted(1, 99, 1, "global"))
    room.commit(Edited(1, 1, 1, "nonsense", "boo"), ana)
    room.commit(Deleted(1, 1, 1, "group:99"), ana)
    room.went("""
        ana is refused: unknown_group
        ana is refused: unknown_group
    """)


def test_a_room_s_message_is_edited_by_who_is_in_it(room: Room, ana: Person, bob: Person, carl: Person) -> None:
    ana >> create("club")
    bob >> join("club")
    bob >> say_in("", "helo")
    room.forget()
    bob >> edit(6, "hello")
    room.went("""
        ana hears [club] bob edited 6: hello
        bob is echoed [club] bob edited 6: hello
        bob gets ok 7
    """)
