"""A UDP proxy between a client and the server, which counts, and may drop, damage or repeat what passes.

`passing(datagram, to_server)` says what is sent on for a datagram: nothing, itself, or several.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

Passing = Callable[[bytes, bool], list[bytes]]
BUFFER_BYTES = 4 * 1024 * 1024


class DatagramProxy:
    """For one client. `port` is where it listens on 127.0.0.1; bytes are counted as they arrive here."""

    def __init__(self, port: int, server_port: int, passing: Passing) -> None:
        self.port = port
        self.bytes_from_client = self.bytes_from_server = 0
        self.passing = passing
        self._server = ("127.0.0.1", server_port)
        self._client: Any = None
        self.front: asyncio.DatagramTransport | None = None
        self.back: asyncio.DatagramTransport | None = None

    def from_client(self, datagram: bytes, address: Any) -> None:
        self._client = address
        self.bytes_from_client += len(datagram)
        for one in self.passing(datagram, True):
            assert self.back is not None
            self.back.sendto(one, self._server)

    def from_server(self, datagram: bytes, address: Any) -> None:
        self.bytes_from_server += len(datagram)
        for one in self.passing(datagram, False):
            assert self.front is not None
            self.front.sendto(one, self._client)


class _End(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes, Any], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._heard(data, addr)


def unchanged(datagram: bytes, to_server: bool) -> list[bytes]:
    return [datagram]


@asynccontextmanager
async def datagram_proxy(server_port: int, passing: Passing = unchanged) -> AsyncIterator[DatagramProxy]:
    """Open until the end of the block."""
    loop = asyncio.get_running_loop()
    proxy = DatagramProxy(0, server_port, passing)
    proxy.front, _ = await loop.create_datagram_endpoint(lambda: _End(proxy.from_client), local_addr=("127.0.0.1", 0))
    proxy.back, _ = await loop.create_datagram_endpoint(lambda: _End(proxy.from_server), local_addr=("127.0.0.1", 0))
    proxy.port = proxy.front.get_extra_info("sockname")[1]
    try:
        yield proxy
    finally:
        proxy.front.close()
        proxy.back.close()
        await asyncio.sleep(0)  # the transports close their sockets in the loop's next turn
