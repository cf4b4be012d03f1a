"""A TLS client whose every byte is the test's: OpenSSL in memory at one end of a socket pair."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable

from tests.server.net.scripted import read_now


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsPeer:
    """`tick` is what lets the server work; `cut` the bytes of TLS that it gets at once, 0: all there are."""

    def __init__(self, sock: socket.socket, tick: Callable[[], None], cut: int = 0) -> None:
        self.sock = sock
        self.got = b""
        self.has_ended = False
        """By a farewell, not by an end of file alone."""
        self._tick = tick
        self._cut = cut
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context().wrap_bio(self._incoming, self._outgoing)

    def shake_hands(self) -> None:
        for _ in range(1000):
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.move()
            else:
                self.move()
                return
        raise AssertionError("the handshake never ends")

    def say(self, data: bytes) -> None:
        """Encrypts, and gives it to the server."""
        self.encrypt(data)
        self.move()

    def encrypt(self, data: bytes) -> None:
        """It stays here until the next move."""
        at = 0
        while at < len(data):
            at += self.tls.write(data[at:])

    def say_goodbye(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.move()

    def take_encrypted(self) -> bytes:
        """What would be sent next."""
        return self._outgoing.read()

    def move(self) -> None:
        """Bytes both ways, and what they mean."""
        self.send(self.take_encrypted())
        self.read()

    def send(self, raw: bytes) -> None:
        step = self._cut or len(raw) or 1
        self.sock.setblocking(False)
        while raw:
            with contextlib.suppress(BlockingIOError):
                raw = raw[self.sock.send(raw[:step]) :]
            self._tick()
        self._tick()

    def read(self) -> bytes:
        """All that there is of the server's words so far."""
        self._incoming.write(read_now(self.sock))
        if self.tls.version() is None:
            return b""
        try:
            while data := self.tls.read(1 << 20):
                self.got += data
            self.has_ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # the same, when we had taken leave ourselves
            self.has_ended = True
        return self.got
