"""A TCP proxy that can break or freeze what goes through it: a network as it is, between a client and a server."""

from __future__ import annotations

import asyncio
from types import TracebackType

from mystic_client.session.heard import Address


class Proxy:
    """Listens on a free port and passes everything on to `target`."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._passing: set[asyncio.Task[None]] = set()
        self._until_cut = {True: 0, False: 0}
        self._was_cut = asyncio.Event()
        self.passed_bytes = 0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = Address(host, port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._passing:
            task.cancel()
        if self._passing:
            await asyncio.wait(self._passing)
        await self._server.wait_closed()

    def freeze(self) -> None:
        """Passes nothing on any more, and closes nothing: both sides believe that all is well."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Breaks every connection at once; what is on its way is lost."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for writer in pair:
                writer.transport.abort()

    async def cut_after(self, count: int, *, to_server: bool) -> None:
        """Breaks every connection when so many more bytes have gone this way, whatever they are in the middle of.

        The bytes are counted through all connections from now on. Returns when that has happened.
        """
        self._was_cut.clear()
        self._until_cut[to_server] = count
        await self._was_cut.wait()

    def forget(self) -> None:
        """Breaks the clients' ends only: the server goes on believing in connections that are dead."""
        for client, _ in self._pairs:
            client.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(self._target.host, self._target.port)
        except OSError:
            writer.transport.abort()
            return
        self._pairs.append((writer, far_writer))
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass(source, sink, to_server=sink is far_writer))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_server: bool) -> None:
        try:
            while data := await reader.read(4096):
                await self._flowing.wait()
                allowed = self._until_cut[to_server] or len(data)
                is_cut = 0 < self._until_cut[to_server] <= len(data)
                self.passed_bytes += len(data[:allowed])
                writer.write(data[:allowed])
                self._until_cut[to_server] = max(0, self._until_cut[to_server] - len(data))
                if is_cut:
                    self.cut()
                    self._was_cut.set()
                    return
                await writer.drain()
        except OSError:
            return
        if not to_server or not self._pairs:
            writer.close()
