"""The message view: its cursor, the mouse, and copying."""

from __future__ import annotations

from textual.geometry import Offset
from textual.selection import Selection

from mystic_client.model.timeline import Entry
from mystic_client.tui.messages import AuthorChosen, Dropped, LinkChosen, PastWanted, Retried
from mystic_client.tui.widgets.message_view import MessageView
from tests.support.fake_session import NOON_US
from tests.support.one_view import click_on, entry, rows, shown, talk_of


async def test_names_links_and_failed_messages_can_be_clicked() -> None:
    talk = talk_of(0)
    talk.timeline.add(entry(1, "see https://example.org/x", author="ana"))
    talk.timeline.pending(Entry(0, NOON_US, "message", "mine", "zoe", cid=b"\x07"))
    talk.timeline.failed(b"\x07", "no")
    async with shown(talk) as (app, pilot):
        for word in ("ana", "https", "Retry", "Drop"):
            await click_on(app, pilot, word)
        name, link, retry, drop = app.said
        assert isinstance(name, AuthorChosen) and name.name == "ana"
        assert isinstance(link, LinkChosen) and link.url == "https://example.org/x"
        assert isinstance(retry, Retried) and retry.cid == b"\x07"
        assert isinstance(drop, Dropped) and drop.cid == b"\x07"


async def test_a_page_that_failed_can_be_clicked() -> None:
    talk = talk_of(1)
    talk.history = "failed"
    async with shown(talk) as (app, pilot):
        assert app.said == []
        await click_on(app, pilot, "Click to try again")
        assert isinstance(app.said[0], PastWanted)


async def test_dragging_selects_and_copies_whole_lines() -> None:
    talk = talk_of(0)
    talk.timeline.add(entry(1, "one two three four five six seven eight nine ten eleven twelve\nsecond line"))
    async with shown(talk, (40, 10)) as (app, _):
        drawn = rows(app)
        first = next(y for y, row in enumerate(drawn) if "one two" in row)
        number = first + app.view.scroll_offset.y - app.view._blank_above
        whole = app.view.get_selection(Selection(Offset(0, number), Offset(40, number + 3)))
        assert whole is not None
        assert whole[0] == "one two three four five six seven eight nine ten eleven twelve\nsecond line"
        part = app.view.get_selection(Selection(Offset(6, number), Offset(9, number)))
        assert part is not None and part[0] == "two"


async def test_a_drag_with_the_mouse_is_a_selection() -> None:
    talk = talk_of(0)
    talk.timeline.add(entry(1, "select these words"))
    async with shown(talk) as (app, pilot):
        y = next(y for y, row in enumerate(rows(app)) if "select these" in row)
        await pilot.mouse_down(MessageView, offset=(2, y))
        await pilot.hover(MessageView, offset=(14, y))
        await pilot.mouse_up(MessageView, offset=(14, y))
        await pilot.pause()
        assert (app.screen.get_selected_text() or "").strip() == "select these"
