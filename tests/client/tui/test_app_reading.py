"""What was delivered and read, what is new, and what an earlier run left behind."""

from __future__ import annotations

import pytest
from textual import events

from mystic_client.model.talk import GLOBAL
from mystic_client.session.heard import PostState
from mystic_client.tui.widgets.bars import Banner
from mystic_client.tui.widgets.tab_bar import TabBar
from mysticproto import model
from mysticproto.model import ConversationInfo, GroupInfo, Marked, ToUsers, UserInfo, Watermark
from tests.support.desk import Desk, sitting
from tests.support.fake_session import ANA, BOB, DEV, EVA, NOON_US, OWN, FakeServer, between, said

WITH_ANA = "direct:1,2"


def toasts(desk: Desk) -> list[str]:
    return [toast.message for toast in desk.app._notifications]


def state_shown(desk: Desk, text: str) -> str:
    row = next(row for row in desk.shown().splitlines() if text in row)
    return row.rstrip().rpartition(" ")[2]


async def test_a_private_message_is_sent_delivered_and_read() -> None:
    async with sitting() as desk:
        await desk.click("#people", "ana")
        await desk.write("psst", "enter")
        assert state_shown(desk, "psst") == "○"
        desk.server.session.acknowledge(5)
        await desk.settle()
        assert state_shown(desk, "psst") == "✓"
        await desk.hear(Marked(WITH_ANA, ANA, delivered=5))
        assert state_shown(desk, "psst") == "✓✓"
        before = desk.chat.view.render_line(desk.chat.view.size.height - 1)
        await desk.hear(Marked(WITH_ANA, ANA, read=5))
        after = desk.chat.view.render_line(desk.chat.view.size.height - 1)
        assert state_shown(desk, "psst") == "✓✓"
        bold = [any(s.style and s.style.bold and "✓" in s.text for s in strip) for strip in (before, after)]
        assert bold == [False, True], "not by colour alone"


async def test_watermarks_from_before_are_asked_for() -> None:
    server = FakeServer()
    server.past["users:ana"] = [said(4, OWN, "one", between(ANA)), said(5, OWN, "two", between(ANA))]
    server.receipts = [Watermark(OWN, 5, 5), Watermark(ANA, 5, 4)]
    async with sitting(server=server) as desk:
        await desk.click("#people", "ana")
        assert (state_shown(desk, "one"), state_shown(desk, "two")) == ("✓✓", "✓✓")
        assert desk.app.line.store.front_talk.read == 4


async def test_who_is_away_is_said_below_the_message_and_above_the_line() -> None:
    server = FakeServer()
    server.away = [UserInfo(ANA, "member", "", False, NOON_US - 7_200_000_000)]
    server.users = [OWN, BOB]
    async with sitting(server=server) as desk:
        desk.app.line.store.look_at(desk.app.line.store.open_direct([ANA]))
        desk.app.flush()
        await desk.write("psst", "enter")
        desk.server.session.acknowledge(5, away=("ana",), since=(NOON_US - 7_200_000_000,))
        await desk.settle()
        assert "ana is away, last seen 2 h ago" in desk.shown()
        assert "ana is away, last seen 2 h ago" in desk.shown(Banner)
        await desk.hear(Marked(WITH_ANA, ANA, delivered=5))
        assert "last seen" not in desk.shown()


@pytest.mark.parametrize("by_mouse", [False, True])
async def test_who_has_read_a_message_in_a_group_is_said_on_demand(by_mouse: bool) -> None:
    server = FakeServer()
    server.groups = [GroupInfo(DEV, ANA, (ANA, BOB, EVA, OWN), kept=True)]
    server.receipts = [Watermark(OWN, 9, 9), Watermark(ANA, 9, 7), Watermark(BOB, 9, 9), Watermark(EVA, 6, 6)]
    async with sitting(server=server) as desk:
        await desk.hear(said(7, OWN, "all here?", DEV))
        if by_mouse:
            await desk.click("#tabs", "dev")
            await desk.click(desk.chat.view, "all here", button=3)
            await desk.click(desk.app.screen.query_one("ActList"), "Who has")
        else:
            await desk.press("alt+2", "alt+up", "i")
        assert toasts(desk) == ["Read by 2 of 3: ana and bob."]


async def test_a_message_is_read_when_it_is_seen() -> None:
    async with sitting() as desk:
        session = desk.server.session
        await desk.hear(said(5, ANA, "one", between(ANA)))
        assert session.marks == [], "its tab is not in front"
        await desk.click("#tabs", "ana")
        assert session.marks == [(WITH_ANA, 5)]
        assert desk.server.notebook.read[WITH_ANA] == 5
        desk.app.post_message(events.AppBlur())
        await desk.settle()
        await desk.hear(said(6, ANA, "two", between(ANA)))
        assert session.marks == [(WITH_ANA, 5)], "the terminal has not the focus"
        assert "1" in desk.shown(TabBar) and "new" in desk.shown()
        desk.app.post_message(events.AppFocus())
        await desk.settle()
        assert session.marks[-1] == (WITH_ANA, 6)
        assert "1" not in desk.shown(TabBar)


async def test_what_is_not_scrolled_into_view_is_not_read() -> None:
    async with sitting() as desk:
        await desk.hear(*(said(n, ANA, f"line {n}", between(ANA)) for n in range(1, 80)))
        await desk.click("#tabs", "ana")
        await desk.press("pageup")
        await desk.hear(said(90, ANA, "newest", between(ANA)))
        assert desk.server.session.marks[-1] == (WITH_ANA, 79)
        await desk.press("ctrl+end")
        assert desk.server.session.marks[-1] == (WITH_ANA, 90)


async def test_what_is_said_to_everybody_has_no_receipts_but_a_place_in_the_notebook() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "hello"))
        assert desk.server.session.marks == []
        assert desk.server.notebook.read[GLOBAL] == 5


@pytest.mark.parametrize("by_mouse", [False, True])
async def test_the_first_new_message_can_be_gone_to(by_mouse: bool) -> None:
    async with sitting() as desk:
        await desk.hear(*(said(n, ANA, f"line {n}", between(ANA)) for n in range(1, 80)))
        await desk.click("#tabs", "ana")
        assert desk.displayed("#first-new")
        if by_mouse:
            await desk.click("#first-new")
        else:
            await desk.press("alt+n")
        assert "line 1 " in desk.shown() and "new ─" in desk.shown()
        assert not desk.displayed("#first-new")


async def test_drafts_tabs_and_read_positions_are_there_again_after_a_restart() -> None:
    server = FakeServer()
    async with sitting(server=server) as desk:
        await desk.click("#people", "ana")
        await desk.hear(said(5, ANA, "psst", between(ANA)))
        await desk.write("half an ans")
        await desk.press("alt+1")
        await desk.write("and to all")
    server.conversations = [ConversationInfo(between(ANA), 7, NOON_US, 5)]
    server.past["users:ana"] = [said(n, ANA, f"word {n}", between(ANA)) for n in (5, 6, 7)]
    async with sitting(server=server) as desk:
        assert desk.shown(TabBar).split()[:5] == ["Global", "@", "ana", "2", "×"]
        assert desk.chat.composer.text == "and to all"
        await desk.press("alt+2")
        assert desk.chat.composer.text == "half an ans"
        assert "word 7" in desk.shown() and "new" in desk.shown()
        await desk.press("ctrl+u", "alt+1")
        assert list(server.notebook.drafts) == [GLOBAL]


async def test_what_an_earlier_run_could_not_send_is_in_its_conversation() -> None:
    server = FakeServer()
    server.greets = "silence"
    async with sitting(server=server) as desk:
        server.session.go_online()
        to = ToUsers(("ana",))
        lost = PostState(b"\1" * 16, "failed", to, "lost words", time_us=NOON_US, error="no", restored=True)
        late = PostState(b"\2" * 16, "pending", to, "late words", time_us=NOON_US, restored=True)
        await desk.hear(lost, late)
        await desk.settle()
        await desk.click("#tabs", "ana")
        assert "late words" in desk.shown() and "lost words" in desk.shown() and "Retry" in desk.shown()
        await desk.hear(PostState(b"\2" * 16, "sent", to, "late words", 9, NOON_US, restored=True))
        assert state_shown(desk, "late words") == "✓"
        await desk.click(desk.chat.view, "Drop")
        assert "lost words" not in desk.shown()


async def test_announcements_look_special() -> None:
    async with sitting() as desk:
        await desk.hear(model.Message(5, NOON_US, BOB, model.Broadcast(), "tea at five", announcement=True))
        assert "bob  announces" in desk.shown()
