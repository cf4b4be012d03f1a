"""Many at once: a thousand connections, and two hundred who hear two thousand messages without loss."""

from __future__ import annotations

import os
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mystic_server.net.listener import BACKLOG
from mysticproto.model import FromServer, Hello, Login, Message, Ok, Post, Refused, Request, ToGlobal, Welcome
from mysticproto.native import NativeClient
from tests.support.server_process import ServerProcess, running_server

CONNECTIONS = 1000
LISTENERS = 200
MESSAGES = int(os.environ.get("MYSTIC_MESSAGES", "2000"))
WRITERS = 20
MAX_UNANSWERED = 4
OWN_DESCRIPTORS = 100
PATIENCE_S = 50.0
UNDER_WAY = BACKLOG // 8


class Member:
    """One connection of a crowd; what it has heard and what it has yet to say."""

    def __init__(self, name: str, sock: socket.socket) -> None:
        self.name = name
        self.sock = sock
        self.texts: list[str] = []
        self.is_in = False
        self.unanswered = 0
        self._wire = NativeClient()
        self._to_say: Iterator[str] = iter(())
        self._last_n = 1
        sock.sendall(self._wire.opening())

    def say_all(self, texts: Iterator[str]) -> None:
        """Begins to say these, a few at a time."""
        self._to_say = texts
        self._say_more()

    def receive(self) -> None:
        data = self.sock.recv(1 << 18)
        assert data, f"{self.name} was disconnected"
        said, fault = self._wire.feed(data)
        assert fault is None, fault
        for one in said:
            self._hear(one)

    def _hear(self, said: FromServer) -> None:
        match said:
            case Message():
                self.texts.append(said.text)
            case Ok():
                self.unanswered -= 1
                self._say_more()
            case Hello():
                self._send(Login(1, self.name))
            case Welcome():
                self.is_in = True
            case Refused():
                raise AssertionError(said)

    def _say_more(self) -> None:
        while self.unanswered < MAX_UNANSWERED and (text := next(self._to_say, "")):
            self.unanswered += 1
            self._last_n += 1
            self._send(Post(self._last_n, ToGlobal(), text))

    def _send(self, request: Request) -> None:
        """Small enough to fit into the kernel's buffer, always."""
        self.sock.sendall(self._wire.request(request))


class Crowd:
    """Members, read in turns."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.members: list[Member] = []
        self._address = address
        self._selector = selectors.DefaultSelector()

    def join(self, count: int) -> None:
        """So many connect and log in, some at the same time."""
        for number in range(count):
            sock = socket.create_connection(self._address, PATIENCE_S)
            member = Member(f"member-{number}", sock)
            self.members.append(member)
            self._selector.register(sock, selectors.EVENT_READ, member)
            self.until(lambda: self._outside() < UNDER_WAY)
        self.until(lambda: not self._outside())

    def until(self, is_true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_true():
            assert time.monotonic() < deadline, "it never came true"
            for key, _ in self._selector.select(1.0):
                key.data.receive()

    def close(self) -> None:
        for member in self.members:
            member.sock.close()
        self._selector.close()

    def _outside(self) -> int:
        return sum(not member.is_in for member in self.members)


@contextmanager
def crowd(server: ServerProcess, count: int) -> Iterator[Crowd]:
    """So many members, who are all in."""
    crowd = Crowd((server.host, server.port))
    try:
        crowd.join(count)
        yield crowd
    finally:
        crowd.close()


@pytest.fixture
def descriptors() -> Iterator[int]:
    """How many this process may have open, after asking for as many as there are."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield before[1] if before[1] != resource.RLIM_INFINITY else 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path, "--unlimited") as running:
        yield running


def assert_all_heard(crowd: Crowd, expected: set[str]) -> None:
    """Everybody everything, once, and in the same order."""
    first = crowd.members[0].texts
    assert len(first) == len(expected) and set(first) == expected
    for member in crowd.members:
        assert member.texts == first, member.name


def test_a_thousand_connections_at_once(server: ServerProcess, descriptors: int) -> None:
    if descriptors < CONNECTIONS + OWN_DESCRIPTORS:
        pytest.skip(f"only {descriptors} descriptors may be open here")
    with crowd(server, CONNECTIONS) as everybody:
        speakers = everybody.members[::100]
        for speaker in speakers:
            speaker.say_all(iter([f"hello from {speaker.name}"]))
        everybody.until(lambda: all(len(member.texts) == len(speakers) for member in everybody.members))
        assert_all_heard(everybody, {f"hello from {speaker.name}" for speaker in speakers})
    with crowd(server, 1) as later:
        assert later.members[0].is_in


@pytest.mark.timeout(300)
def test_two_hundred_hear_two_thousand_messages(server: ServerProcess) -> None:
    with crowd(server, LISTENERS) as everybody:
        writers = everybody.members[:: LISTENERS // WRITERS]
        share = MESSAGES // len(writers)
        for writer in writers:
            writer.say_all(iter(lines_of(writer, share)))
        everybody.until(lambda: all(len(member.texts) == share * len(writers) for member in everybody.members))
        assert_all_heard(everybody, {line for writer in writers for line in lines_of(writer, share)})
        for writer in writers:
            assert [text for text in writer.texts if text.startswith(f"{writer.name}: ")] == lines_of(writer, share)


def lines_of(writer: Member, count: int) -> list[str]:
    return [f"{writer.name}: {number}" for number in range(count)]
