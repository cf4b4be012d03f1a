"""The relay client as it was specified: two connections, 16-byte headers, pickles with their hash.

`RelayPush` is what its reading side understands, `OldRelay` the program on its sockets. Nothing but the specification
was ever published; where it demands something, its breach is `Died` here: a first word that isn't `ok`, a header of
another form, a hash that doesn't fit, a conversation that is no list of (time, name, text) in order.
"""

from __future__ import annotations

import hashlib
import pickle
import socket
import time
from collections.abc import Callable
from types import TracebackType

READ_BYTES = 4096
HEADER_BYTES = 16
US = "\x1f"
PATIENCE_S = 15.0

Entry = tuple[float, str, str]


class Died(Exception):
    """The specified client could not go on."""


def framed(kind: str, body: bytes) -> bytes:
    return f"{kind}:{len(body)}".ljust(HEADER_BYTES).encode() + body


def command(*words: str) -> bytes:
    return framed("cmd", US.join(words).encode())


def message(value: object, protocol: int = 4) -> bytes:
    data = pickle.dumps(value, protocol)
    return framed("msg", data + US.encode() + hashlib.sha256(data).hexdigest().encode())


class RelayPush:
    """What the push port has brought."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.conversation: list[Entry] = []
        self.lists = 0
        self._unused = b""
        self._last_hash = ""

    def hear(self, data: bytes) -> None:
        """What one read brings."""
        self._unused += data
        while len(self._unused) >= HEADER_BYTES:
            kind, colon, length = self._unused[:HEADER_BYTES].decode("ascii").partition(":")
            if kind not in ("cmd", "msg") or not colon or not length.strip().isdecimal():
                raise Died(f"header {self._unused[:HEADER_BYTES]!r}")
            end = HEADER_BYTES + int(length)
            if len(self._unused) < end:
                break
            body, self._unused = self._unused[HEADER_BYTES:end], self._unused[end:]
            self._command(body) if kind == "cmd" else self._list(body)

    def _command(self, body: bytes) -> None:
        self.commands.append(tuple(body.decode().split(US)))
        if self.commands[0] != ("ok",):
            raise Died(f"the first word is {self.commands[0]}, not ok")

    def _list(self, body: bytes) -> None:
        data, digest = body[:-65], body[-64:].decode()
        if body[-65:-64] != US.encode() or hashlib.sha256(data).hexdigest() != digest:
            raise Died("the hash doesn't fit")
        if digest == self._last_hash:
            raise Died("the same list again")
        conversation = pickle.loads(data)  # what its server says, this client believes
        for at_s, name, text in conversation:
            if type(at_s) is not float or any(ord(char) < 32 or ord(char) == 127 for char in name + text):
                raise Died(f"entry {(at_s, name, text)!r}")
        if conversation != sorted(conversation, key=lambda entry: entry[0]):
            raise Died("not in order")
        self._last_hash, self.conversation, self.lists = digest, conversation, self.lists + 1


class OldRelay:
    """One client, logged in on both ports. With one address both connections go to the same port."""

    def __init__(self, name: str, push: tuple[str, int], submit: tuple[str, int]) -> None:
        self.push = RelayPush()
        self.name = name
        self.is_closed = False
        self._submit_address = submit
        self._submit: socket.socket | None = None
        self._push = socket.create_connection(push, timeout=2)
        if push != submit:
            self.wait(lambda: bool(self.push.commands))
        self._push.sendall(command("connect", name))

    def __enter__(self) -> OldRelay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def be_accepted(self) -> None:
        """Waits for the first list, and opens the other connection."""
        self.wait(lambda: self.push.lists > 0)
        self._submit = socket.create_connection(self._submit_address, timeout=2)
        self._submit.sendall(command("connect", self.name))

    def say(self, text: str, protocol: int = 4) -> None:
        """Submits one message, as an entry of the conversation; the time and the name are the client's own."""
        self.submit(message((time.time(), self.name, text), protocol))

    def submit(self, data: bytes) -> None:
        """Sends anything on the submit port."""
        assert self._submit
        self._submit.sendall(data)

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Reads the push port until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert not self.is_closed, f"closed; commands: {self.push.commands}, list: {self.push.conversation[-5:]}"
            self._push.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._push.recv(READ_BYTES)
            except TimeoutError:
                raise AssertionError(f"in vain: {self.push.commands}, {self.push.conversation[-5:]}") from None
            self.push.hear(data)
            self.is_closed = not data

    def wait_for(self, name: str, text: str) -> Entry:
        """Reads until somebody's text is in the conversation."""
        self.wait(lambda: any(entry[1:] == (name, text) for entry in self.push.conversation))
        return next(entry for entry in self.push.conversation if entry[1:] == (name, text))

    def wait_for_command(self, *words: str) -> tuple[str, ...]:
        """Reads until a command comes that begins with these words."""
        self.wait(lambda: any(said[: len(words)] == words for said in self.push.commands))
        return next(said for said in self.push.commands if said[: len(words)] == words)

    def wait_for_end(self) -> None:
        """Reads until the server closes the push connection."""
        self.wait(lambda: self.is_closed)

    def read_submit(self) -> bytes:
        """What the server says on the submit port."""
        assert self._submit
        self._submit.settimeout(PATIENCE_S)
        return self._submit.recv(READ_BYTES)

    def lose(self, side: str) -> None:
        """Loses one of the connections: "push" or "submit"."""
        lost = self._push if side == "push" else self._submit
        assert lost
        lost.close()

    def close(self) -> None:
        """Closes both connections without a goodbye."""
        for sock in (self._push, self._submit):
            if sock:
                sock.close()
