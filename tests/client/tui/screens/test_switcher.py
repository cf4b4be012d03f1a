"""The switcher, by mouse alone and by keys alone."""

from __future__ import annotations

import pytest

from mysticproto.model import ConversationInfo, GroupInfo
from tests.support.desk import sitting
from tests.support.fake_session import ANA, BOB, DEV, EVA, NOON_US, between
from tests.support.sample_past import full_server


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
