"""Refused: one for whom there is no room, told so in the language that it begins to speak.

A client that remembers this server as one of TLS takes words in the clear for somebody else's. So the first byte is
waited for, a moment: before it nobody knows.
"""

import socket
from contextlib import suppress

from mystic_server.net.reactor import READ, Reactor, Timer
from mystic_server.net.tls import RECORD_TYPE, TLS_BUT_NO_ROOM

_FIRST_BYTE_LIMIT_S = 0.5
_READ_BYTES = 4096


class Refused:
    """Owns the socket until the answer is out. `waiting` has it while it listens."""

    def __init__(self, reactor: Reactor, sock: socket.socket, words: bytes, waiting: set["Refused"]) -> None:
        self._reactor = reactor
        self._sock = sock
        self._words = words
        self._waiting = waiting
        self._timer: Timer | None = None

    def listen(self) -> None:
        """Answers as soon as it is clear how, perhaps now."""
        if self._answered_by_first_byte():
            return
        self._waiting.add(self)
        self._reactor.register(self._sock, self, READ)
        self._timer = self._reactor.call_later(_FIRST_BYTE_LIMIT_S, self.answer)

    def answer(self, words: bytes = b"") -> None:
        """Says so, in the clear unless other words are given, and closes."""
        with suppress(OSError):
            self._sock.send(words or self._words)
        self.close()

    def ready(self, readable: bool, writable: bool) -> None:
        """The reactor's call."""
        self._answered_by_first_byte()

    def abort(self) -> None:
        """The reactor's call."""
        self.close()

    def close(self) -> None:
        """Gives everything back; may be called again."""
        self._waiting.discard(self)
        if self._timer:
            self._timer.cancel()
        self._reactor.unregister(self._sock)
        self._sock.close()

    def _answered_by_first_byte(self) -> bool:
        try:
            data = self._sock.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            data = b""
        self.answer(TLS_BUT_NO_ROOM if data.startswith(RECORD_TYPE) else b"")
        return True
