"""Processes that get their turn too late: what could not be sent is not taken for what the path can't carry."""

from __future__ import annotations

from tests.proto.udp.links import Link, Run

PERIOD_S, TURN_S = 0.03, 0.01


class Busy(Run):
    """On a machine where both get a turn of 10 ms every 30 ms."""

    def _next(self) -> float | None:
        at = super()._next()
        if at is None or at % PERIOD_S < TURN_S:
            return at
        return at + PERIOD_S - at % PERIOD_S


def test_a_busy_machine_does_not_slow_the_transfer_down_more_and_more() -> None:
    run = Busy(8_000_000, Link(0.0005, 100e6), Link(0.0005)).to_the_end()
    assert run.right
    assert run.seconds < 4.0, "the estimate falls with every round"
