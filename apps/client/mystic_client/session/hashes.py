"""Hashes of files that the server says by and by: the last ones, and who waits for one."""

import asyncio

from mystic_client.session.heard import NotConnected
from mysticproto.model import FileHashed

MAX_KEPT = 256

FileKey = tuple[str, int, int]
"""Path, size and time of change: what a hash belongs to."""


class Hashes:
    """Hashes heard on the chat connection."""

    def __init__(self) -> None:
        self._known: dict[FileKey, bytes] = {}
        self._waiting: dict[FileKey, list[asyncio.Future[bytes]]] = {}

    def heard(self, hashed: FileHashed) -> None:
        """Keeps a hash, the oldest make room, and tells those who wait for it."""
        key = (hashed.path, hashed.size, hashed.modified_us)
        self._known.pop(key, None)
        self._known[key] = hashed.blake3
        if len(self._known) > MAX_KEPT:
            del self._known[next(iter(self._known))]
        for future in self._waiting.pop(key, []):
            if not future.done():
                future.set_result(hashed.blake3)

    async def wait_for(self, path: str, size: int, modified_us: int) -> bytes:
        """The hash; raises `NotConnected` if the connection breaks first, since then it will not be said again."""
        key = (path, size, modified_us)
        if key in self._known:
            return self._known[key]
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(key, [])
        waiting.append(future)
        try:
            return await future
        finally:
            waiting.remove(future)
            if not waiting:
                self._waiting.pop(key, None)

    def disconnected(self, reason: str) -> None:
        """What was not said until now will not be said."""
        for futures in list(self._waiting.values()):
            for future in futures:
                if not future.done():
                    future.set_exception(NotConnected(reason))
