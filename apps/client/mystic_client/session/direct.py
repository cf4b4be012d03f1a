"""Direct: a connection for one file, driven by a thread with blocking calls, so that bytes move at the disk's speed.

The event loop is not in the way: a read goes from the socket into a large buffer and from there to the file, without
the interpreter's lock for most of the time. `follow` runs such a thread from the loop and shows how far it is.
"""

import asyncio
import contextlib
import os
import selectors
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from io import FileIO
from typing import TypeVar

from mystic_client.session.daemon import in_daemon_thread
from mystic_client.session.heard import Address
from mystic_client.session.link import READ_BYTES, TLS_TIMEOUT_S, Lost, connected, in_sentences, sentence
from mystic_client.session.progress import REPORT_EVERY_S
from mystic_client.session.secure import (
    FingerprintChanged,
    Security,
    client_context,
    fingerprint_of_certificate,
    speaks_no_tls,
)
from mysticproto.errors import ProtocolError
from mysticproto.model import Bye, FromServer, Refused, Request, Stored
from mysticproto.native import NativeClient

CHUNK_BYTES = 1024 * 1024
"""Moved in one call."""

_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_Result = TypeVar("_Result")


async def follow(call: Callable[[], _Result], stop: Callable[[], None], moved: Callable[[], None]) -> _Result:
    """What `call` returns or raises in a thread. `moved` is called ten times a second meanwhile, and at the end.

    When this is cancelled `stop` must let the thread end soon; it is waited for.
    """
    task = asyncio.create_task(in_daemon_thread(call))
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=REPORT_EVERY_S)
            if done:
                return task.result()
            moved()
    except asyncio.CancelledError:
        stop()
        await asyncio.wait({task})
        raise
    finally:
        if task.done() and not task.cancelled():
            task.exception()
        moved()


async def open_direct(address: Address, security: Security) -> "Direct":
    """A further connection to the same server, protected as the first one was, by the same key.

    Raises `Lost` and `FingerprintChanged`.
    """
    with in_sentences(address):
        sock, _ = await connected(address)
        direct = Direct(sock)
        if security.fingerprint:
            try:
                await follow(lambda: direct.secure(address, security), direct.stop, lambda: None)
            except BaseException:
                direct.close()
                raise
        return direct


class Direct:
    """The methods block and are for one thread, but for `stop`. They raise `Lost` when there is no connection left."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._wire = NativeClient()
        self._fault: ProtocolError | None = None
        self._pending: list[FromServer] = []
        self._selector = selectors.DefaultSelector()
        self._opening = self._wire.opening()

    def secure(self, address: Address, security: Security) -> None:
        """Encrypts, and makes sure that it is the same key. Raises `FingerprintChanged` and `OSError`."""
        self._sock = tls = client_context().wrap_socket(self._sock, do_handshake_on_connect=False)
        try:
            self._patiently(tls.do_handshake, selectors.EVENT_READ, TLS_TIMEOUT_S)
        except ssl.SSLError as problem:
            if speaks_no_tls(problem):
                raise FingerprintChanged(str(address), security.fingerprint, "") from None
            raise
        fingerprint = fingerprint_of_certificate(tls.getpeercert(binary_form=True) or b"")
        if fingerprint != security.fingerprint:
            raise FingerprintChanged(str(address), security.fingerprint, fingerprint)

    def say(self, request: Request, timeout_s: float) -> None:
        """Sends the first request, behind what opens the connection."""
        unsent = memoryview(self._opening + self._wire.request(request))
        with _or_lost():
            while unsent:
                sent = self._patiently(partial(self._sock.send, unsent), selectors.EVENT_WRITE, timeout_s)
                unsent = unsent[sent:]

    def read(self, timeout_s: float) -> list[FromServer]:
        """What one read of the socket brought, perhaps nothing whole. Raises `ProtocolError` for nonsense."""
        if self._pending:
            said, self._pending = self._pending, []
            return said
        if self._fault:
            raise self._fault
        with _or_lost():
            data = self._patiently(partial(self._sock.recv, READ_BYTES), selectors.EVENT_READ, timeout_s)
        return self._feed(data)

    def take_rest(self) -> bytes:
        """What came behind a `FileStart` already."""
        return self._wire.take_rest()

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        """Fills the buffer with what there is, at least a byte."""
        with _or_lost():
            count = self._patiently(partial(self._sock.recv_into, buffer), selectors.EVENT_READ, timeout_s)
            if not count:
                raise Lost("the server closed the connection")
            if isinstance(self._sock, ssl.SSLSocket):  # gives one record at a time
                with contextlib.suppress(*_WAIT):
                    while count < len(buffer) and (more := self._sock.recv_into(buffer[count:])):
                        count += more
        return count

    def send_file(self, file: FileIO, offset: int, size: int, sent: Callable[[int], None], timeout_s: float) -> int:
        """Sends the file from the offset up to `size`, and says how far it is; returns where it stopped.

        It stops early when the file has no more, and when the server says how it ends, which is to be read then.
        """
        is_plain = hasattr(os, "sendfile") and not isinstance(self._sock, ssl.SSLSocket)
        give = self._sendfile if is_plain else _Buffered(self._sock).send
        with _or_lost():
            while offset < size and not self._was_spoken_to():
                try:
                    count = give(file, offset, size - offset)
                except _WAIT as why:
                    self._wait(_events(why, selectors.EVENT_READ | selectors.EVENT_WRITE), timeout_s)
                    continue
                except ConnectionError:
                    if self._was_spoken_to():
                        break
                    raise
                if not count:
                    break
                offset += count
                sent(offset)
        return offset

    def stop(self) -> None:
        """Ends the connection under the thread that uses it, which then raises `Lost`."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # an SSLSocket's own would disturb the other thread

    def close(self) -> None:
        """Once no thread uses it any more."""
        self._selector.close()
        self._sock.close()

    def _feed(self, data: bytes) -> list[FromServer]:
        if not data:
            raise Lost("the server closed the connection")
        said, self._fault = self._wire.feed(data)
        if self._fault and not said:
            raise self._fault
        return said

    def _sendfile(self, file: FileIO, offset: int, left: int) -> int:
        return os.sendfile(self._sock.fileno(), file.fileno(), offset, min(left, CHUNK_BYTES))

    def _was_spoken_to(self) -> bool:
        """Whether the server has said how it ends, in the middle of it; its greeting is no such word."""
        with contextlib.suppress(*_WAIT):
            said = self._feed(self._sock.recv(READ_BYTES))
            self._pending += [one for one in said if isinstance(one, Bye | Refused | Stored)]
        return bool(self._pending)

    def _patiently(self, call: Callable[[], _Result], event: int, timeout_s: float) -> _Result:
        """Tries until the socket is ready for it, or raises `TimeoutError`."""
        while True:
            try:
                return call()
            except _WAIT as why:
                self._wait(_events(why, event), timeout_s)

    def _wait(self, events: int, timeout_s: float) -> None:
        self._selector.register(self._sock, events)
        try:
            if not self._selector.select(timeout_s):
                raise TimeoutError
        finally:
            self._selector.unregister(self._sock)


class _Buffered:
    """Sends a file where the system can't do it by itself. What the socket didn't take is tried again as it is."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = memoryview(bytearray(CHUNK_BYTES))
        self._unsent = self._buffer[:0]

    def send(self, file: FileIO, offset: int, left: int) -> int:
        """Sends some bytes of the file from the offset on, which goes forward; how many."""
        if not self._unsent:
            file.seek(offset)
            count = file.readinto(self._buffer[: min(left, CHUNK_BYTES)]) or 0
            self._unsent = self._buffer[:count]
        if not self._unsent:
            return 0
        sent = self._sock.send(self._unsent)
        self._unsent = self._unsent[sent:]
        return sent


def _events(why: Exception, otherwise: int) -> int:
    """What to wait for; only encryption knows better than the caller."""
    if isinstance(why, ssl.SSLWantReadError):
        return selectors.EVENT_READ
    return selectors.EVENT_WRITE if isinstance(why, ssl.SSLWantWriteError) else otherwise


@contextlib.contextmanager
def _or_lost() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Lost("the server has fallen silent") from None
    except OSError as problem:
        raise Lost(sentence(problem)) from None
