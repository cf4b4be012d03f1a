"""kill -9 on a busy server, again and again: clients come back by themselves, and what had its ok is kept, once.

`MYSTIC_ROUNDS` kills so often; `MYSTIC_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sized
from contextlib import asynccontextmanager, closing
from functools import partial
from itertools import repeat
from pathlib import Path

import pytest

from mystic_client.session import backoff
from mystic_client.session.connection import Session
from mystic_client.session.heard import Address, Heard, Online, PostState
from mystic_client.session.identity import Identity
from mysticproto.model import GetHistory, History, Message, ToGlobal
from tests.support.server_process import ServerProcess, running_server

ROUNDS = int(os.environ.get("MYSTIC_ROUNDS", "20"))
NAMES = ("ana", "bob", "eve")
MAX_UNANSWERED = 20
ACKS_A_ROUND = 60


class Writer:
    """A client that writes all the time, and remembers what the server has acknowledged and what it heard."""

    def __init__(self, address: Address, name: str) -> None:
        self.session = Session(address, name, Identity(os.urandom(32)), self._heard)
        self.name = name
        self.said: list[str] = []
        self.acknowledged: list[str] = []
        self.failed: list[PostState] = []
        self.messages: list[Message] = []
        self.returns = 0
        self._news = asyncio.Event()
        self._is_done = False

    async def write(self) -> None:
        """Keeps some messages on their way until `stop`, then waits for their acknowledgements."""
        await self.session.online()
        while True:
            await self.session.drained(MAX_UNANSWERED - 1)
            if self._is_done:
                break
            self.said.append(f"{self.name} {len(self.said)}")
            self.session.post(ToGlobal(), self.said[-1])
        await self.session.drained()

    def stop(self) -> None:
        self._is_done = True

    async def acknowledges(self, more: int, returns: int) -> None:
        """Waits until it has returned so often, and so many more messages have their ok."""
        await self._wait_until(lambda: self.returns >= returns)
        await self._wait_until(partial(_has, self.acknowledged, len(self.acknowledged) + more))

    async def hears(self, count: int) -> None:
        """Waits until it has so many messages in all."""
        await self._wait_until(partial(_has, self.messages, count))

    async def _wait_until(self, is_true: Callable[[], bool]) -> None:
        while not is_true():
            self._news.clear()
            await self._news.wait()

    def _heard(self, batch: list[Heard]) -> None:
        for one in batch:
            match one:
                case PostState(state="sent"):
                    self.acknowledged.append(one.text)
                case PostState(state="failed"):
                    self.failed.append(one)
                case Message():
                    self.messages.append(one)
                case Online(again=True):
                    self.returns += 1
        self._news.set()


def _has(things: Sized, count: int) -> bool:
    return len(things) >= count


@asynccontextmanager
async def writing(address: Address) -> AsyncIterator[list[Writer]]:
    """Three who write; they stop in the end and everything they said is acknowledged."""
    writers = [Writer(address, name) for name in NAMES]
    runs = [asyncio.create_task(writer.session.run()) for writer in writers]
    try:
        for writer in writers:
            await writer.session.online()
        tasks = [asyncio.create_task(writer.write()) for writer in writers]
        yield writers
        for writer in writers:
            writer.stop()
        await asyncio.gather(*tasks)
    finally:
        for writer in writers:
            writer.session.drop()
        await asyncio.wait(runs)


@pytest.mark.timeout(120 + 3 * ROUNDS)
async def test_what_had_its_ok_survives_any_number_of_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Clients wait longer and longer for a server that dies all the time; here they shall come at once.
    monkeypatch.setattr(backoff, "STEADY_S", 0.0)
    seed = int(os.environ.get("MYSTIC_SEED", "0")) or random.randrange(2**32)
    print(f"MYSTIC_SEED={seed}")
    chance = random.Random(seed)
    with running_server(tmp_path, "--unlimited") as server:
        async with asyncio.timeout(60 + 3 * ROUNDS):
            async with writing(Address(server.host, server.port)) as writers:
                for kills in range(ROUNDS):
                    more = (chance.randint(1, ACKS_A_ROUND) for _ in writers)
                    await asyncio.gather(*map(Writer.acknowledges, writers, more, repeat(kills)))
                    server.kill()
                    server.start()
                for writer in writers:
                    await writer.acknowledges(1, ROUNDS)
                    writer.stop()
                    await writer.session.drained()
                kept = await history(writers[0].session)
                for writer in writers:
                    await writer.hears(len(kept))
        check(writers, kept)
        print(f"{ROUNDS} kills, {len(kept)} messages: none lost, none twice")
    assert_sound(server)


def check(writers: list[Writer], kept: list[str]) -> None:
    """Nothing lost, nothing twice, nothing that nobody said, everybody's own in order, and the same for all."""
    said = [text for writer in writers for text in writer.said]
    assert Counter(kept) == Counter(said)
    for writer in writers:
        assert writer.failed == []
        assert [text for text in kept if text.startswith(writer.name)] == writer.said
        assert sorted(writer.acknowledged) == sorted(writer.said)
        assert [message.text for message in writer.messages] == kept


async def history(session: Session) -> list[str]:
    """All texts of the global conversation, oldest first."""
    texts: list[str] = []
    before = 0
    while True:
        reply = await session.ask(lambda n, before=before: GetHistory(n, ToGlobal(), before, 500))  # type: ignore[misc]
        assert isinstance(reply, History), reply
        texts = [event.text for event in reply.events if isinstance(event, Message)] + texts
        if not reply.more:
            return texts
        before = reply.events[0].seq


def assert_sound(server: ServerProcess) -> None:
    """No fault was reported, and the database is whole."""
    printed = server.printed()
    assert "Traceback" not in printed and " fault " not in printed, printed
    files = (path for path in server.data.iterdir() if path.is_file())
    (database,) = (path for path in files if path.read_bytes()[:15] == b"SQLite format 3")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
