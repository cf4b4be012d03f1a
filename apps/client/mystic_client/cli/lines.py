"""Lines from standard input, without a thread and without changing how the terminal reads for others.

A descriptor is read when it is ready. Making it non-blocking would be simpler, but that is a property which it shares
with standard output and with the shell.
"""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from mystic_client.session.daemon import in_daemon_thread

MAX_LINE_BYTES = 256 * 1024
"""More than any message; what a line has beyond it is dropped."""
_READ_BYTES = 64 * 1024


class LineSplitter:
    """Bytes in any pieces -> lines of UTF-8 without their ends."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max = max_line_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now."""
        *ended, rest = data.split(b"\n")
        lines = []
        for piece in ended:
            self._append(piece)
            lines.append(self.take_rest())
        self._append(rest)
        return lines

    def take_rest(self) -> str:
        """What has no line end yet."""
        line = bytes(self._rest)
        self._rest.clear()
        return line.removesuffix(b"\r").decode(errors="replace")

    def _append(self, piece: bytes) -> None:
        self._rest += piece[: max(0, self._max - len(self._rest))]


async def stdin_lines() -> AsyncGenerator[str, None]:
    """The lines of standard input until its end; the last one may lack its line end. None if it is closed."""
    if sys.stdin is None:
        return
    async with aclosing(lines_of(sys.stdin.fileno())) as lines:
        async for line in lines:
            yield line


async def lines_of(descriptor: int) -> AsyncGenerator[str, None]:
    """The lines that come from a descriptor, read no faster than they are used."""
    splitter = LineSplitter()
    while data := await _read(descriptor):
        for line in splitter.feed(data):
            yield line
    rest = splitter.take_rest()
    if rest:
        yield rest


async def _read(descriptor: int) -> bytes:
    """Some bytes; none at the end, or when the other side of a terminal is gone."""
    try:
        if not await _wait_until_readable(descriptor) and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return await in_daemon_thread(lambda: os.read(descriptor, _READ_BYTES))
        return os.read(descriptor, _READ_BYTES)
    except OSError:
        return b""


async def _wait_until_readable(descriptor: int) -> bool:
    """False if nobody can tell: files are always readable, and Windows has no such question for consoles."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except (OSError, NotImplementedError):
        await asyncio.sleep(0)
        return False
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
    return True
