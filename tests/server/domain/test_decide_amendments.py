"""Edits and deletions are decided on what the log says of the message."""

from __future__ import annotations

import pytest

from mystic_server.domain.decide_amendments import decide_delete, decide_edit
from mystic_server.domain.events import Amended, Committed, Deleted, Edited, Event, GroupCreated, Joined, Posted
from mystic_server.domain.refusals import Decision
from mysticproto.model import Delete, Edit, Refused
from tests.support.transcript import Person, Room

NUMBER = 7


@pytest.fixture
def ana() -> Person:
    room = Room()
    ana = room.comes("ana")
    room.comes("bob")
    return ana


def edited(ana: Person, original: Committed | None) -> Decision:
    return decide_edit(ana.room.world, ana.here, Edit(3, NUMBER, "new"), original)


def deleted(ana: Person, original: Committed | None) -> Decision:
    return decide_delete(ana.room.world, ana.here, Delete(3, NUMBER), original)


def code(decision: Decision) -> str:
    assert isinstance(decision, Refused) and decision.n == 3
    return decision.code


def test_an_amendment_has_the_message_s_place(ana: Person) -> None:
    direct = Committed(NUMBER, 1, Posted(9, 1, "direct:1,2", "old", users=(1, 2)))
    assert edited(ana, direct) == Edited(ana.session, 1, NUMBER, "direct:1,2", "new", (1, 2))
    assert deleted(ana, direct) == Deleted(ana.session, 1, NUMBER, "direct:1,2", (1, 2))


def test_an_edited_message_is_edited_again(ana: Person) -> None:
    original = Committed(NUMBER, 1, Posted(9, 1, "global", "old"), Amended("newer", 2))
    assert isinstance(edited(ana, original), Edited)
    assert isinstance(deleted(ana, original), Deleted)


def test_a_deleted_message_is_neither_edited_nor_deleted(ana: Person) -> None:
    original = Committed(NUMBER, 1, Posted(9, 1, "global", ""), Amended("", 2, deleted=True))
    assert code(edited(ana, original)) == code(deleted(ana, original)) == "message_deleted"


def test_a_deletion_that_was_just_applied_counts_before_the_look_up_knows_it(ana: Person) -> None:
    ana.room.world.remember_deleted(NUMBER)
    original = Committed(NUMBER, 1, Posted(9, 1, "global", "old"))
    assert code(edited(ana, original)) == code(deleted(ana, original)) == "message_deleted"


@pytest.mark.parametrize("event", [None, Joined(9, "ana"), GroupCreated(9, 1, "team"), Edited(9, 1, 3, "global", "x")])
def test_only_messages_are_amended(ana: Person, event: Event | None) -> None:
    original = Committed(NUMBER, 1, event) if event else None
    assert code(edited(ana, original)) == code(deleted(ana, original)) == "unknown_message"
