"""The bucket lets through what its rate says, in batches, and never spins."""

from hypothesis import given
from hypothesis import strategies as st

from mysticproto.udp.pacing import BATCH_MAX, BURST_MIN, BURST_S, Pacer


@given(st.floats(5, 300_000), st.floats(0, 1e7), st.lists(st.floats(0, 0.1), max_size=30))
def test_never_more_than_the_rate_and_a_burst(rate: float, now: float, waits: list[float]) -> None:
    pacer, start, sent = Pacer(rate, now), now, 0
    for wait in waits:
        now += wait
        count = pacer.allowed(now)
        pacer.spend(count)
        sent += count
    assert sent <= rate * (now - start) * 1.001 + max(BURST_MIN, rate * BURST_S) + 1


@given(st.floats(5, 300_000), st.floats(0, 1e7))
def test_a_whole_batch_may_go_when_it_says(rate: float, now: float) -> None:
    pacer = Pacer(rate, now)
    for _ in range(20):
        pacer.spend(pacer.allowed(now))
        now = max(now, pacer.ready_at())
        assert pacer.allowed(now) >= pacer.batch


def test_batches_last_a_millisecond() -> None:
    assert Pacer(10_000, 0).batch == 10
    assert Pacer(50, 0).batch == 1
    assert Pacer(1e6, 0).batch == BATCH_MAX


def test_a_clock_that_steps_back_gives_nothing() -> None:
    pacer = Pacer(1000, 5.0)
    pacer.spend(pacer.allowed(5.0))
    assert pacer.allowed(4.0) == 0
    assert pacer.allowed(5.002) == 2


def test_what_can_be_made_good_is_not_overdue() -> None:
    pacer = Pacer(10_000, 0.0)
    pacer.spend(pacer.allowed(0.0))
    assert not pacer.is_overdue(BURST_S)
    assert pacer.is_overdue(2 * BURST_S)
    assert pacer.allowed(2 * BURST_S) == 10_000 * BURST_S
    assert not pacer.is_overdue(2 * BURST_S)
