"""The terminal program on a real server: talking, a file, a server that dies and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from mystic_client.config import Config, Settings
from mystic_client.model.choice import Choice
from mystic_client.session.connection import Session
from mystic_client.session.heard import Address
from mystic_client.tui.app import MysticApp
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.connect import ConnectScreen
from mystic_client.tui.world import real_world
from mysticproto.model import ToGlobal, ToUsers
from tests.support.server_process import ServerProcess, running_server
from tests.support.widget_app import rows_of

PATIENCE_S = 30.0


class Desk:
    """The program, and another user who is there."""

    def __init__(self, app: MysticApp, pilot: Pilot[None], other: Session) -> None:
        self.app, self.pilot, self.other = app, pilot, other

    @property
    def chat(self) -> ChatScreen:
        assert isinstance(self.app.screen, ChatScreen)
        return self.app.screen

    async def until(self, what: Callable[[], bool]) -> None:
        """Waits until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not what():
                await self.pilot.pause(0.02)

    async def until_shown(self, text: str) -> None:
        await self.until(lambda: isinstance(self.app.screen, ChatScreen))
        await self.until(lambda: text in "\n".join(rows_of(self.chat.view)))

    async def say(self, text: str) -> None:
        self.chat.composer.focus()
        self.chat.composer.insert(text)
        await self.pilot.press("enter")


@asynccontextmanager
async def sitting(server: ServerProcess, folder: Path) -> AsyncIterator[Desk]:
    address = Address(server.host, server.port)
    other = Session(address, "ana", None, lambda heard: None)
    talking = asyncio.create_task(other.run())
    await other.online()
    world = real_world(Config(Settings(download_folder=str(folder / "downloads")), folder / "state"))
    app = MysticApp(Choice("zoe", server.host, server.port), world)
    try:
        async with app.run_test(size=(110, 34)) as pilot:
            yield Desk(app, pilot, other)
    finally:
        await other.close()
        await talking


async def test_talking_in_public_and_in_private(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        async with sitting(server, tmp_path) as desk:
            await desk.until_shown("ana has joined")
            desk.other.post(ToGlobal(), "hello [/b] zoe")
            await desk.until_shown("hello [/b] zoe")
            await desk.say("hello ana")
            await desk.until_shown("✓")
            desk.other.post(ToUsers(("zoe",)), "psst")
            await desk.until(lambda: len(desk.app.line.store.talks) == 2)
            await desk.pilot.press("ctrl+pagedown")
            await desk.until_shown("psst")
            await desk.say("mystic create group dev")
            await desk.until(lambda: desk.app.line.store.focus is not None)
            await desk.pilot.press("f10")
            await desk.until(lambda: isinstance(desk.app.screen, ConnectScreen))
            assert desk.app.screen.query_one("#name", Input).value == "zoe"
            await desk.pilot.press("enter")
            await desk.until_shown("hello ana")


async def test_a_file_is_fetched_and_verified(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        (server.shared / "Music").mkdir()
        (server.shared / "Music" / "song one.ogg").write_bytes(b"la" * 100_000)
        async with sitting(server, tmp_path) as desk:
            await desk.until_shown("ana has joined")
            await desk.say("mystic download Music/song one.ogg")
            saved = tmp_path / "downloads" / "zoe" / "song one.ogg"
            await desk.until(lambda: any(transfer.ended for transfer in desk.chat.files.transfers.rows))
            transfer = desk.chat.files.transfers.rows[0]
            assert (transfer.state, transfer.verified) == ("done", True)
            assert saved.read_bytes() == b"la" * 100_000


@pytest.mark.slow
async def test_a_server_that_dies_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        async with sitting(server, tmp_path) as desk:
            await desk.until_shown("ana has joined")
            await desk.say("before")
            await desk.until_shown("✓")
            server.kill()
            await desk.until(lambda: desk.chat.banner.display)
            await desk.say("meanwhile")
            await desk.until_shown("○")
            server.start()
            await desk.until(lambda: not desk.chat.banner.display)
            await desk.until(lambda: "\n".join(rows_of(desk.chat.view)).count("✓") == 2)
            rows = "\n".join(rows_of(desk.chat.view))
            assert rows.count("before") == rows.count("meanwhile") == 1


async def test_a_server_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        port = server.port
    world = real_world(Config(Settings(), tmp_path / "state"))
    app = MysticApp(Choice("zoe", "127.0.0.1", port), world)
    async with app.run_test(size=(80, 24)) as pilot:
        desk = Desk(app, pilot, Session(Address("127.0.0.1", port), "ana", None, lambda heard: None))
        await desk.until(lambda: isinstance(app.screen, ConnectScreen) and app.screen.query_one("#status").display)
        await desk.until(lambda: "nothing listens" in str(app.screen.query_one("#status").render()))
