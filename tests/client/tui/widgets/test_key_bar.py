"""The row of keys."""

from __future__ import annotations

import pytest
from textual.widgets._footer import FooterKey

from mystic_client.tui.widgets.key_bar import KeyBar
from tests.support.desk import Desk, sitting

ALWAYS = ["Help", "Menu", "People", "Groups", "Files", "Search", "Go to", "Quit", "Select"]


def words(desk: Desk) -> list[str]:
    """What is shown, all of it in sight."""
    bar = desk.app.screen.query_one(KeyBar)
    keys = list(bar.query(FooterKey))
    assert all(bar.region.contains_region(key.region) and key.region.width == key.render().cell_len for key in keys)
    return [key.description for key in keys]


@pytest.mark.parametrize(("columns", "shown"), [(140, 9), (94, 9), (93, 8), (80, 8), (79, 7), (24, 2)])
async def test_only_whole_keys_are_shown_the_most_important_first(columns: int, shown: int) -> None:
    async with sitting(size=(columns, 24)) as desk:
        assert words(desk) == ALWAYS[:shown]


async def test_it_follows_the_size_of_the_window() -> None:
    async with sitting(size=(60, 24)) as desk:
        few = words(desk)
        await desk.pilot.resize_terminal(140, 24)
        await desk.settle()
        assert words(desk) == ALWAYS
        await desk.pilot.resize_terminal(60, 24)
        await desk.settle()
        assert words(desk) == few


async def test_what_the_part_with_the_focus_can_do_comes_first() -> None:
    async with sitting(size=(80, 24)) as desk:
        await desk.press("f4")
        assert words(desk)[:5] == ["Get", "Sort", "TCP/UDP", "Help", "Menu"]
        await desk.press("f4", "f9")
        assert words(desk) == ["Choose", "Close"]


async def test_keys_are_pressed_by_mouse() -> None:
    async with sitting(size=(80, 24)) as desk:
        key = next(key for key in desk.app.screen.query(FooterKey) if key.description == "Files")
        await desk.pilot.click(key)
        await desk.settle()
        assert desk.chat.shows_files
