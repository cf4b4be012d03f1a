"""Child processes: frames both ways, an orderly end, and a new start after each death."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mystic_server.net.children import ChildProcess, ParentLink, pack_frame
from mystic_server.net.reactor import Reactor

MODULE = "tests.server.net.echo_child"


class Parent:
    """A reactor with one child, and what was heard of it."""

    def __init__(self, *arguments: str, module: str = MODULE) -> None:
        self.faults: list[BaseException] = []
        self.heard: list[bytes] = []
        self.ups = 0
        self.downs = 0
        self.broken = False
        self.reactor = Reactor(self.faults.append)
        self.child = ChildProcess(self.reactor, module, arguments, self._message, self._up, self._down)

    def _message(self, body: bytes) -> None:
        if self.broken:
            self.broken = False
            raise ValueError("can't use it")
        self.heard.append(body)

    def _up(self) -> None:
        self.ups += 1

    def _down(self) -> None:
        self.downs += 1
        assert not self.child.is_up

    def until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.reactor.tick()

    def ask(self, body: bytes) -> bytes:
        before = len(self.heard)
        self.child.send(body)
        self.until(lambda: len(self.heard) > before)
        return self.heard[-1]


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    """Where the child says that it ended in order."""
    return tmp_path / "ended"


@pytest.fixture
def parent(ended: Path) -> Iterator[Parent]:
    parent = Parent(str(ended), "two words")
    parent.child.start()
    yield parent
    parent.child.stop()
    parent.reactor.close()


def test_frames_go_both_ways(parent: Parent) -> None:
    bodies = [b"", b"x", bytes(range(256)), os.urandom(3_000_000), b"last"]
    for body in bodies:
        parent.child.send(body)
    parent.until(lambda: len(parent.heard) == len(bodies))
    assert parent.heard == bodies
    assert (parent.ups, parent.downs, parent.faults) == (1, 0, [])


def test_a_child_gets_its_arguments_and_no_more_descriptors_than_its_own(parent: Parent, ended: Path) -> None:
    assert parent.ask(b"arguments") == f"{ended} two words".encode()
    with socket.socket():
        numbers = parent.ask(b"descriptors").split()
    assert len(numbers) <= 5  # the three standard ones, its socket, and the listing itself


def test_a_child_ends_after_what_it_was_sent(parent: Parent, ended: Path) -> None:
    parent.ask(b"x")
    for _ in range(1000):
        parent.child.send(b"more?")
    pid = parent.child.pid
    parent.child.stop()
    assert ended.read_text() == "ended in order\n"
    assert not parent.child.is_up and parent.child.pid == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert parent.downs == 0
    parent.child.stop()


def test_a_child_that_says_more_than_anybody_reads_can_still_end(parent: Parent, ended: Path) -> None:
    parent.ask(b"x")
    for _ in range(20):
        parent.child.send(bytes(1_000_000))
    parent.child.stop()
    assert ended.read_text() == "ended in order\n"


@pytest.mark.parametrize("how", ["exits", "is killed"])
def test_a_child_that_dies_is_started_again(parent: Parent, how: str) -> None:
    parent.ask(b"x")
    for _ in range(2):
        if how == "exits":
            parent.child.send(b"die")
        else:
            os.kill(parent.child.pid, signal.SIGKILL)
        parent.until(lambda: not parent.child.is_up)
        parent.until(lambda: parent.child.is_up)
        assert parent.ask(b"works again") == b"works again"
    assert (parent.ups, parent.downs, parent.faults) == (3, 2, [])


def test_half_a_frame_of_the_dead_is_forgotten(parent: Parent) -> None:
    parent.ask(b"x")
    parent.child.send(bytes(5_000_000))
    os.kill(parent.child.pid, signal.SIGKILL)
    parent.until(lambda: parent.downs == 1)
    parent.until(lambda: parent.child.is_up)
    assert parent.ask(b"fresh") == b"fresh"


def test_a_child_that_is_told_to_stop_while_it_is_dead_stays_dead(parent: Parent) -> None:
    parent.ask(b"x")
    os.kill(parent.child.pid, signal.SIGKILL)
    parent.until(lambda: parent.downs == 1)
    parent.child.stop()
    parent.reactor.call_later(0.2, parent.reactor.stop)
    parent.reactor.run()
    assert parent.ups == 1 and not parent.child.is_up


def test_a_child_that_never_starts_is_tried_again_later_and_later() -> None:
    parent = Parent(module="tests.server.net.no_such_module")
    parent.child.start()
    times: list[float] = []
    while parent.downs < 2:
        before = parent.downs
        parent.reactor.tick()
        times += [parent.reactor.now] * (parent.downs - before)
    assert parent.ups == 2 and parent.heard == []
    parent.child.stop()
    parent.reactor.close()


def test_a_message_that_cannot_be_used_costs_the_child_its_life(parent: Parent) -> None:
    parent.broken = True
    parent.child.send(b"x")
    parent.until(lambda: parent.downs == 1)
    assert [type(fault) for fault in parent.faults] == [ValueError]
    parent.until(lambda: parent.child.is_up)
    assert parent.ask(b"y") == b"y"


def test_a_child_ends_when_its_parent_is_gone(ended: Path) -> None:
    parent = Parent(str(ended))
    parent.child.start()
    parent.ask(b"x")
    watch = os.pidfd_open(parent.child.pid) if hasattr(os, "pidfd_open") else -1
    parent.child._close_socket()
    if watch >= 0:
        assert select.select([watch], [], [], 20)[0]
        os.close(watch)
    parent.child.stop()
    parent.reactor.close()
    assert ended.read_text() == "ended in order\n"


# The child's side.


@pytest.fixture
def link() -> Iterator[tuple[ParentLink, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ParentLink(theirs), ours


def test_a_link_cuts_bytes_into_bodies(link: tuple[ParentLink, socket.socket]) -> None:
    child, sock = link
    sock.send(pack_frame(b"one") + pack_frame(b"") + pack_frame(b"three")[:-1])
    assert [child.receive(), child.receive()] == [b"one", b""]
    assert child.maybe_receive() is None and not child.ended
    sock.send(b"e")
    assert child.maybe_receive() == b"three"
    assert child.maybe_receive() is None


def test_a_link_gives_what_came_before_the_end(link: tuple[ParentLink, socket.socket]) -> None:
    child, sock = link
    sock.send(pack_frame(b"one") + pack_frame(b"two") + b"\0\0")
    sock.close()
    assert [child.receive(), child.receive(), child.receive()] == [b"one", b"two", None]
    assert child.ended and child.maybe_receive() is None


def test_a_link_says_whether_something_has_come(link: tuple[ParentLink, socket.socket]) -> None:
    child, sock = link
    assert not child.has_something(0.0)
    sock.send(pack_frame(b"one") + pack_frame(b"two"))
    assert child.has_something(30.0)
    assert child.receive() == b"one"
    assert child.has_something(0.0)
    assert child.receive() == b"two"
    assert not child.has_something(0.0)
    sock.close()
    assert child.has_something(30.0) and child.receive() is None


def test_a_link_notices_the_end_without_waiting_for_it(link: tuple[ParentLink, socket.socket]) -> None:
    child, sock = link
    assert child.maybe_receive() is None and not child.ended
    sock.close()
    assert child.maybe_receive() is None and child.ended
