"""A sender and a receiver joined by links in virtual time: rate, delay, queue, loss, jitter, copies, damage.

Everything is drawn from one seeded generator, so that a run is the same every time.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from mysticproto.model import UdpTerms
from mysticproto.udp.blocks import BlockSet
from mysticproto.udp.packets import OVERHEAD_BYTES, check_terms
from mysticproto.udp.receiver import Receiver
from mysticproto.udp.sender import Sender
from mysticproto.udp.state import State

IP_BYTES = 28
ENTROPY = bytes(range(32))
START_AT = 1000.0


def terms_of(block: int = 1168, secret: bytes = b"s" * 32, cid: int = 7) -> UdpTerms:
    return UdpTerms(port=1, cid=cid, secret=secret, block=block)


@dataclass
class Link:
    """One direction. `bytes_per_s` None: as fast as one likes. `queue_bytes` counts what waits before the rate."""

    delay_s: float = 0.05
    bytes_per_s: float | None = None
    queue_bytes: float = 1 << 20
    loss: float = 0.0
    jitter_s: float = 0.0
    copies: float = 0.0
    damage: float = 0.0
    cut: Callable[[float], bool] = lambda now: False
    sent: int = 0
    dropped: int = 0
    _free_at: float = 0.0

    def carry(self, datagram: bytes, now: float, chance: random.Random) -> list[tuple[float, bytes]]:
        """When which bytes arrive."""
        self.sent += 1
        arrival = now + self.delay_s
        if self.bytes_per_s is not None:
            waiting = max(0.0, self._free_at - now)
            if waiting * self.bytes_per_s > self.queue_bytes:
                self.dropped += 1
                return []
            self._free_at = now + waiting + (len(datagram) + IP_BYTES) / self.bytes_per_s
            arrival = self._free_at + self.delay_s
        if chance.random() < self.loss or self.cut(now):
            return []
        if chance.random() < self.damage:
            datagram = damaged(datagram, chance)
        copies = 2 if chance.random() < self.copies else 1
        return [(arrival + chance.random() * self.jitter_s, datagram) for _ in range(copies)]


def damaged(datagram: bytes, chance: random.Random) -> bytes:
    """One bit is flipped, or the end is missing."""
    if chance.random() < 0.3:
        return datagram[: chance.randrange(len(datagram))]
    at = chance.randrange(len(datagram))
    return datagram[:at] + bytes([datagram[at] ^ 1 << chance.randrange(8)]) + datagram[at + 1 :]


@dataclass
class Run:
    """One transfer. `address_at` says where the client is; what is sent to an older place of his is lost."""

    size: int
    down: Link
    up: Link
    block: int = 1168
    seed: int = 1
    have: BlockSet | None = None
    rate_limit: float | None = None
    tick_s: float = 0.0
    sender_dies_at: float = float("inf")
    receiver_dies_at: float = float("inf")
    address_at: Callable[[float], Hashable] = lambda now: "home"
    content: bytes = b""
    now: float = START_AT
    steps: int = 0
    finished_at: float | None = None
    bytes_to: dict[Hashable, int] = field(default_factory=dict)
    bytes_from: dict[Hashable, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.content = self.content or self.chance.randbytes(self.size)
        terms = terms_of(self.block)
        have = self.have or BlockSet(check_terms(terms, self.size))
        self.stored = bytearray(self.size)
        for first, end in have.runs():
            self.stored[first * self.block : end * self.block] = self.content[first * self.block : end * self.block]
        self.sender = Sender(terms, self.size, self._read, ENTROPY, self.now, self.rate_limit)
        self.receiver = Receiver(terms, self.size, have, self._store, self.now)
        self._events: list[tuple[float, int, Hashable | None, bytes]] = []
        self._number = 0

    def _read(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]

    def _store(self, offset: int, data: bytes) -> None:
        assert self.content[offset : offset + len(data)] == data
        self.stored[offset : offset + len(data)] = data

    def to_the_end(self, steps_max: int = 3_000_000, seconds_max: float = 600.0) -> Run:
        """Until both are through, or the living one is."""
        while (at := self._next()) is not None:
            self.now = max(self.now, at)
            self.steps += 1
            assert self.steps < steps_max and self.now < START_AT + seconds_max, "it never ends"
            self._deliver()
            self._take()
            if self.finished_at is None and self.receiver.state is State.DONE:
                self.finished_at = self.now
        return self

    @property
    def seconds(self) -> float:
        """From the first HELLO to the last block."""
        assert self.finished_at is not None, (self.sender.state, self.receiver.state)
        return self.finished_at - START_AT

    @property
    def extra(self) -> float:
        """The share of blocks that was sent more than once."""
        return self.sender.blocks_sent / max(1, self.receiver.have.total) - 1

    @property
    def right(self) -> bool:
        return self.stored == self.content

    def _next(self) -> float | None:
        deadlines = []
        if self.now < self.sender_dies_at:
            deadlines.append(self.sender.next_deadline())
        if self.now < self.receiver_dies_at:
            deadlines.append(self.receiver.next_deadline())
        known = [max(at, self.now) for at in deadlines if at is not None]
        if not known:
            return None
        at = min(known)
        if self.tick_s:
            at = -(-at // self.tick_s) * self.tick_s
        return min(at, self._events[0][0]) if self._events else at

    def _deliver(self) -> None:
        while self._events and self._events[0][0] <= self.now:
            _, _, address, datagram = heapq.heappop(self._events)
            if address is None:
                if self.now < self.receiver_dies_at:
                    self.receiver.received(datagram, len(datagram), self.now, self.now)
            elif self.now < self.sender_dies_at:
                self.bytes_from[address] = self.bytes_from.get(address, 0) + len(datagram)
                self.sender.received(datagram, address, self.now)

    def _take(self) -> None:
        if self.now < self.sender_dies_at:
            self._send()
        if self.now < self.receiver_dies_at:
            for datagram in self.receiver.take(self.now):
                self._put(self.up, datagram, self.address_at(self.now))

    def _send(self) -> None:
        for address, data, segment_bytes in self.sender.take(self.now):
            self.bytes_to[address] = self.bytes_to.get(address, 0) + len(data)
            assert self.bytes_to[address] <= 3 * self.bytes_from.get(address, 0) or address == self.sender.peer
            for at in range(0, len(data), segment_bytes):
                if address == self.address_at(self.now):
                    self._put(self.down, data[at : at + segment_bytes], None)

    def _put(self, link: Link, datagram: bytes, address: Hashable | None) -> None:
        for arrival, got in link.carry(datagram, self.now, self.chance):
            self._number += 1
            heapq.heappush(self._events, (arrival, self._number, address, got))


def mbit(run: Run) -> float:
    """What the whole transfer reached, start-up included."""
    return run.size * 8 / run.seconds / 1e6


def ceiling_mbit(run: Run) -> float:
    """What the link can carry of the file when nothing is wasted."""
    assert run.down.bytes_per_s is not None
    share = run.block / (run.block + OVERHEAD_BYTES + IP_BYTES)
    return run.down.bytes_per_s * 8 / 1e6 * share * (1 - run.down.loss)
