"""DatagramTransfer: one file to one peer over a UDP socket of its own, watched by the reactor.

The socket's port is told to the peer on its chat connection. Whoever is not at the peer's address is not heard, and who
says first that it is ready is the only one from then on: the kernel drops the others. Nothing is sent to anybody
before. What the kernel doesn't take at once is lost like any datagram, and sent again.
"""

import errno
import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from mystic_server.net.reactor import Reactor, Timer
from mysticproto.errors import Code
from mysticproto.legacy.udp_send import Ended, State, UdpFileSender

ANY_PORT = (0,)
_DATAGRAMS_IN_A_TURN = 64
_MAX_DATAGRAM_BYTES = 2048
_ABANDONED = Ended(Code.TOO_SLOW, "The transfer was ended.")

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class DatagramTransfer:
    """See the module. `finished(ended)` is called once, when it is over.

    `host`: the address to bind to, if it is of the same kind as the peer's, else any. `ports`: those that may be taken,
    0 for any free one. The file stays the caller's to close, in `finished`. Raises OSError if no port can be had.
    """

    def __init__(
        self,
        reactor: Reactor,
        host: str,
        fd: int,
        size: int,
        peer_host: str,
        finished: Callable[[Ended], None],
        ports: Sequence[int] = ANY_PORT,
    ) -> None:
        self._reactor = reactor
        self._peer = _address(peer_host)
        self._finished = finished
        self._sender = UdpFileSender(size, partial(_read_at, fd), reactor.now)
        self._sock = _bind(host, self._peer, ports)
        self._timer: Timer | None = None
        self.port: int = self._sock.getsockname()[1]
        reactor.register(self._sock, self)
        self._keep_deadline()

    def close(self) -> None:
        """Ends it: the peer has gone, or the server stops. May be called again."""
        self._end(_ABANDONED)

    # The reactor's calls.

    def ready(self, readable: bool, writable: bool) -> None:
        """Hears what has come, but not for ever."""
        for _ in range(_DATAGRAMS_IN_A_TURN):
            try:
                datagram, source = self._sock.recvfrom(_MAX_DATAGRAM_BYTES)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # the peer's port is closed: if that is not the end, silence will be
                continue
            if datagram and _address(source[0]) == self._peer:
                self._feed(datagram, source)
            if self._sender.ended:
                break
        self._keep_deadline()

    def abort(self) -> None:
        """Our own mistake: this transfer ends."""
        self.close()

    def _time_has_come(self) -> None:
        self._timer = None
        deadline = self._sender.next_deadline()
        if deadline is not None and deadline <= self._reactor.now:
            self._feed(b"", None)
        self._keep_deadline()

    def _feed(self, datagram: bytes, source: tuple[str, int] | None) -> None:
        was_waiting = self._sender.state is State.WAITING
        to_send = self._sender.feed(datagram, self._reactor.now)
        if was_waiting and source and self._sender.state is not State.WAITING:
            self._sock.connect(source)
        for outgoing in to_send:
            with suppress(OSError):
                self._sock.send(outgoing)

    def _keep_deadline(self) -> None:
        """One timer, which is only made anew for an earlier time; one that comes too early finds nothing to do."""
        if self._sender.ended:
            self._end(self._sender.ended)
            return
        deadline = self._sender.next_deadline()
        if deadline is None or (self._timer and self._timer.when <= deadline):
            return
        if self._timer:
            self._timer.cancel()
        self._timer = self._reactor.call_at(deadline, partial(self._reactor.guard, self, self._time_has_come))

    def _end(self, ended: Ended) -> None:
        if self._sock.fileno() < 0:
            return
        if self._timer:
            self._timer.cancel()
        self._reactor.unregister(self._sock)
        self._sock.close()
        self._finished(ended)


def _address(host: str) -> _Address:
    """An address without what says by which interface, and an IPv4 address as itself."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _bind(host: str, peer: _Address, ports: Sequence[int]) -> socket.socket:
    """A socket that can reach the peer."""
    sock = socket.socket(socket.AF_INET if peer.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setblocking(False)
    for port in ports:
        with suppress(OSError):
            sock.bind((_local(host, peer), port))
            return sock
    sock.close()
    raise OSError(errno.EADDRINUSE, f"no UDP port is free among {', '.join(map(str, ports))}")


def _local(host: str, peer: _Address) -> str:
    with suppress(ValueError):
        address = _address(host)
        if address.version == peer.version and not address.is_link_local:
            return str(address)
    return "0.0.0.0" if peer.version == 4 else "::"


def _read_at(fd: int, offset: int, count: int) -> bytes:
    """Bytes of a file; fewer if it ends before."""
    try:
        if hasattr(os, "pread"):
            return os.pread(fd, count, offset)
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, count)
    except OSError:
        return b""
