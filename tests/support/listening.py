"""What a session tells a test: everything in order, and a way to wait for the next thing of a kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from mystic_client.session.connection import Ended, Heard, Session, Timing
from mystic_client.session.heard import Address
from mystic_client.session.identity import Identity

PATIENCE_S = 10.0
SEED = bytes(range(32))

_Kind = TypeVar("_Kind")


class Ear:
    """Give `Ear.heard` to a session."""

    def __init__(self) -> None:
        self.all: list[Heard] = []
        self.batches: list[list[Heard]] = []
        self._read = 0
        self._news = asyncio.Event()

    def heard(self, batch: list[Heard]) -> None:
        self.batches.append(batch)
        self.all.extend(batch)
        self._news.set()

    async def next(self, kind: type[_Kind]) -> _Kind:
        """The next thing of this kind; others before it are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._read < len(self.all):
                    one = self.all[self._read]
                    self._read += 1
                    if isinstance(one, kind):
                        return one
                self._news.clear()
                await self._news.wait()

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        """Everything of this kind so far."""
        return [one for one in self.all if isinstance(one, kind)]


@asynccontextmanager
async def running(
    address: Address, ear: Ear, name: str = "ana", identity: Identity | None = None, **options: Any
) -> AsyncIterator[tuple[Session, asyncio.Task[Ended]]]:
    """A session that runs, and is dropped in the end."""
    options.setdefault("timing", Timing())
    session = Session(address, name, identity, ear.heard, **options)
    task = asyncio.create_task(session.run())
    try:
        yield session, task
    finally:
        session.drop()
        await asyncio.wait({task})
