"""Replays are refused, and what has arrived is remembered, whatever the order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.udp.window import WINDOW, ArrivedWindow

# Steps ahead or back from the largest pn so far: mostly small, sometimes around the window's size.
steps = st.lists(
    st.one_of(st.integers(-40, 40), st.integers(-WINDOW - 3, -WINDOW + 3), st.integers(WINDOW - 3, WINDOW + 3)),
    max_size=40,
)


@given(steps)
def test_it_remembers_as_a_set_would(steps: list[int]) -> None:
    window, arrived = ArrivedWindow(), set[int]()
    for step in steps:
        pn = window.largest + step
        new = pn > 0 and pn > window.largest - WINDOW and pn not in arrived
        assert window.is_new(pn) is new
        if new:
            window.add(pn)
            arrived.add(pn)
    assert window.largest == max(arrived, default=0)
    first = max(1, window.largest - 99)
    expected = sum(1 << (pn - first) for pn in arrived if pn >= first)
    assert window.bitmap(first, window.largest - first + 1) == expected


def test_nothing_is_an_empty_bitmap() -> None:
    assert ArrivedWindow().bitmap(1, 0) == 0


def test_a_bitmap_goes_around_the_end_of_the_ring() -> None:
    window = ArrivedWindow()
    for pn in (WINDOW - 2, WINDOW - 1, WINDOW, WINDOW + 2):
        window.add(pn)
    assert window.bitmap(WINDOW - 2, 5) == 0b10111


@pytest.mark.parametrize("first", [1, 2, 500, WINDOW - 3, WINDOW, 3 * WINDOW - 1])
def test_a_run_is_the_same_as_one_by_one(first: int) -> None:
    one_by_one, at_once = ArrivedWindow(), ArrivedWindow()
    for window in (one_by_one, at_once):
        window.add(1)
    for pn in range(first + 1, first + 11):
        one_by_one.add(pn)
    at_once.add_run(first + 1, 10)
    assert at_once.largest == one_by_one.largest == first + 10
    for start in (max(1, first - 5), first, first + 4):
        assert at_once.bitmap(start, 6) == one_by_one.bitmap(start, 6)
