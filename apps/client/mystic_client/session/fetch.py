"""One file connection: a ticket goes out, the file's bytes come back."""

from collections.abc import AsyncGenerator

from mystic_client.session.gate import clean
from mystic_client.session.heard import Address
from mystic_client.session.link import Link, Lost, open_more_streams
from mystic_client.session.secure import FingerprintChanged, Security
from mystic_client.session.verdict import FINGERPRINT_CHANGED
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import Bye, Fetch, FileStart, Refused

SILENCE_S = 30.0
"""Without a byte for this long the connection counts as cut."""
MAX_READS = 64
"""Reads that may come before the file."""


class Cut(Exception):
    """The connection ended before the file did; another one may go on from there."""


class FetchRefused(Exception):
    """The server doesn't give the file."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


async def fetch(
    address: Address, security: Security, ticket: bytes, offset: int, size: int
) -> AsyncGenerator[bytes, None]:
    """The bytes of a file of `size` bytes from `offset` on, as they come, and no more. Raises `Cut` and `FetchRefused`.

    The connection is protected as another one to this server is (`security`), by the same key. To be closed by whoever
    stops early (`contextlib.aclosing`).
    """
    link = None
    try:
        link = Link(*await open_more_streams(address, security))
        link.send(Fetch(1, ticket, offset))
        start = await _start(link)
        if (start.size, start.offset) != (size, offset):
            raise FetchRefused(Code.FILE_CHANGED, "the file has changed since the ticket was given")
        data = link.take_rest()
        while offset < size:
            data = (data or await link.read_raw(SILENCE_S))[: size - offset]
            offset += len(data)
            yield data
            data = b""
    except Lost as lost:
        raise Cut(str(lost)) from None
    except FingerprintChanged as changed:
        raise FetchRefused(FINGERPRINT_CHANGED, str(changed)) from None
    except ProtocolError as problem:
        raise FetchRefused(problem.code, f"the server's answer makes no sense: {problem.text}") from None
    finally:
        if link is not None:
            await link.close()


async def _start(link: Link) -> FileStart:
    for _ in range(MAX_READS):
        for said in await link.read(SILENCE_S):
            match clean(said):
                case FileStart() as start:
                    return start
                case Refused(_, code, text) | Bye(code, text):
                    raise FetchRefused(code, text)
    raise FetchRefused(Code.MALFORMED, "the server says everything but the file")
