"""A folder of this computer."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from mystic_client.model.own_files import OwnFile
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.own_list import OwnList
from mystic_client.tui.widgets.row_list import RowList
from tests.support.fake_session import NOON_US
from tests.support.widget_app import at, rows_of, running

FILES = [OwnFile("sub", True), OwnFile("[b].txt", False, 2048), OwnFile("new\nline\x1b[2J", False, 1)]


async def test_folders_and_files_by_mouse_and_by_keys() -> None:
    own = OwnList(Clock(lambda: NOON_US, UTC))
    async with running(own) as (app, pilot):
        own.show(Path("/x"), FILES, "")
        own.focus()
        await pilot.pause()
        assert "2.0 KiB" in rows_of(own)[2] and "\x1b" not in rows_of(own)[3] and "new line" in rows_of(own)[3]
        await pilot.press("enter", "down", "enter", "backspace", "space", "down", "space", "enter")
        assert [opened.name for opened in app.heard(OwnList.Opened)] == ["..", "sub", ".."]
        assert own.chosen == [Path("/x/[b].txt")]
        assert [chosen.row for chosen in app.heard(RowList.Chosen)] == [FILES[1]]
        await pilot.click(own, offset=(0, 2))
        await pilot.click(own, offset=at(own, "sub"))
        assert own.chosen == [] and len(app.heard(OwnList.Opened)) == 4
        own.show(Path("/x"), FILES, "new")
        assert own.rows == [FILES[2]]
