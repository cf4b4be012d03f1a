"""The estimate is what arrives in time, and nobody can make it more than was sent."""

import pytest

from mysticproto.udp.bandwidth import ROUNDS, Bandwidth, Mark


def steady(bandwidth: Bandwidth, rate: float, reports: int, *, start: int = 0, starved: bool = False) -> None:
    for number in range(start, start + reports):
        at = number * 0.01
        bandwidth.add(Mark(int(rate * at), at, at), 0.05, starved)


def test_a_steady_stream_has_its_rate() -> None:
    bandwidth = Bandwidth()
    steady(bandwidth, 1000, 50)
    assert bandwidth.rate == pytest.approx(1000, rel=0.01)


def test_nothing_is_known_before_a_round_trip_is_over() -> None:
    bandwidth = Bandwidth()
    steady(bandwidth, 1000, 4)
    assert bandwidth.rate == 0


def test_arrivals_that_bunch_up_are_no_faster_than_they_were_sent() -> None:
    bandwidth = Bandwidth()
    bandwidth.add(Mark(0, 0.0, 0.0), 0.02, False)
    bandwidth.add(Mark(1000, 0.02, 1.0), 0.02, False)
    assert bandwidth.rate == pytest.approx(1000)


def test_a_receivers_clock_that_stands_still_gives_no_sample() -> None:
    bandwidth = Bandwidth()
    for number in range(2000):
        bandwidth.add(Mark(number * 100, 5.0, number * 0.01), 0.02, False)
    assert bandwidth.rate == 0


def test_low_samples_count_unless_there_was_too_little_to_send() -> None:
    bandwidth = Bandwidth()
    steady(bandwidth, 1000, 50)
    for _ in range(ROUNDS + 1):
        bandwidth.next_round()
    steady(bandwidth, 100, 50, start=1000, starved=True)
    assert bandwidth.rate == pytest.approx(1000, rel=0.01)
    steady(bandwidth, 100, 50, start=2000)
    assert bandwidth.rate == pytest.approx(100, rel=0.3)  # of some ten datagrams
