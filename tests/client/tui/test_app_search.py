"""Searching and going places, by mouse alone and by keys alone."""

from __future__ import annotations

import pytest

from mystic_client.tui.screens.search import SearchScreen
from mystic_client.tui.widgets.bars import Banner
from mysticproto import model
from mysticproto.model import ConversationInfo, GroupInfo, ToGlobal, ToUsers
from tests.support.desk import Desk, sitting
from tests.support.fake_session import ANA, BOB, DEV, EVA, NOON_US, FakeServer, between, said


def full_server() -> FakeServer:
    server = FakeServer()
    server.past["global"] = [said(n, (ANA, BOB)[n % 2], f"old words {n}", minute=n - 900) for n in range(1, 801)]
    server.past["users:ana"] = [said(n, ANA, f"private words {n}", between(ANA)) for n in range(801, 804)]
    server.hits = [e for page in server.past.values() for e in page if isinstance(e, model.Message)]
    return server


def searches(desk: Desk) -> list[model.Search]:
    return [request for request in desk.server.session.requests if isinstance(request, model.Search)]


def search_screen(desk: Desk) -> SearchScreen:
    assert isinstance(desk.app.screen, SearchScreen)
    return desk.app.screen


async def test_a_search_and_a_jump_into_the_past_by_keys() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.press("ctrl+f")
        await desk.write("words 333", "enter")
        await desk.press("enter")
        assert "old words 333" in desk.shown() and "old words 334" in desk.shown()
        assert desk.chat.view.selected is not None and desk.chat.view.selected.number == 333
        assert "You are reading the past" in desk.shown(Banner)
        await desk.press(*["pageup"] * 4, *["pagedown"] * 8)
        await desk.press("home")
        await desk.press("escape", "escape")
        assert "old words 800" in desk.shown() and not desk.displayed("#banner")


async def test_pages_before_and_after_the_hit_come_while_scrolling() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.press("ctrl+f")
        await desk.write("words 333", "enter", "enter")
        for _ in range(12):
            await desk.press("end")
        assert "old words 800" in desk.shown()
        for _ in range(16):
            await desk.press("home")
        assert "This is the beginning" in desk.shown()
        assert len(desk.app.line.store.front_talk.timeline) < 200, "the live conversation has no holes"


async def test_what_is_typed_in_the_past_goes_to_the_end() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.press("ctrl+f")
        await desk.write("words 333", "enter", "enter")
        await desk.press("h", "i", "enter")
        assert desk.posted == [(ToGlobal(), "hi")]
        assert "old words 800" in desk.shown() and not desk.displayed("#banner")


async def test_a_search_in_one_conversation_by_mouse() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.click("#people", "ana")
        await desk.click("#tabs", "Search")
        await desk.click("#words")
        await desk.write("802")
        await desk.click("#where")
        await desk.click("#find")
        assert searches(desk)[-1].of == ToUsers(("ana",))
        await desk.click("#hits", "802")
        assert desk.app.line.store.front == "direct:1,2"
        assert desk.chat.view.selected is not None and desk.chat.view.selected.number == 802
        assert not desk.displayed("#banner"), "it is there anyway"


async def test_who_and_when_can_be_said() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.press("ctrl+f")
        await desk.write("words")
        await desk.press("tab")
        await desk.write("an", "right")
        await desk.press("tab")
        await desk.write("soon", "enter")
        assert "'soon' is not a date" in desk.words("#search-status") and searches(desk) == []
        await desk.press("ctrl+u")
        await desk.write("2026-09-01", "enter")
        assert (searches(desk)[0].author, searches(desk)[0].since_us > 0) == ("ana", True)


async def test_more_is_found_by_scrolling() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.press("ctrl+f")
        await desk.write("words", "enter")
        first = len(search_screen(desk).hits.rows)
        for _ in range(3):
            await desk.press("end")
        hits = [hit.seq for hit in search_screen(desk).hits.rows]
        assert len(hits) > first and hits == sorted(set(hits), reverse=True)


async def test_mentions_are_one_key_or_one_click_away() -> None:
    server = full_server()
    server.hits.append(said(900, EVA, "ask @zoe about it"))
    async with sitting(server=server) as desk:
        await desk.press("ctrl+f", "f3")
        assert [hit.seq for hit in search_screen(desk).hits.rows] == [900]
        await desk.press("escape", "ctrl+f")
        await desk.click("#mentions")
        assert [hit.seq for hit in search_screen(desk).hits.rows] == [900]


async def test_what_goes_wrong_is_said_and_text_stays_text() -> None:
    server = full_server()
    server.hits.append(said(900, EVA, "[/nope] words"))
    async with sitting(server=server) as desk:
        await desk.write("/search [/nope]", "enter")
        assert "[/nope] words" in desk.shown(type(search_screen(desk).hits))
        server.refusals[model.Search] = model.Refused(1, "busy", "[too] much")
        await desk.click("#find")
        assert desk.words("#search-status") == "[too] much"
        server.refusals.clear()
        await desk.press("ctrl+a")
        search_screen(desk).query_one("#words").value = "zzz"  # type: ignore[attr-defined]
        await desk.click("#find")
        assert desk.words("#search-status") == "Nothing was found."
        await desk.click("#close")
        assert desk.chatting


async def test_a_hit_that_is_gone_is_explained() -> None:
    server = full_server()
    server.hits.append(said(900, EVA, "gone words"))
    async with sitting(server=server) as desk:
        await desk.write("/search gone", "enter")
        await desk.press("enter")
        assert [toast.message for toast in desk.app._notifications] == ["That message is not to be found here."]


async def test_the_switcher_by_keys() -> None:
    server = full_server()
    server.conversations = [ConversationInfo(between(EVA, BOB), 9, NOON_US)]
    async with sitting(server=server) as desk:
        await desk.press("ctrl+k")
        assert not desk.chatting
        await desk.write("bob and", "enter")
        assert desk.app.line.store.front == "direct:1,3,4"
        await desk.press("ctrl+k")
        await desk.write("glo", "enter")
        assert desk.app.line.store.front == "global"
        await desk.press("ctrl+k", "down", "up", "escape")
        assert desk.chatting


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_the_switcher_by_mouse(size: tuple[int, int]) -> None:
    server = full_server()
    server.groups = [GroupInfo(DEV, ANA, (ANA,))]
    async with sitting(server=server, size=size) as desk:
        if size[0] >= 100:
            await desk.click("#tabs", "Go to")
        else:
            await desk.press("ctrl+k")
        await desk.click("#destinations", "dev")
        assert desk.app.line.store.front == "group:7"
        await desk.press("ctrl+k")
        await desk.click("#destinations", "eva")
        assert desk.app.line.store.front == "direct:1,4"


async def test_somebody_whom_nobody_here_knows_can_be_written_to() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.press("f4", "ctrl+k")
        await desk.write("mallory", "enter")
        assert desk.app.line.store.front_talk.target == ToUsers(("mallory",))
        assert desk.chat.composer.has_focus
