"""A message view alone on a screen, with one conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

from textual.pilot import Pilot

from mystic_client.model.talk import GLOBAL, Talk
from mystic_client.model.timeline import Entry
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.message_view import MessageView
from tests.support.fake_session import MINUTE_US, NOON_US
from tests.support.widget_app import WidgetApp, at, rows_of


class ViewApp(WidgetApp):
    """One view of one conversation."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(MessageView(Clock(lambda: NOON_US, UTC)))
        self.talk = talk

    def on_mount(self) -> None:
        self.view.show(self.talk, "zoe")
        self.view.focus()

    @property
    def view(self) -> MessageView:
        return self.query_one(MessageView)


def entry(place: int, text: str = "", **more: object) -> Entry:
    authors = {"author": f"user{place % 3}", "author_id": place % 3 + 10}
    values = {**authors, **more}
    return Entry(place, NOON_US + place * MINUTE_US // 100, "message", text or f"message {place}", **values)  # type: ignore[arg-type]


def talk_of(count: int) -> Talk:
    talk = Talk(GLOBAL, "global", history="all")
    talk.timeline.add_page([entry(place + 1) for place in range(count)])
    return talk


@asynccontextmanager
async def shown(talk: Talk, size: tuple[int, int] = (60, 20)) -> AsyncIterator[tuple[ViewApp, Pilot[None]]]:
    app = ViewApp(talk)
    async with app.run_test(size=size, message_hook=app.note) as pilot:
        await pilot.pause()
        yield app, pilot


def rows(app: ViewApp) -> list[str]:
    return rows_of(app.view)


async def click_on(app: ViewApp, pilot: Pilot[None], word: str) -> None:
    await pilot.click(MessageView, offset=at(app.view, word))
    await pilot.pause()
