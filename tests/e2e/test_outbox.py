"""Client programs that are killed: what was typed is said once, what was said to them is told them, drafts stay."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mystic_client.session.connection import Session
from mystic_client.session.heard import Address
from mysticproto import model
from tests.e2e.programs import surroundings
from tests.support.listening import Ear, running
from tests.support.server_process import ServerProcess, running_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and signals of POSIX")

ROUNDS = int(os.environ.get("MYSTIC_CLIENT_KILLS", "6"))
PATIENCE_S = 60.0
TYPED = "typed without a server"
DRAFT = "half a sentence"


def address_of(server: ServerProcess) -> Address:
    return Address(server.host, server.port)


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for something that another program does."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.02)


async def texts_of(session: Session) -> list[str]:
    """Everything that was said to everybody, oldest first."""
    texts: list[str] = []
    before = 0
    while True:
        reply = await session.ask(lambda n, before=before: model.GetHistory(n, model.ToGlobal(), before, 500))  # type: ignore[misc]
        assert isinstance(reply, model.History), reply
        texts = [event.text for event in reply.events if isinstance(event, model.Message)] + texts
        if not reply.more:
            return texts
        before = reply.events[0].seq


def is_kept(home: Path, kind: str, text: str) -> bool:
    return any(text in path.read_text(errors="replace") for path in (home / "places").glob(f"*.{kind}"))


async def test_what_is_typed_without_a_server_is_said_by_the_next_program_once(tmp_path: Path) -> None:
    from tests.support.terminal import Terminal

    home = tmp_path / "home"
    with running_server(tmp_path) as server:
        command = [sys.executable, "-m", "mystic_client", "zoe", server.host, str(server.port)]
        start = partial(Terminal, command, surroundings(home, server.address, "zoe"))
        ear = Ear()
        async with running(address_of(server), ear, "ana") as (session, _):
            await session.online()
            with start() as terminal:
                assert (await ear.next(model.UserJoined)).user.name == "zoe"
                await until(lambda: "to everybody" in terminal.printed)
                terminal.type("hello\r")
                assert (await ear.next(model.Message)).text == "hello"
                server.kill()
                await until(lambda: "Connection lost" in terminal.printed)
                terminal.type(TYPED + "\r")
                await until(lambda: is_kept(home, "outbox", TYPED))
                terminal.type(DRAFT)
                await until(lambda: is_kept(home, "notebook", DRAFT))
                terminal.kill()
            server.start()
            for _ in range(2):
                with start() as terminal:
                    await until(lambda: DRAFT in terminal.printed)
                    await until(lambda: TYPED in terminal.printed)
            while (await ear.next(model.Message)).text != TYPED:
                pass
            assert await texts_of(session) == ["hello", TYPED]


class Typist:
    """A program that says things until it is killed or hears "over". `said`: by run; `heard`: by all of them."""

    def __init__(self, folder: Path, server: ServerProcess, name: str) -> None:
        self.said: list[list[str]] = []
        self.heard: list[str] = []
        self._command = [sys.executable, "-m", "tests.support.typist", str(folder), server.host, str(server.port), name]

    async def run(self, kill_after: int = sys.maxsize) -> None:
        """Until it has said so many things, or to its own end."""
        run = str(len(self.said))
        self.said.append([])
        process = await asyncio.create_subprocess_exec(*self._command, run, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while line := (await process.stdout.readline()).decode():
                    self._take(line.rstrip("\n"))
                    if len(self.said[-1]) == kill_after and process.returncode is None:
                        process.kill()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def _take(self, line: str) -> None:
        kind, _, text = line.partition(" ")
        if kind == "said":
            self.said[-1].append(text)
        elif kind == "heard":
            self.heard.append(text)


@pytest.mark.timeout(90 + 5 * ROUNDS)
async def test_programs_that_are_killed_say_everything_once_and_hear_everything(tmp_path: Path) -> None:
    seed = int(os.environ.get("MYSTIC_SEED", "0")) or random.randrange(2**32)
    print(f"MYSTIC_SEED={seed}")
    chance = random.Random(seed)
    said: list[str] = []
    with running_server(tmp_path, "--unlimited") as server:
        typist = Typist(tmp_path / "home", server, "zoe")
        async with running(address_of(server), Ear(), "ana") as (session, _):
            await session.online()
            await typist.run(kill_after=1)
            for _ in range(ROUNDS - 1):
                run = asyncio.create_task(typist.run(kill_after=chance.randint(1, 60)))
                while not run.done():
                    said.append(f"ana {len(said)}")
                    session.post(model.ToGlobal(), said[-1])
                    await session.drained()
                await run
            said.append("over")
            session.post(model.ToGlobal(), "over")
            await session.drained()
            await typist.run()
            history = await texts_of(session)
    check(typist, said, history)
    print(f"{ROUNDS} kills, {sum(map(len, typist.said))} said, {len(said)} heard: none lost, none twice")


def check(typist: Typist, said_to_it: list[str], history: list[str]) -> None:
    assert [text for text in history if not text.startswith("zoe ")] == said_to_it
    assert list(dict.fromkeys(typist.heard)) == said_to_it, "in order, and at most repeated"
    for run, said in enumerate(typist.said):
        kept = [text for text in history if text.startswith(f"zoe {run} ")]
        assert kept[: len(said)] == said
        assert kept[len(said) :] in ([], [f"zoe {run} {len(said)}"]), "killed before it could print that"
