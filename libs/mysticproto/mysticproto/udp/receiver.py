"""Receiver: the client's side of one transfer.

It says HELLO for a second and a half, answers a CHALLENGE with START, and stores what is authentic and new. While data
comes it reports every few milliseconds; each pn is in four reports, so that a lost one costs nothing. When nothing
comes it reports four times a second, so that a server that has stopped hears that somebody is there.
"""

from collections import deque
from collections.abc import Callable

from mysticproto.model import UdpTerms
from mysticproto.udp import packets
from mysticproto.udp.blocks import BlockSet, encode_runs
from mysticproto.udp.keys import KeyUsedUp, client_keys
from mysticproto.udp.state import Reason, State
from mysticproto.udp.window import ArrivedWindow

Store = Callable[[int, bytes], None]  # (offset, bytes): to be written before it returns

HELLO_GAPS_S = (0.1, 0.15, 0.25, 0.25, 0.25, 0.5)  # behind each; the first ones soon, since one may be lost
START_EVERY_S = 0.3
REPORT_MIN_S, REPORT_MAX_S, REPORT_RTTS = 0.005, 0.025, 1 / 8
REPORT_PACKETS_MAX = 2048  # so that four intervals fit into a report
REPORT_BITS_MIN = 1024
REPORTED_TIMES = 4
KEEP_ALIVE_S = 0.25
DROP_S = 10.0
STALLED_S = 30.0
FAREWELLS, FAREWELL_EVERY_S = 5, 0.2
NEVER = float("inf")


class Receiver:
    """One file from one server.

    `have` says which blocks the caller holds already, and is updated as blocks are stored (persist `have.to_bytes()`
    beside the file, after the file itself). `store(offset, data)` writes; an OSError from it ends the transfer.

    For statistics: `refused` (datagrams that were forged, replayed or damaged), `repeated` (blocks that came twice).
    """

    def __init__(self, terms: UdpTerms, size: int, have: BlockSet, store: Store, now: float) -> None:
        self._total = packets.check_terms(terms, size)
        assert have.total == self._total, "a set of the blocks of another file"
        self.have = have
        self.reason: Reason | None = None  # set when FAILED
        self.refused = self.repeated = 0
        self._block_bytes, self._size, self._store = terms.block, size, store
        self._segment_bytes = terms.block + packets.OVERHEAD_BYTES
        self._sealer, self._opener = client_keys(terms, size)
        self._window = ArrivedWindow()
        self._run: list[bytes] = []
        self._run_first = 0
        self._hellos = 0
        self._start_body: bytes | None = None
        self._challenged = False  # and the START for it is still to be sent
        self._report_every_s = 0.01
        self._reported: deque[int] = deque([0], maxlen=REPORTED_TIMES)  # the largest pn of the last reports
        self._began_at = self._last_arrival = self._largest_arrival = now
        self._said_at = self._heard_at = self._new_at = self._taken_at = now
        self._next_at = now  # when the next HELLO, START, REPORT or DONE is due
        self._farewells = 0
        self._dismissed = False  # the server has answered a DONE
        self.state = State.DONE if have.complete else State.WAITING

    @property
    def bytes_held(self) -> int:
        """Bytes of the file that are stored, those from before included."""
        held = self.have.held * self._block_bytes
        short = self._total * self._block_bytes - self._size
        return held - short if self._total and self._total - 1 in self.have else held

    def received(self, data: bytes | memoryview, segment_bytes: int, arrival: float, now: float) -> None:
        """What one read of the socket brought: datagrams of `segment_bytes`, the last perhaps shorter (UDP_GRO).

        `arrival`: when the kernel got it, on the clock of `now`: `now - (time.time() - stamp)` of SO_TIMESTAMPNS.
        Pass `now` where there are no stamps.
        """
        if self.state is State.FAILED or not segment_bytes:
            return
        view, at, arrival = memoryview(data), 0, min(arrival, now)
        while at < len(view):
            at += self._receive_row(view[at:], segment_bytes, arrival, now)
            if at < len(view):
                self._receive_one(view[at : at + segment_bytes], arrival, now)
                at += segment_bytes
        self._flush(now)
        if self.state is State.RUNNING:
            self._plan_report(now)

    def take(self, now: float) -> list[bytes]:
        """Datagrams to be sent to the server now; to be called after `received` and at each deadline."""
        self._taken_at = now
        self._watch(now)
        if now < self._next_at:
            return []
        try:
            return self._due(now)
        except KeyUsedUp:
            self.state, self.reason = State.FAILED, Reason.KEY_USED_UP
            return []

    def next_deadline(self) -> float | None:
        """When `take` wants to be called next; None when the transfer is over and nothing is left to say."""
        if self.state in (State.DONE, State.FAILED):
            return None if self._next_at == NEVER else self._next_at
        return min(self._next_at, self._heard_at + DROP_S, self._new_at + STALLED_S)

    def abort(self, reason: Reason, now: float) -> None:
        """Ends the transfer; the next `take` says so to the server."""
        if self.state in (State.WAITING, State.RUNNING):
            self.state, self.reason = State.FAILED, reason
            self._next_at = now

    # What comes

    def _receive_row(self, view: memoryview, segment_bytes: int, arrival: float, now: float) -> int:
        """Whole blocks as they come nearly always: one behind the other, from datagrams one behind the other.

        Returns how many bytes of datagrams that were; what follows them is nothing of that kind.
        """
        header = self._opener.header(view[:segment_bytes])
        if segment_bytes != self._segment_bytes or header is None or header[1] <= self._window.largest:
            return 0
        _, pn, block = header
        count = min(len(view) // segment_bytes, self._size // self._block_bytes - block)
        if block != self._run_first + len(self._run):
            self._flush(now)
            self._run_first = block
        if count <= 0 or not self.have.lacks(block, count):
            return 0
        bodies = self._opener.open_blocks(view, segment_bytes, count, pn, block)
        if bodies:
            self._window.add_run(pn, len(bodies))
            self._heard_at = now
            self._largest_arrival = arrival
            self._last_arrival = max(self._last_arrival, arrival)
            self._run += bodies
        return len(bodies) * segment_bytes

    def _receive_one(self, datagram: memoryview, arrival: float, now: float) -> None:
        header = self._opener.header(datagram)
        if header is None or not self._window.is_new(header[1]):
            self.refused += 1
            return
        kind, pn, block = header
        body = self._opener.open(datagram)
        if body is None:
            self.refused += 1
            return
        if pn > self._window.largest:
            self._largest_arrival = arrival
        self._window.add(pn)
        self._heard_at = now
        self._last_arrival = max(self._last_arrival, arrival)
        if kind == packets.DATA:
            self._take_block(block, body, now)
            if self.state is State.DONE and not self._dismissed:
                self._next_at = min(self._next_at, self._said_at + FAREWELL_EVERY_S)
        else:
            self._dispatch(kind, pn, body, now)

    def _take_block(self, block: int, body: bytes, now: float) -> None:
        if block != self._run_first + len(self._run):
            self._flush(now)
            self._run_first = block
        if block >= self._total or len(body) != min(self._block_bytes, self._size - block * self._block_bytes):
            self.refused += 1
        elif block in self.have:
            self.repeated += 1
            self._flush(now)
        else:
            self._run.append(body)

    def _flush(self, now: float) -> None:
        """Stores the blocks that came one behind the other, and only then says that they are there."""
        run, first = self._run, self._run_first
        if not run:
            return
        self._run = []
        try:
            self._store(first * self._block_bytes, b"".join(run))
        except OSError:
            self.abort(Reason.NOT_STORED, now)
            return
        self.have.add(first, len(run))
        self._new_at = now
        if self.state is State.WAITING:
            self.state = State.RUNNING
        if self.have.complete and self.state is State.RUNNING:
            self.state, self._next_at = State.DONE, now

    def _dispatch(self, kind: int, pn: int, body: bytes, now: float) -> None:
        match kind:
            case packets.CHALLENGE if len(body) == packets.TOKEN_BYTES and self.state is not State.DONE:
                if self._start_body is None:
                    rtt_s = now - self._began_at  # at most: several HELLOs may be on their way
                    self._report_every_s = min(REPORT_MAX_S, max(REPORT_MIN_S, rtt_s * REPORT_RTTS))
                runs = encode_runs(self.have, packets.RUNS_BYTES_MAX)
                self._start_body = packets.encode_start(body, pn, runs)
                self._challenged, self._next_at = True, now
            case packets.DONE:
                self._dismissed, self._next_at = True, NEVER
            case packets.ABORT if self.state is not State.DONE:
                self.state, self.reason = State.FAILED, packets.decode_reason(body)
                self._next_at = NEVER

    # What is said

    def _watch(self, now: float) -> None:
        if self.state not in (State.WAITING, State.RUNNING):
            return
        if now >= self._heard_at + DROP_S:
            self.abort(Reason.TIMED_OUT, now)
        elif now >= self._new_at + STALLED_S:
            self.abort(Reason.STALLED, now)

    def _plan_report(self, now: float) -> None:
        """Data came: a report is due after its interval, or at once when there is more to report than fits."""
        much = self._window.largest - self._reported[-1] >= REPORT_PACKETS_MAX
        self._next_at = min(self._next_at, now if much else max(now, self._said_at + self._report_every_s))

    def _due(self, now: float) -> list[bytes]:
        """What is to be said now that `_next_at` has come."""
        self._said_at = now
        match self.state:
            case State.FAILED:
                self._next_at = NEVER
                return [self._sealer.seal(packets.ABORT, bytes([self.reason or Reason.CANCELLED]))]
            case State.DONE:
                return self._farewell(now)
            case State.RUNNING if not self._challenged:
                self._next_at = now + KEEP_ALIVE_S
                return [self._report(now)]
            case _ if self._start_body is None:
                return self._hello(now)
        self._challenged = False
        self._next_at = now + START_EVERY_S
        return [self._sealer.seal(packets.START, self._start_body)]

    def _hello(self, now: float) -> list[bytes]:
        if self._hellos == len(HELLO_GAPS_S):
            self.state, self.reason, self._next_at = State.FAILED, Reason.NO_ANSWER, NEVER
            return []
        self._next_at = now + HELLO_GAPS_S[self._hellos]
        self._hellos += 1
        return [self._sealer.seal(packets.HELLO, bytes(packets.HELLO_BYTES - packets.OVERHEAD_BYTES))]

    def _report(self, now: float) -> bytes:
        largest = self._window.largest
        first = min(self._reported[0] + 1, largest - REPORT_BITS_MIN + 1)
        first = max(1, first, largest - packets.REPORT_BITS_MAX + 1)
        report = packets.Report(
            largest=largest,
            clock_us=int((self._last_arrival - self._began_at) * 1e6),
            hold_us=int((now - self._largest_arrival) * 1e6),
            first=first,
            bitmap=self._window.bitmap(first, largest - first + 1),
        )
        self._reported.append(largest)
        return self._sealer.seal(packets.REPORT, packets.encode_report(report))

    def _farewell(self, now: float) -> list[bytes]:
        self._farewells += 1
        self._next_at = now + FAREWELL_EVERY_S if self._farewells < FAREWELLS else NEVER
        return [self._sealer.seal(packets.DONE, b"")]
