"""The program as a whole: connecting, losing the server, leaving, help, sizes, foreign text."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from textual.widgets import Input

from mystic_client.model.choice import Choice
from mystic_client.session.heard import Online, Trying, Waiting
from mystic_client.tui import app as app_module
from mystic_client.tui.screens.help import HelpScreen
from mystic_client.tui.widgets.bars import Banner, TopBar
from mystic_client.tui.widgets.composer import Composer
from mystic_client.tui.widgets.rosters import PeopleList
from mysticproto import model
from mysticproto.model import GroupInfo, ToGlobal
from tests.support.desk import HERE, sitting
from tests.support.fake_session import ANA, NOON_US, OWN, FakeServer, between, said


async def test_with_everything_given_it_connects_at_once() -> None:
    async with sitting() as desk:
        assert desk.chatting
        assert desk.server.remembered == [HERE]
        assert "● connected" in desk.shown(TopBar)
        assert "office:12000" in desk.shown(TopBar)


async def test_what_is_missing_is_asked_for_by_keys() -> None:
    async with sitting(Choice()) as desk:
        assert desk.connect.query_one("#host", Input).value == "127.0.0.1"
        assert desk.connect.query_one("#port", Input).value == "12000"
        await desk.write("zoe", "enter")
        assert desk.chatting
        assert str(desk.server.session.address) == "127.0.0.1:12000"


async def test_what_is_missing_is_asked_for_by_mouse() -> None:
    recent = [Choice("zoe", "office", 12000), Choice("zoe", "[/b]", 1)]
    async with sitting(Choice(), recent=recent) as desk:
        await desk.click("#recent", "office")
        assert desk.chatting
        assert desk.server.session.name == "zoe"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "no spaces", ""),
        ("port", "x", "number from 1 to 65535"),
        ("port", "99999", "65535"),
        ("host", "a b", "space"),
    ],
)
async def test_what_makes_no_sense_is_said_beside_the_field(field: str, value: str, words: str) -> None:
    async with sitting(Choice("zoe")) as desk:
        desk.connect.query_one(f"#{field}", Input).value = value
        await desk.click("#connect")
        assert desk.displayed(f"#{field}-problem")
        assert words in desk.words(f"#{field}-problem")
        assert desk.server.sessions == []


async def test_a_server_that_cannot_be_reached_is_reported_with_retry() -> None:
    server = FakeServer()
    server.greets = "refused"
    async with sitting(server=server) as desk:
        assert "Connection refused" in desk.words("#status")
        assert desk.words("#connect") == "Retry"
        server.greets = "welcome"
        await desk.click("#connect")
        assert desk.chatting
        assert len(server.sessions) == 2


async def test_a_refused_name_is_explained_beside_it() -> None:
    server = FakeServer()
    server.greets = "silence"
    async with sitting(server=server) as desk:
        server.session.end("name_in_use", "zoe is [taken]")
        await desk.settle()
        assert desk.displayed("#name-problem")
        assert desk.words("#name-problem") == "zoe is [taken]"
        assert desk.connect.query_one("#name", Input).has_focus


async def test_connecting_can_be_given_up_by_key_and_by_mouse() -> None:
    server = FakeServer()
    server.greets = "silence"
    async with sitting(server=server) as desk:
        assert "Connecting to office:12000" in desk.words("#status")
        await desk.press("escape")
        assert not desk.displayed("#cancel")
        await desk.press("enter")
        assert desk.displayed("#cancel")
        await desk.click("#cancel")
        assert not desk.displayed("#cancel")
        server.greets = "welcome"
        await desk.click("#connect")
        assert desk.chatting


async def test_a_lost_server_is_said_and_trying_now_is_possible() -> None:
    async with sitting() as desk:
        await desk.hear(Waiting("[cut] off", 8.0))
        assert "Connection lost · trying again in 8 s · [cut] off" in desk.shown(Banner)
        assert "○ no connection" in desk.shown(TopBar)
        await desk.click("#banner", "Try now")
        await desk.press("ctrl+r")
        assert desk.server.session.tries_now == 2
        await desk.write("typed meanwhile", "enter")
        assert "○" in desk.shown()
        await desk.hear(Trying(2))
        assert "reconnect" in desk.shown(Banner)
        desk.server.session.go_online(again=True)
        await desk.settle()
        assert not desk.displayed("#banner")
        assert isinstance(desk.server.session.state, Online)


async def test_the_countdown_runs_only_while_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "COUNTDOWN_S", 0.01)
    async with sitting() as desk:
        shown: list[object] = []
        monkeypatch.setattr(desk.chat, "show_place", lambda *place: shown.append(place))
        await desk.hear(Waiting("[cut] off", 8.0))
        shown.clear()
        while len(shown) < 3:
            await asyncio.sleep(0)
        desk.server.session.go_online(again=True)
        await desk.settle()
        shown.clear()
        await desk.pilot.pause(0.1)  # ten times what it would take
        assert shown == []


async def test_disconnecting_by_key_leads_to_the_filled_connect_screen() -> None:
    async with sitting() as desk:
        await desk.press("f10")
        assert desk.connect.query_one("#name", Input).value == "zoe"
        assert desk.connect.query_one("#host", Input).value == "office"
        assert "You have left." in desk.words("#status")
        await desk.press("enter")
        assert desk.chatting
        assert len(desk.server.sessions) == 2


async def test_disconnecting_by_mouse_and_by_command() -> None:
    async with sitting() as desk:
        await desk.click("#top", "Disconnect")
        assert not desk.chatting
        await desk.click("#connect")
        await desk.write("mystic disconnect", "enter")
        assert not desk.chatting


async def test_being_replaced_is_explained() -> None:
    async with sitting() as desk:
        await desk.press("f1")
        desk.server.session.end("replaced", "Another device took over.")
        await desk.settle()
        assert "Another device took over." in desk.words("#status")


async def test_quitting_logs_out() -> None:
    async with sitting() as desk:
        await desk.pilot.press("ctrl+q")
        await desk.pilot.pause()
        assert desk.app.return_code == 0


async def test_help_by_key_and_by_command() -> None:
    async with sitting() as desk:
        await desk.press("f1")
        assert isinstance(desk.app.screen, HelpScreen)
        await desk.press("escape")
        await desk.write("/help", "enter")
        assert isinstance(desk.app.screen, HelpScreen)
        await desk.click("#help")
        assert desk.chatting


async def test_dark_and_light() -> None:
    async with sitting() as desk:
        await desk.press("f7")
        assert desk.app.theme == "mystic-light"
        await desk.press("f7")
        assert desk.app.theme == "mystic-dark"


async def test_a_theme_from_the_settings_or_the_default() -> None:
    async with sitting(theme="nord") as desk:
        assert desk.app.theme == "nord"
    async with sitting(theme="nonsense") as desk:
        assert desk.app.theme == "mystic-dark"


async def test_in_a_narrow_terminal_the_lists_come_and_go() -> None:
    async with sitting(size=(80, 24)) as desk:
        assert not desk.displayed("#side")
        await desk.press("f2")
        assert desk.displayed("#side")
        assert desk.chat.query_one(PeopleList).has_focus
        await desk.press("escape")
        assert not desk.displayed("#side")
        await desk.press("f3")
        assert desk.displayed("#side")
        await desk.press("f3")
        assert not desk.displayed("#side")
        await desk.press("f2", "down", "enter")
        assert desk.app.line.store.front == "direct:1,2"
        assert not desk.displayed("#side")
        assert desk.chat.composer.has_focus


@pytest.mark.parametrize("size", [(20, 5), (1, 1)])
async def test_very_small_terminals(size: tuple[int, int]) -> None:
    server = FakeServer()
    server.folders = {"": [model.FolderEntry("Music", "folder", entries=1)]}
    async with sitting(size=size, server=server) as desk:
        await desk.hear(said(1, ANA, "a long message " * 20), said(2, ANA, "x", between(ANA)))
        await desk.write("hi", "enter")
        await desk.press("f1", "escape", "f2", "escape", "f3", "escape", "f6", "escape", "slash")
        await desk.press("f4", "enter", "escape")
        await desk.pilot.resize_terminal(120, 40)
        await desk.settle()
        assert desk.posted == [(ToGlobal(), "hi")]


MARKUP = [
    "[/]",
    "[/b]",
    "[b",
    "[@click=app.exit]x",
    "[link=file:///etc/passwd]x",
    "[type=x, v={'a[0]'}]",
    "[on ]",
    "[#zz]",
    "[b]" * 500,
]


async def test_foreign_text_is_text_everywhere() -> None:
    server = FakeServer()
    users = [model.UserRef(100 + n, word) for n, word in enumerate(MARKUP)]
    groups = [model.Group(200 + n, word) for n, word in enumerate(MARKUP)]
    server.users = [OWN, *users]
    server.groups = [GroupInfo(group, users[0], (users[0],)) for group in groups]
    server.folders = {"": [model.FolderEntry(word.replace("/", "|"), "file", 1) for word in MARKUP]}
    server.refusals[model.OpenDownload] = model.Refused(1, "x", MARKUP[0])
    async with sitting(Choice("zoe", "[/b]host", 1), server, recent=[Choice(word, word, 1) for word in MARKUP]) as desk:
        for n, (word, user, group) in enumerate(zip(MARKUP, users, groups, strict=True)):
            server.session.say(
                said(10 * n + 1, user, word),
                said(10 * n + 2, user, word, between(user)),
                said(10 * n + 3, user, word, group),
                model.UserLeft(10 * n + 4, NOON_US, user, "lost"),
                model.Notice(word),
            )
            desk.chat.composer.insert("hi")
            await desk.pilot.press("enter")
            server.session.refuse(word)
            await desk.settle()
            assert word[:20] in desk.shown()
        await desk.hear(Waiting(MARKUP[1], 3.0))
        await desk.press("f4")
        await desk.press(*["ctrl+pagedown"] * (len(MARKUP) * 2 + 1))
        server.session.end("name_in_use", MARKUP[3])
        await desk.settle()
        assert desk.words("#name-problem") == MARKUP[3]


async def test_offers_are_taken_by_mouse() -> None:
    async with sitting() as desk:
        await desk.write("/br")
        await desk.click("Completions", "/broadcast")
        assert desk.chat.composer.text == "/broadcast "
        assert desk.chat.query_one(Composer).has_focus


async def test_a_signal_ends_it_even_if_the_terminal_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(app_module, "ENDED_WITHIN_S", 0.0)
    monkeypatch.setattr(os, "_exit", ended.append)
    async with sitting() as desk:
        desk.app._end_by(signal.SIGTERM)
        while not ended:  # or the real one would come later
            await asyncio.sleep(0)
        await desk.pilot.pause()
    assert ended == [128 + signal.SIGTERM]
