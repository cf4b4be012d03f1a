"""Crowd: many clients of the native wire in one process, which log in, post, and count what they hear.

A client reads frames until its login is answered. From then on it only counts a marker that every posted text begins
with, in whatever one read brought: to decode every delivery would measure the clients. A few, evenly spread, look
closer: they note which messages they heard and how long each one took.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from mysticproto.auth import login_challenge
from mysticproto.model import Bye, FromServer, Hello, Login, Logout, Ping, Post, Refused, ToGlobal, Welcome
from mysticproto.native import NativeClient, encode_frame
from tests.bench.server import BenchError

MARK = b"~~M"
_NUMBERED = re.compile(rb"~~M(\d{8})")
_NUMBERED_BYTES = len(MARK) + 8
READ_BYTES = 256 * 1024
KEEP_ALIVE_S = 15.0
STALL_S = 20.0
"""When nothing comes for so long, what is missing counts as lost."""
MAX_UNDER_WAY = 32
"""Logins at once."""


class Member:
    """One client."""

    __slots__ = ("got", "key", "name", "numbers", "sock", "tail", "unsent", "watch", "wire")

    def __init__(self, sock: socket.socket, name: str, key: Ed25519PrivateKey | None, watch: bool) -> None:
        self.sock = sock
        self.name = name
        self.key = key
        self.watch = watch
        self.wire: NativeClient | None = NativeClient()
        self.unsent = b""
        self.got = 0
        self.tail = b""
        self.numbers: list[int] | None = None


class Heard(Struct):
    """What came of one run of posts."""

    messages: int
    delivered: int
    expected: int
    wall_s: float
    latencies_s: list[float]

    @property
    def lost(self) -> int:
        return self.expected - self.delivered

    def latency_ms(self, share: float) -> float:
        """The latency that `share` of the sampled deliveries did not exceed."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")


class Crowd:
    """All clients of one server. Close it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._epoll = select.epoll()
        self._buffer = bytearray(READ_BYTES)
        self._members: dict[int, Member] = {}
        self._under_way = 0
        self._leaving = False
        self._sent_at: list[float] = []
        self._latencies_s: list[float] = []
        self._delivered = 0
        self._heard_at = time.perf_counter()
        self._kept_alive_at = self._heard_at

    def __len__(self) -> int:
        return len(self._members)

    def close(self) -> None:
        for member in self._members.values():
            member.sock.close()
        self._epoll.close()

    # Logging in.

    def join(self, names: list[str], keys: list[Ed25519PrivateKey] | None = None, watch: bool = True) -> None:
        """Logs in under all these names, some at a time: with keys, or as guests."""
        for at, name in enumerate(names):
            self._connect(name, keys[at] if keys else None, watch)
            self._serve_until(lambda: self._under_way < MAX_UNDER_WAY)
        self._serve_until(lambda: self._under_way == 0)

    def leave(self) -> None:
        """Logs everybody out, and waits until the server has closed all connections."""
        self._leaving = True
        for member in self._members.values():
            self._send(member, encode_frame(Logout(2)))
        self._serve_until(lambda: not self._members)

    def settle(self, quiet_s: float = 0.3) -> None:
        """Reads until nothing comes any more."""
        self._heard_at = time.perf_counter()
        while time.perf_counter() - self._heard_at < quiet_s:
            self._serve(quiet_s)

    def _connect(self, name: str, key: Ed25519PrivateKey | None, watch: bool) -> None:
        sock = socket.create_connection(self._address, timeout=STALL_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        member = Member(sock, name, key, watch)
        self._members[sock.fileno()] = member
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._under_way += 1
        self._send(member, NativeClient().opening())

    def _log_in(self, member: Member, data: bytes) -> None:
        assert member.wire is not None
        said, fault = member.wire.feed(data)
        if fault:
            raise BenchError(f"the server's bytes make no sense: {fault}")
        for one in said:
            self._hear(member, one)

    def _hear(self, member: Member, said: FromServer) -> None:
        if isinstance(said, Hello):
            self._send(member, encode_frame(_login(member, said)))
        elif isinstance(said, Welcome):
            member.wire = None
            self._under_way -= 1
        elif isinstance(said, Refused | Bye):
            raise BenchError(f"{member.name} was not let in: {said.text}")

    # Posting and counting.

    def post(self, messages: int, window: int, senders: int, chars: int = 64) -> Heard:
        """Posts into the global conversation, with at most `window` messages in flight at once.

        A message is in flight until everybody has heard it, its author too. The window counts deliveries: one message's
        last ones may overlap with the next one's first.
        """
        authors = list(self._members.values())[:: max(1, len(self) // senders)][:senders]
        self._begin(samples=8)
        run_id = os.urandom(8)
        started = time.perf_counter()
        everybody, expected = len(self), messages * len(self)
        while self._delivered < expected and not self._stalled():
            while (
                len(self._sent_at) < messages and len(self._sent_at) * everybody - self._delivered < window * everybody
            ):
                self._publish(authors, run_id, chars)
            self._serve(1.0)
        wall_s = time.perf_counter() - started
        self._check(messages)
        return Heard(messages, self._delivered, expected, wall_s, self._latencies_s)

    def _begin(self, samples: int) -> None:
        self._sent_at, self._latencies_s, self._delivered = [], [], 0
        for at, member in enumerate(self._members.values()):
            member.got, member.tail = 0, b""
            member.numbers = [] if at % max(1, len(self) // samples) == 0 else None
        self._heard_at = time.perf_counter()
        self.keep_alive()

    def _publish(self, authors: list[Member], run_id: bytes, chars: int) -> None:
        number = len(self._sent_at)
        text = f"{MARK.decode()}{number:08}".ljust(chars, "x")
        post = Post(number + 1, ToGlobal(), text, run_id + number.to_bytes(8))
        self._sent_at.append(time.perf_counter())
        self._send(authors[number % len(authors)], encode_frame(post))

    def _check(self, messages: int) -> None:
        """Nobody may hear a message twice, or two messages of one author in another order than they were posted."""
        for member in self._members.values():
            if member.got > messages:
                raise BenchError(f"{member.name} heard {member.got} of {messages} messages")
            if member.numbers is not None and len(set(member.numbers)) != len(member.numbers):
                raise BenchError(f"{member.name} heard a message twice")

    def keep_alive(self) -> None:
        """Says something, since the server drops who is silent for too long."""
        self._kept_alive_at = time.perf_counter()
        for member in self._members.values():
            self._send(member, encode_frame(Ping(1)))

    # Reading and writing.

    def _stalled(self) -> bool:
        return time.perf_counter() - self._heard_at > STALL_S

    def _serve_until(self, done: Callable[[], bool]) -> None:
        self._heard_at = time.perf_counter()
        while not done():
            self._serve(1.0)
            if self._stalled():
                raise BenchError(
                    f"the server says nothing, with {self._under_way} logins under way and {len(self)} clients"
                )

    def _serve(self, timeout_s: float) -> None:
        for descriptor, events in self._epoll.poll(timeout_s):
            member = self._members[descriptor]
            if events & select.EPOLLOUT:
                self._send(member, b"")
            if events & ~select.EPOLLOUT:
                self._read(member)
        now = time.perf_counter()
        if now - self._kept_alive_at > KEEP_ALIVE_S and not self._under_way:
            self.keep_alive()

    def _read(self, member: Member) -> None:
        try:
            size = member.sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError as problem:
            raise BenchError(f"{member.name} lost the connection: {problem}") from None
        if not size and self._leaving:
            del self._members[member.sock.fileno()]
            member.sock.close()
            return
        if not size:
            raise BenchError(f"the server closed {member.name}'s connection")
        self._heard_at = time.perf_counter()
        if member.wire is not None:
            self._log_in(member, bytes(self._buffer[:size]))
        elif member.numbers is not None:
            self._note(member, bytes(self._buffer[:size]))
        else:
            self._count(member, size)

    def _count(self, member: Member, size: int) -> None:
        found = self._buffer.count(MARK, 0, size)
        rest = len(MARK) - 1
        if member.tail:
            found += (member.tail + self._buffer[: min(size, rest)]).count(MARK)
        # Only an end that may be the beginning of a marker is worth keeping.
        ends_within = self._buffer[size - 1] == MARK[0]
        member.tail = (member.tail + self._buffer[max(0, size - rest) : size])[-rest:] if ends_within else b""
        member.got += found
        self._delivered += found

    def _note(self, member: Member, data: bytes) -> None:
        data = member.tail + data
        end = 0
        for match in _NUMBERED.finditer(data):
            end = match.end()
            number = int(match[1])
            member.numbers.append(number)  # type: ignore[union-attr]  # only called for members that note
            self._latencies_s.append(self._heard_at - self._sent_at[number])
            member.got += 1
            self._delivered += 1
        member.tail = data[max(end, len(data) - _NUMBERED_BYTES + 1) :]

    def _send(self, member: Member, data: bytes) -> None:
        """Sends what waits and then `data`; what the kernel doesn't take waits."""
        waited = bool(member.unsent)
        data = member.unsent + data
        try:
            sent = member.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as problem:
            raise BenchError(f"{member.name} lost the connection: {problem}") from None
        member.unsent = data[sent:]
        if bool(member.unsent) != waited:
            self._epoll.modify(member.sock.fileno(), select.EPOLLIN | (select.EPOLLOUT if member.unsent else 0))


def _login(member: Member, hello: Hello) -> Login:
    if member.key is None:
        return Login(1, member.name, watch=member.watch, client="bench")
    signature = member.key.sign(login_challenge(hello.nonce, hello.server_id, member.name))
    key = member.key.public_key().public_bytes_raw()
    return Login(1, member.name, key, signature, watch=member.watch, client="bench")
