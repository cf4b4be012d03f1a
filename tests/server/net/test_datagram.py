"""Files over UDP on loopback, with a client as it was published and with worse ones."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.net.datagram import DatagramTransfer
from mystic_server.net.reactor import Reactor
from mysticproto.legacy.udp_send import END_TEXT, Ended
from tests.server.net.scripted import tick_once, tick_until
from tests.support.old_mystic_cli import receive_udp

HOST = "127.0.0.1"


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    faults: list[BaseException] = []
    reactor = Reactor(faults.append)
    yield reactor
    reactor.close()
    assert faults == []


class Served:
    """A transfer of a file with these contents, and how it ended."""

    def __init__(self, reactor: Reactor, folder: Path, data: bytes, host: str = HOST, peer: str = HOST) -> None:
        path = folder / "file"
        path.write_bytes(data)
        self.ended: list[Ended] = []
        self.fd = os.open(path, os.O_RDONLY)
        self.transfer = DatagramTransfer(reactor, host, self.fd, len(data), peer, self.finished)

    def finished(self, ended: Ended) -> None:
        os.close(self.fd)
        self.ended.append(ended)


def fetched(reactor: Reactor, served: Served) -> bytes:
    """What the original client gets, in a thread as it has one."""
    packets: dict[int, bytes] = {}
    fetcher = threading.Thread(target=lambda: packets.update(receive_udp(HOST, served.transfer.port)))
    fetcher.start()
    tick_until(reactor, lambda: bool(served.ended))
    fetcher.join()
    return b"".join(packets[at] for at in sorted(packets))


@pytest.mark.parametrize("data", [b"", b"x", END_TEXT, os.urandom(3_000_000)], ids=["empty", "byte", "end", "3 MB"])
def test_a_file_arrives(reactor: Reactor, tmp_path: Path, data: bytes) -> None:
    served = Served(reactor, tmp_path, data)
    assert fetched(reactor, served) == data
    assert served.ended == [Ended(None)]


@pytest.mark.parametrize(
    ("host", "peer"), [("", HOST), ("::", f"::ffff:{HOST}"), ("localhost", HOST), ("0.0.0.0", HOST)]
)
def test_the_socket_is_of_the_peers_kind(reactor: Reactor, tmp_path: Path, host: str, peer: str) -> None:
    served = Served(reactor, tmp_path, b"data", host, peer)
    assert fetched(reactor, served) == b"data"


def test_nobody_else_is_heard(reactor: Reactor, tmp_path: Path) -> None:
    served = Served(reactor, tmp_path, b"data", host="0.0.0.0", peer="192.0.2.7")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        stranger.sendto(b"UDP_READY", (HOST, served.transfer.port))
        for _ in range(3):
            tick_once(reactor)
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    served.transfer.close()
    served.transfer.close()
    assert [ended.is_complete for ended in served.ended] == [False]


def test_the_first_who_is_ready_is_the_only_one(reactor: Reactor, tmp_path: Path) -> None:
    served = Served(reactor, tmp_path, b"data")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
    ):
        for sock in (first, second):
            sock.setblocking(False)
            sock.sendto(b"UDP_READY", (HOST, served.transfer.port))
        tick_once(reactor)
        assert first.recv(2048) == b"\0\0\0\0data"
        second.sendto(b"\0\0\0\0", (HOST, served.transfer.port))
        tick_once(reactor)
        with pytest.raises(BlockingIOError):
            second.recv(2048)
    served.transfer.close()


def test_a_client_that_closed_its_port_does_not_end_the_server(reactor: Reactor, tmp_path: Path) -> None:
    served = Served(reactor, tmp_path, bytes(100_000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"UDP_READY", (HOST, served.transfer.port))
        tick_once(reactor)
        tick_once(reactor)
    for _ in range(5):
        reactor.call_later(0.1, lambda: None)
        reactor.tick()
    assert served.ended == []
    served.transfer.close()


def test_only_given_ports_are_taken(reactor: Reactor, tmp_path: Path) -> None:
    first = Served(reactor, tmp_path, b"data")
    port = first.transfer.port
    with pytest.raises(OSError, match="no UDP port is free"):
        DatagramTransfer(reactor, HOST, first.fd, 4, HOST, first.finished, [port])
    second = DatagramTransfer(reactor, HOST, first.fd, 4, HOST, lambda ended: None, [port, 0])
    assert second.port not in (0, port)
    second.close()
    first.transfer.close()
