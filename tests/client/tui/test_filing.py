"""Shared files and transfers, by mouse alone and by keys alone."""

from __future__ import annotations

from pathlib import Path

from mystic_client.model.transfer import Transfer
from mystic_client.session.heard import Online, Waiting
from mystic_client.tui.screens.dialogs import Menu
from mystic_client.tui.screens.upload import UploadScreen
from mystic_client.tui.widgets.files_pane import FilesPane
from mystic_client.tui.widgets.transfers import TransferHead
from mysticproto import model
from mysticproto.model import FolderChanged, FolderEntry, WatchFolder
from tests.support.desk import Desk, sitting
from tests.support.fake_session import FakeServer
from tests.support.widget_app import rows_of


def with_files() -> FakeServer:
    server = FakeServer()
    server.folders = {
        "": [FolderEntry("Music", "folder", entries=1), FolderEntry("[b].txt", "file", 9)],
        "Music": [FolderEntry("a.ogg", "file", 9)],
    }
    return server


def pane_of(desk: Desk) -> FilesPane:
    return desk.chat.query_one(FilesPane)


def transfers_of(desk: Desk) -> str:
    return "\n".join(rows_of(pane_of(desk).transfers))


def names(desk: Desk) -> list[str]:
    return [row.name for row in pane_of(desk).table.rows]


async def test_files_by_keys() -> None:
    server = with_files()
    async with sitting(server=server) as desk:
        await desk.press("f4")
        assert names(desk) == ["Music", "[b].txt"]
        await desk.press("enter")
        assert names(desk) == ["..", "a.ogg"]
        await desk.press("down", "enter")
        assert server.transfers.asked == [{"path": "Music/a.ogg", "over": "auto", "message": 0}]
        server.transfers.show(1, state="running", size=9, received=3)
        await desk.settle()
        assert "33 %" in transfers_of(desk)
        await desk.press("tab", "space")
        assert "paused" in transfers_of(desk)
        await desk.press("space")
        server.transfers.show(1, state="done", received=9, saved_to="/x/a.ogg", whither="~/a.ogg", verified=True)
        await desk.settle()
        assert "verified ✓ BLAKE3 · ~/a.ogg" in transfers_of(desk)
        await desk.press("o", "v")
        assert server.revealed == [Path("/x")]
        assert server.transfers.did == [("pause", 1), ("resume", 1), ("verify", 1)]
        server.transfers.show(1, state="failed", error="damaged")
        await desk.settle()
        for key in ("r", "delete", "delete"):
            await desk.press(key)
        assert server.transfers.did[3:] == [("retry", 1), ("cancel", 1), ("remove", 1)]
        assert not pane_of(desk).transfers.display and pane_of(desk).table.has_focus
        await desk.press("backspace")
        assert names(desk) == ["Music", "[b].txt"]
        await desk.press("escape")
        assert desk.chat.composer.has_focus


async def test_files_by_mouse() -> None:
    server = with_files()
    async with sitting(server=server) as desk:
        await desk.click("#tabs", "Files")
        pane = pane_of(desk)
        await desk.click(pane.table, "Music")
        await desk.click(pane.crumbs, "Shared files")
        await desk.click("#transport")
        await desk.click(pane.table, "[b].txt")
        assert server.transfers.asked == [{"path": "[b].txt", "over": "tcp", "message": 0}]
        server.transfers.show(1, state="running", size=9, received=3)
        await desk.settle()
        await desk.click(pane.transfers, "‖")
        await desk.click(pane.transfers, "▸")
        await desk.click(pane.transfers, "⋯")
        assert isinstance(desk.app.screen, Menu)
        await desk.click("#menu", "Cancel")
        assert server.transfers.states == {"[b].txt": "cancelled"}
        await desk.click(pane.transfers, "↻")
        server.transfers.show(1, state="done", saved_to="/x/[b].txt", verified=True)
        await desk.settle()
        await desk.click(pane.transfers, "⋯")
        await desk.click("#menu", "Open the folder")
        assert server.revealed == [Path("/x")]
        await desk.click(pane.query_one(TransferHead), "Remove ended")
        assert server.transfers.transfers == []
        await desk.click("#tabs", "Global")
        assert desk.chat.composer.has_focus


async def test_several_and_whole_folders_at_once() -> None:
    server = with_files()
    async with sitting(server=server) as desk:
        await desk.press("f4", "ctrl+t", "ctrl+t", "ctrl+a", "ctrl+g")
        assert server.transfers.asked == [
            {"folder": "Music", "over": "udp"},
            {"path": "[b].txt", "over": "udp", "message": 0},
        ]
        server.transfers.files[1] = [Transfer(0, "Music/a.ogg", "failed", error="[no] room")]
        await desk.click("#mark-all")
        await desk.click("#get")
        assert len(server.transfers.asked) == 4
        await desk.press("tab", "tab", "end")
        await desk.click(pane_of(desk).transfers, "Music", button=3)
        assert isinstance(desk.app.screen, Menu)
        await desk.press("escape")


async def test_what_an_earlier_run_had_is_there_and_its_end_is_told_elsewhere() -> None:
    server = with_files()
    server.kept_transfers = [
        Transfer(1, "old.txt", "done", saved_to="/x/old.txt", verified=True),
        Transfer(2, "half [b].txt", "queued", 100),
    ]
    async with sitting(server=server) as desk:
        assert "Files" in "".join(rows_of(desk.chat.tabs)) and not desk.app._notifications
        server.transfers.show(2, state="done", saved_to="/x/half [b].txt", whither="~/half [b].txt")
        await desk.settle()
        assert [toast.message for toast in desk.app._notifications] == ["half [b].txt is here: ~/half [b].txt"]
        await desk.press("f4")
        assert "old.txt" in transfers_of(desk)
        assert server.transfers.times_taken_up == 1
        await desk.hear(Waiting("gone", 3.0))
        server.session.go_online(again=True)
        await desk.settle()
        assert server.transfers.times_taken_up == 2
    assert server.transfers.is_stopped


async def test_a_folder_that_cannot_be_opened_is_named() -> None:
    server = with_files()
    server.reveal_fails = "There is no file manager here."
    server.kept_transfers = [Transfer(1, "old.txt", "done", saved_to="/x/old.txt")]
    async with sitting(server=server) as desk:
        await desk.press("f4", "tab", "o")
        assert any("no file manager" in toast.message for toast in desk.app._notifications)


async def test_the_folder_in_front_is_watched_and_follows() -> None:
    server = with_files()

    def watched() -> list[tuple[str, bool]]:
        return [(asked.path, asked.on) for asked in server.session.requests if isinstance(asked, WatchFolder)]

    async with sitting(server=server) as desk:
        assert watched() == []
        await desk.press("f4", "down", "space")
        assert watched() == [("", True)]
        server.folders[""] = [FolderEntry("a first one", "file", 1), *server.folders[""]]
        await desk.hear(FolderChanged(""), FolderChanged("Music"))
        assert names(desk) == ["Music", "[b].txt", "a first one"]
        table = pane_of(desk).table
        assert table.rows[table.cursor].name == "[b].txt" and table.marked == {"[b].txt"}
        await desk.press("escape", "up", "enter")
        assert watched()[-1] == ("Music", True)
        await desk.hear(Waiting("gone", 3.0))
        server.session.go_online(again=True)
        await desk.settle()
        assert watched()[-2:] == [("Music", True)] * 2, "a new connection watches nothing"
        await desk.press("f4")
        assert watched()[-1] == ("", False)
        asked = len(server.session.requests)
        await desk.hear(FolderChanged("Music"))
        assert len(server.session.requests) == asked


async def test_an_older_server_watches_nothing() -> None:
    server = with_files()
    server.refusals[WatchFolder] = model.Refused(1, "unsupported", "unknown request")
    async with sitting(server=server) as desk:
        await desk.press("f4")
        assert names(desk) == ["Music", "[b].txt"] and not desk.app._notifications


async def test_uploads_into_the_folder_by_keys(tmp_path: Path) -> None:
    (tmp_path / "[b] new.txt").write_text("x")
    server = with_files()
    async with sitting(server=server) as desk:
        await desk.press("f4", "enter", "ctrl+o")
        screen = desk.app.screen
        assert isinstance(screen, UploadScreen)
        screen.path.value = f"{tmp_path}/[b]"
        await desk.until(lambda: screen.list.folder == tmp_path)
        await desk.press("enter")
        assert server.transfers.asked == [{"file": tmp_path / "[b] new.txt", "folder": "Music", "to": None, "text": ""}]
        server.transfers.show(1, state="failed", error="[no] uploads here")
        await desk.settle()
        assert "[no] uploads here" in transfers_of(desk)


async def test_uploads_into_the_folder_by_mouse(tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("x")
    server = with_files()
    async with sitting(server=server) as desk:
        await desk.click("#tabs", "Files")
        await desk.click("#upload")
        screen = desk.app.screen
        assert isinstance(screen, UploadScreen)
        screen.path.value = f"{tmp_path}/"
        await desk.until(lambda: screen.list.folder == tmp_path)
        await desk.click(screen.list, "new.txt")
        assert [asked["folder"] for asked in server.transfers.asked] == [""]


async def test_files_by_command_and_refusals() -> None:
    server = with_files()
    async with sitting(server=server) as desk:
        await desk.write("mystic download a b.txt UDP", "enter")
        await desk.write("/get c.txt", "enter")
        assert [(asked["path"], asked["over"]) for asked in server.transfers.asked] == [
            ("a b.txt", "udp"),
            ("c.txt", "auto"),
        ]
        await desk.write("/files Music", "enter")
        assert desk.chat.files.table.listing.path == "Music"
        server.refusals[model.ListFolder] = model.Refused(1, "not_a_folder", "[no] folder")
        await desk.press("f5")
        assert any("[no] folder" in toast.message for toast in desk.app._notifications)


async def test_names_that_would_be_markup_or_fill_the_screen() -> None:
    server = with_files()
    wild = ["[/nope]", "[@click=app.quit]x", "ü" * 200 + ".txt", "שלום.txt", "🎉" * 60]
    server.folders[""] = [FolderEntry(name, "file", 1) for name in wild]
    async with sitting(server=server, size=(80, 24)) as desk:
        await desk.press("f4", "ctrl+a", "enter")
        assert len(server.transfers.asked) == len(wild)
        for number in range(1, len(wild) + 1):
            server.transfers.show(number, state="failed", error=f"{wild[number - 1]}: no")
        await desk.press("tab", "enter")
        assert isinstance(desk.app.screen, Menu)
        await desk.press("escape", "x")
        assert isinstance(desk.app.line.state, Online)
