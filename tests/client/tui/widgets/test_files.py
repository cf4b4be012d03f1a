"""The file browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

from textual.pilot import Pilot

from mystic_client.model.folder import Listing
from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import FileWanted, FolderWanted, TransferAgain, TransferStopped
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.files import FilesPane
from mysticproto.model import FolderEntry
from tests.support.fake_session import MINUTE_US, NOON_US
from tests.support.widget_app import WidgetApp, at, rows_of, running

ROOT = Listing(
    "",
    (
        FolderEntry("Music", "folder", 0, NOON_US - 3000 * MINUTE_US, 1234),
        FolderEntry("small.txt", "file", 12, NOON_US - MINUTE_US),
        FolderEntry("[/b] large.bin", "file", 5 * 1024**3, NOON_US - 9000 * MINUTE_US),
    ),
    "shown",
)
DEEP = Listing("Music/Old", (FolderEntry("a.ogg", "file", 9),), "shown")


@asynccontextmanager
async def browsing(listing: Listing = ROOT) -> AsyncIterator[tuple[FilesPane, WidgetApp, Pilot[None]]]:
    pane = FilesPane(Clock(lambda: NOON_US, UTC))
    async with running(pane, size=(80, 20)) as (app, pilot):
        pane.show_listing(listing)
        pane.table.focus()
        await pilot.pause()
        yield pane, app, pilot


def file_names(pane: FilesPane) -> list[str]:
    return [row.name for row in pane.table.rows if row.kind == "file"]


async def test_names_counts_sizes_and_times() -> None:
    async with browsing() as (pane, _, _pilot):
        rows = [row.split() for row in rows_of(pane.table)[:3]]
        assert rows[0] == ["▸", "Music", "1,234", "entries", "2026-09-19"]
        assert rows[1] == ["[/b]", "large.bin", "5.0", "GiB", "2026-09-15"]
        assert rows[2] == ["small.txt", "12", "bytes", "14:12"]
        assert "1 folder · 2 files" in rows_of(pane.crumbs)[0]


async def test_keys_open_folders_fetch_files_and_go_up() -> None:
    async with browsing() as (pane, app, pilot):
        await pilot.press("enter", "end", "enter")
        assert [wanted.path for wanted in app.heard(FolderWanted)] == ["Music"]
        assert [wanted.path for wanted in app.heard(FileWanted)] == ["small.txt"]
        pane.show_listing(DEEP)
        await pilot.press("backspace", "enter", "f5")
        assert [wanted.path for wanted in app.heard(FolderWanted)][1:] == ["Music", "Music", "Music/Old"]


async def test_the_mouse_does_the_same() -> None:
    async with browsing(DEEP) as (pane, app, pilot):
        await pilot.click(pane.table, offset=at(pane.table, "a.ogg"))
        await pilot.click(pane.table, offset=at(pane.table, ".."))
        for step in ("Shared files", "Music", "Refresh"):
            await pilot.click(pane.crumbs, offset=at(pane.crumbs, step))
        assert [wanted.path for wanted in app.heard(FileWanted)] == ["Music/Old/a.ogg"]
        assert [wanted.path for wanted in app.heard(FolderWanted)] == ["Music", "", "Music", "Music/Old"]


async def test_the_heads_of_columns_sort() -> None:
    async with browsing() as (pane, _, pilot):
        await pilot.click(pane.columns, offset=at(pane.columns, "Size"))
        await pilot.pause()
        assert file_names(pane) == ["[/b] large.bin", "small.txt"]
        assert "Size ↓" in rows_of(pane.columns)[0]
        await pilot.click(pane.columns, offset=at(pane.columns, "Size"))
        await pilot.pause()
        assert file_names(pane) == ["small.txt", "[/b] large.bin"]
        await pilot.press("ctrl+s")
        assert "Changed ↓" in rows_of(pane.columns)[0]
        await pilot.press("ctrl+s")
        assert "Name ↑" in rows_of(pane.columns)[0]


async def test_an_empty_folder_says_so() -> None:
    async with browsing(Listing("", (), "shown")) as (pane, app, pilot):
        assert "empty" in rows_of(pane.table)[0]
        await pilot.press("enter", "backspace")
        assert app.heard(FolderWanted) == []


async def test_downloads_with_progress_and_what_can_be_done() -> None:
    async with browsing() as (pane, app, pilot):
        mib = 1024 * 1024
        pane.show_transfers(
            [
                Transfer(3, "run.bin", "running", 10 * mib, 5 * mib, 2 * mib, 2.5),
                Transfer(2, "[b]bad.bin", "failed", error="[no] room"),
                Transfer(1, "ok.bin", "done", 5, 5, saved_to="~/ok.bin", verified=True),
            ]
        )
        await pilot.pause()
        rows = rows_of(pane.transfers)
        assert "50 %" in rows[0] and "5.0 MiB of 10 MiB · 2.0 MiB/s" in rows[0]
        assert "[b]bad.bin" in rows[1] and "[no] room" in rows[1]
        assert "verified ✓ BLAKE3 · ~/ok.bin" in rows[2]
        await pilot.click(pane.transfers, offset=at(pane.transfers, "Again"))
        await pilot.click(pane.transfers, offset=at(pane.transfers, "×"))
        pane.transfers.focus()
        await pilot.press("end", "x", "up", "r", "enter")
        await pilot.pause()
        assert [stopped.number for stopped in app.heard(TransferStopped)] == [3, 1]
        assert [again.number for again in app.heard(TransferAgain)] == [2, 2, 2]
        pane.show_transfers([])
        assert not pane.transfers.display
