"""Loss is a verdict when there is a queue and it is more than usual, or when it is hopeless."""

import pytest

from mysticproto.udp.fairness import BETA, CAP_MIN, Fairness

BDP = 1000.0


def end(fairness: Fairness, acked: int, lost: int, *, queue: bool, starting: bool = False, now: float = 0.0) -> None:
    fairness.count(acked, lost)
    fairness.end_round(queue, starting, in_flight=BDP, bdp=BDP, now=now)


def test_loss_without_a_queue_is_how_the_path_is() -> None:
    fairness = Fairness()
    for _ in range(10):
        end(fairness, 970, 30, queue=False)
    assert fairness.cap is None
    assert fairness.p0 == pytest.approx(0.03)


def test_the_usual_loss_with_a_queue_is_no_verdict() -> None:
    fairness = Fairness()
    for _ in range(10):
        end(fairness, 970, 30, queue=False)
    end(fairness, 965, 35, queue=True)
    assert fairness.cap is None


def test_more_than_usual_with_a_queue_steps_back() -> None:
    fairness = Fairness()
    end(fairness, 1000, 0, queue=False)
    end(fairness, 980, 20, queue=True)
    assert fairness.cap == BETA * BDP


def test_a_third_lost_steps_back_even_without_a_queue_until_it_is_usual() -> None:
    fairness = Fairness()
    end(fairness, 700, 300, queue=False)
    assert fairness.cap == BETA * BDP
    end(fairness, 700, 300, queue=False)
    assert fairness.cap > BETA * BDP


def test_what_the_start_has_lost_is_no_verdict() -> None:
    fairness = Fairness()
    end(fairness, 400, 600, queue=True, starting=True)
    end(fairness, 400, 600, queue=False, starting=True)
    assert fairness.cap is None and fairness.p0 == 0


def test_the_cap_grows_to_where_it_was_and_beyond_and_is_dropped() -> None:
    fairness = Fairness()
    end(fairness, 900, 100, queue=True, now=0.0)
    caps = []
    for second in range(1, 60):
        end(fairness, 1000, 0, queue=True, now=float(second))
        caps.append(fairness.cap)
    grown = [cap for cap in caps if cap is not None]
    assert grown == sorted(grown) and grown[0] >= BETA * BDP and max(grown) > BDP
    assert caps[-1] is None


def test_without_a_queue_the_cap_grows_faster() -> None:
    queued, free = Fairness(), Fairness()
    for fairness, queue in ((queued, True), (free, False)):
        end(fairness, 900, 100, queue=True)
        end(fairness, 1000, 0, queue=queue, now=1.0)
    assert queued.cap is not None and free.cap is not None and free.cap > queued.cap


def test_the_cap_leaves_something() -> None:
    fairness = Fairness()
    fairness.count(50, 50)
    fairness.end_round(True, False, in_flight=2, bdp=BDP, now=0.0)
    assert fairness.cap == CAP_MIN


def test_what_was_given_up_too_early_is_no_loss() -> None:
    fairness = Fairness()
    fairness.count(100, 10)
    fairness.count(0, -20)
    assert fairness.round_loss == 0
