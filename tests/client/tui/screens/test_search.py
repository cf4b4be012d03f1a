"""The search, by mouse alone and by keys alone."""

from __future__ import annotations

from textual.widgets import Input

from mystic_client.model.search import STILL_INDEXING
from mystic_client.tui.screens.search import SearchScreen
from mystic_client.tui.widgets.bars import Banner
from mysticproto import model
from mysticproto.model import ToGlobal, ToUsers
from tests.support.desk import Desk, sitting
from tests.support.fake_session import EVA, said
from tests.support.sample_past import full_server


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


async def test_what_is_not_indexed_yet_is_said() -> None:
    server = full_server()
    server.is_indexing = True
    server.hits.append(said(900, EVA, "one cake"))
    async with sitting(server=server) as desk:
        await desk.write("/search cake", "enter")
        assert desk.words("#search-status").endswith(f"was said · {STILL_INDEXING}")
        search_screen(desk).query_one("#words", Input).value = "zzz"
        await desk.click("#find")
        assert desk.words("#search-status") == f"Nothing was found · {STILL_INDEXING}"
        server.is_indexing = False
        search_screen(desk).query_one("#words", Input).focus()
        await desk.press("enter")
        assert desk.words("#search-status") == "Nothing was found."
