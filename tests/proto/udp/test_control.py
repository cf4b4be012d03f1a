"""How the rate finds what the path carries: the modes one by one, then whole transfers over links in virtual time."""

from __future__ import annotations

import pytest

from mysticproto.udp.bandwidth import Mark
from mysticproto.udp.control import FIRST_FLIGHT, IN_FLIGHT_MIN, Control, Mode, Seen
from mysticproto.udp.fairness import BETA
from mysticproto.udp.sender import COPIED_SHARE
from tests.proto.udp.links import Link, Run, ceiling_mbit, mbit

MB = 1_000_000


class Path:
    """Feeds a `Control` with reports each 10 ms of a path that carries `rate`, and has `queue_s` of waiting."""

    def __init__(self, rate: float = 10_000.0, rtt_s: float = 0.1) -> None:
        self.rate, self.rtt_s, self.queue_s = rate, rtt_s, 0.0
        self.control = Control(rtt_s, 0.0)
        self.now = 0.0
        self.arrived = 0.0
        self.pn = 0

    def go(self, seconds: float, *, lost: int = 0, in_flight: int | None = None) -> Control:
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            delivered = min(self.rate, self.control.rate) * 0.01
            self.arrived += delivered
            self.pn += int(delivered)
            flying = int(self.control.bdp) if in_flight is None else in_flight
            mark = Mark(int(self.arrived), self.now, self.now - self.rtt_s)
            seen = Seen(self.rtt_s + self.queue_s, mark, self.pn, self.pn + flying, flying, int(delivered), lost, False)
            self.control.on_report(seen, self.now)
        return self.control


def test_it_starts_with_a_few_datagrams_a_round_trip() -> None:
    control = Control(0.1, 0.0)
    assert control.cwnd == FIRST_FLIGHT
    assert control.rate == pytest.approx(4 * FIRST_FLIGHT / 0.1)


def test_it_grows_until_the_path_is_full_then_drains_then_cruises() -> None:
    path = Path()
    path.go(0.2)
    assert path.control.mode is Mode.STARTUP
    assert path.go(3.0).mode is Mode.CRUISE
    assert path.control.bandwidth.rate == pytest.approx(10_000, rel=0.05)


def test_it_stays_in_drain_while_too_much_is_on_its_way() -> None:
    path = Path()
    while path.control.mode is Mode.STARTUP:
        path.go(0.01, in_flight=5000)
    assert path.control.rate < 0.5 * path.control.bandwidth.rate
    assert path.go(0.05, in_flight=5000).mode is Mode.DRAIN
    assert path.go(2.0, in_flight=5000).mode is Mode.CRUISE


def test_a_queue_that_loses_ends_the_start() -> None:
    path = Path(rate=100_000)
    path.go(0.2)
    path.queue_s = 0.2
    assert path.go(0.1, lost=0).mode is Mode.STARTUP
    lost = int(path.control.rate * 0.01 * 0.1)
    assert path.go(0.05, lost=lost, in_flight=10**6).mode is Mode.DRAIN
    assert path.control.fairness.cap == BETA * 10**6


def test_a_path_without_a_queue_that_loses_most_ends_the_start() -> None:
    path = Path(rate=100_000)
    path.go(0.3)
    lost = int(path.control.rate * 0.01 * 2)
    assert path.go(0.1, lost=lost, in_flight=10**6).mode is Mode.DRAIN


def test_it_probes_up_and_down_while_it_cruises() -> None:
    path = Path()
    path.go(3.0)
    gains = {round(path.go(0.01).rate / path.control.bandwidth.rate, 2) for _ in range(120)}
    assert gains == {0.75, 1.0, 1.25}


def test_the_shortest_round_trip_is_looked_for_again() -> None:
    path = Path()
    path.go(3.0)
    path.rtt_s = 0.2  # the path became longer
    modes = set()
    for _ in range(1500):
        modes.add(path.go(0.01).mode)
    assert Mode.PROBE_RTT in modes
    assert path.control.min_rtt_s == pytest.approx(0.2)
    assert path.control.mode is Mode.CRUISE


def test_little_is_on_its_way_while_it_looks_for_the_shortest_round_trip() -> None:
    path = Path()
    path.go(3.0)
    path.queue_s = 0.01
    while path.control.mode is not Mode.PROBE_RTT:
        path.go(0.01)
        assert path.now < 20
    assert path.control.cwnd == pytest.approx(path.control.bdp / 2)


def test_a_round_trip_that_is_as_short_as_one_can_tell_is_no_reason_to_look() -> None:
    path = Path()
    path.go(3.0)
    path.queue_s = 0.001
    assert {path.go(0.01).mode for _ in range(2000)} == {Mode.CRUISE}


def test_loss_alone_does_not_slow_it_down() -> None:
    path = Path()
    path.go(3.0)
    rate = path.control.bandwidth.rate
    assert path.go(3.0, lost=3).bandwidth.rate == pytest.approx(rate, rel=0.05)
    assert path.control.fairness.cap is None


def test_loss_with_a_queue_caps_what_is_on_its_way() -> None:
    path = Path()
    path.go(3.0)
    free = path.control.cwnd
    path.queue_s = 0.05
    path.go(1.0, lost=5)
    assert path.control.fairness.cap is not None
    assert path.control.cwnd < free


def test_it_never_stands_still() -> None:
    path = Path(rate=1.0)
    path.go(20.0, lost=5)
    assert path.control.cwnd >= IN_FLIGHT_MIN
    assert path.control.rate >= IN_FLIGHT_MIN / path.control.srtt_s * 0.99


def over(rate: float, rtt_s: float, loss: float, size: int, queue: int = 1 << 20) -> Run:
    down, up = (Link(rtt_s / 2, rate * 1e6 / 8, queue, loss) for _ in range(2))
    run = Run(size, down, up, tick_s=0.001).to_the_end()
    told = f"{mbit(run):.1f} of {ceiling_mbit(run):.1f} Mbit/s, {run.extra:.1%} sent again"
    print(f"{rate} Mbit/s, {rtt_s * 1000:.0f} ms, {loss:.1%} lost, queue {queue}: {told}")
    assert run.right
    return run


@pytest.mark.parametrize(("loss", "share"), [(0.0, 0.9), (0.01, 0.88), (0.03, 0.84)])
def test_a_long_path_is_filled_start_included(loss: float, share: float) -> None:
    run = over(100, 0.1, loss, 50 * MB)
    assert mbit(run) > share * ceiling_mbit(run)
    assert run.extra < loss + 0.02 + (COPIED_SHARE if loss else 0)


def test_where_something_will_be_lost_the_last_datagrams_go_twice() -> None:
    without, lossy = (over(50, 0.3, loss, 30 * MB).extra - loss for loss in (0.0, 0.01))
    assert COPIED_SHARE / 2 < lossy - without < COPIED_SHARE + 0.01


def test_in_the_long_run_nine_tenths_of_a_long_path_are_used() -> None:
    run = over(100, 0.1, 0.01, 100 * MB)
    assert mbit(run) > 0.9 * ceiling_mbit(run)


@pytest.mark.parametrize(("loss", "share"), [(0.0, 0.75), (0.03, 0.7)])
def test_a_very_long_path_is_filled_start_included(loss: float, share: float) -> None:
    run = over(50, 0.3, loss, 30 * MB)
    assert mbit(run) > share * ceiling_mbit(run)


@pytest.mark.parametrize(
    ("rate", "rtt_s", "loss", "size", "queue", "share", "extra"),
    [
        (100, 0.02, 0.03, 30 * MB, 1 << 20, 0.9, 0.05),
        (100, 0.05, 0.0, 30 * MB, 1 << 16, 0.8, 0.1),  # a shallow queue
        (100, 0.1, 0.1, 20 * MB, 1 << 20, 0.5, 0.2),
        (100, 0.1, 0.3, 10 * MB, 1 << 20, 0.15, 0.6),
        (2, 0.05, 0.01, 1 * MB, 1 << 16, 0.9, 0.1),
        (800, 0.001, 0.0, 30 * MB, 1 << 20, 0.8, 0.1),
    ],
)
def test_other_paths(rate: float, rtt_s: float, loss: float, size: int, queue: int, share: float, extra: float) -> None:
    run = over(rate, rtt_s, loss, size, queue)
    assert mbit(run) > share * ceiling_mbit(run)
    assert run.extra < extra


def test_a_small_file_takes_few_round_trips() -> None:
    assert over(100, 0.1, 0.01, 100_000).seconds < 1.0
    assert over(100, 0.1, 0.01, 1168).seconds < 0.6


def test_a_small_file_is_not_sent_again_and_again() -> None:
    assert over(100, 0.1, 0.0, 60 * 1168).extra < 0.5
