"""What a connection tells about the way to its peer."""

from __future__ import annotations

import socket

import pytest

from mystic_server.net.connection import Connection
from mystic_server.net.reactor import Reactor
from mystic_server.net.tls import TlsSocket
from tests.server.net.scripted import Remembering, line_wire
from tests.server.net.test_connection import HARD_LIMIT
from tests.support.certificates import server_tls


def connection_on(sock: socket.socket, reactor: Reactor) -> Connection:
    sock.setblocking(False)
    owner = Remembering()
    return Connection(reactor, sock, ("127.0.0.1", 1), line_wire, owner, lambda gone: None, set(), HARD_LIMIT, None)


def test_what_tcp_puts_into_one_packet() -> None:
    reactor = Reactor(lambda error: pytest.fail(str(error)))
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        connection = connection_on(listener.accept()[0], reactor)
        assert connection.segment_bytes >= 1000
        assert connection.local_host == "127.0.0.1"
        connection.close("lost")
    reactor.close()


def test_where_there_are_no_packets_nothing_is_known_of_them() -> None:
    reactor = Reactor(lambda error: pytest.fail(str(error)))
    ours, theirs = socket.socketpair()
    with theirs:
        connection = connection_on(ours, reactor)
        assert connection.segment_bytes == 0
        connection.close("lost")
    reactor.close()


def test_encryption_does_not_hide_the_way() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        tls = TlsSocket(listener.accept()[0], server_tls().context, b"")
        assert tls.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) >= 1000
        tls.close()
