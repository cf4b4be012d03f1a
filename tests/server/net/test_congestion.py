"""A short path gets what is quick on it, a long one bbr, and nothing happens where the system has no say."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from mystic_server.net import congestion

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_CONGESTION"), reason="congestion control is chosen on Linux")


@pytest.fixture
def ours() -> Iterator[socket.socket]:
    """A server's end of a connection on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as ours:
            yield ours


def chosen(sock: socket.socket) -> bytes:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")


def allow(monkeypatch: pytest.MonkeyPatch, *names: bytes) -> None:
    monkeypatch.setattr(congestion, "_allowed", lambda: frozenset(names))


def at_rtt(monkeypatch: pytest.MonkeyPatch, rtt_us: int) -> None:
    monkeypatch.setattr(congestion, "_round_trip_us", lambda sock: rtt_us)


def test_the_round_trip_on_loopback_is_known(ours: socket.socket) -> None:
    assert 0 < congestion._round_trip_us(ours) < 10_000_000


def test_a_short_path_leaves_what_is_not_good_there(monkeypatch: pytest.MonkeyPatch, ours: socket.socket) -> None:
    at_rtt(monkeypatch, 50)
    allow(monkeypatch, b"reno")
    monkeypatch.setattr(congestion, "SHORT", (b"reno",))
    congestion.suit_path(ours)
    assert chosen(ours) == b"reno"


def test_what_is_right_already_stays(monkeypatch: pytest.MonkeyPatch, ours: socket.socket) -> None:
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    at_rtt(monkeypatch, 50)
    allow(monkeypatch, b"cubic", b"reno")
    congestion.suit_path(ours)
    assert chosen(ours) == b"reno"


def test_a_long_path_gets_the_best_that_is_allowed(monkeypatch: pytest.MonkeyPatch, ours: socket.socket) -> None:
    at_rtt(monkeypatch, 80_000)
    allow(monkeypatch, b"reno")
    monkeypatch.setattr(congestion, "LONG", (b"reno",))
    congestion.suit_path(ours)
    assert chosen(ours) == b"reno"


def test_what_the_system_does_not_allow_is_not_tried(monkeypatch: pytest.MonkeyPatch, ours: socket.socket) -> None:
    before = chosen(ours)
    allow(monkeypatch)
    for rtt_us in (50, 80_000):
        at_rtt(monkeypatch, rtt_us)
        congestion.suit_path(ours)
        assert chosen(ours) == before
