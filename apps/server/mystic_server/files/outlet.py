"""Outlet: the UDP socket that all transfers at one address of this machine share.

What is sent goes out in as few calls as the kernel allows; what comes is handed on with its source.
"""

import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

from mystic_server.net.reactor import READ, WRITE, Reactor
from mysticproto.udp.sender import Batch

DATAGRAMS_IN_A_TURN = 256
MAX_DATAGRAM_BYTES = 2048
"""The longest that a client sends has 1200; what is longer is cut, and then refused."""
SEND_BUFFER_BYTES = 4 * 1024 * 1024

# From Linux's headers; Python has no names for them.
_SOL_UDP, _UDP_SEGMENT = 17, 103
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PMTUDISC_DONT = 10, 23, 0
_SEGMENT = struct.Struct("H")


class Outlet:
    """One UDP socket. `heard(datagram, address)` is called for what comes, `flowing()` when it takes datagrams again.

    What the kernel has no room for waits here, in order; meanwhile `is_blocked`, and nobody should bring more.
    """

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        heard: Callable[["Outlet", bytes, tuple[str, int]], None],
        flowing: Callable[["Outlet"], None],
    ) -> None:
        self.port: int = sock.getsockname()[1]
        self._reactor = reactor
        self._sock = sock
        self._heard = heard
        self._flowing = flowing
        self._unsent: deque[Batch] = deque()
        self._segments = _can_segment(sock)
        reactor.register(sock, self)

    @property
    def is_blocked(self) -> bool:
        return bool(self._unsent)

    def send(self, batches: Sequence[Batch]) -> None:
        """As far as the kernel takes them."""
        self._unsent.extend(batches)
        self._flush()

    def ready(self, readable: bool, writable: bool) -> None:
        """The reactor's call."""
        if writable:
            self._flush()
            if not self._unsent:
                self._flowing(self)
        for _ in range(DATAGRAMS_IN_A_TURN if readable else 0):
            try:
                datagram, address = self._sock.recvfrom(MAX_DATAGRAM_BYTES)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # an answer to what was sent before: its port is closed, or there is no way to it
                continue
            self._heard(self, datagram, address)

    def abort(self) -> None:
        """Our own mistake: the socket serves the other transfers on."""

    def close(self) -> None:
        self._reactor.unregister(self._sock)
        self._sock.close()

    def _flush(self) -> None:
        was_blocked = bool(self._unsent)
        while self._unsent and self._send(self._unsent[0]):
            self._unsent.popleft()
        if was_blocked:
            self._reactor.modify(self._sock, self, READ | WRITE if self._unsent else READ)

    def _send(self, batch: Batch) -> bool:
        """False: the kernel is full, and what it did not take is the first that waits."""
        if self._segments and len(batch.data) > batch.segment_bytes:
            control = [(_SOL_UDP, _UDP_SEGMENT, _SEGMENT.pack(batch.segment_bytes))]
            try:
                self._sock.sendmsg([batch.data], control, 0, _address(batch))
                return True
            except (BlockingIOError, InterruptedError):
                return False
            except OSError:  # too long for the way's first part, or its device can't: one by one they may pass
                pass
        return self._send_singly(batch)

    def _send_singly(self, batch: Batch) -> bool:
        view, one = memoryview(batch.data), batch.segment_bytes
        for at in range(0, len(view), one):
            try:
                self._sock.sendto(view[at : at + one], _address(batch))
            except (BlockingIOError, InterruptedError):
                self._unsent[0] = batch._replace(data=bytes(view[at:]))
                return False
            except OSError:  # lost, as on the way
                continue
        return True


def bind(host: str, ports: Sequence[int]) -> socket.socket:
    """A socket at this address, on the first of the ports that is free there. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    problem = OSError("no port is free")
    for port in ports:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind((address[0], port, *address[2:]))
            _prepare(sock)
            return sock
        except OSError as error:
            sock.close()
            problem = error
    raise problem


def _prepare(sock: socket.socket) -> None:
    """Room for bursts, and routers that may cut what is too long for them: a way that can't do it is no way at all."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if sys.platform != "linux":
        return
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_DONT)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DONT)


def _can_segment(sock: socket.socket) -> bool:
    """Whether the kernel cuts one long datagram into many (Linux 4.18)."""
    if sys.platform != "linux":
        return False
    try:
        sock.getsockopt(_SOL_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True


def _address(batch: Batch) -> tuple[str, int]:
    """What `recvfrom` gave."""
    return cast("tuple[str, int]", batch.address)
