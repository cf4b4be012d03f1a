"""What the tests of connections share: a wire of plain lines, an owner that remembers, and a loop with a deadline."""

from __future__ import annotations

import socket
from collections.abc import Callable

from mystic_server.net.connection import Connection, WireChoice
from mystic_server.net.reactor import Reactor
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import Bye, Event, Passing, Ping, Reply, Request
from mysticproto.wire import Chunks, Item, Local, Role

PATIENCE_S = 10.0
WELCOME = b"welcome;"
BUG = b"bug"


class LineWire:
    """Every line is a `Ping` with its length as the number; "!" is senseless, "bug" is a fault of ours."""

    name = "lines"
    follows_roster = False
    is_personal = False
    file_coding = ""
    is_framed = True
    pings = True
    pairs = False
    is_over = False

    def __init__(self, alone_gap_s: float = 0.0) -> None:
        self.alone_gap_s = alone_gap_s
        self.fed = b""
        self._line = b""

    def opened(self, now: float) -> list[Item]:
        return [Local((WELCOME,))]

    def feed(self, data: bytes, now: float) -> list[Item]:
        self.fed += data
        *lines, self._line = (self._line + data).split(b"\n")
        return [self._item(line) for line in lines]

    def eof(self, now: float) -> list[Item]:
        return [self._item(self._line)] if self._line else []

    def next_deadline(self) -> float | None:
        return None

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        return ()

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        return ()

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        return ()

    def take_follow_ups(self) -> list[Item]:
        return []

    def _item(self, line: bytes) -> Item:
        assert line != BUG, "a bug"
        return ProtocolError(Code.MALFORMED, "senseless") if line == b"!" else Ping(len(line))


class Remembering:
    """The owner: everything it was told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.items: list[Item] = []
        self.on_drained: Callable[[Connection], None] = lambda _: None

    def opened(self, connection: Connection) -> None:
        self.told.append("opened")

    def received(self, connection: Connection, items: list[Item]) -> None:
        self.told.append("received")
        self.items += items

    def drained(self, connection: Connection) -> None:
        self.told.append("drained")
        self.on_drained(connection)

    def closed(self, connection: Connection, cause: str) -> None:
        self.told.append(cause)


def line_wire(first_bytes: bytes, is_final: bool) -> WireChoice:
    """Four bytes are needed; "LINE" is the wire of lines, all else is nothing."""
    if len(first_bytes) < 4 and not is_final:
        return None
    return LineWire() if first_bytes.startswith(b"LINE") else b"What?\r\n"


def tick_until(reactor: Reactor, is_true: Callable[[], bool]) -> None:
    """Runs the loop until then; the first round does not wait, since what was pushed from outside is still to leave."""
    reactor.call_later(0, lambda: None)
    limit = reactor.call_later(PATIENCE_S, lambda: None)
    while not is_true():
        assert reactor.now < limit.when, "it never came true"
        reactor.tick()
    limit.cancel()


def tick_once(reactor: Reactor) -> None:
    """One round that does not wait."""
    reactor.call_later(0, lambda: None)
    reactor.tick()


def read_now(sock: socket.socket) -> bytes:
    """What is there already; a closed connection adds nothing."""
    data = b""
    sock.setblocking(False)
    try:
        while part := sock.recv(1 << 20):
            data += part
    except BlockingIOError:
        pass
    return data
