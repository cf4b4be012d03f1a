"""One peer's socket: what the first bytes decide, what arrives, how it ends, and that nothing stays behind."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mystic_server.net import connection as module
from mystic_server.net.connection import ChooseWire, Connection, State
from mystic_server.net.outqueue import SPAN_LEAST_BYTES, FileSpan
from mystic_server.net.reactor import Reactor, Timer
from mysticproto.errors import ProtocolError
from mysticproto.model import Ping
from mysticproto.wire import Alone
from tests.server.net.scripted import (
    BUG,
    WELCOME,
    LineWire,
    Remembering,
    line_wire,
    read_now,
    tick_once,
    tick_until,
)

HARD_LIMIT = 1 << 20
KERNEL_BYTES = 4096


class Line:
    """A connection in a loop, and the peer at its other end."""

    def __init__(self) -> None:
        self.faults: list[BaseException] = []
        self.reactor = Reactor(self.faults.append)
        self.reactor.at_tick_end(self._flush)
        self._unsent: set[Connection] = set()
        self._connections: list[Connection] = []
        self._peers: list[socket.socket] = []
        self.departed: list[Connection] = []
        self.tls: ssl.SSLContext | None = None

    def connect(
        self,
        choose: ChooseWire = line_wire,
        owner: Remembering | None = None,
        hard_limit: int = HARD_LIMIT,
    ) -> tuple[Connection, Remembering, socket.socket]:
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        ours.setblocking(False)
        owner = owner or Remembering()
        address, departed = ("192.0.2.1", 4711), self.departed.append
        connection = Connection(
            self.reactor, ours, address, choose, owner, departed, self._unsent, hard_limit, self.tls
        )
        self._connections.append(connection)
        self._peers.append(theirs)
        return connection, owner, theirs

    def open(self, hard_limit: int = HARD_LIMIT) -> tuple[Connection, Remembering, socket.socket]:
        """A connection whose wire is known and whose welcome has been read."""
        connection, owner, peer = self.connect(hard_limit=hard_limit)
        peer.sendall(b"LINE")
        tick_until(self.reactor, lambda: "opened" in owner.told)
        assert read_now(peer) == WELCOME
        owner.told.clear()
        return connection, owner, peer

    def until(self, is_true: Callable[[], bool]) -> None:
        tick_until(self.reactor, is_true)

    def until_closed(self, connection: Connection) -> None:
        self.until(lambda: connection.state is State.CLOSED)

    def drain(self, connection: Connection, peer: socket.socket) -> bytes:
        """All that the peer gets until the connection says end of file or closes."""
        data = b""
        while connection.state not in (State.ENDING, State.CLOSED):
            tick_once(self.reactor)
            data += read_now(peer)
        return data + read_now(peer)

    def close(self) -> None:
        for connection in self._connections:
            connection.close("lost")
        for peer in self._peers:
            peer.close()
        self.reactor.close()

    def _flush(self) -> None:
        while self._unsent:
            self._unsent.pop().flush()


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


def span(path: Path, data: bytes) -> FileSpan:
    path.write_bytes(data)
    return FileSpan(os.open(path, os.O_RDONLY), 0, len(data))


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# The first bytes.


@pytest.mark.parametrize("pieces", [[b"LINEone\n"], [b"L", b"I", b"N", b"E", b"o", b"ne\n"], [b"LIN", b"Eone\n"]])
def test_the_wire_gets_all_bytes_however_they_were_cut(line: Line, pieces: list[bytes]) -> None:
    connection, owner, peer = line.connect()
    for piece in pieces:
        peer.sendall(piece)
        seen = connection.bytes_from_peer + len(piece)
        line.until(lambda seen=seen: connection.bytes_from_peer == seen)  # type: ignore[misc]
    assert owner.told[:2] == ["opened", "received"]
    assert owner.items == [Ping(7)]
    assert isinstance(connection.wire, LineWire) and connection.wire.fed == b"LINEone\n"
    assert read_now(peer) == WELCOME


def test_as_long_as_it_is_too_early_to_tell_nothing_is_said(line: Line) -> None:
    connection, owner, peer = line.connect()
    peer.sendall(b"LIN")
    line.until(lambda: connection.bytes_from_peer == 3)
    assert (connection.state, connection.wire, owner.told, read_now(peer)) == (State.DETECTING, None, [], b"")


def test_who_speaks_no_wire_is_told_so_and_not_reset(line: Line) -> None:
    """Even while more is coming: unread bytes at the close would make the kernel drop the answer."""
    connection, owner, peer = line.connect()
    peer.sendall(b"GET / HTTP/1.1\r\n")
    line.until(lambda: connection.state is State.ENDING)
    peer.sendall(b"x" * 1000)
    tick_once(line.reactor)
    assert peer.recv(100) == b"What?\r\n"
    assert peer.recv(100) == b""
    peer.close()
    line.until_closed(connection)
    assert owner.told == ["finished"]


def test_an_end_of_file_before_anything_was_known(line: Line) -> None:
    connection, owner, peer = line.connect()
    peer.close()
    line.until_closed(connection)
    assert owner.told == ["lost"] and line.departed == [connection]


# What arrives.


def test_what_is_pushed_leaves_at_the_end_of_the_tick(line: Line) -> None:
    connection, _, peer = line.open()
    connection.push(b"one ")
    connection.push(b"two")
    assert read_now(peer) == b""
    tick_once(line.reactor)
    assert read_now(peer) == b"one two"


def test_what_is_delivered_leaves_at_once_but_never_before_what_was_pushed(line: Line) -> None:
    connection, _, peer = line.open()
    connection.deliver(b"now;")
    assert read_now(peer) == b"now;"
    connection.push(b"pushed;")
    connection.deliver(b"delivered;")
    tick_once(line.reactor)
    assert read_now(peer) == b"pushed;delivered;"


def test_a_slow_reader_gets_everything_in_order(line: Line) -> None:
    connection, owner, peer = line.open()
    expected = b""
    for number in range(2000):
        data = b"%d;" % number * 20
        expected += data
        (connection.deliver if number % 3 else connection.push)(data)
    assert connection.queue.bytes_held > 0
    got = b""
    while len(got) < len(expected):
        tick_once(line.reactor)
        got += read_now(peer)
    assert got == expected
    line.until(lambda: "drained" in owner.told)
    assert owner.told == ["drained"]


def test_a_file_between_bytes_arrives_byte_for_byte(line: Line, tmp_path: Path) -> None:
    connection, owner, peer = line.open()
    content = os.urandom(300_000)
    file = span(tmp_path / "file", content)
    connection.push(b"head")
    connection.push(file)
    connection.push(b"tail")
    connection.finish()
    assert line.drain(connection, peer) == b"head" + content + b"tail"
    assert not is_open(file.fd)
    peer.close()
    line.until_closed(connection)
    assert owner.told == ["finished"]
    assert connection.queue.bytes_to_peer == len(WELCOME) + 8 + len(content)


@pytest.mark.parametrize(
    ("tick_s", "beside_chat_s", "somebody_speaks", "gets_little"),
    [(-1.0, -1.0, False, True), (1e9, -1.0, False, False), (1e9, -1.0, True, True), (-1.0, 1e9, True, False)],
)
def test_a_tick_that_has_lasted_long_enough_sends_little_of_files(
    line: Line,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tick_s: float,
    beside_chat_s: float,
    somebody_speaks: bool,
    gets_little: bool,
) -> None:
    monkeypatch.setattr(module, "FILES_TICK_S", tick_s)
    monkeypatch.setattr(module, "FILES_BESIDE_CHAT_S", beside_chat_s)
    (connection, _, _), (_, _, speaker) = line.open(), line.open()
    connection._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # type: ignore[union-attr]
    connection.push(span(tmp_path / "file", bytes(1 << 20)))
    if somebody_speaks:
        speaker.sendall(b"hello\n")
    before = connection.queue.bytes_to_peer
    tick_once(line.reactor)
    assert (connection.queue.bytes_to_peer - before <= SPAN_LEAST_BYTES) is gets_little


def test_chunks_alone_have_silence_around_them(line: Line) -> None:
    connection, _, peer = line.connect(lambda *_: LineWire(alone_gap_s=50.0))
    peer.sendall(b"LINE")
    line.until(lambda: connection.state is State.OPEN)
    assert read_now(peer) == WELCOME
    for chunk in (Alone(b"one"), Alone(b"two"), b"three", b"four"):
        connection.push(chunk)
    start = line.reactor.now
    got = []
    for after_s in (0, 49, 50, 51, 99, 100, 149, 151):
        line.reactor.now = start + after_s
        connection.flush()
        got.append(read_now(peer))
    assert got == [b"", b"", b"one", b"", b"", b"two", b"", b"threefour"]


def test_after_the_silence_it_goes_on_by_itself(line: Line) -> None:
    connection, _, peer = line.connect(lambda *_: LineWire(alone_gap_s=0.01))
    peer.sendall(b"LINE")
    line.until(lambda: connection.state is State.OPEN)
    for number in range(5):
        connection.push(Alone(b"%d" % number))
    line.until(lambda: not connection.queue)
    assert read_now(peer) == WELCOME + b"01234"


def test_silence_needs_one_timer_however_much_is_said(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, _, peer = line.connect(lambda *_: LineWire(alone_gap_s=0.01))
    peer.sendall(b"LINE")
    line.until(lambda: connection.state is State.OPEN)
    timers: list[float] = []
    call_at = line.reactor.call_at

    def counted(when: float, callback: Callable[[], None]) -> Timer:
        timers.append(when)
        return call_at(when, callback)

    for number in range(10):
        connection.push(Alone(b"%d" % number))
        connection.flush()
    monkeypatch.setattr(line.reactor, "call_at", counted)
    while connection.queue:
        line.reactor.tick()
    assert len(timers) <= 10
    assert read_now(peer) == WELCOME + b"0123456789"


def test_drained_is_told_when_it_was_asked_for(line: Line) -> None:
    connection, owner, _ = line.open()
    connection.push(b"x")
    tick_once(line.reactor)
    assert owner.told == []
    connection.push(b"x")
    connection.tell_when_drained()
    tick_once(line.reactor)
    assert owner.told == ["drained"]


# What comes in.


def test_while_paused_nothing_is_read_and_nothing_is_lost(line: Line) -> None:
    connection, owner, peer = line.open()
    connection.pause()
    connection.pause()
    peer.sendall(b"one\n")
    tick_once(line.reactor)
    assert owner.items == []
    connection.push(b"still written")
    tick_once(line.reactor)
    assert read_now(peer) == b"still written"
    connection.resume()
    line.until(lambda: bool(owner.items))
    assert owner.items == [Ping(7)]  # with the LINE before it


def test_senseless_bytes_are_the_owners_to_answer(line: Line) -> None:
    _, owner, peer = line.open()
    peer.sendall(b"\n!\n")
    line.until(lambda: len(owner.items) == 2)
    assert isinstance(owner.items[1], ProtocolError)


def test_the_end_of_file_completes_what_it_can(line: Line) -> None:
    connection, owner, peer = line.open()
    peer.sendall(b"\nlast")
    peer.close()
    line.until_closed(connection)
    assert owner.items == [Ping(4), Ping(4)]
    assert owner.told[-1] == "lost"


# Ends.


def test_a_reset_is_a_loss(line: Line, tmp_path: Path) -> None:
    connection, owner, peer = line.open()
    file = span(tmp_path / "file", bytes(1_000_000))
    connection.push(file)
    tick_once(line.reactor)
    reset(peer)
    line.until_closed(connection)
    assert owner.told == ["lost"] and not is_open(file.fd)


def test_a_peer_that_goes_before_the_last_words_is_a_loss(line: Line) -> None:
    connection, owner, peer = line.open()
    connection.push(bytes(100_000))
    connection.finish()
    tick_once(line.reactor)
    assert connection.state is State.FINISHING
    peer.close()
    line.until_closed(connection)
    assert owner.told == ["lost"]


def test_after_finish_nothing_is_said_or_heard(line: Line, tmp_path: Path) -> None:
    connection, owner, peer = line.open()
    connection.push(b"last words")
    connection.finish()
    file = span(tmp_path / "file", b"too late")
    connection.push(b"too late")
    connection.push(file)
    connection.deliver(b"too late")
    peer.sendall(b"hello?\n")
    assert line.drain(connection, peer) == b"last words"
    peer.close()
    line.until_closed(connection)
    assert (owner.told, owner.items, is_open(file.fd)) == (["finished"], [], False)


def test_a_paused_connection_finishes_too(line: Line) -> None:
    connection, owner, peer = line.open()
    connection.pause()
    connection.finish()
    line.until(lambda: connection.state is State.ENDING)
    peer.close()
    line.until_closed(connection)
    assert owner.told == ["finished"]


def test_a_peer_that_never_closes_is_not_waited_for_long(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ENDING_LIMIT_S", 0.01)
    connection, owner, _ = line.open()
    connection.finish()
    line.until_closed(connection)
    assert owner.told == ["finished"]


def test_a_reader_that_is_too_slow_is_cut_off(line: Line, tmp_path: Path) -> None:
    connection, owner, _ = line.open(hard_limit=50_000)
    file = span(tmp_path / "file", bytes(1_000_000))
    connection.push(file)  # is not in memory, so it doesn't count
    connection.push(bytes(50_000))
    tick_once(line.reactor)
    assert owner.told == []
    connection.deliver(b"x")
    assert owner.told == ["too_slow"] and not is_open(file.fd)


def test_a_file_that_becomes_shorter_ends_the_connection(line: Line, tmp_path: Path) -> None:
    connection, owner, peer = line.open()
    file = span(tmp_path / "file", bytes(100_000))
    connection.push(file)
    os.truncate(tmp_path / "file", 10)
    connection.push(b"never")
    assert line.drain(connection, peer) == bytes(10)
    assert owner.told == ["cut_short"] and not is_open(file.fd)


def test_our_own_bug_ends_one_connection_and_no_other(line: Line) -> None:
    connection, owner, peer = line.open()
    other, other_owner, other_peer = line.open()
    peer.sendall(b"\n" + BUG + b"\n")
    other_peer.sendall(b"\nfine\n")
    line.until(lambda: len(other_owner.items) == 2 and connection.state is State.CLOSED)
    assert [str(fault).splitlines()[0] for fault in line.faults] == ["a bug"]
    assert owner.told == ["fault"]
    assert other.state is State.OPEN


def test_a_bug_of_the_owner_at_the_end_keeps_nothing_open(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, owner, peer = line.open()
    file = span(tmp_path / "file", bytes(1_000_000))
    connection.push(file)

    def closed(connection: Connection, cause: str) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(owner, "closed", closed)
    peer.sendall(b"\n" + BUG + b"\n")
    line.until_closed(connection)
    assert [type(fault) for fault in line.faults] == [AssertionError, LookupError]
    assert not is_open(file.fd)


def test_it_ends_once(line: Line) -> None:
    connection, owner, _ = line.open()
    connection.close("fault")
    connection.abort()
    connection.close("lost")
    connection.finish()
    connection.flush()
    assert owner.told == ["fault"] and line.departed == [connection]


def test_it_shows_what_it_is(line: Line) -> None:
    connection, _, _ = line.open()
    assert repr(connection) == "<192.0.2.1 port 4711 lines OPEN 0 held>"
