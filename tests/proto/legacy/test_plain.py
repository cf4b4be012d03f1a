from __future__ import annotations

import pytest

from mysticproto import model
from mysticproto.legacy.plain import sentence, stopping, text_in_place
from mysticproto.model import Event
from tests.proto.vocabulary import ANA, BOB, EVENTS, ROOM, T


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
    said = [text_in_place(event) for event in EVENTS if isinstance(event, model.Message)]
    assert [text.startswith("[") for text in said] == [False, False, False, True]


def test_seconds_are_counted_as_people_do() -> None:
    assert stopping(model.StoppingIn(1)) == "The server stops in 1 second."
    assert stopping(model.StoppingIn(60)) == "The server stops in 60 seconds."
