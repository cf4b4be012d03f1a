"""The loop: who is called when, and that nobody's bug stops it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TypeAlias

import pytest

from mystic_server.net.reactor import READ, WRITE, Reactor

Pair: TypeAlias = tuple[socket.socket, socket.socket]


class Listening:
    """A handler that remembers."""

    def __init__(self, order: list[str] | None = None) -> None:
        self.calls: list[tuple[bool, bool]] = []
        self.order = [] if order is None else order
        self.aborts = 0

    def ready(self, readable: bool, writable: bool) -> None:
        self.calls.append((readable, writable))
        self.order.append("handler")

    def abort(self) -> None:
        self.aborts += 1


class Broken(Listening):
    """A handler with a bug."""

    def ready(self, readable: bool, writable: bool) -> None:
        raise LookupError("a bug")


@pytest.fixture
def faults() -> list[BaseException]:
    return []


@pytest.fixture
def reactor(faults: list[BaseException]) -> Iterator[Reactor]:
    reactor = Reactor(faults.append)
    yield reactor
    reactor.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_handler_is_told_what_is_ready(reactor: Reactor, pair: Pair) -> None:
    handler = Listening()
    reactor.register(pair[0], handler, READ | WRITE)
    reactor.tick()
    pair[1].send(b"x")
    reactor.tick()
    assert handler.calls == [(False, True), (True, True)]


def test_interest_can_change_and_vanish(reactor: Reactor, pair: Pair) -> None:
    handler = Listening()
    reactor.modify(pair[0], handler, WRITE)
    reactor.tick()
    reactor.modify(pair[0], handler, 0)
    reactor.modify(pair[0], handler, 0)
    reactor.unregister(pair[0])
    pair[1].send(b"x")
    reactor.call_later(0, lambda: None)
    reactor.tick()
    reactor.modify(pair[0], handler, READ)
    reactor.tick()
    assert handler.calls == [(False, True), (True, False)]


def test_a_tick_has_an_order(reactor: Reactor, pair: Pair) -> None:
    order: list[str] = []
    reactor.at_tick_end(lambda: order.append("log"))
    reactor.at_tick_end(lambda: order.append("peers"))
    reactor.call_later(0, lambda: order.append("timer"))
    reactor.register(pair[0], Listening(order), WRITE)
    reactor.tick()
    assert order == ["handler", "timer", "log", "peers"]


def test_who_has_only_room_again_comes_after_who_speaks(reactor: Reactor, pair: Pair) -> None:
    order: list[str] = []
    with_room, speaking = Listening(order), Listening(order)
    with_room.ready = lambda readable, writable: order.append("room")  # type: ignore[method-assign]
    reactor.register(pair[0], with_room, WRITE)  # is ready first
    reactor.tick()
    assert not reactor.has_news
    reactor.register(pair[1], speaking, READ)
    pair[0].send(b"x")
    order.clear()
    reactor.tick()
    assert order == ["handler", "room"] and reactor.has_news


def test_timers_run_by_time_then_by_age(reactor: Reactor) -> None:
    order: list[str] = []
    for name, when in (("c", 0.02), ("a", 0.0), ("d", 0.02), ("b", 0.01)):
        reactor.call_at(reactor.now + when, lambda name=name: order.append(name))  # type: ignore[misc]
    while len(order) < 4:
        reactor.tick()
    assert order == ["a", "b", "c", "d"]


def test_a_timer_is_never_early(reactor: Reactor) -> None:
    ran: list[float] = []
    due = reactor.call_later(0.02, lambda: ran.append(reactor.now)).when
    while not ran:
        reactor.tick()
    assert ran[0] >= due


def test_a_cancelled_timer_does_not_run(reactor: Reactor) -> None:
    ran: list[str] = []
    early = reactor.call_later(0, lambda: ran.append("early"))
    late = reactor.call_later(0.001, lambda: ran.append("late"))
    reactor.call_later(0.002, lambda: ran.append("last"))
    early.cancel()
    late.cancel()
    late.cancel()
    while not ran:
        reactor.tick()
    late.cancel()
    assert ran == ["last"]


def test_a_timer_of_a_timer_waits_for_no_peer(reactor: Reactor) -> None:
    ran: list[int] = []

    def again() -> None:
        ran.append(len(ran))
        if len(ran) < 5:
            reactor.call_later(0, again)

    reactor.call_later(0, again)
    while len(ran) < 5:
        reactor.tick()
    assert ran == [0, 1, 2, 3, 4]


def test_it_runs_until_it_is_stopped(reactor: Reactor) -> None:
    reactor.call_later(0, reactor.stop)
    reactor.run()


def test_a_bug_is_reported_and_its_handler_ended(reactor: Reactor, faults: list[BaseException], pair: Pair) -> None:
    broken, other = Broken(), Listening()
    reactor.register(pair[0], broken, WRITE)
    reactor.register(pair[1], other, WRITE)
    reactor.tick()
    assert [str(fault) for fault in faults] == ["a bug"]
    assert (broken.aborts, other.aborts, len(other.calls)) == (1, 0, 1)


def test_a_bug_in_a_timer_or_at_the_end_of_a_tick_is_reported(reactor: Reactor, faults: list[BaseException]) -> None:
    ran: list[str] = []

    def bug() -> None:
        raise LookupError("a bug")

    reactor.at_tick_end(bug)
    reactor.at_tick_end(lambda: ran.append("end"))
    reactor.call_later(0, bug)
    reactor.call_later(0, lambda: ran.append("timer"))
    reactor.tick()
    assert [type(fault) for fault in faults] == [LookupError, LookupError]
    assert ran == ["timer", "end"]


def test_a_handler_that_was_unregistered_in_this_tick_is_not_called(reactor: Reactor, pair: Pair) -> None:
    class Closing(Listening):
        def ready(self, readable: bool, writable: bool) -> None:
            super().ready(readable, writable)
            for sock in pair:
                reactor.unregister(sock)

    first, second = Closing(), Closing()
    reactor.register(pair[0], first, WRITE)
    reactor.register(pair[1], second, WRITE)
    reactor.tick()
    assert len(first.calls) + len(second.calls) == 1


def test_it_remembers_its_longest_stall(reactor: Reactor) -> None:
    reactor.call_later(0, lambda: None)
    reactor.tick()
    assert reactor.longest_stall_s > 0
