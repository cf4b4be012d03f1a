"""A network that breaks in the middle of anything: two who talk lose nothing, get nothing twice, and all in order.

Each of the two has a proxy of their own, which breaks the connection after a random number of bytes one way or the
other: in the greeting, in a login, in a catch-up, in a message, in its acknowledgement. `MYSTIC_CUTS` says how often in
all, `MYSTIC_SEED` repeats a run's numbers.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from mystic_client.session.backoff import Backoff
from mystic_client.session.connection import Session
from mystic_client.session.heard import Address, Heard, Online, PostState
from mystic_client.session.identity import Identity
from mysticproto import model
from tests.support.listening import SEED, Ear, running
from tests.support.proxy import Proxy
from tests.support.server_process import running_server

CUTS = int(os.environ.get("MYSTIC_CUTS", "100"))
NAMES = ("ana", "bob")
GROUP = "team"
MAX_UNANSWERED = 12
IN_A_LOGIN_BYTES = 500
IN_A_TALK_BYTES = 6000


class Talker:
    """One of the two: says something to everybody, in private and in the group by turns, and keeps what they hear."""

    def __init__(self, address: Address, name: str) -> None:
        self.name = name
        self.said: list[str] = []
        self.sent: list[PostState] = []
        self.failed: list[PostState] = []
        self.heard: list[model.Message] = []
        self.logins = 0
        (other,) = set(NAMES) - {name}
        targets: list[model.Target] = [model.ToGlobal(), model.ToUsers((other,)), model.ToGroup(GROUP)]
        self._targets = cycle(targets)
        self._news = asyncio.Event()
        self.session = Session(address, name, Identity(name.encode().ljust(32)), self._hear)

    async def talk(self, is_done: Callable[[], bool]) -> None:
        """Says things until it is done, and waits until the server has them all."""
        while not is_done():
            await self.session.drained(MAX_UNANSWERED - 1)
            self.said.append(f"{self.name} {len(self.said)} " + "x" * (len(self.said) * 7 % 300))
            self.session.post(next(self._targets), self.said[-1])
        await self.session.drained()

    async def hears(self, count: int) -> None:
        """Waits until there are so many messages in all."""
        while len(self.heard) < count:
            self._news.clear()
            await self._news.wait()

    def _hear(self, batch: list[Heard]) -> None:
        for one in batch:
            match one:
                case PostState(state="sent"):
                    self.sent.append(one)
                case PostState(state="failed"):
                    self.failed.append(one)
                case model.Message():
                    self.heard.append(one)
                case Online():
                    self.logins += 1
        self._news.set()


class Cutter:
    """Breaks the connections through some proxies so often in all."""

    def __init__(self, cuts: int, chance: random.Random) -> None:
        self.left = cuts
        self._chance = chance

    async def cut(self, proxy: Proxy) -> None:
        while self.left > 0:
            self.left -= 1
            most = self._chance.choice((IN_A_LOGIN_BYTES, IN_A_TALK_BYTES))
            await proxy.cut_after(self._chance.randint(1, most), to_server=self._chance.random() < 0.5)


@pytest.mark.timeout(120 + CUTS)
async def test_nothing_is_lost_doubled_or_out_of_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "failed", lambda self: 0.0)
    seed = int(os.environ.get("MYSTIC_SEED", "0")) or random.randrange(2**32)
    print(f"MYSTIC_SEED={seed}")
    cutter = Cutter(CUTS, random.Random(seed))
    with running_server(tmp_path, "--unlimited") as server:
        address = Address(server.host, server.port)
        async with asyncio.timeout(100 + CUTS), Proxy(address) as anas, Proxy(address) as bobs:
            talkers = [Talker(proxy.address, name) for proxy, name in zip((anas, bobs), NAMES, strict=True)]
            runs = [asyncio.create_task(talker.session.run()) for talker in talkers]
            try:
                await _meet(talkers)
                cutting = asyncio.gather(*map(cutter.cut, (anas, bobs)))
                await asyncio.gather(cutting, *(talker.talk(cutting.done) for talker in talkers))
                history = await _history(talkers[0].session)
                for talker in talkers:
                    await talker.hears(len(history))
            finally:
                for talker in talkers:
                    talker.session.drop()
                await asyncio.wait(runs)
        printed = server.printed()
    for talker in talkers:
        check(talker, history)
    logins = sum(talker.logins for talker in talkers)
    print(f"{CUTS} cuts, {logins} logins, {len(history)} messages: none lost, none twice, all in order")
    assert "  fault  " not in printed, printed


async def _meet(talkers: list[Talker]) -> None:
    """Both are there, in a group that stays."""
    for talker in talkers:
        await talker.session.online()
    reply = await talkers[0].session.ask(lambda n: model.CreateGroup(n, GROUP, False, True, ("bob",)))
    assert isinstance(reply, model.Entered), reply


async def _history(session: Session) -> list[model.Message]:
    """All messages of the three conversations, in the log's order."""
    messages: list[model.Message] = []
    for of in (model.ToGlobal(), model.ToUsers(("bob",)), model.ToGroup(GROUP)):
        before = 0
        more = True
        while more:
            await session.online()
            reply = await session.ask(lambda n, of=of, before=before: model.GetHistory(n, of, before, 500))  # type: ignore[misc]
            assert isinstance(reply, model.History), reply
            messages += [event for event in reply.events if isinstance(event, model.Message)]
            more = reply.more
            before = reply.events[0].seq if more else 0
    return sorted(messages, key=lambda message: message.seq)


def check(talker: Talker, history: list[model.Message]) -> None:
    """As its sender and as its receiver."""
    assert talker.failed == []
    assert [message.text for message in history if message.author.name == talker.name] == talker.said
    assert [state.text for state in talker.sent] == talker.said
    assert [state.seq for state in talker.sent] == [m.seq for m in history if m.author.name == talker.name]
    assert talker.heard == history


async def test_a_new_device_gets_what_waited_though_its_first_logins_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said to somebody who was away comes whole, wherever the first catch-up of a fresh device is cut."""
    monkeypatch.setattr(Backoff, "failed", lambda self: 0.0)
    with running_server(tmp_path, "--unlimited") as server:
        address = Address(server.host, server.port)
        async with running(address, Ear(), "ana", Identity(bytes(32))) as (anas, _):
            await anas.online()
            for after_bytes in range(300, 3000, 150):
                bob = Identity(SEED)
                async with running(address, Ear(), "bob", bob) as (bobs, _):
                    await bobs.online()
                    await bobs.close()
                said = [f"{after_bytes} {number} {'x' * 150}" for number in range(20)]
                for text in said:
                    anas.post(model.ToUsers(("bob",)), text)
                await anas.drained()
                ear = Ear()
                async with Proxy(address) as proxy:
                    cut = asyncio.create_task(proxy.cut_after(after_bytes, to_server=False))
                    async with running(proxy.address, ear, "bob", bob) as (_, _):
                        await cut
                        heard: list[str] = []
                        while len(heard) < len(said):
                            heard.append((await ear.next(model.Message)).text)
                        assert heard == said
                    proxy.cut()
