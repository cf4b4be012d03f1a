"""Talking, by mouse alone and by keys alone."""

from __future__ import annotations

from mystic_client.tui.widgets.tab_bar import TabBar
from mysticproto import model
from mysticproto.model import Broadcast, ToEveryone, ToGlobal, ToUsers
from tests.support.desk import sitting
from tests.support.fake_session import ANA, BOB, NOON_US, FakeServer, between, said
from tests.support.widget_app import at


async def test_talking_to_everybody_by_keys_and_by_mouse() -> None:
    async with sitting() as desk:
        await desk.write("hello", "enter")
        await desk.write("again")
        await desk.click("#send")
        assert desk.posted == [(ToGlobal(), "hello"), (ToGlobal(), "again")]
        assert desk.shown().count("○") == 2
        desk.server.session.acknowledge(5, away=("bob",))
        await desk.settle()
        assert desk.shown().count("✓") == 1 and "bob is away" in desk.shown()
        assert desk.chat.composer.text == ""


async def test_a_message_that_failed_is_sent_again_by_key_and_by_mouse() -> None:
    async with sitting() as desk:
        await desk.write("hello", "enter")
        desk.server.session.refuse("[no] way")
        await desk.settle()
        assert "[no] way" in desk.shown()
        await desk.press("ctrl+r")
        assert desk.posted == [(ToGlobal(), "hello")] * 2
        desk.server.session.refuse("no")
        await desk.settle()
        await desk.click(desk.chat.view, "Retry")
        assert len(desk.posted) == 3
        desk.server.session.refuse("no")
        await desk.settle()
        await desk.click(desk.chat.view, "Drop")
        assert "▌ hello" not in desk.shown()


async def test_a_wrong_command_keeps_the_line() -> None:
    async with sitting() as desk:
        await desk.write("mystic dance", "enter")
        assert desk.chat.composer.text == "mystic dance"
        assert desk.posted == []
        await desk.pilot.pause()
        assert any("not recognized" in toast.message for toast in desk.app._notifications)


async def test_a_private_conversation_by_mouse_and_by_keys() -> None:
    async with sitting() as desk:
        await desk.click("#people", "ana")
        assert desk.app.line.store.front == "direct:1,2"
        await desk.write("psst", "enter")
        assert desk.posted == [(ToUsers(("ana",)), "psst")]
        await desk.press("f2", "end", "enter")
        assert desk.app.line.store.front == "direct:1,4"
        await desk.press("f2", "home", "enter")
        assert desk.app.line.store.front == "direct:1,4", "one doesn't write to oneself"


async def test_several_people_by_mouse_and_by_keys() -> None:
    async with sitting() as desk:
        await desk.click("#people", "ana", control=True)
        await desk.click("#people", "bob", control=True)
        assert desk.words("#message-people") == "Message 2 people"
        await desk.click("#message-people")
        assert desk.app.line.store.front == "direct:1,2,3"
        assert "ana and bob" in desk.shown(TabBar)
        assert not desk.displayed("#message-people")
        await desk.press("f2", "home", "down", "space", "down", "down", "space", "enter")
        assert desk.app.line.store.front == "direct:1,2,4"
        await desk.write("/to bob, eva hi you", "enter")
        assert desk.posted == [(ToUsers(("bob", "eva")), "hi you")]


async def test_unread_counts_and_turning_by_mouse_and_keys() -> None:
    async with sitting() as desk:
        await desk.hear(said(1, ANA, "one", between(ANA)), said(2, ANA, "two", between(ANA)))
        assert desk.shown(TabBar).split() == ["Global", "@", "ana", "2", "×", "▤", "Files", "Go", "to", "Search"]
        await desk.click("#tabs", "ana")
        assert "two" in desk.shown() and "new" in desk.shown()
        assert desk.shown(TabBar).split() == ["Global", "@", "ana", "×", "▤", "Files", "Go", "to", "Search"]
        for keys, front in (
            ("ctrl+pageup", "global"),
            ("ctrl+pagedown", "direct:1,2"),
            ("alt+1", "global"),
            ("alt+2", "direct:1,2"),
        ):
            await desk.press(keys)
            assert desk.app.line.store.front == front
        await desk.press("f8")
        assert list(desk.app.line.store.talks) == ["global"]
        await desk.hear(said(3, ANA, "three", between(ANA)))
        await desk.click("#tabs", "×")
        assert list(desk.app.line.store.talks) == ["global"]
        await desk.press("f8")
        assert list(desk.app.line.store.talks) == ["global"]


async def test_drafts_stay_with_their_conversation() -> None:
    async with sitting() as desk:
        await desk.write("half a")
        await desk.click("#people", "ana")
        assert desk.chat.composer.text == ""
        await desk.write("other")
        await desk.press("ctrl+pageup")
        assert desk.chat.composer.text == "half a"


async def test_broadcasts_are_in_front_and_names_can_be_clicked() -> None:
    async with sitting() as desk:
        await desk.click("#people", "ana")
        await desk.hear(model.Message(3, NOON_US, BOB, Broadcast(), "fire drill"))
        assert "to everybody" in desk.shown() and "fire drill" in desk.shown()
        await desk.click(desk.chat.view, "bob")
        assert not desk.chatting, "there is a window about bob"
        await desk.press("escape", "escape")
        await desk.write("/broadcast over", "enter")
        assert desk.posted == [(ToEveryone(), "over")]


async def test_scrolled_up_there_is_a_pill_to_the_newest() -> None:
    async with sitting() as desk:
        await desk.hear(*(said(n, ANA, f"line {n}") for n in range(1, 80)))
        await desk.press("pageup")
        await desk.hear(said(90, ANA, "newest"))
        assert desk.displayed("#pill")
        assert "1 new message" in desk.words("#pill")
        await desk.click("#pill")
        assert "newest" in desk.shown()
        assert not desk.displayed("#pill")
        await desk.press("pageup")
        await desk.hear(said(91, ANA, "newer still"))
        await desk.press("ctrl+end")
        assert "newer still" in desk.shown()
        assert not desk.displayed("#pill")


async def test_older_messages_come_when_scrolling_up() -> None:
    server = FakeServer()
    server.past["global"] = [said(n, ANA, f"old {n}") for n in range(1, 301)]
    async with sitting(server=server) as desk:
        assert "old 300" in desk.shown()
        desk.chat.view.focus()
        for _ in range(5):
            await desk.press("home")
        assert "This is the beginning" in desk.shown()
        assert "old 1" in desk.shown()


async def test_what_was_selected_is_copied_and_links_too() -> None:
    async with sitting() as desk:
        await desk.hear(said(1, ANA, "copy these words"), said(2, ANA, "https://example.org/x", minute=1))
        x, y = at(desk.chat.view, "these")
        await desk.pilot.mouse_down(desk.chat.view, offset=(x, y))
        await desk.pilot.hover(desk.chat.view, offset=(x + 5, y))
        await desk.pilot.mouse_up(desk.chat.view, offset=(x + 5, y))
        await desk.press("ctrl+c")
        assert desk.app.clipboard.strip() == "these"
        await desk.click(desk.chat.view, "https")
        assert desk.app.clipboard == "https://example.org/x"


async def test_a_cleared_view_shows_the_past_again_when_asked() -> None:
    server = FakeServer()
    server.past["global"] = [said(1, ANA, "old")]
    async with sitting(server=server) as desk:
        await desk.write("/clear", "enter")
        assert "old" not in desk.shown().replace("older", "")
        await desk.click(desk.chat.view, "Click to show older")
        assert "old" in desk.shown().split()
