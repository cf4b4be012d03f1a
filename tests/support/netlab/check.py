"""Whether the emulated link does what it is told: rate, round trip and loss, measured with a flood of datagrams."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator

from msgspec import Struct

from tests.support.netlab.lab import B_ADDRESS, Line, Side, laboratory

LINES = (
    Line(rate_mbit=100, rtt_ms=100),
    Line(rate_mbit=100, rtt_ms=100, loss_percent=1),
    Line(rate_mbit=100, rtt_ms=10),
    Line(rate_mbit=50, rtt_ms=300, loss_percent=3),
    Line(rate_mbit=250, rtt_ms=40, loss_percent=0.1),
)
FLOOD_S = 3.0
RATE_TOLERANCE = 0.015
TRIP_TOLERANCE_MS = 2.0
DEVIATIONS = 4.0
"""Within how many standard deviations of the binomial distribution the share of lost packets must be."""
_PROBE = (sys.executable, "-m", "tests.support.netlab.probe")


class Measured(Struct, frozen=True):
    """One flood. Shares are of 1."""

    line: Line
    offered: float
    sent: int
    received_mbit: float
    missing: float
    trip_ms: float
    latest_ms: float

    def problems(self) -> Iterator[str]:
        """What is not as it should be."""
        loss = self.line.loss_percent / 100
        if not 0 <= self.trip_ms - self.line.rtt_ms <= TRIP_TOLERANCE_MS:
            yield f"round trip {self.trip_ms:.2f} ms"
        expected_mbit = self.line.rate_mbit * min(1.0, self.offered) * (1 - loss)
        if abs(self.received_mbit / expected_mbit - 1) > RATE_TOLERANCE:
            yield f"{self.received_mbit:.1f} instead of {expected_mbit:.1f} Mbit/s"
        if self.offered < 1 and abs(self.missing - loss) > self._loss_tolerance(loss):
            yield f"{self.missing:.2%} lost"

    def _loss_tolerance(self, loss: float) -> float:
        return DEVIATIONS * math.sqrt(loss * (1 - loss) / self.sent) + 1 / self.sent

    def __str__(self) -> str:
        line = self.line
        return (
            f"{line.rate_mbit:g} Mbit/s, {line.rtt_ms:g} ms, {line.loss_percent:g} % loss, {self.offered:.0%} offered: "
            f"{self.received_mbit:.1f} Mbit/s, {self.trip_ms:.1f} ms, {self.missing:.2%} missing; "
            f"latest packet {self.latest_ms:.1f} ms late"
        )


def measure(line: Line, offered: float, flood_s: float = FLOOD_S) -> Measured:
    """Sends `offered` times the line's rate from A to B."""
    with laboratory(line) as lab:
        listener = lab.start(Side.B, [*_PROBE, "listen"], stdout=subprocess.PIPE, text=True)
        assert listener.stdout
        listener.stdout.readline()
        flood = json.loads(lab.run(Side.A, [*_PROBE, "flood", B_ADDRESS, str(line.rate_mbit * offered), str(flood_s)]))
        heard = json.loads(listener.stdout.readline())
        latest_us = max(lane.latest_us for lane in lab.lanes())
    trips_ms = flood["trips_ms"]
    missing = 1 - heard["got"] / flood["sent"]
    trip_ms = trips_ms[len(trips_ms) // 2]
    return Measured(line, offered, flood["sent"], heard["mbit"], missing, trip_ms, latest_us / 1000)


def check(lines: tuple[Line, ...] = LINES) -> Iterator[tuple[Measured, list[str]]]:
    """Below and above the rate of each line, with what is wrong about it."""
    for line in lines:
        for offered in (0.9, 1.1):
            measured = measure(line, offered)
            yield measured, list(measured.problems())
