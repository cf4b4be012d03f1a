"""From an accepted socket to a connection, and the end of every tick."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from mystic_server.net.admission import Admission
from mystic_server.net.connection import Connection, State
from mystic_server.net.entrance import Entrance
from mystic_server.net.reactor import Reactor
from tests.server.net.scripted import WELCOME, Remembering, line_wire, read_now, tick_once, tick_until

HERE = ("192.168.0.1", 4711)
REFUSAL = b"full"


class Hall:
    """An entrance in a loop, with room for two."""

    def __init__(self) -> None:
        self.faults: list[BaseException] = []
        self.arrived: list[Connection] = []
        self.owner = Remembering()
        self.reactor = Reactor(self.faults.append)
        self.entrance = Entrance(self.reactor, Admission(2, 0, 0), self.owner, 1 << 20, REFUSAL, self.arrived.append)
        self.reactor.at_tick_end(self.entrance.flush)
        self.peers: list[socket.socket] = []

    def come(self, says: bytes = b"LINE") -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.peers.append(theirs)
        theirs.sendall(says)
        self.entrance.accept(ours, HERE, line_wire)
        return theirs

    def until_open(self) -> None:
        tick_until(self.reactor, lambda: all(each.state is State.OPEN for each in self.entrance.connections))


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.entrance.close()
    for peer in hall.peers:
        peer.close()
    hall.reactor.close()


def test_who_comes_is_known_until_they_go(hall: Hall) -> None:
    peer = hall.come()
    assert hall.entrance.connections == set(hall.arrived)
    hall.until_open()
    assert read_now(peer) == WELCOME
    peer.close()
    tick_until(hall.reactor, lambda: not hall.entrance.connections)
    assert hall.owner.told[-1] == "lost"


def test_who_finds_no_room_is_told_so(hall: Hall) -> None:
    """And takes nobody's place, nor is the owner bothered."""
    first, _ = hall.come(), hall.come()
    refused = hall.come()
    assert refused.recv(100) == REFUSAL
    assert len(hall.arrived) == 2
    hall.until_open()
    first.close()
    tick_until(hall.reactor, lambda: len(hall.entrance.connections) == 1)
    hall.come()
    assert len(hall.arrived) == 3


def test_a_refused_one_that_has_gone_already_is_no_trouble(hall: Hall) -> None:
    hall.come(), hall.come()
    ours, theirs = socket.socketpair()
    theirs.close()
    hall.entrance.accept(ours, HERE, line_wire)
    assert len(hall.arrived) == 2


def test_all_that_was_said_in_a_tick_leaves_at_its_end(hall: Hall) -> None:
    peers = [hall.come(), hall.come()]
    hall.until_open()
    for peer in peers:
        read_now(peer)
    for connection in hall.entrance.connections:
        connection.push(b"one ")
        connection.push(b"two")
    hall.entrance.flush()
    assert [read_now(peer) for peer in peers] == [b"one two"] * 2


def test_a_bug_at_the_end_of_a_tick_ends_one_connection_alone(hall: Hall) -> None:
    peers = [hall.come(), hall.come()]
    hall.until_open()
    broken, fine = hall.arrived

    def drained(connection: Connection) -> None:
        assert connection is fine, "a bug"

    hall.owner.on_drained = drained
    for connection in hall.arrived:
        connection.push(b"hi")
        connection.tell_when_drained()
    tick_once(hall.reactor)
    assert [str(fault).splitlines()[0] for fault in hall.faults] == ["a bug"]
    assert (broken.state, fine.state) == (State.CLOSED, State.OPEN)
    assert read_now(peers[1]) == WELCOME + b"hi"


def test_at_the_end_everybody_is_closed(hall: Hall) -> None:
    hall.come(), hall.come()
    hall.entrance.close()
    assert hall.entrance.connections == set()
    assert hall.owner.told == ["lost", "lost"]
