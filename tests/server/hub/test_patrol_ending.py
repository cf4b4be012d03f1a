"""The patrol and connections that are about to end."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from mystic_server.hub.patrol import Patience, Patrol
from mystic_server.hub.sessions import Peers
from mystic_server.net.connection import Connection, State
from mystic_server.net.reactor import Reactor
from tests.server.net.scripted import Remembering, line_wire, read_now, tick_once, tick_until

PATIENCE = Patience(
    silent=10,
    silent_s=100,
    login_s=100,
    idle_s=100,
    soft=100_000,
    total=1_000_000,
    soft_s=60,
    stuck_s=10,
    file_stuck_s=60,
)


class Ending:
    """A connection that has said its last words, to a peer that doesn't read them."""

    def __init__(self) -> None:
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.owner = Remembering()
        self.reactor = Reactor(lambda error: pytest.fail(f"{error!r}"))
        connections: set[Connection] = set()
        self.connection = Connection(
            self.reactor, ours, ("192.0.2.1", 1), line_wire, self.owner, connections.discard, set(), 1 << 20
        )
        connections.add(self.connection)
        self.peer.sendall(b"LINE")
        tick_until(self.reactor, lambda: self.connection.state is State.OPEN)
        self.owner.told.clear()
        self.connection.push(bytes(50_000))
        self.connection.finish()
        self.connection.flush()
        self.patrol = Patrol(connections, Peers(), PATIENCE)


@pytest.fixture
def ending() -> Iterator[Ending]:
    ending = Ending()
    yield ending
    ending.connection.close("lost")
    ending.peer.close()
    ending.reactor.close()


def test_last_words_that_nobody_reads_keep_no_connection(ending: Ending) -> None:
    for now in (0.0, 9.0):
        ending.patrol.walk(now)
        assert ending.connection.state is State.FINISHING
    ending.patrol.walk(11.0)
    assert ending.owner.told == ["too_slow"]


def test_who_reads_them_slowly_is_waited_for(ending: Ending) -> None:
    now = 0.0
    while ending.connection.state is State.FINISHING:
        ending.patrol.walk(now)
        assert ending.peer.recv(4096)
        tick_once(ending.reactor)
        now += 4.0
    ending.patrol.walk(now + 1000)
    assert ending.connection.state is State.ENDING
    read_now(ending.peer)
    ending.peer.close()
    tick_until(ending.reactor, lambda: bool(ending.owner.told))
    assert ending.owner.told == ["finished"]
