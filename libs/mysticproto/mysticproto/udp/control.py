"""Control: how fast to send and how much may be in flight, in datagrams; after BBR, with `fairness` as its conscience.

STARTUP multiplies the rate until it brings no more, DRAIN lets the queue that this made run off, CRUISE sends what the
path delivers and probes for more in one of eight phases, PROBE_RTT empties the path for a moment when a round trip as
short as the shortest has not been seen for 10 s. Loss by itself never lowers the rate.
"""

from enum import Enum
from typing import NamedTuple

from mysticproto.udp.bandwidth import Bandwidth, Mark
from mysticproto.udp.fairness import Fairness

STARTUP_GAIN = 2.885  # 2 / ln 2
STARTUP_GROWTH = 1.25
STARTUP_ROUNDS = 3
STARTUP_LOSS = 0.02
MANY = 256  # datagrams in a round
STARTUP_SPAN_RTTS = 0.125
FIRST_FLIGHT, FIRST_FLIGHT_RTTS = 96, 0.25  # close together, so that their arrivals tell what the path carries
CRUISE_GAINS = (1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
PHASE_MIN_S = 0.01
MIN_RTT_WINDOW_S = 10.0
AS_SHORT = 1.01
AS_SHORT_S = 0.001
PROBE_RTT_S = 0.2
CWND_SLACK_S = 0.03
LOSS_BORNE, LOSS_MAX = 0.1, 0.35
IN_FLIGHT_MIN = 10.0
RATE_MIN = 10.0
RTT_MIN_S = 0.0005


class Mode(Enum):
    STARTUP = "startup"
    DRAIN = "drain"
    CRUISE = "cruise"
    PROBE_RTT = "probe_rtt"


class Seen(NamedTuple):
    """What one report said. `rtt_s` is None if its largest pn is not new; `mark` as `Bandwidth` wants it."""

    rtt_s: float | None
    mark: Mark
    largest: int
    next_pn: int
    in_flight: int
    acked: int
    lost: int
    starved: bool


class Control:
    """Starts with the round trip of the handshake. `rate` in datagrams per second, `cwnd` in datagrams."""

    def __init__(self, rtt_s: float, now: float) -> None:
        self.mode = Mode.STARTUP
        self.min_rtt_s = self.srtt_s = max(rtt_s, RTT_MIN_S)
        self.bandwidth = Bandwidth()
        self.fairness = Fairness()
        self._min_rtt_at = self._mode_since = now
        self._phase = 0
        self._round_start = self._round_end = self._startup_end = 0  # pns
        self._full_rate = 0.0
        self._full_rounds = 0

    @property
    def bdp(self) -> float:
        """Datagrams that fill the path without a queue."""
        return self.bandwidth.rate * self.min_rtt_s

    @property
    def rate(self) -> float:
        rate = self._gain * self.bandwidth.rate * self._for_loss
        if self.mode is Mode.STARTUP:  # a first sample that losses have spoilt must not slow it down
            return max(rate, FIRST_FLIGHT / max(self.min_rtt_s * FIRST_FLIGHT_RTTS, PHASE_MIN_S))
        return max(rate, RATE_MIN, IN_FLIGHT_MIN / self.srtt_s)

    @property
    def cwnd(self) -> float:
        if self.mode is Mode.PROBE_RTT:
            return max(IN_FLIGHT_MIN, self.bdp / 2)
        least = FIRST_FLIGHT if self.mode is Mode.STARTUP else IN_FLIGHT_MIN
        cwnd = max(least, 2 * self.bdp + CWND_SLACK_S * self.bandwidth.rate)
        return cwnd if self.fairness.cap is None else min(cwnd, self.fairness.cap)

    @property
    def queue(self) -> bool:
        """Whether datagrams wait on the way."""
        return self.srtt_s > self.min_rtt_s + max(0.005, self.min_rtt_s / 10)

    def on_report(self, seen: Seen, now: float) -> None:
        if seen.rtt_s is not None:
            self._measure_rtt(seen.rtt_s, now)
        self.fairness.count(seen.acked, seen.lost)
        span_s = self.min_rtt_s * (STARTUP_SPAN_RTTS if self.mode is Mode.STARTUP else 1.0)
        self.bandwidth.add(seen.mark, span_s, seen.starved)
        if self.mode is Mode.STARTUP and self._overloaded(seen.rtt_s or self.srtt_s):
            self._drain(seen.next_pn, now)
            self.fairness.step_back(seen.in_flight, now)
        if seen.largest >= self._round_end:
            self._end_round(seen, now)
        self._step(seen.in_flight, now)

    def _measure_rtt(self, rtt_s: float, now: float) -> None:
        rtt_s = max(rtt_s, RTT_MIN_S)
        self.srtt_s += (rtt_s - self.srtt_s) / 8
        outdated = self.mode is Mode.PROBE_RTT and now - self._min_rtt_at > MIN_RTT_WINDOW_S
        if rtt_s <= self.min_rtt_s or outdated:
            self.min_rtt_s = rtt_s
        if rtt_s <= self.min_rtt_s * AS_SHORT + AS_SHORT_S:  # clocks and wake-ups are not more exact than that
            self._min_rtt_at = now

    def _overloaded(self, rtt_s: float) -> bool:
        queue = rtt_s > 1.25 * self.min_rtt_s + 0.008
        return (queue and self.fairness.round_loss > STARTUP_LOSS) or self._drowned()

    def _drowned(self) -> bool:
        """Most is lost without a queue: the path has none. A few losses in the first rounds do not prove that."""
        return self.fairness.hopeless and self.fairness.round_total >= MANY

    def _end_round(self, seen: Seen, now: float) -> None:
        starting = self.mode is Mode.STARTUP or self._round_start < self._startup_end
        self._round_start, self._round_end = self._round_end, seen.next_pn
        self.fairness.end_round(self.queue, starting, seen.in_flight, self.bdp, now)
        if self.mode is Mode.STARTUP and not seen.starved:
            self._judge_growth(seen.next_pn, now)
        self.bandwidth.next_round()

    def _judge_growth(self, next_pn: int, now: float) -> None:
        """Three rounds that brought less than a quarter more: the path is full."""
        if self.bandwidth.rate >= STARTUP_GROWTH * self._full_rate:
            self._full_rate, self._full_rounds = self.bandwidth.rate, 0
            return
        self._full_rounds += 1
        if self._full_rounds >= STARTUP_ROUNDS:
            self._drain(next_pn, now)

    def _drain(self, next_pn: int, now: float) -> None:
        """Start-up is over; what it has sent is lost without a further verdict."""
        self._startup_end = next_pn
        self._enter(Mode.DRAIN, now)

    def _step(self, in_flight: int, now: float) -> None:
        """Modes that end by time or because the path is as empty as they want it."""
        elapsed = now - self._mode_since
        match self.mode:
            case Mode.DRAIN if in_flight <= self.bdp + PHASE_MIN_S * self.bandwidth.rate or elapsed > 4 * self.srtt_s:
                self._enter(Mode.CRUISE, now)
            case Mode.CRUISE:
                self._cruise(elapsed, now)
            case Mode.PROBE_RTT if elapsed > max(PROBE_RTT_S, 2 * self.min_rtt_s):
                self._min_rtt_at = now
                self._enter(Mode.CRUISE, now)

    def _cruise(self, elapsed: float, now: float) -> None:
        if now - self._min_rtt_at > MIN_RTT_WINDOW_S:
            self._enter(Mode.PROBE_RTT, now)
        elif elapsed > max(PHASE_MIN_S, self.min_rtt_s):
            self._phase = (self._phase + 1) % len(CRUISE_GAINS)
            self._mode_since = now

    def _enter(self, mode: Mode, now: float) -> None:
        self.mode, self._mode_since = mode, now
        self._phase = 2  # probing comes last, when a quiet time has told how the path is

    @property
    def _for_loss(self) -> float:
        """What to send more on a path that loses more than probing makes good; else the rate would fall for ever."""
        return max(1.0, (1 - LOSS_BORNE) / (1 - min(LOSS_MAX, self.fairness.p0)))

    @property
    def _gain(self) -> float:
        match self.mode:
            case Mode.STARTUP:
                return STARTUP_GAIN
            case Mode.DRAIN:
                return 1 / STARTUP_GAIN
            case Mode.CRUISE:
                return CRUISE_GAINS[self._phase]
            case Mode.PROBE_RTT:
                return 1.0
