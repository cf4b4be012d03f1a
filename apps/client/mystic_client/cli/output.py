"""Standard output is data, standard error is talk."""

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from mystic_client.cli.status import Failure, Status


def show(lines: Iterable[str]) -> None:
    """Data, seen at once by whoever reads on. Raises `BrokenPipeError` when nobody does."""
    try:
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        abandon()
        raise Failure(Status.REFUSED, f"standard output can't be written: {problem.strerror}") from None


def talk(text: str) -> None:
    """A sentence for people; lost if nobody listens."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"mystic: {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return


class Tape:
    """Lines on their way from a callback, which must not fail, to a task that prints them and may.

    Short at any time: whoever waits for them gets its turn before the next read of the socket.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._news = asyncio.Event()

    def add(self, *lines: str) -> None:
        self._lines.extend(lines)
        self._news.set()

    def take(self) -> list[str]:
        """All lines so far."""
        lines, self._lines = self._lines, []
        self._news.clear()
        return lines

    async def print_on(self) -> None:
        """Prints until cancelled. Raises `BrokenPipeError` when nobody reads on."""
        while True:
            await self._news.wait()
            show(self.take())


def prepare() -> None:
    """A terminal that lacks a character shows another one instead of ending the program; a closed one is no error."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  it stays open
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")


def abandon() -> None:
    """Makes the interpreter's last flush of a broken standard output harmless."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
