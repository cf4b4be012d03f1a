"""TLS around a socket: what comes out is what went in, however the bytes are cut and however slow the other side is."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.net.tls import MAX_UNSENT_BYTES, NO_TLS, PIECE_BYTES, TLS_BUT_NO_ROOM, TlsSocket
from tests.server.net.scripted import read_now
from tests.server.net.tls_peer import TlsPeer, client_context
from tests.support.certificates import server_tls

KERNEL_BYTES = 4096


class Ends:
    """Both ends. What the server reads is in `heard`."""

    def __init__(self, cut: int = 0) -> None:
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        ours.setblocking(False)
        self.heard = b""
        self.tls = TlsSocket(ours, server_tls().context, b"")
        self.peer = TlsPeer(theirs, self.read, cut)

    def __enter__(self) -> Ends:
        return self

    def __exit__(self, *_: object) -> None:
        self.tls.close()
        self.peer.sock.close()

    def read(self) -> None:
        try:
            while not self.tls.has_ended:
                self.heard += self.tls.recv(1 << 16)
        except BlockingIOError:
            pass

    def send_all(self, data: bytes) -> list[int]:
        """Sends as the queue does; the peer reads all the while."""
        reports = []
        while data:
            try:
                reports.append(self.tls.send(data))
                data = data[reports[-1] :]
            except BlockingIOError:
                pass
            self.peer.read()
        return reports


@pytest.fixture
def ends() -> Iterator[Ends]:
    with Ends() as ends:
        ends.peer.shake_hands()
        yield ends


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 16, 100, 1000, 0])
def test_any_cut_of_the_bytes(cut: int) -> None:
    with Ends(cut) as ends:
        ends.peer.shake_hands()
        assert ends.tls.is_established and ends.heard == b""
        ends.peer.say(b"one")
        ends.peer.say(b"two" * 1000)
        assert ends.heard == b"one" + b"two" * 1000


@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=8), st.integers(1, 3000))
def test_what_is_said_is_what_is_heard(said: list[bytes], cut: int) -> None:
    with Ends(cut) as ends:
        ends.peer.shake_hands()
        for data in said:
            ends.peer.say(data)
        assert ends.heard == b"".join(said)
        ends.send_all(b"".join(said))
        assert ends.peer.read() == b"".join(said)


def test_many_records_at_once_are_all_read(ends: Ends) -> None:
    """Nothing would wake the loop again for those that stayed behind."""
    ends.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    for number in range(200):
        ends.peer.encrypt(b"%d;" % number)
    raw = ends.peer.take_encrypted()
    ends.peer.sock.sendall(raw)
    assert ends.tls.recv(len(raw)) == b"".join(b"%d;" % number for number in range(200))


def test_a_large_answer_to_a_slow_reader(ends: Ends) -> None:
    """Comes whole; what is reported as sent adds up, and grows with what the reader takes."""
    data = os.urandom(1_000_000)
    reports = ends.send_all(data)
    assert ends.peer.read() == data and sum(reports) == len(data)
    assert all(report > 0 for report in reports)
    assert len(reports) > 2 * len(data) / PIECE_BYTES, "a piece is reported bit by bit"
    assert not ends.tls.has_unsent


def test_who_reads_nothing_costs_one_piece(ends: Ends) -> None:
    data = bytes(1_000_000)
    sent = 0
    for _ in range(100):
        try:
            sent += ends.tls.send(data[sent:])
        except BlockingIOError:
            break
    with pytest.raises(BlockingIOError):
        ends.tls.send(data[sent:])
    assert sent < 100_000
    assert len(ends.tls._unsent) < 2 * PIECE_BYTES


def test_nothing_is_sent_before_the_handshake() -> None:
    with Ends() as ends:
        with pytest.raises(BlockingIOError):
            ends.tls.send(b"too early")
        ends.peer.shake_hands()
        ends.send_all(b"now")
        assert ends.peer.read() == b"now"


def test_first_bytes_that_somebody_else_has_read() -> None:
    with Ends() as ends:
        with pytest.raises(ssl.SSLWantReadError):
            ends.peer.tls.do_handshake()
        ends.tls._first_bytes = ends.peer.take_encrypted()
        ends.read()
        ends.peer.shake_hands()
        assert ends.tls.is_established


# Ends.


def test_a_farewell_behind_the_last_words(ends: Ends) -> None:
    ends.peer.encrypt(b"last words")
    ends.peer.say_goodbye()
    assert ends.heard == b"last words" and ends.tls.has_ended


def test_an_end_of_file_without_a_farewell_is_an_error(ends: Ends) -> None:
    ends.peer.say(b"words")
    ends.peer.sock.close()
    with pytest.raises(OSError):
        ends.tls.recv(100)
    assert ends.heard == b"words" and not ends.tls.has_ended


def test_our_farewell_and_what_comes_after_it(ends: Ends) -> None:
    ends.tls.shutdown(socket.SHUT_WR)
    ends.peer.read()
    assert ends.peer.has_ended
    ends.peer.sock.sendall(b"whatever it is")
    assert ends.tls.recv(100) == b"whatever it is", "thrown away by the caller, whatever it would mean"
    ends.peer.sock.close()
    assert ends.tls.recv(100) == b""


def test_a_farewell_in_the_middle_of_the_handshake() -> None:
    with Ends() as ends:
        ends.tls.shutdown(socket.SHUT_WR)
        assert ends.peer.sock.recv(100) == b""


@pytest.mark.parametrize(
    "raw", [b"\x16hello", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01" + b"\xff" * 1000, b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_tls_is_an_error(raw: bytes) -> None:
    with Ends() as ends:
        ends.peer.sock.sendall(raw)
        with pytest.raises(OSError):
            ends.tls.recv(1 << 16)


def test_who_speaks_tls_badly_is_told_so() -> None:
    with Ends() as ends:
        ends.peer.sock.sendall(b"\x16\x03\x01\x00\x05hello")
        with pytest.raises(OSError):
            ends.tls.recv(1 << 16)
        assert ends.peer.sock.recv(100)[:1] == b"\x15", "an alert"


def test_a_record_that_was_tampered_with_is_an_error(ends: Ends) -> None:
    ends.peer.encrypt(b"give bob 10")
    raw = bytearray(ends.peer.take_encrypted())
    raw[-1] ^= 1
    ends.peer.sock.sendall(bytes(raw))
    with pytest.raises(OSError):
        ends.tls.recv(1 << 16)


def test_tls_1_2_is_spoken_and_not_negotiated_again() -> None:
    with Ends() as ends:
        context = client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        ends.peer.tls = context.wrap_bio(ends.peer._incoming, ends.peer._outgoing)
        ends.peer.shake_hands()
        assert ends.peer.tls.version() == "TLSv1.2" and ends.peer.tls.compression() is None
        ends.peer.say(b"hello")
        ends.send_all(b"hello, too")
        assert (ends.heard, ends.peer.read()) == (b"hello", b"hello, too")


def test_who_asks_for_answers_and_reads_none_is_cut_off(ends: Ends) -> None:
    ends.tls._unsent = bytes(MAX_UNSENT_BYTES + 2 * KERNEL_BYTES)
    ends.tls._sock.setblocking(False)
    while True:
        try:
            ends.tls._sock.send(bytes(KERNEL_BYTES))
        except BlockingIOError:
            break
    ends.peer.encrypt(b"x")
    ends.peer.sock.sendall(ends.peer.take_encrypted())
    with pytest.raises(ConnectionAbortedError):
        ends.tls.recv(1 << 16)


@pytest.mark.parametrize(("alert", "name"), [(NO_TLS, "HANDSHAKE_FAILURE"), (TLS_BUT_NO_ROOM, "ALERT_INTERNAL_ERROR")])
def test_alerts_for_those_whom_we_speak_no_tls_with(alert: bytes, name: str) -> None:
    with Ends() as ends:
        with pytest.raises(ssl.SSLWantReadError):
            ends.peer.tls.do_handshake()
        ends.peer._incoming.write(alert)
        with pytest.raises(ssl.SSLError, match=name):
            ends.peer.tls.do_handshake()
        assert read_now(ends.peer.sock) == b""
