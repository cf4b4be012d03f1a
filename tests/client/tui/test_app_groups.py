"""Groups, by mouse alone and by keys alone."""

from __future__ import annotations

from mystic_client.tui.screens.dialogs import Question
from mystic_client.tui.screens.group import NewGroup
from mystic_client.tui.widgets.bars import Banner
from mystic_client.tui.widgets.rosters import GroupList
from mystic_client.tui.widgets.tab_bar import TabBar
from mysticproto import model
from mysticproto.model import GroupInfo, ToGroup
from tests.support.desk import sitting
from tests.support.fake_session import ANA, BOB, DEV, NOON_US, OWN, FakeServer


async def test_a_group_of_ones_own_by_mouse_and_by_keys() -> None:
    async with sitting() as desk:
        await desk.click("#new-group")
        assert isinstance(desk.app.screen, NewGroup)
        await desk.write("ops", "enter")
        assert desk.app.line.store.front_talk.title == "ops"
        await desk.write("hi", "enter")
        assert desk.posted == [(ToGroup("ops"), "hi")]
        await desk.click("#tabs", "Global")
        assert "Global is paused while you are in ops" in desk.shown(Banner)
        assert "Global ⏸" in desk.shown(TabBar)
        await desk.click("#banner", "Leave ops")
        assert not desk.displayed("#banner")
        await desk.press("f6")
        await desk.write("two words", "enter")
        assert isinstance(desk.app.screen, NewGroup), "names have no spaces"
        await desk.press("escape")
        assert desk.chatting


async def test_joining_by_mouse_and_leaving_by_the_cross() -> None:
    server = FakeServer()
    server.groups = [GroupInfo(DEV, ANA, (ANA, BOB))]
    async with sitting(server=server) as desk:
        assert "2 members" in desk.shown(GroupList)
        await desk.click("#groups", "dev")
        assert desk.focus == "dev"
        assert "3 members" in desk.shown(GroupList)
        await desk.click("#tabs", "×")
        assert isinstance(server.session.requests[-2], model.LeaveGroup)
        assert desk.focus == ""
        await desk.press("f3", "enter")
        assert desk.focus == "dev"
        await desk.hear(model.GroupLeft(9, NOON_US, DEV, OWN, "kicked"))
        assert "You are not in dev." in desk.shown(Banner)
        await desk.click("#banner", "Join")
        assert desk.focus == "dev"


async def test_going_to_another_room_is_asked_about() -> None:
    server = FakeServer()
    server.groups = [GroupInfo(DEV, ANA, (ANA,))]
    async with sitting(server=server) as desk:
        await desk.write("/create ops", "enter")
        await desk.click("#groups", "dev")
        assert isinstance(desk.app.screen, Question)
        await desk.press("escape")
        assert desk.app.line.store.front_talk.title == "ops"
        await desk.click("#groups", "dev")
        await desk.click("#connect")
        assert desk.focus == "dev"
