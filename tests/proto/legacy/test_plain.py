from __future__ import annotations

import pytest

from mysticproto import model
from mysticproto.legacy.plain import in_older_words, sentence, stopping, text_in_place
from mysticproto.model import Event
from mysticproto.wire import Role
from tests.proto.vocabulary import ANA, BOB, EVENTS, PASSING, ROOM, T


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (model.Message(1, T, ANA, model.Global(), "hi"), "ana: hi"),
        (model.Message(1, T, ANA, model.Direct((ANA, BOB)), "hi"), "ana: hi"),
        (model.Message(1, T, ANA, ROOM, "hi"), "ana: [crew] hi"),
        (model.UserJoined(1, T, ANA), "ana has joined"),
        (model.UserLeft(1, T, ANA, "lost"), "ana has left"),
        (model.GroupCreated(1, T, ROOM, ANA), "ana has created the group crew"),
        (model.GroupJoined(1, T, ROOM, BOB, ANA), "Боб has joined the group crew"),
        (model.GroupLeft(1, T, ROOM, BOB), "Боб has left the group crew"),
        (model.GroupDeleted(1, T, ROOM), "The group crew is gone"),
    ],
)
def test_what_happened_in_one_sentence(event: Event, expected: str) -> None:
    assert sentence(event) == expected


def test_every_event_has_a_sentence() -> None:
    assert all(sentence(event) for event in EVENTS)


def test_only_a_groups_messages_name_their_place() -> None:
    for event in EVENTS:
        if isinstance(event, model.Message):
            assert text_in_place(event).startswith("[") == isinstance(event.conversation, model.Group)


def test_seconds_are_counted_as_people_do() -> None:
    assert stopping(model.StoppingIn(1)) == "The server stops in 1 second."
    assert stopping(model.StoppingIn(60)) == "The server stops in 60 seconds."


HOUR_US = 3_600_000_000
KNOWN = model.Message | model.UserJoined | model.UserLeft | model.GroupCreated | model.GroupJoined | model.GroupLeft


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (model.GroupRenamed(1, T, ROOM, ANA, "team"), "ana has renamed the group team to crew."),
        (model.GroupHandedOver(1, T, ROOM, ANA, BOB), "ana has handed the group crew over to Боб."),
        (model.GroupKept(1, T, ROOM, ANA, True), "The group crew stays when its members are away."),
        (model.Moderated(1, T, "kick", ANA, "Боб", "too loud"), "ana has removed Боб from the server: too loud."),
        (model.Moderated(1, T, "mute", ANA, "Боб", "", T + HOUR_US), "ana has muted Боб for 1 hour."),
        (model.Moderated(1, T, "ban", ANA, "Боб", "", T + 90 * HOUR_US), "ana has banned Боб for 4 days."),
        (model.Moderated(1, T, "ban", ANA, "Боб", "", model.FOR_EVER_US), "ana has banned Боб."),
        (model.Moderated(1, T, "unmute", ANA, "Боб"), "ana has let Боб speak again."),
        (model.StoppingIn(0), "The server goes on after all."),
    ],
)
def test_what_is_newer_is_said_in_a_notice(event: Event | model.Passing, expected: str) -> None:
    assert in_older_words(event, Role.OTHER) == model.Notice(expected)


def test_an_edited_message_is_said_once_more_and_a_deleted_one_is_not() -> None:
    edited = model.MessageEdited(5, T, 3, ANA, ROOM, "hi all")
    assert in_older_words(edited, Role.OTHER) == model.Message(5, T, ANA, ROOM, "(edited) hi all")
    assert in_older_words(model.MessageEdited(5, T, 3, ANA, ROOM, ""), Role.OTHER) is None
    assert in_older_words(model.MessageDeleted(6, T, 3, ANA, ROOM), Role.OTHER) is None
    assert in_older_words(model.Message(3, T, ANA, ROOM, "", deleted=True), Role.OTHER) is None


def test_an_announcement_is_a_message_that_says_so() -> None:
    announced = model.Message(3, T, ANA, model.Broadcast(), "cake", announcement=True)
    expected = model.Message(3, T, ANA, model.Broadcast(), "(announcement) cake")
    assert in_older_words(announced, Role.OTHER) == expected


def test_of_what_is_newer_only_those_hear_whom_it_is_for() -> None:
    for role in (Role.AUTHOR, Role.BYSTANDER):
        assert in_older_words(model.GroupRenamed(1, T, ROOM, ANA, "team"), role) is None


@pytest.mark.parametrize("role", Role)
def test_what_older_programs_know_stays_the_very_object(role: Role) -> None:
    for said in [*EVENTS, *PASSING]:
        is_old = isinstance(said, KNOWN) and not (
            isinstance(said, model.Message) and (said.deleted or said.announcement)
        )
        assert not is_old or in_older_words(said, role) is said
