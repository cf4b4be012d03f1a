"""File connections, and servers that handle them badly."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mystic_client.session.fetch import Cut, FetchRefused, fetch, give_back
from mystic_client.session.heard import Address
from mystic_client.session.partial import PartialFile
from mystic_client.session.secure import Security
from mysticproto import model
from mysticproto.native import PREAMBLE, encode_frame
from tests.support.fake_server import FakeServer, Peer


async def collect(address: Address, part: PartialFile) -> bytes:
    """What comes behind what the part has already."""
    before = part.received
    try:
        await fetch(address, Security(), b"ticket", part, lambda received: None)
        return part.path.read_bytes()[before:]
    finally:
        part.close()


def part_of(folder: Path, had: bytes, size: int) -> PartialFile:
    part = PartialFile(folder / f"{len(had)}.part", size)
    part.write(had)
    return part


async def fetching(server: FakeServer, part: PartialFile) -> tuple[asyncio.Task[bytes], Peer, model.Fetch]:
    task = asyncio.create_task(collect(server.address, part))
    peer = await server.accept()
    return task, peer, await peer.expect(model.Fetch)


async def test_a_file_and_the_rest_of_one(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    async with FakeServer() as server:
        for offset in (0, 700_000, len(content) - 1):
            task, peer, request = await fetching(server, part_of(tmp_path, content[:offset], len(content)))
            assert (request.ticket, request.offset) == (b"ticket", offset)
            peer.raw(encode_frame(model.FileStart(request.n, len(content), offset)) + content[offset:])
            assert await task == content[offset:]
            await peer.gone()


async def test_an_empty_file(tmp_path: Path) -> None:
    async with FakeServer() as server:
        task, peer, request = await fetching(server, part_of(tmp_path, b"", 0))
        peer.say(model.FileStart(request.n, 0, 0))
        assert await task == b""


async def test_contents_that_look_like_frames_are_contents(tmp_path: Path) -> None:
    content = encode_frame(model.Bye("left", "not really")) * 10
    async with FakeServer() as server:
        task, peer, request = await fetching(server, part_of(tmp_path, b"", len(content)))
        peer.raw(encode_frame(model.FileStart(request.n, len(content), 0)) + content)
        assert await task == content


async def test_bytes_beyond_the_file_are_not_taken(tmp_path: Path) -> None:
    async with FakeServer() as server:
        task, peer, request = await fetching(server, part_of(tmp_path, b"", 3))
        peer.raw(encode_frame(model.FileStart(request.n, 3, 0)) + b"abcdefgh" * 1000)
        assert await task == b"abc"
        await peer.gone()


@pytest.mark.parametrize("sent", [b"", b"ab"])
async def test_a_connection_that_ends_too_early(tmp_path: Path, sent: bytes) -> None:
    async with FakeServer() as server:
        task, peer, request = await fetching(server, part_of(tmp_path, b"", 3))
        peer.raw(encode_frame(model.FileStart(request.n, 3, 0)) + sent)
        peer.close()
        with pytest.raises(Cut, match="closed"):
            await task


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (encode_frame(model.Refused(1, "bad_ticket", "No such ticket.")), "bad_ticket"),
        (encode_frame(model.Bye("server_full", "Full.")), "server_full"),
        (encode_frame(model.FileStart(1, 4, 0)), "file_changed"),
        (encode_frame(model.FileStart(1, 3, 1)), "file_changed"),
        (b"\xff\xff\xff\xff", "frame_too_large"),
        (b"\0\0\0\1\xc1", "malformed"),
    ],
)
async def test_refusals_and_nonsense(tmp_path: Path, answer: bytes, code: str) -> None:
    async with FakeServer() as server:
        task, peer, _ = await fetching(server, part_of(tmp_path, b"", 3))
        peer.raw(answer)
        with pytest.raises(FetchRefused) as caught:
            await task
        assert caught.value.code == code


async def test_a_server_that_says_everything_but_the_file(tmp_path: Path) -> None:
    async with FakeServer() as server:
        task, peer, _ = await fetching(server, part_of(tmp_path, b"", 3))
        while not task.done():
            peer.say(model.Notice("wait"))
            await asyncio.sleep(0.001)
        with pytest.raises(FetchRefused):
            await task


async def test_something_else_listens_there(tmp_path: Path) -> None:
    async with FakeServer() as server:
        task = asyncio.create_task(collect(server.address, part_of(tmp_path, b"", 3)))
        peer = await server.accept(greet=False)
        peer.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(FetchRefused):
            await task


async def test_nobody_listens_and_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mystic_client.session.fetch.SILENCE_S", 0.02)
    async with FakeServer() as server:
        address = server.address
        task = asyncio.create_task(collect(address, part_of(tmp_path, b"", 3)))
        peer = await server.accept(greet=False)
        with pytest.raises(Cut, match="silent"):
            await task
        task = asyncio.create_task(collect(address, part_of(tmp_path, b"", 3)))
        peer = await server.accept(greet=False)
        peer.raw(PREAMBLE + encode_frame(model.FileStart(1, 3, 0)) + b"a")
        with pytest.raises(Cut, match="silent"):
            await task
    with pytest.raises(Cut, match="nothing listens"):
        await collect(address, part_of(tmp_path, b"", 3))


async def test_a_ticket_is_given_back(tmp_path: Path) -> None:
    async with FakeServer() as server:
        task = asyncio.create_task(give_back(server.address, Security(), b"ticket", 70))
        peer = await server.accept()
        assert (await peer.expect(model.Fetch)).offset == 70
        peer.say(model.FileStart(1, 70, 70))
        await task
        await peer.gone()


async def test_a_disk_that_takes_no_more_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: PartialFile, data: memoryview) -> None:
        raise OSError(28, "No space left on device")

    content = bytes(3_000_000)
    async with FakeServer() as server:
        part = part_of(tmp_path, b"", len(content))
        monkeypatch.setattr(PartialFile, "_write_all", full)
        task, peer, request = await fetching(server, part)
        peer.raw(encode_frame(model.FileStart(request.n, len(content), 0)) + content)
        with pytest.raises(OSError, match="No space left"):
            await task
        await peer.gone()
