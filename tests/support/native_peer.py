"""A small blocking client of the native wire: says anything, also nonsense, and waits for what comes.

    with NativePeer(address) as ana:
        ana.log_in("ana")
        ana.post("hi")
        ana.hear("hello, ana")                  # a message with this text
        ana.wait_for(UserLeft, lambda event: event.user.name == "bob")

Every wait has a deadline. What a wait passes over stays for the next one, so the order in which a test asks for
different things does not matter; `said` has everything in the order of its coming.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mysticproto.auth import login_challenge
from mysticproto.model import (
    Bye,
    Fetch,
    FileStart,
    FromServer,
    Hello,
    Login,
    Message,
    Ok,
    OpenDownload,
    Ping,
    Pong,
    Post,
    Refused,
    Request,
    Target,
    Ticket,
    ToGlobal,
    Welcome,
)
from mysticproto.native import NativeClient

PATIENCE_S = 20.0
READ_BYTES = 256 * 1024

_Kind = TypeVar("_Kind")


class Gone(Exception):
    """The server has closed the connection, or broken it."""


class NativePeer:
    """One connection. `receive_buffer_bytes` makes the kernel's own small, for a reader that does not read."""

    def __init__(self, address: tuple[str, int], *, receive_buffer_bytes: int = 0, greet: bool = True) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if receive_buffer_bytes:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            self.sock.settimeout(PATIENCE_S)
            self.sock.connect(address)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._wire = NativeClient()
            self.said: list[FromServer] = []
            self._passed_over: list[FromServer] = []
            self._last_n = 0
            if greet:
                self.raw(self._wire.opening())
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Saying.

    def raw(self, data: bytes) -> None:
        """Any bytes. Raises `Gone` if the server doesn't take them any more."""
        try:
            self.sock.sendall(data)
        except (ConnectionError, TimeoutError) as problem:
            raise Gone(str(problem)) from problem

    def send(self, *requests: Request) -> None:
        """All of them in one segment, as far as that can be had."""
        self.raw(b"".join(map(self._wire.request, requests)))

    def next_n(self) -> int:
        """A number for a request."""
        self._last_n += 1
        return self._last_n

    def log_in(
        self,
        name: str,
        key: Ed25519PrivateKey | None = None,
        *,
        watch: bool = True,
        resume: int = 0,
        after: int = -1,
        password: str = "",
    ) -> Welcome:
        """Takes a name, with a key, a password, or as a guest."""
        reply = self.try_log_in(name, key, watch=watch, resume=resume, after=after, password=password)
        assert isinstance(reply, Welcome), reply
        return reply

    def try_log_in(
        self,
        name: str,
        key: Ed25519PrivateKey | None = None,
        *,
        watch: bool = True,
        resume: int = 0,
        after: int = -1,
        password: str = "",
    ) -> Welcome | Refused:
        """The same, when it may be refused."""
        hello = next((one for one in self.said if isinstance(one, Hello)), None) or self.wait_for(Hello)
        public = signature = b""
        if key:
            public = key.public_key().public_bytes_raw()
            signature = key.sign(login_challenge(hello.nonce, hello.server_id, name))
        return self.ask(
            Welcome,
            lambda n: Login(n, name, public, signature, watch, resume, after, "test", password=password),
        )

    def ask(self, kind: type[_Kind], make: Callable[[int], Request]) -> _Kind | Refused:
        """The answer to the request that `make` builds with a number."""
        n = self.next_n()
        self.send(make(n))
        return self.answer(kind, n)

    def answer(self, kind: type[_Kind], n: int) -> _Kind | Refused:
        """The answer to the request with this number."""

        def is_it(said: FromServer) -> bool:
            return isinstance(said, kind | Refused) and getattr(said, "n", -1) == n

        found = self._wait_for(is_it, f"an answer {kind.__name__} to request {n}")
        assert isinstance(found, kind | Refused)
        return found

    def post(self, text: str, to: Target | None = None, cid: bytes = b"") -> Ok:
        """Says something, and waits until it is kept."""
        reply = self.try_post(text, to, cid)
        assert isinstance(reply, Ok), reply
        return reply

    def try_post(self, text: str, to: Target | None = None, cid: bytes = b"") -> Ok | Refused:
        """The same, when it may be refused."""
        return self.ask(Ok, lambda n: Post(n, to or ToGlobal(), text, cid))

    def ping(self) -> None:
        """Waits for an answer: whatever the server had said before has come."""
        assert isinstance(self.ask(Pong, Ping), Pong)

    def ticket(self, path: str) -> Ticket:
        """Leave to fetch a file."""
        ticket = self.ask(Ticket, lambda n: OpenDownload(n, path))
        assert isinstance(ticket, Ticket), ticket
        return ticket

    def fetch(self, ticket: bytes, offset: int = 0) -> FileStart:
        """On a connection of its own: the head of a file. `take_raw` gives the rest."""
        start = self.ask(FileStart, lambda n: Fetch(n, ticket, offset))
        assert isinstance(start, FileStart), start
        return start

    def take_raw(self) -> bytes:
        """The next bytes behind `FileStart`; none at the end."""
        return self._wire.take_rest() or self._receive()

    # Hearing.

    def wait_for(self, kind: type[_Kind], fits: Callable[[_Kind], bool] = lambda _: True) -> _Kind:
        """The first of this kind that fits and that no wait has returned yet. Raises `Gone`, and AssertionError if it
        doesn't come."""
        found = self._wait_for(lambda said: isinstance(said, kind) and fits(said), kind.__name__)
        assert isinstance(found, kind)
        return found

    def hear(self, text: str) -> Message:
        """The next message with this text."""
        return self.wait_for(Message, lambda message: message.text == text)

    def texts(self) -> list[str]:
        """The texts of all messages so far, those waited for included."""
        return [said.text for said in self.said if isinstance(said, Message)]

    def read_to_end(self) -> Bye | None:
        """Everything until the server closes; its last words, if there were any."""
        try:
            while True:
                self._read(time.monotonic() + PATIENCE_S)
        except Gone:
            pass
        return next((said for said in reversed(self.said) if isinstance(said, Bye)), None)

    def raw_to_end(self) -> bytes:
        """The same for somebody who doesn't speak the wire: the bytes."""
        data = b""
        try:
            while part := self._receive():
                data += part
        except Gone:
            pass
        return data

    def read_nothing(self) -> None:
        """Asserts that nothing has come that was not read yet, without waiting."""
        self.sock.setblocking(False)
        try:
            data = self.sock.recv(1)
        except BlockingIOError:
            return
        finally:
            self.sock.settimeout(PATIENCE_S)
        raise AssertionError(f"{data!r} has come")

    # The end.

    def close(self) -> None:
        """Closes, without a word."""
        self.sock.close()

    def end(self) -> None:
        """Says end of file and reads until the server closes: all that was sent has been used by then."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.read_to_end()

    def reset(self) -> None:
        """Breaks the connection: the server sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _wait_for(self, fits: Callable[[FromServer], bool], what: str) -> FromServer:
        deadline = time.monotonic() + PATIENCE_S
        looked = 0
        while True:
            for at in range(looked, len(self._passed_over)):
                if fits(self._passed_over[at]):
                    return self._passed_over.pop(at)
            looked = len(self._passed_over)
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} never came; the last were {self.said[-10:]}")
            with contextlib.suppress(TimeoutError):
                self._read(deadline)

    def _read(self, deadline: float) -> None:
        self.sock.settimeout(max(0.01, deadline - time.monotonic()))
        data = self._receive()
        if not data:
            raise Gone("the server has closed the connection")
        said, fault = self._wire.feed(data)
        self.said += said
        self._passed_over += said
        if fault:
            raise fault

    def _receive(self) -> bytes:
        try:
            return self.sock.recv(READ_BYTES)
        except ConnectionError as problem:
            raise Gone(str(problem)) from problem
