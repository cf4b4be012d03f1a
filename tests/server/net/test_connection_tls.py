"""A connection whose first byte is that of TLS: all as without it, and what only TLS has."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.net import connection as module
from mystic_server.net.connection import ChooseWire, Connection, State
from mysticproto.model import Ping
from mysticproto.wire import Alone
from tests.server.net.scripted import WELCOME, LineWire, Remembering, line_wire, read_now, tick_once
from tests.server.net.test_connection import Line, is_open, span
from tests.server.net.tls_peer import TlsPeer
from tests.support.certificates import server_tls

HARD_LIMIT = 1 << 20


class TlsLine(Line):
    """As `Line`, for peers that may speak TLS."""

    def connect(
        self, choose: ChooseWire = line_wire, owner: Remembering | None = None, hard_limit: int = HARD_LIMIT
    ) -> tuple[Connection, Remembering, socket.socket]:
        self.tls = server_tls().context
        return super().connect(choose, owner, hard_limit)

    def meet(self, cut: int = 0, choose: ChooseWire = line_wire) -> tuple[Connection, Remembering, TlsPeer]:
        """A peer that has shaken hands, and said nothing yet."""
        connection, owner, sock = self.connect(choose)
        peer = TlsPeer(sock, lambda: tick_once(self.reactor), cut)
        peer.shake_hands()
        return connection, owner, peer

    def open_tls(self, cut: int = 0) -> tuple[Connection, Remembering, TlsPeer]:
        connection, owner, peer = self.meet(cut)
        peer.say(b"LINE")
        assert peer.read() == WELCOME
        peer.got = b""
        owner.told.clear()
        return connection, owner, peer

    def until_read(self, peer: TlsPeer, data: bytes) -> None:
        while len(peer.got) < len(data):
            tick_once(self.reactor)
            before = peer.got
            assert data.startswith(peer.read()), f"not what was said, behind {len(before)} bytes"


@pytest.fixture
def line() -> Iterator[TlsLine]:
    line = TlsLine()
    yield line
    line.close()


@pytest.mark.parametrize("cut", [1, 7, 0])
def test_the_wire_is_found_inside(line: TlsLine, cut: int) -> None:
    connection, owner, peer = line.meet(cut)
    assert (connection.state, connection.is_secure, connection.bytes_from_peer) == (State.DETECTING, True, 0)
    peer.say(b"LI")
    assert owner.told == []
    peer.say(b"NEone\n")
    assert owner.told == ["opened", "received"] and owner.items == [Ping(7)]
    assert peer.read() == WELCOME
    assert connection.bytes_from_peer == 8


def test_in_the_clear_nothing_is_different(line: TlsLine) -> None:
    connection, _, _ = line.open()
    assert not connection.is_secure


def test_tls_begins_with_the_very_first_byte_or_never(line: TlsLine) -> None:
    connection, _, peer = line.connect()
    peer.sendall(b"L")
    line.until(lambda: connection.bytes_from_peer == 1)
    peer.sendall(b"\x16\x03\x01")
    line.until(lambda: connection.state is State.ENDING)
    assert read_now(peer) == b"What?\r\n" and not connection.is_secure


def test_without_a_certificate_the_byte_is_one_like_others(line: TlsLine) -> None:
    connection, _, peer = Line.connect(line)
    peer.sendall(b"\x16\x03\x01\x00")
    line.until(lambda: connection.state is State.ENDING)
    assert read_now(peer) == b"What?\r\n"


def test_who_speaks_no_wire_inside_is_told_so_inside(line: TlsLine) -> None:
    _, _, peer = line.meet()
    peer.say(b"GET / HTTP/1.1\r\n")
    assert peer.read() == b"What?\r\n" and peer.has_ended


def test_words_both_ways(line: TlsLine) -> None:
    connection, owner, peer = line.open_tls()
    peer.say(b"\n".join(b"x" * length for length in range(500)) + b"\n")
    assert owner.items == [Ping(4), *map(Ping, range(1, 500))]
    connection.deliver(b"now;")
    connection.push(b"pushed;")
    connection.deliver(b"delivered;")
    tick_once(line.reactor)
    assert peer.read() == b"now;pushed;delivered;"


def test_a_slow_reader_gets_everything_in_order(line: TlsLine) -> None:
    connection, owner, peer = line.open_tls()
    expected = b""
    for number in range(2000):
        data = b"%d;" % number * 20
        expected += data
        (connection.deliver if number % 3 else connection.push)(data)
    assert connection.queue.bytes_held > 0
    line.until_read(peer, expected)
    line.until(lambda: "drained" in owner.told)
    assert connection.queue.bytes_held == 0
    assert connection.queue.bytes_to_peer == len(WELCOME) + len(expected), "counted once, in the clear"


def test_five_mebibytes_of_a_file_between_bytes(line: TlsLine, tmp_path: Path) -> None:
    connection, owner, peer = line.open_tls()
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
    connection._sock._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)  # type: ignore[union-attr]
    content = os.urandom(5 * 1024 * 1024)
    file = span(tmp_path / "file", content)
    for chunk in (b"head", file, b"tail"):
        connection.push(chunk)
    connection.finish()
    line.until_read(peer, b"head" + content + b"tail")
    line.until(lambda: connection.state is State.ENDING)
    peer.read()
    assert peer.has_ended and not is_open(file.fd)
    peer.sock.close()
    line.until_closed(connection)
    assert owner.told == ["finished"]


def test_a_file_to_a_reader_with_little_room(line: TlsLine, tmp_path: Path) -> None:
    """What the kernel didn't take is read again, and must be the same."""
    connection, _, peer = line.open_tls()
    content = os.urandom(300_001)
    connection.push(span(tmp_path / "file", content))
    connection.push(b"tail")
    line.until_read(peer, content + b"tail")


def test_a_file_that_becomes_shorter_ends_the_connection(line: TlsLine, tmp_path: Path) -> None:
    connection, owner, _ = line.open_tls()
    connection.push(span(tmp_path / "file", bytes(100_000)))
    os.truncate(tmp_path / "file", 10)
    line.until_closed(connection)
    assert owner.told == ["cut_short"]


def test_a_reader_that_is_too_slow_is_cut_off(line: TlsLine) -> None:
    connection, owner, _ = line.open_tls()
    connection.push(bytes(HARD_LIMIT - 10_000))
    tick_once(line.reactor)
    assert owner.told == []
    connection.deliver(bytes(100_000))
    assert owner.told == ["too_slow"]


def test_silence_around_chunks_that_are_alone(line: TlsLine) -> None:
    connection, _, peer = line.meet(choose=lambda *_: LineWire(alone_gap_s=0.01))
    peer.say(b"LINE")
    for number in range(5):
        connection.push(Alone(b"%d" % number))
    line.until(lambda: not connection.queue)
    assert peer.read() == WELCOME + b"01234"


def test_while_paused_nothing_is_read_and_nothing_is_lost(line: TlsLine) -> None:
    connection, owner, peer = line.open_tls()
    connection.pause()
    peer.say(b"one\n")
    assert owner.items == []
    connection.resume()
    line.until(lambda: bool(owner.items))
    assert owner.items == [Ping(7)]


# Ends.


def test_a_farewell_completes_what_it_can(line: TlsLine) -> None:
    connection, owner, peer = line.open_tls()
    peer.encrypt(b"\nlast")
    peer.say_goodbye()
    line.until_closed(connection)
    assert owner.items == [Ping(4), Ping(4)] and owner.told[-1] == "lost"


def test_an_end_without_a_farewell_completes_nothing(line: TlsLine) -> None:
    """Somebody may have cut the last word short."""
    connection, owner, peer = line.open_tls()
    peer.say(b"\ntransfer 100")
    peer.sock.close()
    line.until_closed(connection)
    assert owner.items == [Ping(4)] and owner.told[-1] == "lost"


def test_finish_takes_leave(line: TlsLine) -> None:
    connection, owner, peer = line.open_tls()
    connection.push(b"last words")
    connection.finish()
    tick_once(line.reactor)
    assert peer.read() == b"last words" and peer.has_ended
    peer.say_goodbye()
    peer.sock.close()
    line.until_closed(connection)
    assert owner.told == ["finished"]


def test_finish_in_the_middle_of_the_handshake(line: TlsLine) -> None:
    connection, owner, peer = line.connect()
    peer.sendall(b"\x16\x03\x01")
    line.until(lambda: connection.is_secure)
    connection.finish()
    line.until(lambda: connection.state is State.ENDING)
    peer.close()
    line.until_closed(connection)
    assert owner.told == ["finished"]


def test_who_stops_in_the_middle_of_the_handshake_is_not_waited_for(
    line: TlsLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HANDSHAKE_LIMIT_S", 0.01)
    connection, owner, peer = line.connect()
    peer.sendall(b"\x16\x03\x01\x02\x00")
    line.until_closed(connection)
    assert owner.told == ["silent"]


def test_who_has_shaken_hands_may_take_time(line: TlsLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HANDSHAKE_LIMIT_S", 0.01)
    connection, _, _ = line.meet()
    assert connection._handshake is None and connection.state is State.DETECTING


@pytest.mark.parametrize("garbage", [b"\x16hello there, this is no TLS", b"\x16\x03\x01\x00\x05hello", b"\x16" * 5000])
def test_garbage_behind_the_first_byte_ends_it(line: TlsLine, garbage: bytes) -> None:
    connection, owner, peer = line.connect()
    peer.sendall(garbage)
    line.until_closed(connection)
    assert owner.told == ["lost"] and line.faults == []


def test_garbage_in_the_middle_ends_it(line: TlsLine) -> None:
    connection, owner, peer = line.open_tls()
    peer.sock.sendall(b"in the clear all of a sudden\n")
    line.until_closed(connection)
    assert owner.told == ["lost"] and owner.items == [] and line.faults == []


# Ports of one wire.


def test_on_a_port_of_one_wire_the_server_waits_a_moment_for_tls(line: TlsLine) -> None:
    connection, owner, sock = line.connect(lambda *_: LineWire())
    connection.begin()
    peer = TlsPeer(sock, lambda: tick_once(line.reactor))
    assert read_now(sock) == b""
    peer.shake_hands()
    tick_once(line.reactor)
    assert peer.read() == WELCOME and owner.told == ["opened"], "the server has the first word"
    peer.say(b"LINE\n")
    assert owner.items == [Ping(4)]


def test_on_a_port_of_one_wire_who_says_nothing_is_spoken_to_in_the_clear(
    line: TlsLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SPEAKING_FIRST_AFTER_S", 0.01)
    connection, owner, peer = line.connect(lambda *_: LineWire())
    connection.begin()
    line.until(lambda: connection.state is State.OPEN)
    tick_once(line.reactor)
    assert read_now(peer) == WELCOME and owner.told == ["opened"]


def test_on_a_port_of_one_wire_the_first_word_decides_at_once(line: TlsLine) -> None:
    connection, owner, peer = line.connect(lambda *_: LineWire())
    connection.begin()
    peer.sendall(b"LINE\n")
    line.until(lambda: bool(owner.items))
    assert read_now(peer) == WELCOME
