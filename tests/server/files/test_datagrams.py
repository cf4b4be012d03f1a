"""The datagram child's work, over loopback: transfers, and what the loop is told."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from mystic_server.files import datagrams, outlet
from mystic_server.files.datagram_messages import Ended, FromChild, Moved, Offer, Unavailable, Waiting, Withdraw, encode
from mystic_server.files.datagrams import Datagrams, Parent
from mystic_server.net.children import CAN_PASS_FILES, ParentLink, pack_frame
from mystic_server.net.reactor import Reactor
from mysticproto.model import UdpTerms
from mysticproto.udp.blocks import BlockSet
from mysticproto.udp.receiver import Receiver
from mysticproto.udp.state import Reason, State

pytestmark = pytest.mark.skipif(not CAN_PASS_FILES, reason="descriptors can't be passed here")
BLOCK = 1168
SECRET = bytes(range(32))
CONTENT = os.urandom(300_000)


class Child:
    """The child's parts, in this process."""

    def __init__(self, *ports: int) -> None:
        self.faults: list[BaseException] = []
        self.said: list[FromChild] = []
        self.reactor = Reactor(self.faults.append)
        self.datagrams = Datagrams(self.reactor, ports or (0,), self.said.append)

    def offer(
        self, path: Path, cid: int = 7, size: int = len(CONTENT), host: str = "127.0.0.1", peer: str = "127.0.0.1"
    ) -> int:
        """The descriptor."""
        fd = os.open(path, os.O_RDONLY)
        self.datagrams.offer(Offer(cid, SECRET, BLOCK, size, host, peer), fd)
        return fd

    @property
    def port(self) -> int:
        return next(said.port for said in reversed(self.said) if isinstance(said, Waiting))

    def until(self, is_true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not is_true():
            assert time.monotonic() < deadline
            self.reactor.call_later(0.005, _nothing)
            self.reactor.tick()


class Getter:
    """The client's side of one transfer."""

    def __init__(self, child: Child, cid: int = 7, size: int = len(CONTENT)) -> None:
        self.data = bytearray(size)
        self._child = child
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.connect(("127.0.0.1", child.port))
        terms = UdpTerms(child.port, cid, SECRET, BLOCK)
        self.receiver = Receiver(terms, size, BlockSet(-(-size // BLOCK)), self._store, time.monotonic())

    def __enter__(self) -> Getter:
        return self

    def __exit__(self, *problem: object) -> None:
        self._sock.close()

    def work(self) -> None:
        """One turn."""
        now = time.monotonic()
        try:
            while data := self._sock.recv(65_535):
                self.receiver.received(data, len(data), now, now)
        except BlockingIOError:
            pass
        for datagram in self.receiver.take(now):
            self._sock.send(datagram)

    def is_at(self, state: State) -> bool:
        self.work()
        return self.receiver.state is state

    def is_dismissed(self) -> bool:
        self.work()
        return self.receiver.next_deadline() is None

    def _store(self, offset: int, data: bytes) -> None:
        self.data[offset : offset + len(data)] = data


def _nothing() -> None:
    pass


def is_closed(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return True
    return False


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.datagrams.close()
    child.reactor.close()
    assert child.faults == []


@pytest.mark.parametrize("segments", [True, False])
def test_a_file_is_sent(child: Child, path: Path, monkeypatch: pytest.MonkeyPatch, segments: bool) -> None:
    if not segments:
        monkeypatch.setattr(outlet, "_can_segment", lambda sock: False)
    fd = child.offer(path)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.DONE))
        child.until(getter.is_dismissed)
    assert getter.data == CONTENT
    assert child.said == [Waiting(7, child.port), Moved(7, 0), Ended(7, len(CONTENT))]
    assert is_closed(fd)


def test_how_far_it_is_is_told_now_and_then(child: Child, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "TELL_EVERY_S", 0.002)
    child.datagrams.tell()
    child.offer(path)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.DONE))
        child.until(getter.is_dismissed)
    moved = [said.held for said in child.said if isinstance(said, Moved)]
    assert moved == sorted(set(moved)) and moved[0] == 0


def test_two_at_once_on_one_port(child: Child, path: Path) -> None:
    child.offer(path, 7)
    child.offer(path, 8)
    with Getter(child, 7) as one, Getter(child, 8) as other:
        child.until(lambda: one.is_at(State.DONE) and other.is_at(State.DONE))
    assert one.data == other.data == CONTENT
    assert len({said.port for said in child.said if isinstance(said, Waiting)}) == 1


def test_another_host_and_another_number_are_not_heard(child: Child, path: Path) -> None:
    child.offer(path, 7, peer="127.0.0.9")
    child.offer(path, 8)
    with Getter(child, 7) as from_elsewhere, Getter(child, 9) as of_nobody, Getter(child, 8) as getter:
        from_elsewhere.work()
        of_nobody.work()
        child.until(lambda: getter.is_at(State.DONE))
        assert from_elsewhere.is_at(State.WAITING) and of_nobody.is_at(State.WAITING)


def test_a_file_that_became_shorter_ends_it(child: Child, path: Path) -> None:
    fd = child.offer(path)
    os.truncate(path, 1000)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.FAILED))
    assert getter.receiver.reason is Reason.FILE_CHANGED
    assert child.said[-1] == Ended(7, 0, "the file changed while it was sent")
    assert is_closed(fd)


def test_a_client_that_gives_up_ends_it(child: Child, path: Path) -> None:
    child.offer(path)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.RUNNING))
        getter.receiver.abort(Reason.CANCELLED, time.monotonic())
        getter.work()
        child.until(lambda: isinstance(child.said[-1], Ended))
    assert isinstance(child.said[-1], Ended) and child.said[-1].why == "cancelled"


def test_what_is_withdrawn_is_ended_after_a_moment(child: Child, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "WITHDRAWN_S", 0.0)
    fd = child.offer(path)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.RUNNING))
        child.datagrams.withdraw(7)
        child.until(lambda: getter.is_at(State.FAILED))
    assert getter.receiver.reason is Reason.CANCELLED
    assert isinstance(child.said[-1], Ended) and child.said[-1].why == "the connection ended"
    assert is_closed(fd)


def test_nobody_need_have_come_for_what_is_withdrawn(child: Child, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "WITHDRAWN_S", 0.0)
    child.offer(path)
    child.datagrams.withdraw(7)
    child.datagrams.withdraw(8)
    child.until(lambda: len(child.said) > 1)
    assert child.said[1:] == [Ended(7, 0, "the connection ended")]


def test_a_last_word_may_come_after_the_goodbye(child: Child, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "WITHDRAWN_S", 0.05)
    child.offer(path)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.DONE))
        child.datagrams.withdraw(7)
        child.until(getter.is_dismissed)
        child.datagrams.withdraw(7)
        is_later: list[bool] = []
        child.reactor.call_later(0.1, lambda: is_later.append(True))
        child.until(lambda: bool(is_later))
    assert child.said[-1] == Ended(7, len(CONTENT))


def test_a_client_that_gave_up_before_it_left_is_said_to_have(child: Child, path: Path) -> None:
    child.offer(path)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.RUNNING))
        child.datagrams.withdraw(7)
        getter.receiver.abort(Reason.CANCELLED, time.monotonic())
        getter.work()
        child.until(lambda: isinstance(child.said[-1], Ended))
    assert isinstance(child.said[-1], Ended) and child.said[-1].why == "cancelled"


def test_a_client_that_never_comes_is_not_waited_for(path: Path) -> None:
    clock = mock.Mock()
    clock.monotonic.return_value = 1000.0
    with mock.patch("mystic_server.net.reactor.time", clock):
        child = Child()
        fd = child.offer(path)
        clock.monotonic.return_value = 1010.1
        child.reactor.tick()
        assert child.said[-1] == Ended(7, 0, "no datagram came back")
        assert is_closed(fd)
        clock.monotonic.return_value = 1013.0
        child.reactor.tick()
        child.datagrams.close()
        child.reactor.close()


def test_the_end_of_the_child_is_told_to_clients(child: Child, path: Path) -> None:
    fd = child.offer(path)
    with Getter(child) as getter:
        child.until(lambda: getter.is_at(State.RUNNING))
        child.datagrams.close()
        child.until(lambda: getter.is_at(State.FAILED))
    assert getter.receiver.reason is Reason.CANCELLED
    assert is_closed(fd)


def test_our_own_mistake_ends_that_transfer_alone(child: Child, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child.offer(path, 7)
    child.offer(path, 8)

    def broken(*given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(child.datagrams._downloads[7].sender, "received", broken)
    with Getter(child, 7) as one, Getter(child, 8) as other:
        one.work()
        child.until(lambda: other.is_at(State.DONE))
    assert Ended(7, 0, "the other side gave up") in child.said
    assert [type(fault) for fault in child.faults] == [ZeroDivisionError]
    child.faults.clear()


# What can't be offered.


def test_a_host_that_is_not_ours(child: Child, path: Path) -> None:
    fd = child.offer(path, host="192.0.2.1")
    assert child.said == [Unavailable(7, "The server has no port for it: Cannot assign requested address.")]
    assert is_closed(fd)


def test_a_file_that_is_too_long(child: Child, path: Path) -> None:
    fd = child.offer(path, size=1 << 60)
    assert child.said == [Unavailable(7, "a file is too large for datagrams.")]
    assert is_closed(fd)


def test_too_many_addresses(child: Child, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "OUTLETS_MAX", 1)
    child.offer(path, 7)
    child.offer(path, 8, host="127.0.0.2")
    assert child.said[-1] == Unavailable(8, "The server has no port for it: there are too many addresses.")


# The line to the loop.


def test_the_line_brings_offers_and_their_withdrawal_and_its_end_is_the_end(
    child: Child, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        link = ParentLink(theirs)
        child.reactor.register(link, Parent(child.reactor, link, child.datagrams))
        with path.open("rb") as file:
            body = encode(Offer(7, SECRET, BLOCK, len(CONTENT), "127.0.0.1", "127.0.0.1"))
            socket.send_fds(ours, [pack_frame(body)], [file.fileno()])
        child.until(lambda: bool(child.said))
        assert child.said == [Waiting(7, child.port)]
        monkeypatch.setattr(datagrams, "WITHDRAWN_S", 0.0)
        ours.sendall(pack_frame(encode(Withdraw(7))))
        child.until(lambda: len(child.said) == 2)
        ours.close()
        child.reactor.run()


def test_a_line_that_makes_no_sense_is_the_end_too(child: Child) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        link = ParentLink(theirs)
        child.reactor.register(link, Parent(child.reactor, link, child.datagrams))
        ours.sendall(pack_frame(b"nonsense"))
        child.reactor.run()
    assert len(child.faults) == 1
    child.faults.clear()
