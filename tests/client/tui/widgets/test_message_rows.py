"""Message rows: what is wrapped, and where the view stands."""

from __future__ import annotations

import pytest

from mystic_client.model.talk import GLOBAL, Talk
from mystic_client.tui.messages import PastWanted
from mystic_client.tui.widgets.message_view import MessageView
from tests.support.one_view import entry, rows, shown, talk_of


async def test_the_newest_message_is_at_the_bottom() -> None:
    async with shown(talk_of(100)) as (app, pilot):
        assert "message 100" in rows(app)[-1]
        app.talk.timeline.add(entry(101))
        app.view.update()
        await pilot.pause()
        assert "message 101" in rows(app)[-1]


async def test_a_short_conversation_stands_at_the_bottom_too() -> None:
    async with shown(talk_of(1)) as (app, _):
        drawn = rows(app)
        assert "message 1" in drawn[-1]
        assert drawn[0] == ""
        assert any("This is the beginning" in row for row in drawn)


async def test_of_a_hundred_thousand_messages_only_what_is_near_is_wrapped() -> None:
    async with shown(talk_of(100_000)) as (app, pilot):
        assert app.view.laid_out_count < 100
        for key in ("home", "pagedown", "pagedown", "end", "pageup", "pageup"):
            await pilot.press(key)
        assert app.view.laid_out_count < 400
        app.view.scroll_to(y=120_000, animate=False)
        await pilot.pause()
        assert app.view.laid_out_count < 500
        for _ in range(100):
            app.talk.timeline.add(entry(len(app.talk.timeline) + 1))
        app.view.update()
        await pilot.pause()
        assert app.view.laid_out_count < 500


async def test_scrolling_up_line_by_line_shows_every_row_once() -> None:
    """Guesses that turn out wrong never make the view jump."""
    texts = ["word " * (place % 40) + f"end{place}" for place in range(300)]
    talk = Talk(GLOBAL, "global", history="all")
    talk.timeline.add_page([entry(place + 1, text) for place, text in enumerate(texts)])
    async with shown(talk) as (app, _):
        before = rows(app)
        for _ in range(500):
            app.view.action_scroll_up()
            now = rows(app)
            assert now[1:] == before[:-1]
            before = now
            if "This is the beginning" in now[0]:
                break


async def test_older_pages_come_in_front_without_a_jump() -> None:
    talk = Talk(GLOBAL, "global", history="more")
    talk.timeline.add_page([entry(place) for place in range(1000, 1100)])
    async with shown(talk) as (app, pilot):
        await pilot.press("home")
        await pilot.pause()
        assert app.heard(PastWanted)
        await pilot.press("down", "down", "down")
        before = rows(app)
        talk.timeline.add_page([entry(place, "long " * 40) for place in range(900, 1000)])
        app.view.update()
        await pilot.pause()
        assert rows(app) == before


async def test_a_reader_stays_in_place_and_is_told_what_is_new() -> None:
    async with shown(talk_of(100)) as (app, pilot):
        await pilot.press("pageup", "pageup")
        before = rows(app)
        for place in range(101, 106):
            app.talk.timeline.add(entry(place))
        app.view.update()
        await pilot.pause()
        assert rows(app) == before
        assert [message.count for message in app.heard(MessageView.Unseen)] == [5]
        await pilot.press("end")
        assert "message 105" in rows(app)[-1]
        assert [message.count for message in app.heard(MessageView.Unseen)][-1] == 0
        assert app.view.following


async def test_another_width_keeps_what_is_on_top() -> None:
    talk = talk_of(0)
    talk.timeline.add_page([entry(place, f"at{place} " + "word " * 30) for place in range(1, 200)])
    async with shown(talk) as (app, pilot):
        app.view.scroll_to(y=200, animate=False)
        await pilot.pause()
        top = next(row.split()[1] for row in rows(app) if row.startswith("▌ at"))
        await pilot.resize_terminal(40, 20)
        await pilot.pause()
        assert any(top in row for row in rows(app))
        await pilot.resize_terminal(90, 12)
        await pilot.pause()
        assert any(top in row for row in rows(app))


async def test_each_conversation_keeps_its_place() -> None:
    async with shown(talk_of(200)) as (app, pilot):
        await pilot.press("pageup", "pageup", "pageup")
        before = rows(app)
        app.view.show(Talk("direct:1,2", "direct", history="all"), "zoe")
        await pilot.pause()
        assert any("Nothing here yet" in row for row in rows(app))
        app.view.show(app.talk, "zoe")
        await pilot.pause()
        assert rows(app) == before


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (20, 5), (500, 200)])
async def test_any_size_will_do(size: tuple[int, int]) -> None:
    talk = talk_of(30)
    talk.timeline.add(entry(50, "漢字" * 400 + "\n" + "👩\u200d👩\u200d👧" * 200 + "e\u0301" * 300))
    async with shown(talk, size) as (app, pilot):
        for width in (1, 79, 7, 300):
            await pilot.resize_terminal(width, size[1])
            await pilot.press("pageup", "end", "home")
        assert len(rows(app)) == app.view.size.height


async def test_a_change_that_was_not_drawn_yet_does_no_harm() -> None:
    async with shown(talk_of(50)) as (app, pilot):
        app.talk.timeline.add_page([entry(place) for place in range(-40, 0)])
        app.talk.timeline.forget_before(30)
        await pilot.press("pageup", "pageup", "home", "end")
        await pilot.resize_terminal(33, 9)
        assert any("message 50" in row for row in rows(app))
        app.view.update()
        await pilot.pause()
        assert any("message 50" in row for row in rows(app))
