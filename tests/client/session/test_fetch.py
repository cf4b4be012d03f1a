"""File connections, and servers that handle them badly."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from mystic_client.session.fetch import Cut, FetchRefused, fetch
from mystic_client.session.heard import Address
from mystic_client.session.secure import Security
from mysticproto import model
from mysticproto.native import PREAMBLE, encode_frame
from tests.support.fake_server import FakeServer, Peer


async def collect(address: Address, offset: int, size: int) -> bytes:
    async with aclosing(fetch(address, Security(), b"ticket", offset, size)) as pieces:
        return b"".join([piece async for piece in pieces])


async def fetching(server: FakeServer, offset: int, size: int) -> tuple[asyncio.Task[bytes], Peer, model.Fetch]:
    task = asyncio.create_task(collect(server.address, offset, size))
    peer = await server.accept()
    return task, peer, await peer.expect(model.Fetch)


async def test_a_file_and_the_rest_of_one() -> None:
    content = bytes(range(256)) * 5000
    async with FakeServer() as server:
        for offset in (0, 700_000, len(content) - 1):
            task, peer, request = await fetching(server, offset, len(content))
            assert (request.ticket, request.offset) == (b"ticket", offset)
            peer.raw(encode_frame(model.FileStart(request.n, len(content), offset)) + content[offset:])
            assert await task == content[offset:]
            await peer.gone()


async def test_an_empty_file() -> None:
    async with FakeServer() as server:
        task, peer, request = await fetching(server, 0, 0)
        peer.say(model.FileStart(request.n, 0, 0))
        assert await task == b""


async def test_contents_that_look_like_frames_are_contents() -> None:
    content = encode_frame(model.Bye("left", "not really")) * 10
    async with FakeServer() as server:
        task, peer, request = await fetching(server, 0, len(content))
        peer.raw(encode_frame(model.FileStart(request.n, len(content), 0)) + content)
        assert await task == content


async def test_bytes_beyond_the_file_are_not_taken() -> None:
    async with FakeServer() as server:
        task, peer, request = await fetching(server, 0, 3)
        peer.raw(encode_frame(model.FileStart(request.n, 3, 0)) + b"abcdefgh" * 1000)
        assert await task == b"abc"
        await peer.gone()


@pytest.mark.parametrize("sent", [b"", b"ab"])
async def test_a_connection_that_ends_too_early(sent: bytes) -> None:
    async with FakeServer() as server:
        task, peer, request = await fetching(server, 0, 3)
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
async def test_refusals_and_nonsense(answer: bytes, code: str) -> None:
    async with FakeServer() as server:
        task, peer, _ = await fetching(server, 0, 3)
        peer.raw(answer)
        with pytest.raises(FetchRefused) as caught:
            await task
        assert caught.value.code == code


async def test_a_server_that_says_everything_but_the_file() -> None:
    async with FakeServer() as server:
        task, peer, _ = await fetching(server, 0, 3)
        while not task.done():
            peer.say(model.Notice("wait"))
            await asyncio.sleep(0.001)
        with pytest.raises(FetchRefused):
            await task


async def test_something_else_listens_there() -> None:
    async with FakeServer() as server:
        task = asyncio.create_task(collect(server.address, 0, 3))
        peer = await server.accept(greet=False)
        peer.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(FetchRefused):
            await task


async def test_nobody_listens_and_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mystic_client.session.fetch.SILENCE_S", 0.02)
    async with FakeServer() as server:
        address = server.address
        task = asyncio.create_task(collect(address, 0, 3))
        peer = await server.accept(greet=False)
        with pytest.raises(Cut, match="silent"):
            await task
        task = asyncio.create_task(collect(address, 0, 3))
        peer = await server.accept(greet=False)
        peer.raw(PREAMBLE + encode_frame(model.FileStart(1, 3, 0)) + b"a")
        with pytest.raises(Cut, match="silent"):
            await task
    with pytest.raises(Cut, match="nothing listens"):
        await collect(address, 0, 3)
