"""The client's end of files in datagrams, against a server's end in a thread."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from mystic_client.session import datagrams
from mystic_client.session.connection import Session
from mystic_client.session.datagrams import Fetching, fetch_udp, open_socket
from mystic_client.session.fetch import Cut, UdpFailed
from mystic_client.session.partial import PartialFile
from mysticproto.model import Ticket, UdpTerms
from mysticproto.udp.sender import Sender
from mysticproto.udp.state import Reason, State
from tests.support.waiting import until

BLOCK = 1168
CONTENT = os.urandom(400_000)
SESSION = cast(Session, SimpleNamespace(peer_host="127.0.0.1", see_off=lambda work: work()))


class Server:
    """One file on a UDP port. `upto`: it breaks off when the client has so many blocks."""

    def __init__(self, *, upto: int = 1 << 40, rate: float | None = None, reads: int = len(CONTENT)) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self.terms = UdpTerms(self._sock.getsockname()[1], 5, os.urandom(32), BLOCK)
        content = CONTENT[:reads]
        self.sender = Sender(
            self.terms,
            len(CONTENT),
            lambda offset, count: content[offset : offset + count],
            bytes(32),
            time.monotonic(),
            rate,
        )
        self._upto = upto
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def ticket(self) -> Ticket:
        return Ticket(1, b"", "file", len(CONTENT), 0, udp=self.terms)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._sock.close()

    def _run(self) -> None:
        sender, sock = self.sender, self._sock
        sock.settimeout(0.001)
        while not self._ended.is_set():
            try:
                datagram, address = sock.recvfrom(2048)
                sender.received(datagram, address, time.monotonic())
            except TimeoutError:
                pass
            if sender.blocks_confirmed >= self._upto:
                sender.abort(Reason.CANCELLED, time.monotonic())
            for batch in sender.take(time.monotonic()):
                for at in range(0, len(batch.data), batch.segment_bytes):
                    sock.sendto(batch.data[at : at + batch.segment_bytes], cast("tuple[str, int]", batch.address))


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def serve(**how: float) -> Server:
        servers.append(Server(**how))  # type: ignore[arg-type]
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def part(tmp_path: Path) -> Iterator[PartialFile]:
    part = PartialFile(tmp_path / "x.part", len(CONTENT))
    part.scatter(BLOCK)
    yield part
    part.close()


async def get(server: Server, part: PartialFile) -> list[int]:
    """How many bytes there were, again and again."""
    moved: list[int] = []
    await fetch_udp(SESSION, server.ticket, part, moved.append)
    return moved


async def test_a_file_comes(serve: Serve, part: PartialFile) -> None:
    assert (await get(serve(), part))[-1] == len(CONTENT)
    assert part.path.read_bytes() == CONTENT
    assert part.blocks is not None and part.blocks.complete


async def test_without_what_only_some_kernels_have(
    serve: Serve, part: PartialFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagrams.sys, "platform", "other")  # type: ignore[attr-defined]
    server = serve()
    with open_socket("127.0.0.1", server.terms.port) as sock:
        fetching = Fetching(sock, server.terms, part)
        fetching._can_ask_more = False
        fetching.run()
    assert part.path.read_bytes() == CONTENT


async def test_what_broke_off_is_gone_on_with(serve: Serve, part: PartialFile, tmp_path: Path) -> None:
    with pytest.raises(Cut, match="cancelled"):
        await get(serve(upto=100, rate=2_000_000), part)
    part.close()
    again = PartialFile(tmp_path / "x.part", len(CONTENT))
    held = again.scatter(BLOCK).held
    assert 100 <= held < len(CONTENT) // BLOCK
    server = serve()
    assert (await get(server, again))[-1] == len(CONTENT)
    assert server.sender.blocks_sent <= len(CONTENT) // BLOCK + 1 - held + 200  # and some that were repeated
    assert again.path.read_bytes() == CONTENT
    again.close()


async def test_where_nothing_answers_it_fails(serve: Serve, part: PartialFile) -> None:
    server = serve()
    server.close()
    with pytest.raises(UdpFailed, match="no datagram came back"):
        await get(server, part)


async def test_where_nobody_speaks_it_fails(part: PartialFile) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        terms = UdpTerms(silent.getsockname()[1], 5, bytes(32), BLOCK)
        with pytest.raises(UdpFailed, match="no datagram came back"):
            await fetch_udp(SESSION, Ticket(1, b"", "file", len(CONTENT), 0, udp=terms), part, lambda moved: None)


async def test_where_there_is_no_way_it_fails(part: PartialFile) -> None:
    ticket = Ticket(1, b"", "file", len(CONTENT), 0, udp=UdpTerms(9, 5, bytes(32), BLOCK))
    nowhere = cast(Session, SimpleNamespace(peer_host=""))
    with pytest.raises(UdpFailed, match="there is no way for datagrams"):
        await fetch_udp(nowhere, ticket, part, lambda moved: None)


async def test_terms_that_make_no_sense_fail(serve: Serve, part: PartialFile) -> None:
    server = serve()
    server.terms = UdpTerms(server.terms.port, 5, b"short", BLOCK)
    with pytest.raises(UdpFailed, match="unusable terms"):
        await get(server, part)


async def test_what_cannot_be_written_is_said(serve: Serve, part: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(offset: int, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(part, "store", full)
    server = serve()
    with pytest.raises(OSError, match="No space left"):
        await get(server, part)
    until(lambda: server.sender.state is State.FAILED, lambda: "it never came true")
    assert server.sender.reason is Reason.NOT_STORED


async def test_a_file_that_becomes_shorter_breaks_off(serve: Serve, part: PartialFile) -> None:
    with pytest.raises(Cut, match="the file changed"):
        await get(serve(reads=300_000, rate=10_000_000), part)


async def test_a_hopeless_way_is_given_up(serve: Serve, part: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "HOPELESS_S", 0.2)
    monkeypatch.setattr(datagrams, "HOPELESS_BYTES_S", 1_000_000)
    with pytest.raises(UdpFailed, match=r"only \d+ KiB a second came in datagrams"):
        await get(serve(rate=100_000), part)


def test_the_server_hears_of_a_stop_and_what_came_is_noted(serve: Serve, part: PartialFile) -> None:
    server = serve(rate=1_000_000)
    with open_socket("127.0.0.1", server.terms.port) as sock:
        fetching = Fetching(sock, server.terms, part)
        thread = threading.Thread(target=fetching.run)
        thread.start()
        until(lambda: fetching.bytes_held > 0, lambda: "it never came true")
        fetching.stop()
        thread.join()
    until(lambda: server.sender.state is State.FAILED, lambda: "it never came true")
    assert server.sender.reason is Reason.CANCELLED
    notes = part.path.with_name(part.path.name + ".blocks").read_bytes()
    assert any(notes[4:])


def test_notes_are_kept_up_meanwhile(serve: Serve, part: PartialFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "SAVE_EVERY_S", 0.01)
    saves: list[int] = []
    save = part.save_blocks

    def saving() -> None:
        saves.append(fetching.bytes_held)
        save()

    monkeypatch.setattr(part, "save_blocks", saving)
    server = serve(rate=2_000_000)
    with open_socket("127.0.0.1", server.terms.port) as sock:
        fetching = Fetching(sock, server.terms, part)
        fetching.run()
    assert len(saves) > 2 and saves == sorted(saves)


async def test_a_whole_file_does_not_wait_for_the_farewell(serve: Serve, part: PartialFile) -> None:
    left: list[Callable[[], None]] = []
    session = cast(Session, SimpleNamespace(peer_host="127.0.0.1", see_off=left.append))
    server = serve()
    await fetch_udp(session, server.ticket, part, lambda moved: None)
    assert part.path.read_bytes() == CONTENT
    [part_company] = left
    server.close()  # nobody answers it any more
    part_company()
