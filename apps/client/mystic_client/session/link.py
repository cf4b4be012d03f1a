"""Link: one TCP connection to a server, as whole words of the native wire."""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket

from mystic_client.session.daemon import in_daemon_thread
from mystic_client.session.heard import Address
from mysticproto.errors import ProtocolError
from mysticproto.model import FromServer, Request
from mysticproto.native import NativeClient

CONNECT_TIMEOUT_S = 2.0
READ_BYTES = 256 * 1024
"""One read; `NativeClient` takes that much beside an unfinished frame."""

_SENTENCES = {
    errno.ECONNREFUSED: "nothing listens there",
    errno.ECONNRESET: "the connection was reset",
    errno.ECONNABORTED: "the connection was reset",
    errno.EPIPE: "the connection was reset",
    errno.EHOSTUNREACH: "there is no way to that host",
    errno.ENETUNREACH: "there is no way to that network",
    errno.ETIMEDOUT: "the connection timed out",
}


class Lost(Exception):
    """There is no connection (any more); the sentence says why."""


async def open_streams(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects, trying all addresses of the host, or raises `Lost` after `CONNECT_TIMEOUT_S` at the latest."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await _connect(await _numeric_hosts(address), address.port)
    except TimeoutError:
        raise Lost(f"{address} does not answer") from None
    except socket.gaierror:
        raise Lost(f"no host is called {address.host!r}") from None
    except OSError as problem:
        raise Lost(f"{address}: {sentence(problem)}") from None


def sentence(problem: OSError) -> str:
    """Why a connection failed, for people."""
    known = _SENTENCES.get(problem.errno or 0)
    return known or (os.strerror(problem.errno) if problem.errno else str(problem)) or "the connection failed"


async def _numeric_hosts(address: Address) -> list[str]:
    try:
        ipaddress.ip_address(address.host)
        return [address.host]
    except ValueError:
        pass
    host, port = address.host, address.port
    try:
        found = await in_daemon_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except UnicodeError:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not a host's name") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _connect(hosts: list[str], port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Tries one after another: those that refuse do so at once, and one that is silent must not eat all the time."""
    share_s = CONNECT_TIMEOUT_S / len(hosts)
    for host in hosts[:-1]:
        try:
            async with asyncio.timeout(share_s):
                return await asyncio.open_connection(host, port, limit=READ_BYTES // 2)
        except OSError:  # TimeoutError is one
            continue
    return await asyncio.open_connection(hosts[-1], port, limit=READ_BYTES // 2)


class Link:
    """Frames both ways. `read` is for one reader; `send` may be called by anybody, also after the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._wire = NativeClient()
        self._fault: ProtocolError | None = None
        writer.write(self._wire.opening())

    def send(self, request: Request) -> None:
        """Queues a request; what the kernel doesn't take waits in memory, bounded by the callers' own limits."""
        if not self._writer.is_closing():
            self._writer.write(self._wire.request(request))

    async def read(self, timeout_s: float) -> list[FromServer]:
        """What one read of the socket brought, perhaps nothing whole.

        Raises `Lost` at the end, after an error and after `timeout_s` of silence, and `ProtocolError` for what makes no
        sense, after everything before it was returned.
        """
        if self._fault:
            raise self._fault
        said, self._fault = self._wire.feed(await self.read_raw(timeout_s))
        if self._fault and not said:
            raise self._fault
        return said

    def take_rest(self) -> bytes:
        """What came behind a `FileStart` already."""
        return self._wire.take_rest()

    async def read_raw(self, timeout_s: float) -> bytes:
        """Some bytes as they come, at most `READ_BYTES`. Raises `Lost` as `read` does."""
        try:
            async with asyncio.timeout(timeout_s):
                data = await self._reader.read(READ_BYTES)
        except TimeoutError:
            raise Lost("the server has fallen silent") from None
        except OSError as problem:
            raise Lost(sentence(problem)) from None
        if not data:
            raise Lost("the server closed the connection")
        return data

    async def close(self) -> None:
        """Ends the connection at once; what was not sent yet is dropped."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
