"""The downloads of one run of the program: started, followed, stopped, tried again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

from msgspec.structs import replace

from mystic_client.model.transfer import Transfer
from mystic_client.session.transfers import Progress

MAX_AT_ONCE: Final = 3
"""Further ones wait for a place."""
MAX_LISTED: Final = 100
"""Ended ones beyond that are forgotten, the oldest first."""

Fetch: TypeAlias = Callable[[str, Path, Callable[[Progress], None]], Awaitable[Progress]]


class Downloads:
    """`fetch(path, folder, progressed)` brings one file; `changed` is called whenever something is to be shown."""

    def __init__(self, fetch: Fetch, folder: Path, changed: Callable[[Transfer], None]) -> None:
        self._fetch, self._folder, self._changed = fetch, folder, changed
        self._transfers: dict[int, Transfer] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(MAX_AT_ONCE)
        self._last_number = 0

    @property
    def shown(self) -> list[Transfer]:
        """The downloads, the latest first."""
        return list(reversed(self._transfers.values()))

    def start(self, path: str) -> None:
        """Fetches a file, unless that is under way already."""
        if any(transfer.path == path and not transfer.ended for transfer in self._transfers.values()):
            return
        self._last_number += 1
        self._run(Transfer(self._last_number, path))

    def again(self, number: int) -> None:
        """Tries a download again that came to nothing."""
        transfer = self._transfers.get(number)
        if transfer and transfer.ended and transfer.state != "done":
            self._run(Transfer(number, transfer.path))

    def stop(self, number: int) -> None:
        """Stops a download; what has come is kept for a later attempt. One that has ended is taken off the list."""
        task = self._tasks.get(number)
        if task:
            task.cancel()
        elif (transfer := self._transfers.pop(number, None)) is not None:
            self._changed(transfer)

    async def stop_all(self) -> None:
        """Stops all of them and waits until they have."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, transfer: Transfer) -> None:
        self._show(transfer)
        task = asyncio.create_task(self._work(transfer), name=f"download-{transfer.number}")
        self._tasks[transfer.number] = task
        task.add_done_callback(lambda _: self._tasks.pop(transfer.number, None))

    async def _work(self, transfer: Transfer) -> None:
        try:
            async with self._places:
                await self._fetch(transfer.path, self._folder, lambda progress: self._progressed(transfer, progress))
        except asyncio.CancelledError:
            self._show(replace(self._transfers.get(transfer.number, transfer), state="cancelled", left_s=None))

    def _progressed(self, transfer: Transfer, progress: Progress) -> None:
        self._show(
            Transfer(
                transfer.number,
                transfer.path,
                progress.state,
                progress.size,
                progress.received,
                progress.speed_bytes_s,
                progress.left_s,
                _shortened(progress.saved_to),
                progress.verified,
                progress.error,
            )
        )

    def _show(self, transfer: Transfer) -> None:
        self._transfers[transfer.number] = transfer
        ended = [number for number, known in self._transfers.items() if known.ended]
        for number in ended[: max(0, len(self._transfers) - MAX_LISTED)]:
            del self._transfers[number]
        self._changed(transfer)


def _shortened(path: str) -> str:
    """The path as people write it, with ~ for their own folder."""
    home = str(Path.home())
    return "~" + path[len(home) :] if home and path.startswith(home + os.sep) else path
