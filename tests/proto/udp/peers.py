"""The other side by hand: says exactly what a test wants, also what no honest one would."""

from __future__ import annotations

from collections.abc import Hashable

from mysticproto.udp import packets
from mysticproto.udp.keys import client_keys, server_keys
from mysticproto.udp.packets import Report
from mysticproto.udp.sender import Batch, Sender
from tests.proto.udp.links import ENTROPY, terms_of

SIZE = 100_000
CONTENT = bytes(number * 7 % 251 for number in range(SIZE))


def sender_of(size: int = SIZE, rate_limit: float | None = None) -> Sender:
    return Sender(terms_of(), size, lambda offset, length: CONTENT[offset : offset + length], ENTROPY, 0.0, rate_limit)


class Client:
    """Talks to a `Sender` as its client."""

    def __init__(self, sender: Sender, size: int = SIZE, block: int = 1168) -> None:
        self.sender = sender
        self.sealer, self.opener = client_keys(terms_of(block), size)
        self.now = 0.0

    def hello(self, length: int = packets.HELLO_BYTES) -> bytes:
        return self.sealer.seal(packets.HELLO, bytes(length - packets.OVERHEAD_BYTES))

    def say(self, datagram: bytes, address: Hashable = "home") -> list[Batch]:
        """What the sender answers."""
        self.sender.received(datagram, address, self.now)
        return self.sender.take(self.now)

    def start(self, challenge: Batch, runs: bytes = b"") -> bytes:
        header, body = self.opener.header(challenge.data), self.opener.open(challenge.data)
        assert header is not None and body is not None and header[0] == packets.CHALLENGE
        return self.sealer.seal(packets.START, packets.encode_start(body, header[1], runs))

    def shake_hands(self, runs: bytes = b"") -> list[Batch]:
        """The first data, after a round trip of 0.1 s."""
        [challenge] = self.say(self.hello())
        self.now += 0.1
        return self.say(self.start(challenge, runs))

    def report(self, first: int, bitmap: int, clock_us: int | None = None) -> bytes:
        clock_us = int(self.now * 1e6) if clock_us is None else clock_us
        report = Report(first + bitmap.bit_length() - 1, clock_us, 0, first, bitmap)
        return self.sealer.seal(packets.REPORT, packets.encode_report(report))

    def read(self, batches: list[Batch]) -> list[tuple[int, int, int, bytes]]:
        """(type, pn, block, body) of every datagram."""
        found = []
        for _, data, one in batches:
            for at in range(0, len(data), one):
                header, body = self.opener.header(data[at : at + one]), self.opener.open(data[at : at + one])
                assert header is not None and body is not None
                found.append((*header, body))
        return found


class Server:
    """Makes what a server would send to a `Receiver`."""

    def __init__(self, size: int = SIZE) -> None:
        self.sealer, self.opener = server_keys(terms_of(), size)

    def data(self, block: int, body: bytes | None = None) -> bytes:
        return self.sealer.seal(
            packets.DATA, CONTENT[block * 1168 : block * 1168 + 1168] if body is None else body, block
        )

    def kinds(self, datagrams: list[bytes]) -> list[int]:
        headers = [self.opener.header(datagram) for datagram in datagrams]
        return [header[0] for header in headers if header is not None]
