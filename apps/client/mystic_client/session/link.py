"""Link: one connection to a server, with TLS or without, as whole words of the native wire."""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mystic_client.session.daemon import in_daemon_thread
from mystic_client.session.heard import Address
from mystic_client.session.pins import Pins, PinsError
from mystic_client.session.secure import (
    FingerprintChanged,
    Security,
    check,
    client_context,
    fingerprint_of,
    is_loopback,
    speaks_no_tls,
)
from mysticproto.errors import ProtocolError
from mysticproto.model import FromServer, Request
from mysticproto.native import NativeClient

CONNECT_TIMEOUT_S = 2.0
TLS_TIMEOUT_S = 5.0
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
_PLAIN = Security()


class Lost(Exception):
    """There is no connection (any more); the sentence says why."""


class Streams(NamedTuple):
    """A connection, and what protects it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    security: Security = _PLAIN


class _SpeaksPlain(Exception):
    """The server answered, and not with TLS."""


async def open_streams(address: Address, pins: Pins, is_exempt: Callable[[str], bool] = is_loopback) -> Streams:
    """Connects, with TLS except to hosts (in numbers) that are exempt and not known for it; a server that has no TLS is
    spoken to without if it never had. All addresses of the host are tried.

    Raises `Lost`, after `CONNECT_TIMEOUT_S` without a connection or `TLS_TIMEOUT_S` without an answer at the latest,
    and `FingerprintChanged`.
    """
    with in_sentences(address):
        pin = pins.find(address)
        sock, host = await connected(address)
        if pin is None and is_exempt(host):
            return Streams(*await _streams(sock))
        try:
            reader, writer, fingerprint = await _secure_streams(sock)
        except _SpeaksPlain:
            if pin:
                raise FingerprintChanged(str(address), pin.fingerprint, "") from None
            sock, _ = await connected(address)
            return Streams(*await _streams(sock), Security(is_exposed=True))
        with _or_closed(writer):
            return Streams(reader, writer, check(address, fingerprint, pins))


@contextlib.contextmanager
def in_sentences(address: Address) -> Iterator[None]:
    """Says in a sentence why there is no connection."""
    try:
        yield
    except TimeoutError:
        raise Lost(f"{address} does not answer") from None
    except socket.gaierror:
        raise Lost(f"no host is called {address.host!r}") from None
    except OSError as problem:
        raise Lost(f"{address}: {sentence(problem)}") from None
    except PinsError as problem:
        raise Lost(str(problem)) from None


@contextlib.contextmanager
def _or_closed(writer: asyncio.StreamWriter) -> Iterator[None]:
    try:
        yield
    except BaseException:
        writer.transport.abort()
        raise


def sentence(problem: OSError) -> str:
    """Why a connection failed, for people."""
    if isinstance(problem, ssl.SSLError):
        return f"the encryption broke off: {getattr(problem, 'reason', '') or 'end of file'}"
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


async def connected(address: Address) -> tuple[socket.socket, str]:
    """A socket that doesn't block, and the address (in numbers) that answered. Raises `OSError`."""
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        hosts = await _numeric_hosts(address)
        share_s = CONNECT_TIMEOUT_S / len(hosts)  # those that refuse do so at once; a silent one must not eat it all
        for host in hosts[:-1]:
            try:
                async with asyncio.timeout(share_s):
                    return await _connected_to(host, address.port), host
            except OSError:  # TimeoutError is one
                continue
        return await _connected_to(hosts[-1], address.port), hosts[-1]


async def _connected_to(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _streams(
    sock: socket.socket, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = "" if context else None  # the name of the host is nobody's business
    return await asyncio.open_connection(sock=sock, limit=READ_BYTES // 2, ssl=context, server_hostname=name)


async def _secure_streams(sock: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    """With TLS, and the fingerprint of the key at the other end, which nobody has compared yet."""
    try:
        async with asyncio.timeout(TLS_TIMEOUT_S):
            reader, writer = await _streams(sock, client_context())
    except ssl.SSLError as problem:
        if speaks_no_tls(problem):
            raise _SpeaksPlain from None
        raise
    fingerprint = fingerprint_of(writer)
    if not fingerprint:
        writer.transport.abort()
        raise ConnectionAbortedError("it shows no key that makes sense")
    return reader, writer, fingerprint


class Interrupted(Exception):
    """Nobody wants to read any further; the connection stays open."""


class Link:
    """Frames both ways. `read` is for one reader; `send` may be called by anybody, also after the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, security: Security = _PLAIN) -> None:
        self.security = security
        self._reader = reader
        self._writer = writer
        self._wire = NativeClient()
        self._fault: ProtocolError | None = None
        writer.write(self._wire.opening())

    @property
    def peer_host(self) -> str:
        """The server's address in numbers, or "" once the connection has ended."""
        peer = self._writer.get_extra_info("peername")
        return str(peer[0]) if peer else ""

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

    def interrupt(self) -> None:
        """Ends reading, for ever, with `Interrupted`."""
        self._reader.set_exception(Interrupted())

    async def close(self) -> None:
        """Ends the connection at once; what was not sent yet is dropped."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
