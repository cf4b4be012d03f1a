"""Files in datagrams between real processes: whole, resumed, cut, refused, forged; and by TCP where UDP fails."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from mystic_client.session import datagrams
from mystic_client.session.connection import Session
from mystic_client.session.fetch import FetchUdp
from mystic_client.session.heard import Address
from mystic_client.session.partial import PartialFile
from mystic_client.session.progress import Progress
from mystic_client.session.transfers import download
from mysticproto.model import OpenDownload, Refused, Ticket, UdpTerms
from mysticproto.udp import packets
from mysticproto.udp.keys import client_keys
from tests.e2e.programs import Program
from tests.support.datagram_proxy import Passing, datagram_proxy
from tests.support.native_peer import NativePeer
from tests.support.processes import children, descriptors, is_running
from tests.support.proxy import Proxy
from tests.support.server_process import ServerProcess, running_server

BIG_BYTES = int(os.environ.get("MYSTIC_BIG_FILE_BYTES", 150_000_000))
BIG = f"{BIG_BYTES / (1 << 20):.1f} MiB"
PATIENCE_S = 20.0
POLL_S = 0.005
SMALL_BYTES = 200
"""Datagrams without a part of a file are shorter."""

pytestmark = pytest.mark.skipif(not hasattr(socket, "send_fds"), reason="descriptors can't be passed here")


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """For tests that read what it prints, which is cut when very much happens."""
    with running_server(tmp_path_factory.mktemp("server"), "--unlimited") as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("server"), "--unlimited") as server:
        yield server


@asynccontextmanager
async def session_on(server: ServerProcess, name: str = "ana") -> AsyncIterator[Session]:
    async with session_at(Address(server.host, server.port), name) as session:
        yield session


@asynccontextmanager
async def session_at(address: Address, name: str) -> AsyncIterator[Session]:
    session = Session(address, name, None, lambda heard: None)
    run = asyncio.create_task(session.run())
    try:
        await session.online()
        yield session
    finally:
        session.drop()
        await asyncio.wait([run])


def share(server: ServerProcess, name: str, size: int) -> bytes:
    data = os.urandom(size)
    (server.shared / name).write_bytes(data)
    return data


async def get(
    session: Session, name: str, folder: Path, told: Callable[[Progress], None], fetch_udp: FetchUdp | None = None
) -> Progress:
    return await download(session, name, folder, told, over="udp", fetch_udp=fetch_udp)


def nothing(progress: Progress) -> None:
    pass


def to_port(port: int) -> FetchUdp:
    """As if the server had named another UDP port."""

    async def fetch(session: Session, ticket: Ticket, part: PartialFile, moved: Callable[[int], None]) -> None:
        assert ticket.udp is not None
        await datagrams.fetch_udp(session, replace(ticket, udp=replace(ticket.udp, port=port)), part, moved)

    return fetch


def through(passing: Passing) -> FetchUdp:
    """By way of a proxy."""

    async def fetch(session: Session, ticket: Ticket, part: PartialFile, moved: Callable[[int], None]) -> None:
        assert ticket.udp is not None
        async with datagram_proxy(ticket.udp.port, passing) as proxy:
            await to_port(proxy.port)(session, ticket, part, moved)

    return fetch


@contextmanager
def stopped_sender(server: ServerProcess) -> Iterator[None]:
    """What sends datagrams does nothing meanwhile."""
    (sender,) = children(server.pid, "files.datagrams")
    os.kill(sender, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(sender, signal.SIGCONT)


class Dam:
    """Gives to `through` a way that takes so many bytes of files, and none more until it is opened."""

    def __init__(self, room: int) -> None:
        self.is_open = False
        self._room = room

    @property
    def is_full(self) -> bool:
        return self._room < 0

    def passing(self, datagram: bytes, to_server: bool) -> list[bytes]:
        if to_server or self.is_open or len(datagram) < SMALL_BYTES:
            return [datagram]
        self._room -= len(datagram)
        return [] if self.is_full else [datagram]


# Whole.


@pytest.mark.parametrize("size", [0, 1, 1_407, 1_408, 8_192, 100_000, 50 * 1024 * 1024])
async def test_a_file_comes_as_it_is(server: ServerProcess, tmp_path: Path, size: int) -> None:
    data = share(server, f"file{size}", size)
    async with session_on(server) as session:
        done = await get(session, f"file{size}", tmp_path, nothing)
    assert (done.state, done.over, done.note, done.verified, done.error) == ("done", "udp", "", True, "")
    assert Path(done.saved_to).read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == [f"file{size}"]


async def test_several_at_once_share_one_port(server: ServerProcess, tmp_path: Path) -> None:
    data = {f"several{number}": share(server, f"several{number}", 3_000_000) for number in range(4)}
    async with session_on(server) as session:
        done = await asyncio.gather(*(get(session, name, tmp_path, nothing) for name in data))
    assert [(one.state, one.over) for one in done] == [("done", "udp")] * 4
    assert {name: (tmp_path / name).read_bytes() for name in data} == data


async def test_empty_files_hold_no_places(server: ServerProcess, tmp_path: Path) -> None:
    share(server, "empty", 0)
    async with session_on(server, "emp") as session:
        for number in range(6):  # more than there are places
            done = await asyncio.wait_for(get(session, "empty", tmp_path / str(number), nothing), 5.0)
            assert (done.state, done.over) == ("done", "udp")


async def test_the_operator_sees_it_as_any_download(own_server: ServerProcess, tmp_path: Path) -> None:
    share(own_server, "seen", 5 * 1024 * 1024)
    async with session_on(own_server) as session:
        await get(session, "seen", tmp_path, nothing)
        await until(lambda: "ana has seen, 5.0 MiB" in own_server.printed())
    assert "ana fetches seen, 5.0 MiB" in own_server.printed()


# Resumed.


async def test_a_client_that_was_killed_goes_on_where_it_was(own_server: ServerProcess, tmp_path: Path) -> None:
    data = share(own_server, "resumed", BIG_BYTES)
    downloads = tmp_path / "downloads"
    with Program(tmp_path, own_server.address, "bob", "get", "--udp", "resumed", "-o", f"{downloads}/") as client:
        await until(lambda: "bob fetches resumed" in own_server.printed())
        with stopped_sender(own_server):  # so that the client is in the middle of it when it is killed
            await until(lambda: any(has_notes(path) for path in downloads.glob("*.blocks")))
            client.process.kill()
    async with session_on(own_server, "eve") as session:
        seen: list[Progress] = []
        done = await get(session, "resumed", downloads, seen.append)
    assert (done.state, done.over, done.note, done.verified) == ("done", "udp", "", True)
    assert next(one.received for one in seen if one.state == "running") > 0
    assert Path(done.saved_to).read_bytes() == data
    assert f"eve fetches resumed, {BIG} from" in own_server.printed()


async def test_a_server_that_was_killed_in_the_middle_is_come_back_to(tmp_path: Path) -> None:
    with running_server(tmp_path, "--unlimited") as server:
        data = share(server, "big", BIG_BYTES)
        seen: list[Progress] = []
        async with session_on(server) as session:
            task = asyncio.create_task(get(session, "big", tmp_path / "downloads", seen.append))
            await until(lambda: any(one.state == "running" and one.received for one in seen))
            (sender,) = children(server.pid, "files.datagrams")
            server.kill()
            server.start()
            done = await asyncio.wait_for(task, 3 * PATIENCE_S)
        assert not is_running(sender)
        assert (done.state, done.over, done.note, done.verified) == ("done", "udp", "", True)
        assert f"ana fetches big, {BIG} from" in server.printed()
        assert Path(done.saved_to).read_bytes() == data


async def test_a_sender_that_was_killed_is_started_again(server: ServerProcess, tmp_path: Path) -> None:
    data = share(server, "senders", BIG_BYTES)
    seen: list[Progress] = []
    async with session_on(server) as session:
        task = asyncio.create_task(get(session, "senders", tmp_path, seen.append))
        await until(lambda: any(one.state == "running" and one.received for one in seen))
        for sender in children(server.pid, "files.datagrams"):
            os.kill(sender, signal.SIGKILL)
        done = await asyncio.wait_for(task, 3 * PATIENCE_S)
    assert (done.state, done.verified) == ("done", True)
    assert Path(done.saved_to).read_bytes() == data


async def test_a_download_that_is_given_up_frees_its_place_and_goes_on_later(
    server: ServerProcess, tmp_path: Path
) -> None:
    data = share(server, "given up", BIG_BYTES)
    async with session_on(server) as session:
        for _ in range(5):  # more than there are places
            seen: list[Progress] = []
            task = asyncio.create_task(get(session, "given up", tmp_path, seen.append))
            await until(partial(has_begun, seen, task))
            task.cancel()
            await asyncio.wait([task])
        done = await get(session, "given up", tmp_path, nothing)
    assert (done.state, done.over) == ("done", "udp")
    assert Path(done.saved_to).read_bytes() == data


async def test_a_client_that_is_killed_gives_its_place_back_soon(own_server: ServerProcess, tmp_path: Path) -> None:
    share(own_server, "killed", BIG_BYTES)
    with Program(tmp_path, own_server.address, "bob", "get", "--udp", "killed", "-o", f"{tmp_path}/") as client:
        await until(lambda: "bob fetches killed" in own_server.printed())
        with stopped_sender(own_server):  # so that the client is in the middle of it when it is killed
            client.process.kill()
    await until(lambda: "bob did not get killed: the connection ended" in own_server.printed())


async def test_a_chat_connection_that_breaks_interrupts_the_download(own_server: ServerProcess, tmp_path: Path) -> None:
    data = share(own_server, "interrupted", BIG_BYTES)
    dam = Dam(BIG_BYTES // 20)
    seen: list[Progress] = []
    async with (
        Proxy(Address(own_server.host, own_server.port)) as proxy,
        session_at(proxy.address, "ana") as session,
    ):
        task = asyncio.create_task(get(session, "interrupted", tmp_path, seen.append, through(dam.passing)))
        await until(lambda: dam.is_full)
        proxy.cut()
        await until(lambda: "ana did not get interrupted: the connection ended" in own_server.printed())
        dam.is_open = True
        done = await asyncio.wait_for(task, 3 * PATIENCE_S)
    assert (done.state, done.over, done.note, done.verified) == ("done", "udp", "", True)
    assert "ana fetches interrupted, 143.1 MiB from" in own_server.printed()
    assert Path(done.saved_to).read_bytes() == data


async def test_who_leaves_with_the_whole_file_is_said_to_have_it(own_server: ServerProcess, tmp_path: Path) -> None:
    """Its last word stands behind its goodbye."""
    share(own_server, "left", 300_000)
    with Program(tmp_path, own_server.address, "bob", "get", "--udp", "left", "-o", f"{tmp_path}/") as client:
        assert client.process.wait(PATIENCE_S) == 0
    await until(lambda: "bob has left, " in own_server.printed())
    assert "did not get" not in own_server.printed()


# By TCP.


async def test_where_nothing_listens_the_file_comes_by_tcp_and_that_is_said(
    server: ServerProcess, tmp_path: Path
) -> None:
    data = share(server, "closed", 100_000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    async with session_on(server) as session:
        done = await get(session, "closed", tmp_path, nothing, to_port(port))
    assert (done.state, done.over, done.note) == ("done", "tcp", "over TCP: no datagram came back")
    assert Path(done.saved_to).read_bytes() == data


async def test_where_nothing_passes_the_file_comes_by_tcp(server: ServerProcess, tmp_path: Path) -> None:
    data = share(server, "silent", 100_000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        async with session_on(server) as session:
            done = await get(session, "silent", tmp_path, nothing, to_port(sock.getsockname()[1]))
    assert (done.state, done.over, done.note) == ("done", "tcp", "over TCP: no datagram came back")
    assert Path(done.saved_to).read_bytes() == data


async def test_a_server_that_sends_no_datagrams_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path, "--udp", "off") as server:
        data = share(server, "off", 100_000)
        async with session_on(server) as session:
            done = await get(session, "off", tmp_path / "downloads", nothing)
        assert not children(server.pid, "files.datagrams")
    assert (done.state, done.over, done.note) == ("done", "tcp", "over TCP: This server sends no datagrams.")
    assert Path(done.saved_to).read_bytes() == data


async def test_a_port_that_is_taken_is_no_end(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with running_server(tmp_path, "--udp-port", str(taken.getsockname()[1])) as server:
            share(server, "taken", 100_000)
            async with session_on(server) as session:
                done = await get(session, "taken", tmp_path / "downloads", nothing)
    assert (done.state, done.over) == ("done", "tcp")
    assert done.note == "over TCP: The server has no port for it: Address already in use."


# What others send.


async def test_what_is_forged_damaged_or_repeated_is_ignored(server: ServerProcess, tmp_path: Path) -> None:
    data = share(server, "forged", 2_000_000)
    numbers = count()

    def passing(datagram: bytes, to_server: bool) -> list[bytes]:
        number = next(numbers) % 7
        at = number * 5 % len(datagram)
        damaged = datagram[:at] + bytes([datagram[at] ^ 1]) + datagram[at + 1 :]
        forged = datagram[: packets.HEADER_BYTES] + os.urandom(len(datagram) - packets.HEADER_BYTES)
        return [damaged, datagram, datagram, forged, datagram[:-1], b"", os.urandom(40)]

    async with session_on(server) as session:
        done = await get(session, "forged", tmp_path, nothing, through(passing))
    assert (done.state, done.over, done.verified) == ("done", "udp", True)
    assert Path(done.saved_to).read_bytes() == data


async def test_lost_datagrams_come_again(server: ServerProcess, tmp_path: Path) -> None:
    data = share(server, "lossy", 2_000_000)
    numbers = count(1)

    def passing(datagram: bytes, to_server: bool) -> list[bytes]:
        return [datagram] if next(numbers) % 10 else []

    async with session_on(server) as session:
        done = await get(session, "lossy", tmp_path, nothing, through(passing))
    assert (done.state, done.over, done.verified) == ("done", "udp", True)
    assert Path(done.saved_to).read_bytes() == data


def test_nobody_is_sent_more_than_they_have_sent_before_they_have_proved_their_address(server: ServerProcess) -> None:
    share(server, "amplified", 5_000_000)
    with NativePeer((server.host, server.port)) as peer, udp_socket() as sock:
        peer.log_in("max")
        terms, size = udp_ticket(peer, "amplified")
        sealer, _ = client_keys(terms, size)
        sent = got = 0
        hello = bytes(packets.HELLO_BYTES - packets.OVERHEAD_BYTES)
        for _ in range(20):
            sent += sock.sendto(sealer.seal(packets.HELLO, hello), (server.host, terms.port))
            got += len(sock.recv(65_535))
        short = sealer.seal(packets.HELLO, hello[:-1])
        start = sealer.seal(packets.START, packets.encode_start(bytes(8), 1, b""))
        replayed = sealer.seal(packets.HELLO, hello)
        for datagram in (short, start, replayed, replayed, replayed[:-1] + b"x", b"", b"x" * 1200):
            sent += sock.sendto(datagram, (server.host, terms.port))
        sock.settimeout(0.5)
        answers = 0
        try:
            while data := sock.recv(65_535):
                got += len(data)
                answers += 1
        except TimeoutError:
            pass
    assert answers <= 2  # to the START with a wrong token, and to the one HELLO that was whole and new
    assert got <= sent, f"{got} bytes came back for {sent}"


def test_another_host_is_not_heard(server: ServerProcess) -> None:
    share(server, "elsewhere", 1000)
    with NativePeer((server.host, server.port)) as peer, udp_socket("127.0.0.2") as sock:
        peer.log_in("tom")
        terms, size = udp_ticket(peer, "elsewhere")
        sealer, _ = client_keys(terms, size)
        hello = sealer.seal(packets.HELLO, bytes(packets.HELLO_BYTES - packets.OVERHEAD_BYTES))
        sock.sendto(hello, (server.host, terms.port))
        with udp_socket() as own:
            own.sendto(hello, (server.host, terms.port))
            assert own.recv(2000)  # so that the first one must have been seen
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(2000)


# What is left.


async def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with running_server(tmp_path, "--unlimited") as server:
        share(server, "again", 300_000)
        async with session_on(server) as session:
            held = []
            for number in range(4):
                done = await get(session, "again", tmp_path / str(number), nothing)
                assert done.over == "udp"
                (sender,) = children(server.pid, "files.datagrams")
                await until(lambda: server.printed().count("ana has again") == number + 1)  # noqa: B023
                held.append((descriptors(server.pid), descriptors(sender)))
        assert held[1:] == held[:1] * 3
    assert not is_running(sender)


def udp_socket(host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.settimeout(PATIENCE_S)
    return sock


def udp_ticket(peer: NativePeer, name: str) -> tuple[UdpTerms, int]:
    ticket = peer.ask(Ticket, lambda n: OpenDownload(n, name, "udp"))
    assert not isinstance(ticket, Refused) and ticket.udp is not None, ticket
    return ticket.udp, ticket.size


def has_begun(seen: list[Progress], task: asyncio.Task[Progress]) -> bool:
    assert not task.done(), task
    return any(one.state == "running" for one in seen)


def has_notes(path: Path) -> bool:
    """Whether some blocks are noted."""
    return any(path.read_bytes()[4:])


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():
            await asyncio.sleep(POLL_S)
