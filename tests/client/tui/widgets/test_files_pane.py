"""The file browser as a whole: buttons, transfers below, what is dropped onto it."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from textual import events

from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import TransportChosen, UploadWanted
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.files_pane import FilesPane
from mystic_client.tui.widgets.pasted import FilesPasted
from tests.support.fake_session import NOON_US
from tests.support.widget_app import WidgetApp, running


def pane_of() -> FilesPane:
    return FilesPane(Clock(lambda: NOON_US, UTC))


async def test_the_transport_by_mouse_and_by_keys() -> None:
    pane = pane_of()
    async with running(pane, size=(80, 20)) as (app, pilot):
        await pilot.click("#transport")
        assert str(pane.transport.label) == "over TCP"
        await pilot.press("ctrl+t", "ctrl+t")
        assert str(pane.transport.label) == "over auto"
        assert [chosen.over for chosen in app.heard(TransportChosen)] == ["tcp", "udp", "auto"]


async def test_uploads_are_asked_for_by_mouse_and_by_keys() -> None:
    pane = pane_of()
    async with running(pane, size=(80, 20)) as (app, pilot):
        await pilot.click("#upload")
        await pilot.press("ctrl+o")
        assert [(wanted.folder, wanted.key, wanted.files) for wanted in app.heard(UploadWanted)] == [("", "", ())] * 2


async def test_a_file_that_is_dropped_onto_it(tmp_path: Path) -> None:
    pane, file = pane_of(), tmp_path / "a [b].txt"
    file.write_text("x")

    async def paste(app: WidgetApp, text: str) -> None:
        pane.table.post_message(events.Paste(text))
        await pilot.pause()

    async with running(pane, size=(80, 20)) as (app, pilot):
        pane.table.focus()
        await paste(app, "just words")
        await paste(app, f"'{file}'")
        assert [pasted.files for pasted in app.heard(FilesPasted)] == [(file,)]


async def test_transfers_take_a_third_at_most_and_go_away_with_the_last() -> None:
    pane = pane_of()
    async with running(pane, size=(80, 24)) as (_, pilot):
        pane.show_transfers([Transfer(number, "a") for number in range(20)])
        await pilot.pause()
        assert pane.transfers.size.height == 8 and pane.table.size.height > 8
        pane.transfers.focus()
        pane.show_transfers([])
        await pilot.pause()
        assert not pane.transfers.display and not pane.transfer_head.display and pane.table.has_focus
