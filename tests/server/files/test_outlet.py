"""The datagram child's sockets: where they are bound, and what waits while the kernel is full."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import pytest

from mystic_server.files.outlet import Outlet, bind
from mystic_server.net.reactor import Reactor
from mysticproto.udp.sender import Batch


class Kernel:
    """A socket that takes what the test allows. What it is given is cut as the kernel would."""

    def __init__(self) -> None:
        self.room = 1000
        self.segments_work = True
        self.sent: list[bytes] = []
        self._pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def fileno(self) -> int:
        return self._pair[0].fileno()

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 5

    def getsockopt(self, level: int, name: int) -> int:
        return 0

    def sendmsg(self, buffers: list[bytes], control: Any, flags: int, address: Any) -> None:
        (data,), one = buffers, int.from_bytes(control[0][2], "little")
        if not self.segments_work:
            raise OSError(5, "no offload")
        if self.room < len(data) // one:
            raise BlockingIOError
        self._take([data[at : at + one] for at in range(0, len(data), one)])

    def sendto(self, data: bytes | memoryview, address: Any) -> None:
        if not self.room:
            raise BlockingIOError
        self._take([bytes(data)])

    def _take(self, datagrams: list[bytes]) -> None:
        self.room -= len(datagrams)
        self.sent += datagrams

    def close(self) -> None:
        for sock in self._pair:
            sock.close()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


BATCHES = [Batch(("127.0.0.1", 9), bytes([number]) * 10, 4) for number in range(3)]
PIECES = [bytes([number]) * size for number in range(3) for size in (4, 4, 2)]


@pytest.mark.parametrize("segments_work", [True, False])
@pytest.mark.parametrize("room", [0, 1, 3, 4, 7, 9, 100])
def test_what_the_kernel_has_no_room_for_waits_in_order(kernel: Kernel, room: int, segments_work: bool) -> None:
    reactor = Reactor(lambda error: pytest.fail(str(error)))
    flowing: deque[Outlet] = deque()
    outlet = Outlet(reactor, cast(socket.socket, kernel), lambda *heard: None, flowing.append)
    kernel.room, kernel.segments_work = room, segments_work
    outlet.send(BATCHES)
    assert outlet.is_blocked == (room < len(PIECES)) and not flowing
    assert kernel.sent == PIECES[: len(kernel.sent)]
    kernel.room = 100
    if outlet.is_blocked:
        reactor.tick()
        assert list(flowing) == [outlet]
    assert kernel.sent == PIECES and not outlet.is_blocked
    reactor.close()


def test_ways_that_are_closed_lose_what_is_sent(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise OSError(101, "no way")

    monkeypatch.setattr(kernel, "sendto", refuse)
    kernel.segments_work = False
    reactor = Reactor(lambda error: pytest.fail(str(error)))
    outlet = Outlet(reactor, cast(socket.socket, kernel), lambda *heard: None, lambda outlet: None)
    outlet.send(BATCHES)
    assert not outlet.is_blocked
    reactor.close()


# Where.


def test_the_first_port_that_is_free_is_taken() -> None:
    with bind("127.0.0.1", [0]) as first:
        taken = first.getsockname()[1]
        with bind("127.0.0.1", [taken, 0]) as second:
            assert second.getsockname()[1] != taken
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", [taken])


def test_ipv6() -> None:
    try:
        sock = bind("::1", [0])
    except OSError:
        pytest.skip("there is no IPv6 here")
    with sock:
        assert sock.family == socket.AF_INET6
