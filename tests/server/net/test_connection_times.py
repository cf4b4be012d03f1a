"""A connection's time: how long the first bytes may be unclear, and when a wire wants to be called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.net import connection as module
from mystic_server.net.connection import State, WireChoice
from mysticproto.model import Ping
from mysticproto.wire import Item
from tests.server.net.scripted import WELCOME, LineWire, read_now, tick_once
from tests.server.net.test_connection import Line


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


def test_who_says_no_more_is_taken_for_what_that_means(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DETECTING_LIMIT_S", 0.01)
    asked: list[tuple[bytes, bool]] = []

    def choose(first_bytes: bytes, is_final: bool) -> WireChoice:
        asked.append((first_bytes, is_final))
        return LineWire() if is_final else None

    connection, owner, peer = line.connect(choose)
    peer.sendall(b"V\n")
    line.until(lambda: bool(owner.items))
    assert asked == [(b"V\n", False), (b"V\n", True)]
    assert connection.state is State.OPEN
    assert owner.items == [Ping(1)]


def test_every_byte_puts_the_decision_off(line: Line) -> None:
    connection, owner, peer = line.connect(lambda first_bytes, is_final: LineWire() if is_final else None)
    timers = []
    for count in (1, 2, 3):
        peer.sendall(b"x")
        line.until(lambda count=count: connection.bytes_from_peer == count)  # type: ignore[misc]
        timers.append(connection._detecting)
    assert len({id(timer) for timer in timers}) == 3
    assert [timer is not None and timer.callback is not None for timer in timers] == [False, False, True]
    assert owner.told == []


def test_what_can_mean_one_thing_only_is_waited_for(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DETECTING_LIMIT_S", 0.01)
    asked: list[tuple[bytes, bool]] = []

    def choose(first_bytes: bytes, is_final: bool) -> WireChoice:
        asked.append((first_bytes, is_final))
        return LineWire() if len(first_bytes) > 1 else None

    connection, owner, peer = line.connect(choose)
    peer.sendall(b"L")
    line.until(lambda: len(asked) == 2)
    assert asked == [(b"L", False), (b"L", True)]
    assert connection.state is State.DETECTING
    peer.sendall(b"\n")
    line.until(lambda: bool(owner.items))
    assert asked[2:] == [(b"L\n", False)]


def test_who_has_gone_is_not_decided_on(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DETECTING_LIMIT_S", 0.01)
    connection, owner, peer = line.connect(lambda first_bytes, is_final: LineWire() if is_final else None)
    peer.sendall(b"V")
    line.until(lambda: connection.bytes_from_peer == 1)
    peer.close()
    line.until_closed(connection)
    assert not connection._detecting or connection._detecting.callback is None
    assert owner.told == ["lost"]


def test_a_wire_that_is_known_speaks_before_a_byte_has_come(line: Line) -> None:
    connection, owner, peer = line.connect(lambda first_bytes, is_final: LineWire())
    connection.begin()
    tick_once(line.reactor)
    assert read_now(peer) == WELCOME
    assert (connection.state, owner.told) == (State.OPEN, ["opened"])
    peer.sendall(b"LINE\n")
    line.until(lambda: bool(owner.items))
    assert owner.items == [Ping(4)]


# The wire's time.


class Alarm(LineWire):
    """Is due at `due_s` and notes when it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.due_s: float | None = None
        self.rings = 0

    def feed(self, data: bytes, now: float) -> list[Item]:
        if data:
            return super().feed(data, now)
        self.rings += 1
        self.due_s = None
        return [Ping(100)]

    def next_deadline(self) -> float | None:
        return self.due_s


def test_a_wire_is_called_when_it_wants_to_be_and_once(line: Line) -> None:
    alarm = Alarm()
    connection, owner, _ = line.connect(lambda first_bytes, is_final: alarm)
    connection.begin()
    for delay_s in (60.0, 50.0, 0.02):
        alarm.due_s = line.reactor.now + delay_s
        connection.keep_deadline()
        connection.keep_deadline()
    alarm.due_s = line.reactor.now
    line.until(lambda: alarm.rings == 1)
    assert owner.items == [Ping(100)]
    living = [timer for _, _, timer in line.reactor._timers if timer.callback is not None]
    assert connection._deadline is None and len(living) <= 1  # the loop's own limit


def test_a_wire_that_has_ended_is_not_called(line: Line) -> None:
    alarm = Alarm()
    connection, owner, _ = line.connect(lambda first_bytes, is_final: alarm)
    connection.begin()
    alarm.due_s = line.reactor.now + 0.01
    connection.keep_deadline()
    timer = connection._deadline
    connection.close("lost")
    assert timer and timer.callback is None
    connection.keep_deadline()
    assert alarm.rings == 0 and owner.items == []
