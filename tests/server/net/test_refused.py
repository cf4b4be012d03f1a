"""Those for whom there is no room: told so in the clear or by an alert of TLS, and soon."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from mystic_server.net import refused as module
from mystic_server.net.reactor import Reactor
from mystic_server.net.refused import Refused
from mystic_server.net.tls import TLS_BUT_NO_ROOM
from tests.server.net.scripted import tick_until

WORDS = b"full"


class Door:
    def __init__(self) -> None:
        self.reactor = Reactor(lambda error: None)
        self.waiting: set[Refused] = set()
        self.peers: list[socket.socket] = []

    def refuse(self, says: bytes = b"") -> tuple[Refused, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.peers.append(theirs)
        theirs.sendall(says)
        refused = Refused(self.reactor, ours, WORDS, self.waiting)
        refused.listen()
        return refused, theirs

    def until_answered(self) -> None:
        tick_until(self.reactor, lambda: not self.waiting)


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    for refused in list(door.waiting):
        refused.close()
    for peer in door.peers:
        peer.close()
    door.reactor.close()


@pytest.mark.parametrize(("says", "hears"), [(b"\x16\x03\x01", TLS_BUT_NO_ROOM), (b"MYSTIC", WORDS)])
def test_each_hears_it_in_its_own_language(door: Door, says: bytes, hears: bytes) -> None:
    _, at_once = door.refuse(says)
    assert at_once.recv(100) == hears and at_once.recv(100) == b"" and not door.waiting
    _, later = door.refuse()
    assert len(door.waiting) == 1
    later.sendall(says)
    door.until_answered()
    assert later.recv(100) == hears and later.recv(100) == b""


def test_who_says_nothing_is_told_in_the_clear(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_BYTE_LIMIT_S", 0.01)
    _, peer = door.refuse()
    door.until_answered()
    assert peer.recv(100) == WORDS and peer.recv(100) == b""


def test_who_goes_first_is_no_trouble(door: Door) -> None:
    refused, peer = door.refuse()
    peer.close()
    door.until_answered()
    refused.close()
    refused.abort()
