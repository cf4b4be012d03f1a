"""A user at the terminal program, with a server that a test speaks for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, Input

from mystic_client.model.choice import Choice
from mystic_client.tui.app import MysticApp
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.connect import ConnectScreen
from mystic_client.tui.widgets.composer import Composer
from mystic_client.tui.widgets.message_view import MessageView
from mysticproto import model
from tests.support.fake_session import FakeServer
from tests.support.widget_app import at, rows_of

HERE = Choice("zoe", "office", 12000)


class Desk:
    """A user at the program, and the server that they are on."""

    def __init__(self, app: MysticApp, pilot: Pilot[None], server: FakeServer) -> None:
        self.app, self.pilot, self.server = app, pilot, server

    @property
    def chat(self) -> ChatScreen:
        assert isinstance(self.app.screen, ChatScreen)
        return self.app.screen

    @property
    def connect(self) -> ConnectScreen:
        assert isinstance(self.app.screen, ConnectScreen)
        return self.app.screen

    @property
    def chatting(self) -> bool:
        return isinstance(self.app.screen, ChatScreen)

    @property
    def focus(self) -> str:
        """The name of the group that the session hears instead of global."""
        group = self.app.line.store.focus
        return group.name if group else ""

    def displayed(self, selector: str) -> bool:
        return self.app.screen.query_one(selector).display

    def words(self, selector: str) -> str:
        """What a text or a button says."""
        widget = self.app.screen.query_one(selector)
        return str(widget.label if isinstance(widget, Button) else widget.render())

    @property
    def posted(self) -> list[tuple[model.Target, str]]:
        return [(to, text) for _, to, text in self.server.session.posts]

    async def settle(self) -> None:
        for _ in range(2):
            await self.pilot.pause()
            self.app.flush()

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits for what another thread does."""
        while not true():
            await self.settle()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def write(self, text: str, *then: str) -> None:
        """Types a text, all at once, and then presses keys."""
        field = self.app.focused
        assert isinstance(field, Composer | Input)
        (field.insert if isinstance(field, Composer) else field.insert_text_at_cursor)(text)
        await self.press(*then)

    async def click(self, widget: Widget | str, word: str = "", **how: Any) -> None:
        found = self.app.screen.query_one(widget) if isinstance(widget, str) else widget
        offset = at(found, word) if word else (found.size.width // 2, 0)
        await self.pilot.click(found, offset=offset, **how)
        await self.settle()

    async def hear(self, *items: object) -> None:
        self.server.session.say(*items)  # type: ignore[arg-type]
        await self.settle()

    def shown(self, kind: type[Widget] = MessageView) -> str:
        return "\n".join(rows_of(self.app.screen.query_one(kind)))


@asynccontextmanager
async def sitting(
    choice: Choice = HERE, server: FakeServer | None = None, size: tuple[int, int] = (120, 36), **world: Any
) -> AsyncIterator[Desk]:
    server = server or FakeServer()
    app = MysticApp(choice, server.outside(**world))
    async with app.run_test(size=size, notifications=True) as pilot:
        desk = Desk(app, pilot, server)
        await desk.settle()
        yield desk
