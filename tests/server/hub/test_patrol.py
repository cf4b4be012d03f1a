"""The patrol: who has said nothing, logged in too late, been idle, or not read for too long."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from mystic_server.hub.patrol import Patience, Patrol
from mystic_server.net.connection import Connection
from mystic_server.net.outqueue import FileSpan
from mysticproto.errors import Code
from mysticproto.model import Bye, Fetch, Ping, Post, ToGlobal
from tests.server.hub.fakes import Transfer
from tests.server.hub.rig import Client, Rig, texts
from tests.server.hub.wires import Unframed

PATIENCE = Patience(
    silent=3,
    silent_s=120,
    login_s=30,
    idle_s=50,
    soft=20_000,
    total=200_000,
    soft_s=60,
    stuck_s=10,
    file_stuck_s=60,
)


class Beat:
    """A patrol that walks every second of the rig's time."""

    def __init__(self, rig: Rig, patience: Patience = PATIENCE) -> None:
        self.rig = rig
        self.patrol = Patrol(rig.connections, rig.peers, patience)

    def walk(self, seconds: int, each_second: Callable[[], None] = lambda: None) -> None:
        for _ in range(seconds):
            each_second()
            self.rig.wait(1, step=1)
            self.patrol.walk(self.rig.reactor.now)
            self.rig.settle()


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def beat(rig: Rig) -> Beat:
    return Beat(rig)


def say(text: str) -> Post:
    return Post(1, ToGlobal(), text)


def silent(rig: Rig) -> Client:
    """Somebody who connects and says nothing at all."""
    client = rig.connects()
    client.connection.wire = None
    return client


def codes(client: Client) -> list[str]:
    return [bye.code for bye in client.takes(Bye)]


# Silence.


def test_who_says_nothing_may_think_for_a_while(rig: Rig, beat: Beat) -> None:
    client = silent(rig)
    beat.walk(119)
    assert client.connection in rig.connections
    beat.walk(2)
    assert rig.connections == set()
    assert rig.witness.lines == ["nobody disconnected: silent"]


def test_of_too_many_silent_ones_the_oldest_go(rig: Rig, beat: Beat) -> None:
    clients = []
    for _ in range(5):
        clients.append(silent(rig))
        rig.wait(1)
    beat.walk(1)
    assert [client.connection in rig.connections for client in clients] == [False, False, True, True, True]


def test_who_does_not_log_in_is_told_so(rig: Rig, beat: Beat) -> None:
    client = rig.connects()
    beat.walk(29, lambda: client.asks(Ping(1)))
    assert codes(client) == []
    beat.walk(2)
    assert codes(client) == [Code.LOGIN_TIMEOUT]
    assert client.is_at_end


def test_who_is_idle_is_told_so_and_lost(rig: Rig, beat: Beat) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    beat.walk(49, lambda: bob.asks(Ping(1)))
    assert codes(ana) == []
    beat.walk(2, lambda: bob.asks(Ping(1)))
    assert codes(ana) == [Code.IDLE]
    assert codes(bob) == []
    assert len(rig.world.sessions) == 1


# Readers.


def stops_reading(rig: Rig, name: str, kilobytes: int) -> Client:
    """Somebody who has so much in the queue and takes none of it."""
    client = rig.comes(name, sndbuf=4096)
    client.reads = False
    client.connection.push(b"\0" * kilobytes * 1024)
    rig.settle()
    return client


def test_who_takes_nothing_is_cut_off(rig: Rig, beat: Beat) -> None:
    stops_reading(rig, "ana", 60)
    bob = rig.comes("bob")
    beat.walk(10)
    assert len(rig.world.sessions) == 2
    beat.walk(2)
    assert rig.witness.lines == ["ana disconnected: too_slow"]
    bob.asks(say("still here"))
    rig.settle()
    assert texts(bob.heard) == ["still here"]


def test_below_the_soft_limit_nobody_is_hurried(rig: Rig, beat: Beat) -> None:
    ana = stops_reading(rig, "ana", 21)
    beat.walk(40)
    assert ana.connection in rig.connections


def test_who_takes_a_little_now_and_then_has_a_minute(rig: Rig, beat: Beat) -> None:
    ana = stops_reading(rig, "ana", 190)

    def takes_a_little() -> None:
        ana.asks(Ping(1))
        ana.drops(1000)

    beat.walk(59, takes_a_little)
    assert ana.connection in rig.connections
    beat.walk(3, takes_a_little)
    assert rig.witness.lines == ["ana disconnected: too_slow"]


def test_who_comes_below_the_limit_in_between_starts_anew(rig: Rig, beat: Beat) -> None:
    ana = stops_reading(rig, "ana", 60)
    beat.walk(9, lambda: ana.asks(Ping(1)))
    ana.drops(1 << 20)
    beat.walk(1)
    ana.connection.push(b"\0" * 60 * 1024)
    beat.walk(9, lambda: ana.asks(Ping(1)))
    assert ana.connection in rig.connections


def test_a_file_may_take_its_time_while_it_moves(rig: Rig, beat: Beat, tmp_path: Path) -> None:
    client, transfer = fetching(rig, tmp_path)
    beat.walk(200, lambda: client.drops(2000))
    assert client.connection in rig.connections
    assert transfer.outcomes == []
    beat.walk(50)
    assert client.connection in rig.connections
    beat.walk(12)
    assert client.connection not in rig.connections
    assert transfer.outcomes == [False]


def fetching(rig: Rig, folder: Path) -> tuple[Client, Transfer]:
    """Somebody who has asked for a large file and doesn't read by themselves."""
    path = folder / "large"
    with path.open("wb") as file:
        file.truncate(10_000_000)
    transfers: list[Transfer] = []

    def start(n: int) -> Transfer:
        transfers.append(Transfer(n, FileSpan(os.open(path, os.O_RDONLY), 0, 10_000_000), "large", 0))
        return transfers[0]

    rig.files.transfers[b"t"] = start
    client = rig.connects(sndbuf=4096)
    client.reads = False
    client.asks(Fetch(1, b"t"))
    rig.settle()
    return client, transfers[0]


# All together.


def test_the_largest_queues_go_when_all_together_are_too_much(rig: Rig) -> None:
    beat = Beat(rig, replace(PATIENCE, soft=1_000_000))
    sizes = {"ana": 60, "bob": 100, "carl": 20, "dora": 80}
    clients = {name: stops_reading(rig, name, kilobytes) for name, kilobytes in sizes.items()}
    assert held(rig.connections) > PATIENCE.total
    beat.walk(1)
    assert held(rig.connections) <= PATIENCE.total
    here = {name for name, client in clients.items() if client.connection in rig.connections}
    assert here == {"ana", "carl", "dora"}


def held(connections: set[Connection]) -> int:
    return sum(connection.queue.bytes_held for connection in connections)


def test_who_is_gone_is_not_remembered(rig: Rig, beat: Beat) -> None:
    ana = stops_reading(rig, "ana", 60)
    beat.walk(2)
    ana.goes()
    rig.settle()
    ana.connection.close("lost")
    beat.walk(1)
    assert not beat.patrol._slow


# Wires whose peers make no sign of life.


def test_who_makes_no_sign_of_life_by_themselves_may_be_quiet(rig: Rig, beat: Beat) -> None:
    ana = rig.comes("ana", wire=Unframed)
    beat.walk(500)
    assert codes(ana) == [] and rig.world.sessions


def test_a_person_who_types_a_name_has_as_long_as_who_says_nothing(rig: Rig, beat: Beat) -> None:
    typing = rig.connects(Unframed)
    beat.walk(119)
    assert codes(typing) == []
    beat.walk(2)
    assert codes(typing) == [Code.LOGIN_TIMEOUT]
