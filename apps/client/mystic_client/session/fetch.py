"""One file connection: a ticket goes out, the file's bytes come back into the file they are gathered in."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from mystic_client.session.appender import Appender
from mystic_client.session.connection import Session
from mystic_client.session.direct import CHUNK_BYTES, Direct, follow, open_direct
from mystic_client.session.gate import clean
from mystic_client.session.heard import Address
from mystic_client.session.link import Lost
from mystic_client.session.partial import PartialFile
from mystic_client.session.progress import Failed
from mystic_client.session.secure import FingerprintChanged, Security
from mystic_client.session.verdict import FINGERPRINT_CHANGED
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import Bye, Fetch, FileStart, Refused, Ticket

SILENCE_S = 30.0
"""Without a byte for this long the connection counts as cut."""
MAX_READS = 64
"""Reads that may come before the file."""


class Cut(Exception):
    """The connection ended before the file did; another one may go on from there."""


class FetchRefused(Failed):
    """The server doesn't give the file."""


class UdpFailed(Exception):
    """Datagrams don't get through, or so slowly that TCP is to be tried; the sentence says why."""


FetchUdp: TypeAlias = Callable[[Session, Ticket, PartialFile, Callable[[int], None]], Awaitable[None]]
"""Brings by `ticket.udp` the blocks that `part.blocks` lacks, with `part.store`, and tells how many bytes there are.

Raises `UdpFailed`, `Cut` if it broke off after it had worked, and `OSError`.
"""


async def fetch(
    address: Address, security: Security, ticket: bytes, part: PartialFile, moved: Callable[[int], None]
) -> None:
    """Brings what `part` still lacks. Raises `Cut`, `FetchRefused`, and `OSError` if it can't be written.

    The connection is protected as another one to this server is (`security`), by the same key. `moved` is told now and
    then how many bytes there are.
    """
    direct = await _connection(address, security)
    try:
        await follow(lambda: _bring(direct, ticket, part), direct.stop, lambda: moved(part.received))
    finally:
        direct.close()


async def give_back(address: Address, security: Security, ticket: bytes, size: int) -> None:
    """Uses a ticket up without taking anything, so that it holds no place any more. Raises the same."""
    direct = await _connection(address, security)
    try:
        await follow(lambda: _open(direct, ticket, size, size), direct.stop, lambda: None)
    finally:
        direct.close()


async def _connection(address: Address, security: Security) -> Direct:
    try:
        return await open_direct(address, security)
    except Lost as lost:
        raise Cut(str(lost)) from None
    except FingerprintChanged as changed:
        raise FetchRefused(FINGERPRINT_CHANGED, str(changed)) from None


def _open(direct: Direct, ticket: bytes, offset: int, size: int) -> None:
    """In a thread: redeems the ticket, so that the bytes follow."""
    try:
        direct.say(Fetch(1, ticket, offset), SILENCE_S)
        start = _start(direct)
    except Lost as lost:
        raise Cut(str(lost)) from None
    except ProtocolError as problem:
        raise FetchRefused(problem.code, f"the server's answer makes no sense: {problem.text}") from None
    if (start.size, start.offset) != (size, offset):
        raise FetchRefused(Code.FILE_CHANGED, "the file has changed since the ticket was given")


def _bring(direct: Direct, ticket: bytes, part: PartialFile) -> None:
    """In a thread."""
    _open(direct, ticket, part.received, part.size)
    part.write(memoryview(direct.take_rest())[: part.size - part.received])
    missing = part.size - part.received
    try:
        with Appender(part, min(CHUNK_BYTES, missing)) as appender:
            while missing:
                buffer = appender.take_buffer()
                count = direct.receive_into(buffer[:missing], SILENCE_S)
                appender.append(buffer, count)
                missing -= count
    except Lost as lost:
        raise Cut(str(lost)) from None


def _start(direct: Direct) -> FileStart:
    for _ in range(MAX_READS):
        for said in direct.read(SILENCE_S):
            match clean(said):
                case FileStart() as start:
                    return start
                case Refused(_, code, text) | Bye(code, text):
                    raise FetchRefused(code, text)
    raise FetchRefused(Code.MALFORMED, "the server says everything but the file")
