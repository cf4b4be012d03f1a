"""Passwords and changed keys: from the connect screen to the session and back."""

from __future__ import annotations

from textual.widgets import Input

from mystic_client.tui.app import MysticApp
from mystic_client.tui.screens.trust import FingerprintChanged
from mysticproto.errors import Code
from tests.support.desk import HERE, Desk, sitting
from tests.support.fake_session import FakeServer

KNOWN, SEEN = ":".join(["ab"] * 32), ":".join(["cd"] * 32)


def silent() -> FakeServer:
    server = FakeServer()
    server.greets = "silence"
    return server


async def test_a_claimed_name_is_proven_with_its_password() -> None:
    async with sitting(server=silent()) as desk:
        desk.server.session.end(Code.NAME_CLAIMED, "zoe belongs to somebody.")
        await desk.settle()
        await desk.write("wrong horse", "enter")
        desk.server.session.end(Code.WRONG_PASSWORD, "That is not it.")
        await desk.settle()
        desk.server.greets = "welcome"
        await desk.write("correct horse")
        await desk.click("#connect")
        assert desk.chatting
        assert desk.server.passwords == ["", "wrong horse", "correct horse"]
        assert desk.server.remembered == [HERE], "without the password"
        assert "horse" not in everything(desk.app)


def everything(app: MysticApp) -> str:
    """All that the screens and the app hold in fields."""
    fields = [field.value for screen in app.screen_stack for field in screen.query(Input)]
    return " ".join([*fields, repr(app.choice), *(note.message for note in app._notifications)])


async def changed_key(desk: Desk) -> None:
    desk.server.session.end("fingerprint_changed", "The key is another one.", KNOWN, SEEN)
    await desk.settle()
    assert isinstance(desk.app.screen, FingerprintChanged)


async def test_a_changed_key_stops_everything_by_keys() -> None:
    async with sitting(server=silent()) as desk:
        await changed_key(desk)
        await desk.press("enter")
        assert "key has changed" in desk.words("#status")
        assert desk.server.forgotten == [] and len(desk.server.sessions) == 1
        await desk.press("enter")
        await changed_key(desk)
        desk.server.greets = "welcome"
        await desk.press("shift+tab", "enter")
        assert desk.server.forgotten == [("office", 12000)]
        assert desk.chatting


async def test_a_changed_key_stops_everything_by_mouse() -> None:
    async with sitting(server=silent()) as desk:
        await changed_key(desk)
        await desk.click("#stop")
        assert desk.server.forgotten == []
        await desk.click("#connect")
        await changed_key(desk)
        desk.server.greets = "welcome"
        await desk.click("#trust")
        assert desk.server.forgotten == [("office", 12000)]
        assert desk.chatting


async def test_a_key_that_changes_in_the_middle_ends_the_chat() -> None:
    async with sitting() as desk:
        await desk.press("f9")
        await changed_key(desk)
        await desk.press("escape")
        assert "key has changed" in desk.words("#status")


async def test_a_list_of_known_servers_that_can_not_be_used_is_said() -> None:
    server = silent()
    server.forget_fails = "line [1] is damaged"
    async with sitting(server=server) as desk:
        await changed_key(desk)
        await desk.click("#trust")
        assert desk.words("#status") == "line [1] is damaged"
