"""Appender: a thread that writes and hashes what another one receives, so that neither waits for the other.

with Appender(part, 1024 * 1024) as appender:
    buffer = appender.take_buffer()          # waits while all buffers are full
    appender.append(buffer, receive_into(buffer))
# everything is written
"""

import queue
import threading
from types import TracebackType
from typing import Final, TypeAlias

from mystic_client.session.partial import PartialFile

BUFFERS: Final = 4

_Full: TypeAlias = tuple[memoryview, int]


class Appender:
    """For one thread. A failure to write is raised by the next call, or at the end."""

    def __init__(self, part: PartialFile, buffer_bytes: int) -> None:
        self._part = part
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[_Full | None] = queue.SimpleQueue()
        self._problem: OSError | None = None
        self._thread = threading.Thread(target=self._work, daemon=True, name="mystic-append")
        for _ in range(BUFFERS):
            self._free.put(memoryview(bytearray(buffer_bytes)))

    def take_buffer(self) -> memoryview:
        """A buffer that nobody uses. Raises `OSError` if something could not be written."""
        buffer = self._free.get()
        if self._problem is not None:
            raise self._problem
        return buffer

    def append(self, buffer: memoryview, count: int) -> None:
        """Has the first bytes of a buffer written; it is not to be touched afterwards."""
        self._full.put((buffer, count))

    def __enter__(self) -> "Appender":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._full.put(None)
        self._thread.join()
        if problem is None and self._problem is not None:
            raise self._problem

    def _work(self) -> None:
        while (full := self._full.get()) is not None:
            buffer, count = full
            if self._problem is None:
                try:
                    self._part.write(buffer[:count])
                except OSError as problem:
                    self._problem = problem
            self._free.put(buffer)
