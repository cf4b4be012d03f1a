"""Signals as bytes on a descriptor: told in the loop, and given back in the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from mystic_server.net.reactor import Reactor
from mystic_server.net.signals import SIGNALS, StopSignals
from tests.server.net.scripted import tick_once, tick_until


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor(lambda error: pytest.fail(f"{error!r}"))
    yield reactor
    reactor.close()


def test_signals_are_told_in_the_loop_in_their_order(reactor: Reactor) -> None:
    told: list[str] = []
    signals = StopSignals(reactor, told.append)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        assert told == []
        tick_until(reactor, lambda: told == ["SIGTERM"])
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        tick_until(reactor, lambda: len(told) == 3)
    finally:
        signals.close()
    assert sorted(told) == ["SIGINT", "SIGTERM", "SIGTERM"]


def test_a_signal_wakes_the_loop(reactor: Reactor) -> None:
    """Without a timer or a peer it would wait for a minute."""
    told: list[str] = []
    signals = StopSignals(reactor, told.append)
    os.kill(os.getpid(), signal.SIGINT)
    try:
        reactor.tick()
    finally:
        signals.close()
    assert told == ["SIGINT"]


def test_other_signals_are_nobodys_business(reactor: Reactor) -> None:
    told: list[str] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: None)
    signals = StopSignals(reactor, told.append)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        tick_once(reactor)
        signals.abort()
    finally:
        signals.close()
        signal.signal(signal.SIGUSR1, before)
    assert told == []


def test_signals_go_back_to_whom_they_belonged(reactor: Reactor) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    signals = StopSignals(reactor, lambda _: None)
    assert [signal.getsignal(number) for number in SIGNALS] != before
    signals.close()
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1
