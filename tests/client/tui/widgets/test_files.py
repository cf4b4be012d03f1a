"""The file browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

from textual.pilot import Pilot

from mystic_client.model.folder import Listing
from mystic_client.tui.messages import FilesWanted, FolderWanted
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.files_pane import FilesPane
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
        assert [files.wanted for files in app.heard(FilesWanted)] == [(("small.txt", False),)]
        pane.show_listing(DEEP)
        await pilot.press("backspace", "enter", "f5")
        assert [wanted.path for wanted in app.heard(FolderWanted)][1:] == ["Music", "Music", "Music/Old"]


async def test_the_mouse_does_the_same() -> None:
    async with browsing(DEEP) as (pane, app, pilot):
        await pilot.click(pane.table, offset=at(pane.table, "a.ogg"))
        await pilot.click(pane.table, offset=at(pane.table, ".."))
        for step in ("Shared files", "Music", "Refresh"):
            await pilot.click(pane.crumbs, offset=at(pane.crumbs, step))
        assert [files.wanted for files in app.heard(FilesWanted)] == [(("Music/Old/a.ogg", False),)]
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
        for head in ("Changed ↓", "Changed ↑", "Name ↑", "Name ↓", "Size ↓", "Size ↑"):
            await pilot.press("ctrl+s")
            assert head in rows_of(pane.columns)[0]


async def test_an_empty_folder_says_so() -> None:
    async with browsing(Listing("", (), "shown")) as (pane, app, pilot):
        assert "empty" in rows_of(pane.table)[0]
        await pilot.press("enter", "backspace")
        assert app.heard(FolderWanted) == []


async def test_typing_filters_and_escape_shows_all_again() -> None:
    async with browsing() as (pane, app, pilot):
        await pilot.press("l")
        assert pane.filter.value == "l" and file_names(pane) == ["[/b] large.bin", "small.txt"]
        await pilot.press("a", "r", "space", "b", "i", "n")
        assert pane.filter.value == "lar bin"
        assert file_names(pane) == ["[/b] large.bin"] and "1 of 3 entries" in rows_of(pane.crumbs)[0]
        await pilot.press("down", "enter")
        assert [files.wanted for files in app.heard(FilesWanted)] == [(("[/b] large.bin", False),)]
        await pilot.press("escape")
        assert pane.filter.value == "" and len(file_names(pane)) == 2 and pane.table.has_focus
        await pilot.press("z")
        assert "Nothing here has that" in rows_of(pane.table)[0]
        await pilot.click(pane.no_filter)
        assert len(file_names(pane)) == 2 and not pane.no_filter.display


async def test_several_are_marked_and_fetched_by_keys() -> None:
    async with browsing() as (pane, app, pilot):
        await pilot.press("space", "down", "space")
        assert str(pane.get.label) == "Get 2"
        await pilot.press("enter")
        assert app.heard(FilesWanted)[0].wanted == (("Music", True), ("[/b] large.bin", False))
        assert not pane.table.marked and str(pane.get.label) == "Get"
        await pilot.press("ctrl+a", "ctrl+g", "ctrl+a", "ctrl+a", "ctrl+g")
        assert [len(files.wanted) for files in app.heard(FilesWanted)] == [2, 3, 1]
        await pilot.press("space", "escape")
        assert not pane.table.marked


async def test_several_are_marked_and_fetched_by_mouse() -> None:
    async with browsing(DEEP) as (pane, app, pilot):
        await pilot.click(pane.table, offset=(0, 0))
        assert not pane.table.marked, "the way up is nothing to fetch"
        await pilot.click(pane.table, offset=(0, 1))
        assert pane.table.marked == {"a.ogg"}
        await pilot.click(pane.table, offset=(0, 1))
        await pilot.click(pane.table, offset=(6, 1), control=True)
        await pilot.click(pane.get)
        assert [files.wanted for files in app.heard(FilesWanted)] == [(("Music/Old/a.ogg", False),)]
        await pilot.click("#mark-all")
        await pilot.click(pane.table, offset=(6, 1))
        assert not pane.table.marked and len(app.heard(FilesWanted)) == 1, "a click takes the marks away first"


async def test_a_listing_that_comes_again_leaves_the_user_where_they_are() -> None:
    many = tuple(FolderEntry(f"f{number:03}", "file", number) for number in range(100))
    async with browsing(Listing("x", many, "shown")) as (pane, _, pilot):
        await pilot.press(*["pagedown"] * 4, "space")
        cursor = pane.table.rows[pane.table.cursor].name
        row = pane.table.cursor - pane.table.scroll_offset.y
        pane.show_listing(Listing("x", (FolderEntry("a new one", "file"), *many[2:]), "shown"))
        await pilot.pause()
        assert pane.table.rows[pane.table.cursor].name == cursor
        assert pane.table.marked == {cursor}
        assert pane.table.cursor - pane.table.scroll_offset.y == row
