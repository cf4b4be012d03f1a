"""Bandwidth: what the path delivers, from what the receiver says has arrived and when its kernel had it.

A sample is arrivals over time between two reports that are at least a round trip or 20 ms apart. The time is the
longer of the receiver's (arrivals that were bunched up on the way cannot look fast for long) and the sender's own
between the two datagrams (so nobody can claim more than was sent). The estimate is the largest sample of 10 rounds.
"""

from collections import deque
from typing import NamedTuple

ROUNDS = 10
SPAN_MIN_S = 0.02
MARKS_MAX = 512


class Mark(NamedTuple):
    """One report: how many datagrams it has confirmed in all, when the last arrived, when the largest was sent."""

    arrived: int
    clock_s: float
    sent_s: float


class Bandwidth:
    """`rate` in datagrams per second; 0 before the first sample."""

    __slots__ = ("_best", "_marks", "rate")

    def __init__(self) -> None:
        self.rate = 0.0
        self._marks: deque[Mark] = deque(maxlen=MARKS_MAX)
        self._best: deque[float] = deque([0.0], maxlen=ROUNDS)

    def next_round(self) -> None:
        self._best.append(0.0)

    def add(self, mark: Mark, min_rtt_s: float, starved: bool) -> None:
        """One report. `starved`: the sender had nothing to send, so a low sample says nothing about the path."""
        marks = self._marks
        marks.append(mark)
        span = max(SPAN_MIN_S, min_rtt_s)
        while len(marks) > 2 and mark.clock_s - marks[1].clock_s >= span:
            marks.popleft()
        elapsed = max(mark.clock_s - marks[0].clock_s, mark.sent_s - marks[0].sent_s)
        if mark.clock_s - marks[0].clock_s < span or elapsed <= 0:
            return
        sample = (mark.arrived - marks[0].arrived) / elapsed
        if sample > self.rate or not starved:
            self._best[-1] = max(self._best[-1], sample)
        self.rate = max(self._best) or self.rate
