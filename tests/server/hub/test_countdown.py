"""The countdown: what is said when, once, and the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mystic_server.hub.countdown import STEPS_S, Countdown
from mysticproto.errors import Code
from mysticproto.model import Ok, Refused, Shutdown, StoppingIn
from tests.server.hub.rig import Rig
from tests.server.hub.wires import Personal


class ByHand:
    """A clock that only remembers what it was asked for."""

    def __init__(self) -> None:
        self.now = 5.0
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Cancelled:
        self.calls.append((delay_s, callback))
        return Cancelled(self, self.calls[-1])


class Cancelled:
    """Takes a call from the clock."""

    def __init__(self, clock: ByHand, call: tuple[float, Callable[[], None]]) -> None:
        self._clock = clock
        self._call = call

    def cancel(self) -> None:
        self._clock.calls.remove(self._call)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(counts_down=True) as rig:
        yield rig


def test_every_step_is_said_in_time_and_then_it_ends() -> None:
    clock, said = ByHand(), list[object]()
    Countdown(clock, said.append, lambda: said.append("end")).start()
    for _, callback in sorted(clock.calls, key=lambda call: call[0]):
        callback()
    assert sorted(delay_s for delay_s, _ in clock.calls) == [0, 30, 45, 57, 58, 59, 60]
    assert said == [*STEPS_S, "end"] == [60, 30, 15, 3, 2, 1, "end"]


def test_it_begins_once_whoever_asks_again() -> None:
    clock = ByHand()
    countdown = Countdown(clock, lambda seconds: None, lambda: None)
    countdown.start()
    countdown.start()
    assert len(clock.calls) == len(STEPS_S) + 1


def test_it_can_be_cancelled_and_begun_again() -> None:
    clock, said = ByHand(), list[object]()
    countdown = Countdown(clock, said.append, lambda: said.append("end"))
    assert not countdown.cancel()
    countdown.start()
    assert countdown.cancel()
    assert clock.calls == [] and said == [0]
    assert not countdown.cancel()
    countdown.start()
    assert len(clock.calls) == len(STEPS_S) + 1


def test_what_is_over_can_t_be_cancelled() -> None:
    clock = ByHand()
    countdown = Countdown(clock, lambda seconds: None, lambda: None)
    countdown.start()
    for _, callback in list(clock.calls):
        callback()
    assert not countdown.cancel()


def test_everybody_hears_it(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob", wire=Personal)
    ana.asks(Shutdown(3), Shutdown(4))
    rig.settle()
    assert [ok.n for ok in ana.takes(Ok)] == [3, 4]
    rig.wait(59.5, step=0.5)
    for client in (ana, bob):
        assert [each.seconds for each in client.takes(StoppingIn)] == [60, 30, 15, 3, 2, 1]
    assert not rig.ends
    rig.wait(1.0, step=0.5)
    assert len(rig.ends) == 1


def test_who_comes_meanwhile_hears_the_rest(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(Shutdown(3))
    rig.wait(20.0, step=1.0)
    bob = rig.comes("bob")
    rig.wait(11.0, step=1.0)
    assert [each.seconds for each in bob.takes(StoppingIn)] == [30]


@pytest.mark.parametrize("host", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "fe80::1", "128.0.0.1", "::"])
def test_nobody_elsewhere_may_stop_the_server(rig: Rig, host: str) -> None:
    ana = rig.comes("ana")
    ana.connection.address = (host, 4711)
    ana.asks(Shutdown(3))
    rig.wait(70.0, step=5.0)
    assert [reply.code for reply in ana.takes(Refused)] == [Code.NOT_ALLOWED]
    assert ana.takes(StoppingIn) == [] and not rig.ends


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1"])
def test_this_machine_has_several_names(rig: Rig, host: str) -> None:
    ana = rig.comes("ana")
    ana.connection.address = (host, 4711)
    ana.asks(Shutdown(3))
    rig.settle()
    assert [ok.n for ok in ana.takes(Ok)] == [3]


def test_everybody_hears_that_it_was_cancelled(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob", wire=Personal)
    ana.asks(Shutdown(3))
    rig.wait(5.0, step=5.0)
    ana.asks(Shutdown(4, cancel=True), Shutdown(5, cancel=True))
    rig.wait(70.0, step=5.0)
    assert [ok.n for ok in ana.takes(Ok)] == [3, 4]
    assert [reply.n for reply in ana.takes(Refused)] == [5]
    for client in (ana, bob):
        assert [each.seconds for each in client.takes(StoppingIn)] == [60, 0]
    assert not rig.ends


def test_nobody_may_unless_the_operator_wants_it() -> None:
    with Rig() as rig:
        ana = rig.comes("ana")
        ana.asks(Shutdown(3))
        rig.settle()
        assert [reply.code for reply in ana.takes(Refused)] == [Code.NOT_ALLOWED]
