"""MUCA's client as it was published, without its window: it reads, understands and dies as the original does.

`MucaScreen` is what it understands, `OldMuca` the program on a socket. The original reads at most 1,000 bytes, takes
them for ASCII, splits them at each `}{`, and its reader ends for good at the first piece that is no JSON, or at an
empty list of users; that is `Died` here. Reading is a thread's only work, there and here: who reads late reads several
objects at once, and half of the last.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

READ_BYTES = 1000
PATIENCE_S = 15.0


class Died(Exception):
    """The original's reader would have ended here."""


class MucaScreen:
    """What the client knows and shows."""

    def __init__(self) -> None:
        self.acks: list[str] = []
        self.uid_of: dict[str, str] = {}
        """Nicknames of everybody who was ever in a list."""
        self.listed: list[str] = []
        """The nicknames of the last list."""
        self.lists = 0
        self.shown: list[tuple[str, list[str], str]] = []
        """Messages: their type, the nicknames that their sender has, the text."""

    def hear(self, chunk: bytes) -> None:
        """What one read brings."""
        try:
            for piece in _split(chunk.decode("ascii")):
                self._understand(json.loads(piece))
        except (ValueError, KeyError, IndexError, TypeError) as problem:
            raise Died(f"{problem!r} at {chunk!r}") from problem

    def _understand(self, said: dict[str, Any]) -> None:
        if said["CMD"] == "ACK":
            self.acks.append(said["TYPE"])
        elif said["CMD"] == "LIST":
            self.listed = [entry["UN"] for entry in said["DATA"]]
            self.listed[0]
            self.uid_of |= {entry["UN"]: entry["UID"] for entry in said["DATA"]}
            self.lists += 1
        elif said["CMD"] == "MSG":
            nicknames = [nickname for nickname, uid in self.uid_of.items() if uid == said["FROM"]]
            self.shown.append((said["TYPE"], nicknames, said["MSG"]))


def _split(text: str) -> list[str]:
    pieces = text.split("}{")
    last = len(pieces) - 1
    return [("{" if at else "") + piece + ("}" if at < last else "") for at, piece in enumerate(pieces)]


class OldMuca:
    """One client. `join` is the JOIN button, `send` the SEND button with these nicknames selected."""

    def __init__(self, address: tuple[str, int], nickname: str, uid: str) -> None:
        self.screen = MucaScreen()
        self.nickname = nickname
        self.uid = uid
        self.is_closed = False
        self._died: Died | None = None
        self._changed = threading.Condition()
        self._sock = socket.create_connection(address, timeout=2)
        self._sock.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> OldMuca:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def join(self) -> str:
        """Presses JOIN; returns how it was acknowledged."""
        before = len(self.screen.acks)
        self.say({"CMD": "JOIN", "UN": self.nickname, "UID": self.uid})
        self.wait(lambda: len(self.screen.acks) > before)
        return self.screen.acks[-1]

    def send(self, text: str, *nicknames: str) -> None:
        """Presses SEND. The text widget gives every text a newline at its end."""
        to = [self.screen.uid_of[nickname] for nickname in nicknames]
        self.say({"CMD": "SEND", "MSG": text + "\n", "TO": to, "FROM": self.uid})

    def say(self, said: dict[str, object]) -> None:
        """Sends one object."""
        self._sock.sendall(json.dumps(said).encode("ascii"))

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Waits until something is so."""
        with self._changed:
            is_in_time = self._changed.wait_for(lambda: self._died or is_so() or self.is_closed, PATIENCE_S)
            if self._died:
                raise self._died
            assert is_so(), f"{'closed' if is_in_time else 'in vain'}; shown so far: {self.screen.shown[-5:]}"

    def wait_for(self, kind: str, nickname: str | None, text: str) -> None:
        """Reads until a message is shown, with a newline at the end; no nickname: of the server's."""
        wanted = (kind, [nickname] if nickname else [], text + "\n")
        self.wait(lambda: wanted in self.screen.shown)

    def wait_for_list(self, *nicknames: str) -> None:
        """Reads until the last list has exactly these."""
        self.wait(lambda: sorted(self.screen.listed) == sorted(nicknames))

    def close(self) -> None:
        """Closes the window, which is how one leaves."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._reader.join(PATIENCE_S)
        self._sock.close()

    def reset(self) -> None:
        """Ends as a machine does that loses its power: without a goodbye."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.shutdown(socket.SHUT_RD)  # wakes the reader, and tells the server nothing
        self._reader.join(PATIENCE_S)
        self._sock.close()

    def _read(self) -> None:
        while chunk := self._recv():
            with self._changed:
                try:
                    self.screen.hear(chunk)
                except Died as died:
                    self._died = died
                self._changed.notify_all()
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def _recv(self) -> bytes:
        try:
            return self._sock.recv(READ_BYTES) if not self._died else b""
        except OSError:
            return b""
