"""The menu of a message."""

from __future__ import annotations

import pytest

from mystic_client.model.message_acts import possible
from mystic_client.model.timeline import Entry
from mystic_client.tui.screens.message_menu import MessageMenu
from tests.support.desk import sitting
from tests.support.fake_session import ANA, between, said


async def test_the_menu_can_be_closed_by_keys_and_by_mouse() -> None:
    async with sitting(size=(80, 24)) as desk:
        await desk.hear(said(5, ANA, "lunch?", between(ANA)), said(6, ANA, "or not", between(ANA)))
        await desk.press("ctrl+pagedown", "alt+up", "enter")
        chatting = [desk.chatting]
        await desk.press("escape")
        chatting.append(desk.chatting)
        await desk.press("enter")
        chatting.append(desk.chatting)
        await desk.pilot.click(offset=(70, 2))
        await desk.settle()
        chatting.append(desk.chatting)
        assert chatting == [False, True, False, True]
        await desk.press("enter", "R")
        assert desk.displayed("#compose-bar")


@pytest.mark.parametrize("y", [0, 3, 12, 22, 23])
async def test_it_is_on_the_screen_wherever_the_message_is(y: int) -> None:
    async with sitting(size=(80, 24)) as desk:
        acts = possible(Entry(5, 0, "message", "hi", "zoe", 1, own=True, state="sent"), receipts=True)
        menu = MessageMenu(acts, "zoe: hi", y, 2)
        desk.app.push_screen(menu)
        await desk.settle()
        region = menu.box.region
        assert region.y >= 0 and region.bottom <= 24 and region.right <= 80
        if y in (0, 3, 22):
            assert not region.y <= y < region.bottom, "beside the message, not over it"
