"""Answering, editing, deleting and copying messages: each by mouse alone and by keys alone."""

from __future__ import annotations

import pytest

from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.dialogs import Question
from mystic_client.tui.screens.message_menu import MessageMenu
from mystic_client.tui.widgets.compose_bar import ComposeBar
from mysticproto import model
from mysticproto.model import Global, Message, MessageDeleted, MessageEdited, ToGlobal
from tests.support.desk import Desk, sitting
from tests.support.fake_session import ANA, BOB, NOON_US, OWN, FakeServer, said


def asked(desk: Desk, kind: type) -> list[model.Request]:
    return [request for request in desk.server.session.requests if isinstance(request, kind)]


def toasts(desk: Desk) -> list[str]:
    return [toast.message for toast in desk.app._notifications]


async def test_a_reply_by_keys() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "lunch?"), said(6, BOB, "busy"))
        await desk.press("alt+up", "alt+up")
        assert desk.chat.view.selected is not None and desk.chat.view.selected.number == 5
        await desk.press("r")
        assert "Replying to" in desk.shown(ComposeBar) and "ana: lunch?" in desk.shown(ComposeBar)
        await desk.write("gladly", "enter")
        assert desk.posted == [(ToGlobal(), "gladly")] and desk.server.session.replies_to == [5]
        assert "↳ ana: lunch?" in desk.shown()
        assert not desk.displayed("#compose-bar")
        await desk.write("more", "enter")
        assert desk.server.session.replies_to == [5, 0]


async def test_a_reply_by_mouse() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "lunch?"))
        await desk.click(desk.chat.view, "lunch")
        await desk.click(desk.chat.view, "⋯")
        assert isinstance(desk.app.screen, MessageMenu)
        await desk.click(desk.app.screen.list, "Reply")
        await desk.write("gladly")
        await desk.click("#send")
        assert desk.server.session.replies_to == [5]
        await desk.click(desk.chat.view, "lunch", button=3)
        await desk.click(desk.app.screen.query_one("ActList"), "Reply")
        await desk.click("#compose-bar", "✕")
        await desk.write("nothing in particular")
        await desk.click("#send")
        assert desk.server.session.replies_to == [5, 0]


async def test_escape_takes_one_step_back_after_the_other() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "lunch?"))
        await desk.press("alt+up", "escape")
        assert desk.chat.view.selected is None and desk.chat.composer.has_focus
        await desk.press("alt+up", "r", "escape")
        assert not desk.displayed("#compose-bar")


async def test_an_edit_by_keys() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, OWN, "frist"), said(6, ANA, "what?"))
        await desk.write("half a dra")
        await desk.press("alt+up", "alt+up", "e")
        assert desk.chat.composer.text == "frist" and "Editing" in desk.shown(ComposeBar)
        await desk.press("ctrl+u")
        await desk.write("first", "enter")
        assert asked(desk, model.Edit) == [model.Edit(asked(desk, model.Edit)[0].n, 5, "first")]
        assert desk.chat.composer.text == "half a dra", "what was begun is there again"
        await desk.hear(MessageEdited(7, NOON_US, 5, OWN, Global(), "first"))
        assert "first (edited)" in desk.shown()


async def test_up_in_an_empty_line_edits_the_last_message_and_a_refusal_loses_nothing() -> None:
    server = FakeServer()
    server.refusals[model.Edit] = model.Refused(1, "muted", "You can't speak for [10] minutes.")
    async with sitting(server=server) as desk:
        await desk.hear(said(5, OWN, "frist"), said(6, ANA, "what?"))
        await desk.press("up")
        await desk.write("!", "enter")
        assert desk.chat.composer.text == "frist!" and desk.displayed("#compose-bar")
        assert toasts(desk) == ["You can't speak for [10] minutes."]
        await desk.press("escape")
        assert desk.chat.composer.text == ""


async def test_an_edit_by_mouse() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, OWN, "frist"))
        await desk.click(desk.chat.view, "frist", button=3)
        await desk.click(desk.app.screen.query_one("ActList"), "Edit")
        await desk.write("!")
        await desk.click("#send")
        assert [request.text for request in asked(desk, model.Edit) if isinstance(request, model.Edit)] == ["frist!"]


async def test_a_deletion_by_keys_asks_first() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, OWN, "oops"))
        await desk.press("alt+up", "d")
        assert isinstance(desk.app.screen, Question)
        await desk.press("n")
        assert asked(desk, model.Delete) == []
        await desk.press("alt+up", "d", "y")
        assert [type(request) for request in asked(desk, model.Delete)] == [model.Delete]
        await desk.hear(MessageDeleted(6, NOON_US, 5, OWN, Global()))
        assert "message deleted" in desk.shown() and "oops" not in desk.shown()


async def test_a_deletion_by_mouse() -> None:
    server = FakeServer()
    server.refusals[model.Delete] = model.Refused(1, "not_allowed", "That is too old.")
    async with sitting(server=server) as desk:
        await desk.hear(said(5, OWN, "oops"))
        await desk.click(desk.chat.view, "oops", button=3)
        await desk.click(desk.app.screen.query_one("ActList"), "Delete")
        await desk.click("#connect")
        assert "That is too old." in desk.shown()


async def test_others_messages_are_deleted_by_operators_alone() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "rude"))
        await desk.press("alt+up", "d", "e")
        assert isinstance(desk.app.screen, ChatScreen), "and not typed either"
        assert desk.chat.composer.text == ""
        await desk.hear(model.AccountClaimed(6, NOON_US, OWN, "operator", BOB))
        await desk.press("alt+up", "d")
        assert isinstance(desk.app.screen, Question)


async def test_copying_by_keys_and_by_mouse() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "one\ntwo"), said(6, BOB, "three"))
        await desk.press("alt+up", "alt+up", "c")
        assert desk.app.clipboard == "one\ntwo"
        await desk.click(desk.chat.view, "three", button=3)
        await desk.click(desk.app.screen.query_one("ActList"), "Copy")
        assert desk.app.clipboard == "three"


@pytest.mark.parametrize("by_mouse", [False, True])
async def test_a_quote_leads_to_what_it_answers(by_mouse: bool) -> None:
    async with sitting(size=(100, 20)) as desk:
        await desk.hear(*(said(n, ANA, f"line {n}") for n in range(1, 40)))
        await desk.hear(Message(50, NOON_US, BOB, Global(), "indeed", reply_to=3))
        assert "line 3 " not in desk.shown()
        if by_mouse:
            await desk.click(desk.chat.view, "↳ ana: line 3")
        else:
            await desk.press("alt+up", "enter", "enter")
        assert desk.chat.view.selected is not None and desk.chat.view.selected.number == 3
        assert "line 3 " in desk.shown()


async def test_a_quote_of_what_is_not_here_is_fetched_and_leads_into_the_past() -> None:
    server = FakeServer()
    server.past["global"] = [
        *(said(n, ANA, f"old {n}") for n in range(1, 301)),
        Message(301, NOON_US, BOB, Global(), "indeed", reply_to=7),
    ]
    async with sitting(server=server) as desk:
        assert "↳ ana: old 7" in desk.shown()
        await desk.press("alt+up", "o")
        assert "old 7 " in desk.shown() and "You are reading the past" in desk.shown(type(desk.chat.banner))
        await desk.click("#banner", "Back to now")
        assert "indeed" in desk.shown()


async def test_what_failed_is_sent_again_or_given_up_by_keys() -> None:
    async with sitting() as desk:
        await desk.write("hello", "enter")
        desk.server.session.refuse("no")
        await desk.settle()
        await desk.press("alt+up", "s")
        assert len(desk.posted) == 2 and "○" in desk.shown()
        desk.server.session.refuse("no")
        await desk.settle()
        await desk.press("x")
        assert "hello" not in desk.shown()


async def test_markup_in_a_message_is_text_in_every_place() -> None:
    payload = "[/nope] [@click=app.quit]x[/]"
    async with sitting() as desk:
        await desk.hear(said(5, ANA, payload))
        await desk.press("alt+up", "enter")
        assert payload[:12] in str(desk.app.screen.query_one(".about").render())
        await desk.press("r")
        assert payload in desk.shown(ComposeBar)
        await desk.write("x", "enter")
        assert f"↳ ana: {payload}" in desk.shown()


async def test_talking_privately_with_whoever_said_something() -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "lunch?"), said(6, model.UserRef(77, "gone"), "bye"))
        await desk.press("alt+up", "p")
        assert desk.app.line.store.front_talk.target == model.ToUsers(("gone",))
        await desk.press("alt+1")
        await desk.click(desk.chat.view, "lunch", button=3)
        await desk.click(desk.app.screen.query_one("ActList"), "Talk")
        assert desk.app.line.store.front == "direct:1,2"
