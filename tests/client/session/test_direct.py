"""Connections for one file, driven by threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from typing import TypeVar

import pytest

from mystic_client.session.direct import Direct, follow, open_direct
from mystic_client.session.heard import Address
from mystic_client.session.link import Lost
from mystic_client.session.secure import FingerprintChanged, Security
from mysticproto import model
from mysticproto.native import encode_frame
from tests.client.session.test_link_tls import NO_TLS, OTHER, answering
from tests.support.certificates import server_tls
from tests.support.fake_server import FakeServer, Peer

CONTENT = bytes(range(251)) * 20_000
_Result = TypeVar("_Result")


@asynccontextmanager
async def connection(*, tls: bool) -> AsyncIterator[tuple[Direct, Peer]]:
    async with FakeServer(tls=server_tls().context if tls else None) as server:
        direct = await open_direct(server.address, Security(server_tls().fingerprint if tls else ""))
        try:
            yield direct, await server.accept()
        finally:
            direct.close()


async def in_thread(direct: Direct, call: Callable[[], _Result]) -> _Result:
    return await follow(call, direct.stop, lambda: None)


@pytest.mark.parametrize("tls", [False, True])
async def test_a_request_its_answer_and_raw_bytes(tls: bool) -> None:
    async with connection(tls=tls) as (direct, peer):
        await in_thread(direct, lambda: direct.say(model.Fetch(1, b"ticket"), 5.0))
        assert await peer.expect(model.Fetch) == model.Fetch(1, b"ticket")
        peer.raw(encode_frame(model.FileStart(1, len(CONTENT), 0)) + CONTENT)
        received = bytearray()

        def receive() -> None:
            while not any(isinstance(said, model.FileStart) for said in direct.read(5.0)):
                pass
            received.extend(direct.take_rest())
            buffer = memoryview(bytearray(300_000))
            while len(received) < len(CONTENT):
                received.extend(buffer[: direct.receive_into(buffer, 5.0)])

        await in_thread(direct, receive)
        assert received == CONTENT


@pytest.mark.parametrize("tls", [False, True])
async def test_a_file_is_sent_from_an_offset_on(tls: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    sent: list[int] = []
    async with connection(tls=tls) as (direct, peer):
        with FileIO(tmp_path / "file") as file:

            def send() -> int:
                direct.say(model.Store(1, b"ticket"), 5.0)
                return direct.send_file(file, 70_000, len(CONTENT), sent.append, 5.0)

            task = asyncio.create_task(in_thread(direct, send))
            await peer.expect(model.Store)
            assert await peer.take_raw(len(CONTENT) - 70_000) == CONTENT[70_000:]
            assert await task == len(CONTENT)
    assert sent == sorted(sent) and sent[-1] == len(CONTENT)


@pytest.mark.parametrize("tls", [False, True])
async def test_a_word_of_the_server_stops_the_sending(tls: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(50_000_000))
    async with connection(tls=tls) as (direct, peer):
        with FileIO(tmp_path / "file") as file:
            task = asyncio.create_task(
                in_thread(direct, lambda: direct.send_file(file, 0, 50_000_000, lambda sent: None, 5.0))
            )
            peer.say(model.Refused(1, "disk_full", "No room."))
            assert await task < 50_000_000
            assert model.Refused(1, "disk_full", "No room.") in await in_thread(direct, lambda: direct.read(5.0))


async def test_a_file_that_is_shorter_than_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"short")
    async with connection(tls=False) as (direct, _):
        with FileIO(tmp_path / "file") as file:
            assert await in_thread(direct, lambda: direct.send_file(file, 0, 50, lambda sent: None, 5.0)) == 5


async def test_the_end_silence_and_a_stop_from_outside() -> None:
    async with connection(tls=False) as (direct, peer):
        with pytest.raises(Lost, match="silent"):
            await in_thread(direct, lambda: [direct.read(0.02) for _ in range(5)])
        task = asyncio.create_task(in_thread(direct, lambda: direct.receive_into(memoryview(bytearray(9)), 60.0)))
        while not task.done():
            await asyncio.sleep(0.001)
            task.cancel()
        assert task.cancelled()
    async with connection(tls=False) as (direct, peer):
        peer.close()
        with pytest.raises(Lost, match="closed"):
            await in_thread(direct, lambda: [direct.read(5.0) for _ in range(5)])


async def test_only_the_same_server_will_do() -> None:
    async with FakeServer(tls=server_tls().context) as server:
        with pytest.raises(FingerprintChanged) as caught:
            await open_direct(server.address, Security(OTHER))
        assert (caught.value.known, caught.value.seen) == (OTHER, server_tls().fingerprint)
    async with answering(NO_TLS[0]) as address:
        with pytest.raises(FingerprintChanged):
            await open_direct(address, Security(OTHER))
    with pytest.raises(Lost, match="nothing listens"):
        await open_direct(Address("127.0.0.1", 1), Security())


async def test_following_shows_and_passes_on() -> None:
    shown: list[int] = []
    assert await follow(lambda: 7, lambda: None, lambda: shown.append(1)) == 7
    assert shown
    with pytest.raises(ZeroDivisionError):
        await follow(lambda: 1 // 0, lambda: None, lambda: None)
