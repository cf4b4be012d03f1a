"""Speeds that people read."""

from __future__ import annotations

import pytest

from mystic_client.session.speed import SETTLING_S, Speed


def test_a_steady_stream() -> None:
    speed = Speed()
    speed.start(500, 10.0)
    assert speed.left_s(1000) is None
    for tenth in range(1, 51):
        speed.moved(500 + tenth * 100, 10.0 + tenth / 10)
    assert speed.bytes_s == pytest.approx(1000)
    assert speed.left_s(5000) == pytest.approx(5)


def test_what_was_had_before_does_not_count_and_changes_settle() -> None:
    speed = Speed()
    speed.start(10**9, 0.0)
    speed.moved(10**9 + 100, 1.0)
    assert speed.bytes_s == 100
    speed.moved(10**9 + 100, 1.0 + SETTLING_S)
    assert speed.bytes_s == pytest.approx(100 / 2.718, rel=0.01)


def test_samples_that_are_too_close_are_taken_together() -> None:
    speed = Speed()
    speed.start(0, 0.0)
    speed.moved(10**6, 0.0)
    speed.moved(10**6, 0.01)
    assert speed.bytes_s == 0
    speed.moved(10**6, 1.0)
    assert speed.bytes_s == pytest.approx(10**6)
