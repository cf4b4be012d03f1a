"""One file connection: a ticket goes out, the file's bytes come back.

Frames are read one at a time here, exactly as long as they say, because what follows `FileStart` is the file itself.
"""

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from mystic_client.session.gate import clean
from mystic_client.session.heard import Address
from mystic_client.session.link import READ_BYTES, Lost, close_streams, open_streams, sentence
from mysticproto.model import Bye, Fetch, FileStart, FromServer, Refused
from mysticproto.native import MAX_REQUEST_BYTES, PREAMBLE, encode_frame

SILENCE_S = 30.0
"""Without a byte for this long the connection counts as cut."""
MAX_FRAMES = 8
"""Frames that may come before the file."""

_answers: msgspec.msgpack.Decoder[FromServer] = msgspec.msgpack.Decoder(FromServer)


class Cut(Exception):
    """The connection ended before the file did; another one may go on from there."""


class FetchRefused(Exception):
    """The server doesn't give the file."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


async def fetch(address: Address, ticket: bytes, offset: int, size: int) -> AsyncGenerator[bytes, None]:
    """The bytes of a file of `size` bytes from `offset` on, as they come. Raises `Cut` and `FetchRefused`.

    To be closed by whoever stops early (`contextlib.aclosing`).
    """
    try:
        reader, writer = await open_streams(address)
    except Lost as lost:
        raise Cut(str(lost)) from None
    try:
        writer.write(PREAMBLE + encode_frame(Fetch(1, ticket, offset)))
        await _await_start(reader, offset, size)
        while offset < size:
            data = await _read(reader, min(READ_BYTES, size - offset))
            offset += len(data)
            yield data
    finally:
        await close_streams(writer)


async def _await_start(reader: asyncio.StreamReader, offset: int, size: int) -> None:
    try:
        async with asyncio.timeout(SILENCE_S):
            start = await _start(reader)
    except TimeoutError:
        raise Cut("the server does not answer") from None
    except asyncio.IncompleteReadError:
        raise Cut("the server closed the connection") from None
    except OSError as problem:
        raise Cut(sentence(problem)) from None
    if (start.size, start.offset) != (size, offset):
        raise FetchRefused("file_changed", "the file has changed since the ticket was given")


async def _start(reader: asyncio.StreamReader) -> FileStart:
    if await reader.readexactly(len(PREAMBLE)) != PREAMBLE:
        raise FetchRefused("wrong_protocol", "the server speaks something else on this connection")
    for _ in range(MAX_FRAMES):
        match await _frame(reader):
            case FileStart() as start:
                return start
            case Refused(_, code, text) | Bye(code, text):
                raise FetchRefused(code, text)
    raise FetchRefused("malformed", "the server says everything but the file")


async def _frame(reader: asyncio.StreamReader) -> FromServer:
    length = int.from_bytes(await reader.readexactly(4))
    if length > MAX_REQUEST_BYTES:
        raise FetchRefused("malformed", "the server's answer is too large")
    try:
        return clean(_answers.decode(await reader.readexactly(length)))
    except msgspec.MsgspecError:
        raise FetchRefused("malformed", "the server's answer makes no sense") from None


async def _read(reader: asyncio.StreamReader, most: int) -> bytes:
    try:
        async with asyncio.timeout(SILENCE_S):
            data = await reader.read(most)
    except TimeoutError:
        raise Cut("the server has fallen silent") from None
    except OSError as problem:
        raise Cut(sentence(problem)) from None
    if not data:
        raise Cut("the server closed the connection")
    return data
