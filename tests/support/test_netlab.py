"""The emulated link carries, delays and loses as it is told, and leaves nothing behind when something goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.compiled import NotCompiled, compiled, has_compiler
from tests.support.netlab import A_ADDRESS, B_ADDRESS, LabError, Line, Side, laboratory, why_impossible
from tests.support.netlab.check import Measured, measure

IMPOSSIBLE = why_impossible()
needs_a_link = pytest.mark.skipif(bool(IMPOSSIBLE), reason=IMPOSSIBLE)


@needs_a_link
def test_a_packet_takes_no_less_than_the_round_trip_and_some_are_lost() -> None:
    measured = measure(Line(rate_mbit=20, rtt_ms=40, loss_percent=10), offered=0.5, flood_s=0.5)
    assert measured.trip_ms >= 40
    assert 0.02 < measured.missing < 0.25


@needs_a_link
def test_what_is_too_much_for_the_rate_is_dropped() -> None:
    measured = measure(Line(rate_mbit=10, rtt_ms=2, queue_bytes=20_000), offered=3.0, flood_s=0.5)
    assert measured.received_mbit < 15
    assert measured.missing > 0.3


@needs_a_link
def test_a_program_that_is_still_running_is_ended_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="as the test wants"), laboratory(Line(rtt_ms=1)) as lab:
        process = lab.start(Side.B, ["sleep", "600"])
        link = lab._link
        raise RuntimeError("as the test wants")
    assert process.returncode is not None
    assert link.returncode is not None
    assert not Path(f"/proc/{process.pid}").exists()


@needs_a_link
def test_the_namespaces_are_apart_from_this_one() -> None:
    with laboratory(Line(rtt_ms=1)) as lab:
        addresses = lab.run(Side.A, ["cat", "/proc/self/net/fib_trie"])
        assert A_ADDRESS in addresses and B_ADDRESS not in addresses
        assert A_ADDRESS not in Path("/proc/self/net/fib_trie").read_text()


@needs_a_link
def test_a_program_that_fails_is_told_with_its_words() -> None:
    with laboratory(Line(rtt_ms=1)) as lab, pytest.raises(LabError, match="no such luck"):
        lab.run(Side.A, [sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_a_figure_that_is_off_is_told() -> None:
    line = Line(rate_mbit=100, rtt_ms=100, loss_percent=1)
    exact = Measured(line, 0.9, 30_000, 89.1, 0.0102, 100.3, 0.2)
    wrong = Measured(line, 0.9, 30_000, 80.0, 0.02, 105.0, 0.2)
    assert list(exact.problems()) == []
    assert list(wrong.problems()) == ["round trip 105.00 ms", "80.0 instead of 89.1 Mbit/s", "2.00% lost"]


@pytest.mark.skipif(not has_compiler(), reason="there is no C compiler, cc")
def test_a_program_that_does_not_compile_says_why(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text("int main(void) { return nothing; }\n")
    with pytest.raises(NotCompiled, match="nothing"):
        compiled(source)
