"""Buckets: what goes at once, how long the rest waits."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.hub.rates import Pace, Rates, TokenBucket
from mysticproto.model import Announce, Edit, ListUsers, Mark, Ping, Post, Request, Search, SetPassword, ToGlobal
from mysticproto.wire import Local

RATES = Rates(messages=5, messages_burst=3, commands=10, commands_burst=2, text=100, text_burst=400)


def post(text: str = "hi") -> Post:
    return Post(1, ToGlobal(), text)


def test_a_burst_goes_at_once() -> None:
    bucket = TokenBucket(rate=5, burst=3, now=100.0)
    for _ in range(3):
        assert bucket.wait_s(100.0) == 0
        bucket.spend()
    assert bucket.wait_s(100.0) == pytest.approx(0.2)


def test_asking_costs_nothing() -> None:
    bucket = TokenBucket(rate=5, burst=1, now=0.0)
    assert [bucket.wait_s(0.0) for _ in range(10)] == [0.0] * 10


def test_silence_fills_the_bucket_and_no_more_than_that() -> None:
    bucket = TokenBucket(rate=5, burst=3, now=0.0)
    for _ in range(3):
        bucket.spend()
    assert bucket.wait_s(1000.0, 3) == 0
    bucket.spend(3)
    assert bucket.wait_s(1000.0) > 0


def test_more_than_a_burst_needs_a_full_bucket_and_empties_it() -> None:
    bucket = TokenBucket(rate=100, burst=400, now=0.0)
    assert bucket.wait_s(0.0, 10_000) == 0
    bucket.spend(10_000)
    assert bucket.wait_s(0.0, 10_000) == pytest.approx(4.0)


@given(
    rate=st.floats(0.01, 1e6),
    burst=st.integers(1, 1000),
    start=st.floats(0, 1e7),
    amounts=st.lists(st.floats(0.001, 2000), min_size=1, max_size=30),
)
def test_who_waits_as_long_as_was_said_may_go(rate: float, burst: int, start: float, amounts: list[float]) -> None:
    """Also where the clock is too coarse for the wait: nobody is told to wait again and again."""
    bucket, now = TokenBucket(rate, burst, start), start
    for amount in amounts:
        for _ in range(4):
            wait_s = bucket.wait_s(now, amount)
            if not wait_s:
                break
            assert now + wait_s > now, "a wait that the clock doesn't show"
            now += wait_s
        assert bucket.wait_s(now, amount) == 0
        bucket.spend(amount)


@given(gaps=st.lists(st.floats(0, 3), max_size=100))
def test_the_rate_holds_over_any_time(gaps: list[float]) -> None:
    bucket, now, spent = TokenBucket(5, 20, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        while not bucket.wait_s(now):
            bucket.spend()
            spent += 1
        assert spent <= 20 + 5 * now + 1e-3


def test_messages_are_paced_by_number_and_by_length() -> None:
    pace = Pace(RATES, 0.0)
    for _ in range(3):
        assert pace.wait_s(post(), 0.0) == 0
        pace.spend(post())
    assert pace.wait_s(post(), 0.0) == pytest.approx(0.2)
    pace = Pace(RATES, 0.0)
    pace.spend(post("x" * 390))
    assert pace.wait_s(post("x" * 10), 0.0) == 0
    assert pace.wait_s(post("x" * 110), 0.0) == pytest.approx(1.0)


def test_everything_else_is_a_command() -> None:
    pace = Pace(RATES, 0.0)
    pace.spend(Ping(1))
    pace.spend(Local((b"?",)))
    assert pace.wait_s(ListUsers(1), 0.0) == pytest.approx(0.1)
    assert pace.wait_s(Local((b"?",)), 0.0) == pytest.approx(0.1)
    assert pace.wait_s(post(), 0.0) == 0


@pytest.mark.parametrize("request_", [Edit(1, 5, "x" * 390), Announce(1, "x" * 390)])
def test_edits_and_announcements_are_messages(request_: Request) -> None:
    pace = Pace(RATES, 0.0)
    pace.spend(request_)
    assert pace.wait_s(post("x" * 110), 0.0) == pytest.approx(1.0)
    assert pace.wait_s(Ping(1), 0.0) == 0


def test_a_watermark_costs_a_quarter_of_a_command() -> None:
    pace = Pace(RATES, 0.0)
    for _ in range(8):
        assert pace.wait_s(Mark(1, "group:1", 1), 0.0) == 0
        pace.spend(Mark(1, "group:1", 1))
    assert pace.wait_s(Mark(1, "group:1", 1), 0.0) == pytest.approx(0.025)


@pytest.mark.parametrize("request_", [Search(1, "x"), SetPassword(1, "x" * 8)], ids=["search", "password"])
def test_what_a_child_has_to_work_for_has_a_bucket_of_its_own(request_: Request) -> None:
    pace = Pace(msgspec.structs.replace(RATES, commands_burst=40, searches=1, searches_burst=2), 0.0)
    for _ in range(2):
        assert pace.wait_s(request_, 0.0) == 0
        pace.spend(request_)
    assert pace.wait_s(request_, 0.0) == pytest.approx(1.0)
    assert pace.wait_s(Ping(1), 0.0) == 0
