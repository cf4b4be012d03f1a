"""A server that says what a test tells it to: the native wire on a real socket, and no opinions.

    async with FakeServer() as server:
        session = ...                                  # connects to server.address
        peer = await server.accept()                   # the preamble and Hello are exchanged
        login = await peer.expect(model.Login)
        peer.say(model.Welcome(login.n, ...))

`peer.expect` waits for the next request and checks its kind; pings and marks, which come by themselves, are skipped
unless they are what is expected.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from types import TracebackType
from typing import TypeVar

from mystic_client.session.heard import Address
from mysticproto import model
from mysticproto.native import PREAMBLE, NativeWire, encode_frame
from mysticproto.wire import Local, Raw

PATIENCE_S = 10.0
NONCE = b"n" * 32
SERVER_ID = b"server-id-16-byt"

_Request = TypeVar("_Request")


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server_id: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._wire = NativeWire()
        self._requests: list[object] = []
        self.hello = model.Hello(NONCE, server_id, "Fake", "0")

    def greet(self) -> None:
        """The preamble and Hello."""
        self.raw(PREAMBLE + encode_frame(self.hello))

    def say(self, *said: model.FromServer) -> None:
        """All of it in one segment, as far as that can be had."""
        self.raw(b"".join(encode_frame(one) for one in said))

    def raw(self, data: bytes) -> None:
        self._writer.write(data)

    async def flush(self) -> None:
        """Waits until most of it is with the kernel."""
        await self._writer.drain()

    async def expect(self, kind: type[_Request]) -> _Request:
        """The next request, which must be of this kind."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                request = await self._next()
                if isinstance(request, kind):
                    return request
                assert isinstance(request, model.Ping | model.Mark), f"{kind.__name__} was expected, and {request} came"

    async def next_request(self) -> object:
        """The next request, of whatever kind."""
        return await self._next()

    async def take_raw(self, count: int) -> bytes:
        """So many raw bytes, which come behind a `Store`."""
        taken = bytearray()
        async with asyncio.timeout(PATIENCE_S):
            while len(taken) < count:
                one = await self._next()
                assert isinstance(one, Raw), f"raw bytes were expected, and {one} came"
                taken += one.data
        if len(taken) > count:
            self._requests.insert(0, Raw(bytes(taken[count:])))
        return bytes(taken[:count])

    async def welcome(
        self,
        *,
        upto: int = 0,
        session: int = 7,
        catching_up: bool = False,
        role: str = "member",
        focus: model.Group | None = None,
    ) -> model.Login:
        """Lets a client in; returns its login."""
        login = await self.expect(model.Login)
        user = model.UserRef(1, login.name)
        self.say(model.Welcome(login.n, session, user, role, upto, focus, catching_up, f"Welcome, {login.name}."))
        return login

    async def gone(self) -> None:
        """Waits until the client has closed the connection."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                while await self._reader.read(65536):
                    pass

    def close(self) -> None:
        """Closes once everything is sent."""
        self._writer.close()

    def reset(self) -> None:
        """Breaks the connection."""
        self._writer.transport.abort()

    async def closed(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _next(self) -> object:
        while not self._requests:
            data = await self._reader.read(65536)
            assert data, "the client closed the connection"
            self._requests += [item for item in self._wire.feed(data, 0.0) if not isinstance(item, Local)]
        return self._requests.pop(0)


class FakeServer:
    """Listens on a free port; connections wait to be accepted in their order. With `tls` it speaks nothing else."""

    def __init__(self, server_id: bytes = SERVER_ID, tls: ssl.SSLContext | None = None) -> None:
        self.server_id = server_id
        self.tls = tls
        self._port = 0
        self._waiting: asyncio.Queue[Peer] = asyncio.Queue()
        self._peers: list[Peer] = []

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self._port)

    async def __aenter__(self) -> FakeServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens, after a `stop` on the same port again."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, ssl=self.tls)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Breaks all connections and refuses new ones."""
        self._server.close()
        peers, self._peers = self._peers, []
        for peer in peers:
            peer.reset()
        for peer in peers:
            await peer.closed()
        await self._server.wait_closed()
        while not self._waiting.empty():
            self._waiting.get_nowait()

    async def accept(self, *, greet: bool = True) -> Peer:
        """The next connection."""
        async with asyncio.timeout(PATIENCE_S):
            peer = await self._waiting.get()
        if greet:
            peer.greet()
        return peer

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, self.server_id)
        self._peers.append(peer)
        self._waiting.put_nowait(peer)
