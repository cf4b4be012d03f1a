"""Waits between attempts."""

from __future__ import annotations

import random

from mystic_client.session.backoff import FIRST_S, LONGEST_S, STEADY_S, Backoff


def test_waits_grow_to_a_limit_and_differ() -> None:
    waits = [[backoff.failed() for _ in range(40)] for backoff in map(Backoff, map(random.Random, range(20)))]
    for one in waits:
        assert FIRST_S / 2 <= one[0] <= FIRST_S
        assert all(LONGEST_S / 2 <= wait <= LONGEST_S for wait in one[8:])
    assert len({one[0] for one in waits}) == 20


def test_a_connection_that_held_starts_over_and_a_short_one_does_not() -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.failed()
    backoff.held(STEADY_S / 2)
    assert backoff.failed() > FIRST_S
    backoff.held(STEADY_S)
    assert backoff.failed() <= FIRST_S
