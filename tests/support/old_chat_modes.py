"""The modes client as it was published, without its keyboard: it reads, prints and dies as the original does.

`ModesScreen` is what the original prints, `OldModes` the program on a socket. It reads at most 2,048 bytes, decodes
each read by itself and strictly, and prints it. A read that is exactly `/leave` ends its reader. Half a character kills
it, and if the connection ends without a `/leave` it prints empty lines for ever: both are `Died` here.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from types import TracebackType

READ_BYTES = 2048
PATIENCE_S = 15.0


class Died(Exception):
    """The original would be of no more use here."""


class ModesScreen:
    """What was printed, and whether the reader has been told to stop."""

    def __init__(self) -> None:
        self.printed = ""
        self.reads = 0
        self.has_left = False

    def hear(self, chunk: bytes) -> None:
        """What one read brings."""
        assert not self.has_left, "nobody reads any more"
        self.reads += 1
        if not chunk:
            raise Died(f"prints empty lines for ever, after {self.printed[-200:]!r}")
        try:
            text = chunk.decode()
        except UnicodeDecodeError as problem:
            raise Died(f"{problem} at {chunk[:20]!r}") from problem
        if text == "/leave":
            self.has_left = True
        else:
            self.printed += text


class OldModes:
    """One client. `type` is a line and the return key; a person waits for what it does before the next one."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.screen = ModesScreen()
        self._seen = 0
        self._sock = socket.create_connection(address, timeout=2)

    def __enter__(self) -> OldModes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def type(self, line: str) -> None:
        """Sends one line, without a newline, as the original does; an empty one is not sent."""
        if line:
            self._sock.sendall(line.encode())

    def say(self, line: str, then: str) -> str:
        """Types a line and waits for something that it leads to."""
        self.type(line)
        return self.wait_for(then)

    def wait_for(self, text: str) -> str:
        """Reads until this is printed behind what was waited for before; returns what was printed up to it."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.screen.printed.find(text, self._seen)) < 0:
            assert not self.screen.has_left, f"has left; {text!r} is not in {self.screen.printed[self._seen :]!r}"
            self._read(deadline, text)
        printed = self.screen.printed[self._seen : found + len(text)]
        self._seen = found + len(text)
        return printed

    def wait(self, is_so: Callable[[], bool], what: str) -> None:
        """Reads until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            self._read(deadline, what)

    def wait_until_left(self) -> str:
        """Reads until the reader is told to stop; returns everything that was printed."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.screen.has_left:
            self._read(deadline, "/leave")
        return self.screen.printed

    def is_closed(self) -> bool:
        """Waits for the end of the connection, once the reader has stopped."""
        self._sock.settimeout(PATIENCE_S)
        return self.screen.has_left and self._sock.recv(READ_BYTES) == b""

    def close(self) -> None:
        """Closes the window without leaving."""
        self._sock.close()

    def reset(self) -> None:
        """Ends as a machine does that loses its power: without a goodbye."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._sock.close()

    def _read(self, deadline: float, wanted: str) -> None:
        self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            chunk = self._sock.recv(READ_BYTES)
        except TimeoutError:
            raise AssertionError(f"{wanted!r} is not in {self.screen.printed[self._seen :]!r}") from None
        self.screen.hear(chunk)
