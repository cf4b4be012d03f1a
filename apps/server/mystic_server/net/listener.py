"""Listener: accepts, within limits, and never spins when the process is out of descriptors.

On EMFILE and its like accepting pauses for a second: the pending connection stays readable, so a loop that went on
would burn the processor. Linux and macOS differ in whether one socket may serve both IPv4 and IPv6; every address gets
its own.
"""

import errno
import os
import socket
from collections.abc import Callable

from mystic_server.net.congestion import suit_path
from mystic_server.net.reactor import READ, Reactor

BACKLOG = 1024
ACCEPTS_PER_TURN = 100
_PAUSE_S = 1.0
_FREE_PORT_ATTEMPTS = 20
_NOT_THERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
KEEPALIVE_IDLE_S = 60
KEEPALIVE_PROBES = 3
USER_TIMEOUT_MS = 60_000


class Listener:
    """One listening socket; `accepted(sock, address)` owns what it is given."""

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        accepted: Callable[[socket.socket, tuple[str, int]], None],
        out_of_descriptors: Callable[[OSError], None],
    ) -> None:
        self.address: tuple[str, int] = sock.getsockname()[:2]
        self._reactor = reactor
        self._sock = sock
        self._accepted = accepted
        self._out_of_descriptors = out_of_descriptors
        reactor.register(sock, self, READ)

    def ready(self, readable: bool, writable: bool) -> None:
        """Accepts what is waiting, a hundred at most."""
        for _ in range(ACCEPTS_PER_TURN):
            try:
                sock, address = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    raise
                self._pause(error)
                return
            prepare(sock)
            self._accepted(sock, address[:2])

    def abort(self) -> None:
        """An accept went wrong in a way that nobody knows: try again after the pause."""
        self._reactor.unregister(self._sock)
        self._reactor.call_later(_PAUSE_S, self._go_on)

    def close(self) -> None:
        """Stops listening; who waits in the backlog is refused by the kernel."""
        self._reactor.unregister(self._sock)
        self._sock.close()

    def _pause(self, error: OSError) -> None:
        self._out_of_descriptors(error)
        self.abort()

    def _go_on(self) -> None:
        if self._sock.fileno() >= 0:
            self._reactor.register(self._sock, self, READ)


def prepare(sock: socket.socket) -> None:
    """Sets what every peer's socket needs: no waiting, no delay for small chunks, notice of a vanished peer, and a
    congestion control that suits its path."""
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
            ("TCP_KEEPINTVL", KEEPALIVE_IDLE_S // KEEPALIVE_PROBES),
            ("TCP_KEEPCNT", KEEPALIVE_PROBES),
            ("TCP_USER_TIMEOUT", USER_TIMEOUT_MS),
        ):
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        suit_path(sock)
    except OSError:
        pass  # the peer has gone already; reading will say so


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on every address of `host` ("" for all interfaces of both families), all on one port; with port
    0 on one that is free for all of them. Raises OSError."""
    families = [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")] if not host else _addresses(host)
    for _ in range(_FREE_PORT_ATTEMPTS):
        try:
            return _bind_all(families, port)
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bind_all(families: list[tuple[socket.AddressFamily, str]], port: int) -> list[socket.socket]:
    """Leaves out an address whose family isn't there at all, as IPv6 in many containers, unless that was the only
    one."""
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in families:
            try:
                sockets.append(_bind_one(family, address, port))
            except OSError as error:
                if error.errno not in _NOT_THERE:
                    raise
                missing = error
            else:
                port = sockets[-1].getsockname()[1]
        if missing and not sockets:
            raise missing
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bind_one(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
