"""Sender: the server's side of one transfer.

It answers a HELLO with a CHALLENGE, and starts when its token came back. Then `take` fills batches as the pacer and the
window of `control` allow, reports move the `flight` on, and blocks whose datagram was given up come again.

Nobody answers for ever: without a report for a second (or four round trips) the rate is halved each round trip, after
3 s nothing is sent, after 10 s the transfer is dropped; and so it is when 30 s bring nothing that is new.
"""

import hashlib
import math
from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple

from mysticproto.model import UdpTerms
from mysticproto.udp import packets
from mysticproto.udp.bandwidth import SPAN_MIN_S, Mark
from mysticproto.udp.blocks import decode_runs
from mysticproto.udp.challenge import Challenger
from mysticproto.udp.control import Control, Mode, Seen
from mysticproto.udp.flight import Flight, Lied
from mysticproto.udp.keys import KeyUsedUp, server_keys
from mysticproto.udp.pacing import BATCH_MAX, Pacer
from mysticproto.udp.state import Reason, State
from mysticproto.udp.supply import Supply

Read = Callable[[int, int], bytes | bytearray | memoryview]  # (offset, length) -> exactly that many bytes, fewer if cut

START_WITHIN_S = 10.0
PATIENCE_S, PATIENCE_RTTS = 1.0, 4.0
STOP_S = 3.0
DROP_S = 10.0
STALLED_S = 30.0
TAIL_S, TAIL_RTTS = 0.02, 0.3
TAIL_MIN, TAIL_MAX, TAIL_SHARE = 8, 64, 1 / 32
COPIED_RTTS, COPIED_SHARE, COPIED_LOSSES = 0.5, 1 / 32, 0.1
GIVE_UP_S, GIVE_UP_RTTS = 0.2, 2.5
REORDERING_RTTS = 1 / 8  # how much later than its successors a datagram may come
BATCH_BYTES_MAX = 65_507
TICK_S = 0.0005
SKIP_EVERY = 500
REPORTS_PER_S = 1000  # an honest client sends 200, more only where it gets more than 400,000 datagrams


class Batch(NamedTuple):
    """Datagrams for one address, end to end in `data`: each `segment_bytes` long, the last one perhaps shorter.

    At most 54 of them and 65,507 bytes, so that one call with UDP_SEGMENT sends it. The bytes are the caller's to keep.
    """

    address: Hashable
    data: bytes
    segment_bytes: int


class _FileCut(Exception):
    """The file is shorter than it was."""


class Sender:
    """One file to one client.

    `read(offset, length)` gives bytes of the file (at once: it is called from `take`); fewer than asked, or an OSError,
    means that the file changed and ends the transfer. `entropy`: 32 random bytes that nobody else knows. Addresses are
    opaque. `rate_limit_bytes_per_s` is an upper bound on what is sent, headers included.

    For statistics: `blocks_sent` (repeated ones included), `blocks_confirmed`, `refused` (datagrams that were forged,
    replayed or damaged), `peer`, and `control` once it runs.
    """

    def __init__(
        self,
        terms: UdpTerms,
        size: int,
        read: Read,
        entropy: bytes,
        now: float,
        rate_limit_bytes_per_s: float | None = None,
    ) -> None:
        self.state = State.WAITING
        self.reason: Reason | None = None  # set when FAILED
        self.refused = self.blocks_sent = 0
        self.control: Control | None = None
        self._total = packets.check_terms(terms, size)
        self._block_bytes, self._size, self._read, self._entropy = terms.block, size, read, entropy
        self._segment_bytes = terms.block + packets.OVERHEAD_BYTES
        self._rate_limit = rate_limit_bytes_per_s and rate_limit_bytes_per_s / self._segment_bytes
        self._sealer, self._opener = server_keys(terms, size)
        self._challenger = Challenger(entropy)
        self._client_pn = 0
        self._flight = Flight(self._sealer.next_pn)
        self._supply = Supply(self._total, ())
        self._pacer = Pacer(1.0, now)
        self._outgoing: list[Batch] = []
        self._paused = False
        self._starved_until = 0  # samples up to this pn are too low to mean anything
        self._tail = min(TAIL_MAX, max(TAIL_MIN, int(TAIL_SHARE * self._total)))
        self._is_copied = False  # what left last has gone again
        self._is_paced = False  # and not held back by the window, nor without anything to send
        self._largest = self._arrived = 0
        self._skips = 0
        self._until_skip = self._next_skip()
        self._heard_at = self._new_at = self._taken_at = now
        self._reports, self._reports_since = 0, now

    @property
    def peer(self) -> Hashable | None:
        """The address that file data goes to; None before it has proved itself."""
        return self._challenger.peer

    @property
    def blocks_confirmed(self) -> int:
        """Blocks that the client has, those from before included."""
        return self._supply.confirmed.held

    def received(self, datagram: bytes | memoryview, address: Hashable, now: float) -> None:
        """One datagram from the client, or from somebody who forged it. Afterwards ask `take` and `next_deadline`."""
        header = self._opener.header(datagram)
        if self.state is State.FAILED or header is None or header[1] <= self._client_pn:
            self.refused += 1
            return
        body = self._opener.open(datagram)
        if body is None:
            self.refused += 1
            return
        self._client_pn = header[1]
        try:
            self._dispatch(header[0], body, len(datagram), address, now)
        except KeyUsedUp:
            self._fail(Reason.KEY_USED_UP)
        except (ValueError, Lied):
            self.abort(Reason.LIED, now)

    def take(self, now: float) -> list[Batch]:
        """What is to be sent now; empty if nothing. To be called after `received` and at each deadline."""
        self._taken_at = now
        try:
            self._watch(now)
            if self.control is not None and self.state is State.RUNNING and not self._paused:
                self._send_blocks(self.control, now)
        except KeyUsedUp:
            self._fail(Reason.KEY_USED_UP)
        except (_FileCut, OSError):
            self.abort(Reason.FILE_CHANGED, now)
        taken, self._outgoing = self._outgoing, []
        return taken

    def next_deadline(self) -> float | None:
        """When `take` wants to be called next; None when the transfer is over and can be forgotten."""
        if self._outgoing:
            return self._taken_at
        if self.state is State.WAITING:
            return self._heard_at + START_WITHIN_S
        if self.state is not State.RUNNING or self.control is None:
            return None
        ends = min(self._heard_at + DROP_S, self._new_at + STALLED_S)
        return max(self._taken_at + TICK_S, min(ends, self._next_sending(self.control)))

    def abort(self, reason: Reason, now: float) -> None:
        """Ends the transfer; the next `take` says so to the client."""
        if self.state not in (State.WAITING, State.RUNNING):
            return
        if self.peer is not None and not self._sealer.used_up:
            self._say(packets.ABORT, bytes([reason]), self.peer, now)
        self._fail(reason)

    def _fail(self, reason: Reason) -> None:
        self.state, self.reason = State.FAILED, reason

    def _say(self, kind: int, body: bytes, address: Hashable, now: float) -> None:
        datagram = self._sealer.seal(kind, body)
        self._flight.add_other(now)
        self._outgoing.append(Batch(address, datagram, len(datagram)))

    # What the client says

    def _dispatch(self, kind: int, body: bytes, length: int, address: Hashable, now: float) -> None:
        match kind:
            case packets.HELLO if length >= packets.HELLO_BYTES and self.state is State.WAITING:
                self._challenge(address, now)
            case packets.START if self.state in (State.WAITING, State.RUNNING):
                self._start(body, address, now)
            case packets.REPORT if self.state is State.RUNNING and self.control is not None and self._bearable(now):
                if address == self.peer:
                    self._paused = False
                    self._report(packets.decode_report(body), self.control, now)
                else:
                    self._paused = True
                    if self._challenger.due(now):
                        self._challenge(address, now)
            case packets.DONE:
                self.state = State.DONE
                self._say(packets.DONE, b"", address, now)
            case packets.ABORT if self.state is not State.DONE:
                self._fail(packets.decode_reason(body))

    def _bearable(self, now: float) -> bool:
        """Whether one report more in this second is no flood."""
        if now >= self._reports_since + 1:
            self._reports, self._reports_since = 0, now
        self._reports += 1
        return self._reports <= REPORTS_PER_S

    def _challenge(self, address: Hashable, now: float) -> None:
        self._challenger.sent(self._sealer.next_pn, now)
        self._say(packets.CHALLENGE, self._challenger.token(address), address, now)

    def _start(self, body: bytes, address: Hashable, now: float) -> None:
        token, challenge_pn, runs = packets.decode_start(body)
        same_place = address == self.peer
        rtt_s = self._challenger.answered(token, challenge_pn, address, now)
        if rtt_s is None:
            if not same_place:
                self._challenge(address, now)
            return
        self._heard_at = now
        self._paused = False
        if self.state is State.WAITING:
            self._supply = Supply(self._total, decode_runs(runs, self._total))
            self._new_at = now
            self.state = State.DONE if self._supply.complete else State.RUNNING
        if not same_place:
            self._begin_path(rtt_s, now)

    def _begin_path(self, rtt_s: float, now: float) -> None:
        """What was learnt about another path is worth nothing on this one."""
        self._supply.give_back(self._flight.give_up(self._flight.next_pn, now))
        self.control = Control(rtt_s, now)
        self._pacer = Pacer(self.control.rate, now)

    def _report(self, report: packets.Report, control: Control, now: float) -> None:
        flight = self._flight
        if not self._largest <= report.largest < flight.next_pn:
            raise Lied
        arrived, late = flight.acknowledge(report.first, report.bitmap)
        self._heard_at = now
        if self._supply.confirmed.update(arrived):
            self._new_at = now
        lost = self._find_lost(report, control)
        self._supply.give_back(lost)
        self._arrived += len(arrived)
        control.on_report(self._seen(report, len(arrived), len(lost) - late, now), now)
        self._largest = report.largest
        if self._supply.complete:
            self.state = State.DONE

    def _find_lost(self, report: packets.Report, control: Control) -> list[int]:
        """Blocks whose datagram should have come before the largest, and those that no report will name any more."""
        flight = self._flight
        overdue = flight.sent_at(report.largest) - control.srtt_s * REORDERING_RTTS
        lost = flight.give_up(report.largest, overdue)
        lost += flight.give_up(report.first, float("inf"))
        flight.forget_below(report.first)
        return lost

    def _seen(self, report: packets.Report, acked: int, lost: int, now: float) -> Seen:
        sent_s = self._flight.sent_at(report.largest)
        return Seen(
            rtt_s=now - sent_s - report.hold_us / 1e6 if report.largest > self._largest else None,
            mark=Mark(self._arrived, report.clock_us / 1e6, sent_s),
            largest=report.largest,
            next_pn=self._flight.next_pn,
            in_flight=self._flight.in_flight,
            acked=acked,
            lost=lost,
            starved=report.largest <= self._starved_until,
        )

    # Sending

    def _watch(self, now: float) -> None:
        """The rules by which a transfer ends without a word."""
        if self.state is State.WAITING and now >= self._heard_at + START_WITHIN_S:
            self._fail(Reason.NO_ANSWER)
        elif self.state is State.RUNNING and now >= self._heard_at + DROP_S:
            self.abort(Reason.TIMED_OUT, now)
        elif self.state is State.RUNNING and now >= self._new_at + STALLED_S:
            self.abort(Reason.STALLED, now)

    def _send_blocks(self, control: Control, now: float) -> None:
        self._supply.give_back(self._flight.give_up(self._flight.next_pn, now - self._give_up_s(control)))
        rate = self._rate(control, now)
        if not rate:
            return
        self._pacer.rate = rate
        if self._is_paced and control.mode is not Mode.STARTUP and self._pacer.is_overdue(now):
            # The process was kept from sending; the path is not to blame for what that looks like.
            self._starved_until = self._flight.next_pn + int(rate * max(SPAN_MIN_S, control.min_rtt_s))
        while (count := self._allowed(control, now)) and (blocks := self._supply.take(count)):
            self._outgoing.append(self._batch(blocks, now))
        if self._supply.empty and not self._is_copied:
            self._copy_the_last(control, now)
        self._is_paced = not self._supply.empty and control.cwnd > self._flight.in_flight
        if self._supply.empty:
            self._starved_until = self._flight.next_pn

    def _copy_the_last(self, control: Control, now: float) -> None:
        """Nothing is left to send: what left last goes again before it is known what of it was lost, if some will have
        been. It saves half a round trip for a small part of the file."""
        self._is_copied = True
        first = self._flight.sent_since(now - COPIED_RTTS * control.srtt_s)
        count = self._flight.next_pn - first
        if control.fairness.p0 * count > COPIED_LOSSES and count <= COPIED_SHARE * self._total:
            self._supply.give_back(self._flight.give_up_from(first))

    def _rate(self, control: Control, now: float) -> float:
        """Datagrams per second; 0 after too long a silence."""
        silence = now - self._heard_at
        patience = max(PATIENCE_S, PATIENCE_RTTS * control.srtt_s)
        if silence >= max(STOP_S, patience):
            return 0.0
        rate = control.rate if not self._rate_limit else min(control.rate, self._rate_limit)
        return rate * math.exp2(-max(0.0, (silence - patience) / control.srtt_s))

    def _allowed(self, control: Control, now: float) -> int:
        """How many datagrams the next batch may have; none if it is worth waiting for more."""
        tokens = self._pacer.allowed(now)
        if tokens < self._pacer.batch:
            return 0
        window = int(control.cwnd) - self._flight.in_flight
        return max(0, min(tokens, window, self._flight.room - 2, BATCH_MAX, BATCH_BYTES_MAX // self._segment_bytes))

    def _batch(self, blocks: list[int], now: float) -> Batch:
        blocks = self._short_one_last(blocks)
        sealed = self._sealer.seal_blocks(blocks, self._bodies(blocks))
        self._flight.add(blocks, now)
        self._pacer.spend(len(blocks))
        self.blocks_sent += len(blocks)
        self._until_skip -= len(blocks)
        if self._until_skip <= 0:
            self._sealer.skip()
            self._flight.skip()
            self._until_skip = self._next_skip()
        return Batch(self.peer, sealed, self._segment_bytes)

    def _short_one_last(self, blocks: list[int]) -> list[int]:
        """The last block of the file may be shorter than the others, and so has to end its batch."""
        short = self._total - 1
        return [*(block for block in blocks if block != short), short] if short in blocks else blocks

    def _bodies(self, blocks: list[int]) -> Iterator[memoryview]:
        """Each block's bytes, with one read for those that follow each other."""
        one, start = self._block_bytes, 0
        for end in range(1, len(blocks) + 1):
            if end < len(blocks) and blocks[end] == blocks[end - 1] + 1:
                continue
            offset = blocks[start] * one
            length = min((blocks[end - 1] + 1) * one, self._size) - offset
            data = memoryview(self._read(offset, length))
            if len(data) != length:
                raise _FileCut
            for at in range(0, length, one):
                yield data[at : at + one]
            start = end

    def _give_up_s(self, control: Control) -> float:
        """How old a datagram becomes before its block is repeated although no later one has overtaken it."""
        if self._supply.empty and self._flight.in_flight <= self._tail:
            return max(TAIL_S, TAIL_RTTS * control.srtt_s)
        if self._supply.empty:
            return TAIL_S + (1 + REORDERING_RTTS) * control.srtt_s
        return GIVE_UP_S + GIVE_UP_RTTS * control.srtt_s

    def _next_sending(self, control: Control) -> float:
        if self._paused or not self._rate(control, self._taken_at):
            return float("inf")
        oldest = self._flight.oldest_live()
        again = float("inf") if oldest is None else oldest + self._give_up_s(control)
        if self._supply.empty or control.cwnd - self._flight.in_flight < 1 or self._flight.room < 3:
            return again
        return min(again, self._pacer.ready_at())

    def _next_skip(self) -> int:
        """How many datagrams until a pn is left out; unpredictable for the client."""
        self._skips += 1
        drawn = hashlib.blake2b(b"skip %d" % self._skips, key=self._entropy, digest_size=4).digest()
        return 1 + int.from_bytes(drawn, "big") % (2 * SKIP_EVERY)
