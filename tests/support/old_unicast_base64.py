"""The UNICAST:: client as it was published, without its keyboard: it reads, understands and dies as the original does.

`Base64Screen` is what it understands, `OldBase64` the program on a socket. The original decodes each read of at most
1,024 bytes by itself, splits at `<END>`, then at the first colon. Its reader ends at a character cut in two, at base64
or a file name that it can't take apart (`Died`), and it spins for ever if the connection closes before EXIT (`Spins`).
Only in time is it no match for the original, which searches everything anew with each read.
"""

from __future__ import annotations

import base64
import re
import socket
import time
from collections.abc import Callable
from types import TracebackType

READ_BYTES = 1024
PATIENCE_S = 30.0
END = b"<END>"
_SIZE = re.compile(r"\((\d+) bytes\)")


class Died(Exception):
    """The original's reader would have ended here."""


class Spins(Exception):
    """The original would use a whole processor from here on."""


class Base64Screen:
    """What the client shows and saves."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        """"prefix: text"."""
        self.files: list[tuple[str, bytes]] = []
        self.has_exited = False
        self._unread = bytearray()
        self._searched = 0

    def hear(self, chunk: bytes) -> None:
        """What one read brings."""
        try:
            chunk.decode()
            self._unread += chunk
            while not self.has_exited and (end := self._unread.find(END, self._searched)) >= 0:
                frame = self._unread[:end].decode()
                del self._unread[: end + len(END)]
                self._searched = 0
                self._understand(*frame.split(":", 1))
        except (ValueError, TypeError, IndexError) as problem:
            raise Died(f"{problem!r} at {chunk[:200]!r}") from problem
        self._searched = max(len(self._unread) - len(END), 0)

    def _understand(self, prefix: str, rest: str) -> None:
        if prefix == "DOWNLOAD":
            self._save(*rest.split(":"))
            return
        self.shown.append(f"{prefix}: {base64.b64decode(rest).decode()}")
        self.has_exited = prefix == "EXIT"

    def _save(self, name: str, size: str, coded: str) -> None:
        stem, suffix = name.split(".")
        contents = base64.b64decode(coded)
        if not (announced := _SIZE.fullmatch(size)) or int(announced[1]) != len(contents):
            raise Died(f"{size} announced, {len(contents)} bytes came")
        self.files.append((f"{stem}.{suffix}", contents))


class OldBase64:
    """One client, which says its name at once, as the original does when it starts."""

    def __init__(self, address: tuple[str, int], username: str) -> None:
        self.screen = Base64Screen()
        self._sock = socket.create_connection(address, timeout=PATIENCE_S)
        self.say(f"USERNAME::{username}")

    def __enter__(self) -> OldBase64:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def say(self, request: str) -> None:
        """Sends one typed line."""
        self.raw(base64.b64encode(request.encode()) + END)

    def raw(self, data: bytes) -> None:
        """Sends what the original never would."""
        self._sock.sendall(data)

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Reads until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                self._read()
            except TimeoutError:
                raise AssertionError(f"waited in vain; shown so far: {self.screen.shown[-5:]}") from None

    def wait_for(self, *lines: str) -> None:
        """Reads until all of these are shown, each as prefix and text."""
        self.wait(lambda: all(line in self.screen.shown for line in lines))

    def wait_for_file(self) -> tuple[str, bytes]:
        """Reads until one more file is saved; its name and contents."""
        before = len(self.screen.files)
        self.wait(lambda: len(self.screen.files) > before)
        return self.screen.files[-1]

    def wait_for_exit(self) -> None:
        """Reads until the server says that it is over."""
        self.wait(lambda: self.screen.has_exited)

    def close(self) -> None:
        """Ends the program without a word."""
        self._sock.close()

    def reset(self) -> None:
        """Ends as a machine does that loses its power."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._sock.close()

    def _read(self) -> None:
        assert not self.screen.has_exited, f"the reader has stopped at EXIT; shown: {self.screen.shown[-5:]}"
        try:
            chunk = self._sock.recv(READ_BYTES)
        except ConnectionResetError:
            chunk = b"SERVER: " + base64.b64encode(b"server has crashed") + END
        if not chunk:
            raise Spins(f"the connection was closed without an EXIT; shown: {self.screen.shown[-5:]}")
        self.screen.hear(chunk)
