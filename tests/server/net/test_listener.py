"""Listening: on which addresses, how many at a time, and what happens when the process has no descriptors left."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import TypeAlias

import pytest

from mystic_server.net import listener as module
from mystic_server.net.listener import ACCEPTS_PER_TURN, Listener, bind, prepare
from mystic_server.net.reactor import Reactor
from tests.server.net.scripted import tick_once, tick_until

Accepted: TypeAlias = list[tuple[socket.socket, tuple[str, int]]]


class Door:
    """A listener on the loopback, and everybody it let in."""

    def __init__(self) -> None:
        self.faults: list[BaseException] = []
        self.shortages: list[OSError] = []
        self.accepted: Accepted = []
        self.reactor = Reactor(self.faults.append)
        (self.sock,) = bind("127.0.0.1", 0)
        self.listener = Listener(self.reactor, self.sock, self._come, self.shortages.append)

    def _come(self, sock: socket.socket, address: tuple[str, int]) -> None:
        self.accepted.append((sock, address))

    def close(self) -> None:
        self.listener.close()
        for sock, _ in self.accepted:
            sock.close()
        self.reactor.close()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")


def close_all(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def why_not(host: str, port: int) -> int | None:
    with pytest.raises(OSError) as problem:
        bind(host, port)
    return problem.value.errno


# Where.


@needs_ipv6
def test_all_interfaces_of_both_families_have_one_port() -> None:
    sockets = bind("", 0)
    try:
        assert [sock.family for sock in sockets] == [socket.AF_INET, socket.AF_INET6]
        ports = {sock.getsockname()[1] for sock in sockets}
        assert len(ports) == 1
        port = ports.pop()
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=5).close()
        assert why_not("", port) == errno.EADDRINUSE
    finally:
        close_all(sockets)


def test_a_taken_port_is_an_error_and_leaves_nothing_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert why_not("127.0.0.1", taken.getsockname()[1]) == errno.EADDRINUSE


@needs_ipv6
def test_port_0_is_free_in_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """The port that the first family gets may be taken in the second: then it is another one."""
    bind_one = module._bind_one
    refused: list[int] = []

    def taken_twice(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family == socket.AF_INET6 and len(refused) < 2:
            refused.append(port)
            raise OSError(errno.EADDRINUSE, "taken")
        return bind_one(family, address, port)

    monkeypatch.setattr(module, "_bind_one", taken_twice)
    close_all(bind("", 0))
    assert len(refused) == 2


def test_a_family_that_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    bind_one = module._bind_one

    def without_ipv6(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no IPv6")
        return bind_one(family, address, port)

    monkeypatch.setattr(module, "_bind_one", without_ipv6)
    sockets = bind("", 0)
    assert [sock.family for sock in sockets] == [socket.AF_INET]
    close_all(sockets)
    assert why_not("::1", 0) == errno.EAFNOSUPPORT


def test_an_address_of_another_machine_is_an_error() -> None:
    assert why_not("203.0.113.7", 0) == errno.EADDRNOTAVAIL


def test_a_name_that_is_none_is_an_error() -> None:
    with pytest.raises(OSError):
        bind("no-such-host.invalid", 0)


# Who.


def test_who_comes_is_handed_over_ready_for_the_loop(door: Door) -> None:
    with socket.create_connection(door.listener.address, timeout=5) as peer:
        tick_until(door.reactor, lambda: bool(door.accepted))
        sock, address = door.accepted[0]
        assert address == peer.getsockname()
        assert not sock.getblocking()
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_a_turn_has_an_end(door: Door) -> None:
    """A crowd at the door does not keep the others waiting."""
    peers = [socket.create_connection(door.listener.address, timeout=5) for _ in range(ACCEPTS_PER_TURN + 20)]
    door.reactor.tick()
    assert len(door.accepted) == ACCEPTS_PER_TURN
    tick_until(door.reactor, lambda: len(door.accepted) == len(peers))
    close_all(peers)


def test_a_peer_that_is_gone_already_is_no_trouble(door: Door) -> None:
    peer = socket.create_connection(door.listener.address, timeout=5)
    peer.close()
    tick_until(door.reactor, lambda: bool(door.accepted))
    with socket.socket() as never_connected:
        prepare(never_connected)
        assert not never_connected.getblocking()


def test_after_the_end_nobody_is_let_in(door: Door) -> None:
    door.listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(door.listener.address, timeout=5)


def test_our_own_bug_makes_it_pause_and_go_on(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    bugs = [ValueError("a bug")]

    def prepare_with_a_bug(sock: socket.socket) -> None:
        if bugs:
            sock.close()
            raise bugs.pop()

    monkeypatch.setattr(module, "prepare", prepare_with_a_bug)
    with socket.create_connection(door.listener.address, timeout=5):
        tick_until(door.reactor, lambda: bool(door.faults))
        with socket.create_connection(door.listener.address, timeout=5):
            tick_until(door.reactor, lambda: bool(door.accepted))


OUT_OF_DESCRIPTORS = """
import resource, socket, sys, time
from mystic_server.net import listener
from mystic_server.net.reactor import Reactor

listener._PAUSE_S = 0.05
reactor = Reactor(lambda error: sys.exit(f"fault: {error!r}"))
shortages, accepted, ticks = [], [], 0
(sock,) = listener.bind("127.0.0.1", 0)
door = listener.Listener(reactor, sock, lambda sock, address: accepted.append(sock), shortages.append)
peers = []
for _ in range(40):
    peer = socket.socket()
    peer.connect(door.address)
    peers.append(peer)
used = len(peers) + 12
resource.setrlimit(resource.RLIMIT_NOFILE, (used, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
deadline = time.monotonic() + 10
while len(shortages) < 3 and time.monotonic() < deadline:
    reactor.tick()
    ticks += 1
admitted = len(accepted)
assert 0 < admitted < 40, admitted
assert ticks < admitted + 20, f"{ticks} rounds: it does not pause"
assert accepted[0].fileno() >= 0
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
while len(accepted) < 40 and time.monotonic() < deadline:
    reactor.tick()
print(len(accepted), len(shortages), shortages[0].errno)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
def test_without_descriptors_it_pauses_and_goes_on_when_there_are_some() -> None:
    """In a process of its own, which gets very few."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_DESCRIPTORS], env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    admitted, shortages, number = map(int, done.stdout.split())
    assert (admitted, number) == (40, errno.EMFILE)
    assert shortages >= 3


def test_a_pause_is_over_even_if_the_door_was_closed_meanwhile(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    door.listener.abort()
    door.listener.close()
    tick_once(door.reactor)
    tick_once(door.reactor)
    assert door.faults == []
