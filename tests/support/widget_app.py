"""Widgets in an app of their own, and what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from mystic_client.tui import app as app_module
from mystic_client.tui import theme

Kind = TypeVar("Kind", bound=Message)


class WidgetApp(App[None]):
    """Shows widgets in Mystic's own styles; `said` are the messages of ours that were posted, in order."""

    CSS_PATH = Path(app_module.__file__).with_name("app.tcss")

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.widgets, self.said = widgets, list[Message]()
        self.register_theme(theme.DARK)
        self.theme = theme.DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.variable_defaults(True)

    def compose(self) -> ComposeResult:
        yield from self.widgets

    def note(self, message: Message) -> None:
        """Writes a message down, once however often it is passed on."""
        ours = type(message).__module__.startswith("mystic_client")
        if ours and not any(message is known for known in self.said):
            self.said.append(message)

    def heard(self, kind: type[Kind]) -> list[Kind]:
        """The messages of one kind, in order."""
        return [message for message in self.said if isinstance(message, kind)]


@asynccontextmanager
async def running(*widgets: Widget, size: tuple[int, int] = (60, 20)) -> AsyncIterator[tuple[WidgetApp, Pilot[None]]]:
    """The widgets below each other, drawn."""
    app = WidgetApp(*widgets)
    async with app.run_test(size=size, message_hook=app.note) as pilot:
        await pilot.pause()
        yield app, pilot


def rows_of(widget: Widget) -> list[str]:
    """What a widget that draws rows shows."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def at(widget: Widget, word: str) -> tuple[int, int]:
    """Where a word is in a widget, borders counted."""
    y, row = next((y, row) for y, row in enumerate(rows_of(widget)) if word in row)
    return row.index(word) + widget.gutter.left, y + widget.gutter.top
