"""Watermarks on their way: together, not too often, and never lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from mystic_client.session.marks import EVERY_S, MAX_CONVERSATIONS, Marks
from mysticproto.model import Mark


@pytest.fixture
def numbers() -> Callable[[], int]:
    return itertools.count(1).__next__


def test_the_first_goes_at_once_and_the_next_after_a_second(numbers: Callable[[], int]) -> None:
    marks = Marks(private=False)
    assert marks.maybe_due_at_s() is None
    marks.note("direct:1,2", delivered=5)
    assert marks.take_due(100.0, numbers) == [Mark(1, "direct:1,2", 5)]
    assert marks.take_due(200.0, numbers) == []
    marks.note("direct:1,2", delivered=6)
    assert marks.take_due(200.0, numbers) == [Mark(2, "direct:1,2", 6)]
    for seq in (7, 9, 8):
        marks.note("direct:1,2", delivered=seq)
    marks.note("direct:1,2", read=8)
    assert marks.take_due(200.5, numbers) == []
    assert marks.maybe_due_at_s() == 200.0 + EVERY_S
    assert marks.take_due(200.0 + EVERY_S, numbers) == [Mark(3, "direct:1,2", 9, 8)]


def test_conversations_do_not_wait_for_each_other(numbers: Callable[[], int]) -> None:
    marks = Marks(private=True)
    marks.note("group:1", read=3)
    marks.take_due(10.0, numbers)
    marks.note("group:1", read=4)
    marks.note("group:2", delivered=4)
    assert marks.take_due(10.1, numbers) == [Mark(2, "group:2", 4, 0, private=True)]
    assert marks.take_due(10.1, numbers, all_of_them=True) == [Mark(3, "group:1", 4, 4, private=True)]


def test_a_mark_never_goes_back_and_is_not_said_twice(numbers: Callable[[], int]) -> None:
    marks = Marks(private=False)
    marks.note("group:1", delivered=9, read=9)
    marks.take_due(1.0, numbers)
    marks.note("group:1", delivered=9, read=3)
    assert marks.maybe_due_at_s() is None


def test_what_was_not_acknowledged_is_said_again_after_a_break(numbers: Callable[[], int]) -> None:
    marks = Marks(private=False)
    marks.note("group:1", delivered=9)
    marks.note("group:2", delivered=9)
    first, second = sorted(marks.take_due(1.0, numbers), key=lambda mark: mark.conversation)
    assert marks.answered(first.n)
    assert not marks.answered(first.n)
    assert not marks.answered(77)
    marks.note("group:2", read=10)
    marks.disconnected()
    assert not marks.answered(second.n)
    assert marks.take_due(50.0, numbers) == [Mark(3, "group:2", 10, 10)]


def test_what_waits_is_bounded_and_another_server_knows_nothing_of_it(numbers: Callable[[], int]) -> None:
    marks = Marks(private=False)
    for number in range(MAX_CONVERSATIONS + 10):
        marks.note(f"group:{number}", delivered=1)
    due = marks.take_due(1.0, numbers)
    assert len(due) == MAX_CONVERSATIONS
    assert "group:0" not in {mark.conversation for mark in due}
    for seq in range(2, 12):
        marks.note("group:99", delivered=seq)
        marks.take_due(1.0, numbers, all_of_them=True)
    assert not marks.answered(due[0].n), "the oldest that nobody answered is forgotten"
    marks.note("group:1", delivered=99)
    marks.forget()
    marks.disconnected()
    assert marks.maybe_due_at_s() is None
