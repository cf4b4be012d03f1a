"""Events in the log's order, without repetitions, whatever is caught up and whatever is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_client.session.order import MAX_AT_CURSOR, MAX_HELD, EventOrder
from mysticproto import model
from mysticproto.errors import ProtocolError

ANA = model.UserRef(1, "ana")
TEAM = model.Group(4, "team")


def message(seq: int) -> model.Message:
    return model.Message(seq, seq, ANA, model.Global(), str(seq))


def welcome(upto: int, *, catching_up: bool = False) -> model.Welcome:
    return model.Welcome(1, 1, ANA, "guest", upto, None, catching_up)


def test_a_fresh_device_begins_with_what_comes_after_its_login() -> None:
    order = EventOrder(-1)
    order.welcomed(welcome(10))
    assert order.live(message(10)) == []
    assert order.live(message(11)) == [message(11)]
    assert order.cursor == 11


def test_live_events_wait_for_the_last_part() -> None:
    order = EventOrder(3)
    order.welcomed(welcome(7, catching_up=True))
    assert order.catching_up
    assert order.live(message(8)) == []
    assert order.caught_up(model.CatchUp((message(4), message(5)), 5, more=True)) == [message(4), message(5)]
    assert order.cursor == 5
    assert order.caught_up(model.CatchUp((message(7), message(8)), 8)) == [message(7), message(8)]
    assert (order.cursor, order.catching_up) == (8, False)


def test_a_break_during_a_catch_up_goes_on_after_the_parts_that_came() -> None:
    order = EventOrder(3)
    order.welcomed(welcome(9, catching_up=True))
    order.caught_up(model.CatchUp((message(4), message(6)), 6, more=True))
    order.live(message(12))
    order.welcomed(welcome(13, catching_up=True))
    assert order.cursor == 6
    assert order.caught_up(model.CatchUp((message(12),), 13)) == [message(12)]


def test_what_waited_for_a_fresh_device_is_older_than_its_login_and_still_new() -> None:
    order = EventOrder(-1)
    order.welcomed(welcome(100, catching_up=True))
    assert order.caught_up(model.CatchUp((message(20), message(40)), 100)) == [message(20), message(40)]
    assert order.cursor == 100


def test_several_events_of_one_number() -> None:
    order = EventOrder(1)
    order.welcomed(welcome(1))
    left, deleted = model.GroupLeft(5, 5, TEAM, ANA), model.GroupDeleted(5, 5, TEAM)
    assert order.live(left) == [left]
    assert order.live(deleted) == [deleted]
    assert order.live(deleted) == order.live(left) == []
    order.welcomed(welcome(5))
    assert order.live(deleted) == []
    order.welcomed(welcome(6))
    assert order.live(message(6)) == []


def test_a_log_that_was_put_back_counts_from_there() -> None:
    order = EventOrder(500)
    order.welcomed(welcome(20))
    assert order.live(message(21)) == [message(21)]


def test_bounds() -> None:
    order = EventOrder(0)
    order.welcomed(welcome(1, catching_up=True))
    for seq in range(MAX_HELD):
        order.live(message(seq + 2))
    with pytest.raises(ProtocolError):
        order.live(message(MAX_HELD + 2))
    order = EventOrder(0)
    order.welcomed(welcome(0))
    passed = [order.live(model.Message(1, 1, ANA, model.Global(), str(n))) for n in range(MAX_AT_CURSOR + 5)]
    assert sum(map(len, passed)) == MAX_AT_CURSOR


@given(st.data())
def test_every_event_once_and_in_order_through_any_breaks(data: st.DataObject) -> None:
    """A server that keeps its promises: everything after `after`, in parts, with live events in between."""
    order, log, passed = EventOrder(0), 0, []
    for _ in range(data.draw(st.integers(1, 5))):
        log += data.draw(st.integers(0, 6))
        after = order.cursor
        order.welcomed(welcome(log, catching_up=after < log))
        sent = after
        while sent < log:
            upto = data.draw(st.integers(sent + 1, log))
            part = model.CatchUp(tuple(map(message, range(sent + 1, upto + 1))), upto, more=upto < log)
            passed += order.caught_up(part)
            sent = upto
            if data.draw(st.booleans()) and sent < log:
                break
            if data.draw(st.booleans()):
                passed += order.live(message(log + 1))
                log += 1
        else:
            for _ in range(data.draw(st.integers(0, 3))):
                log += 1
                passed += order.live(message(log))
                passed += order.live(message(data.draw(st.integers(1, log))))
    assert [event.seq for event in passed] == list(range(1, order.cursor + 1))
