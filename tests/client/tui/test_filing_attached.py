"""Files in conversations: cards, sending by button, key, command, and by dropping a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from mystic_client.tui.screens.dialogs import Question
from mystic_client.tui.screens.upload import UploadScreen
from mystic_client.tui.widgets.completions import Completions
from mystic_client.tui.widgets.compose_bar import ComposeBar
from mystic_client.tui.widgets.sending import SendingBar
from mysticproto.model import FileRef, Global, Message, MessageDeleted, ToGlobal, ToUsers
from tests.support.desk import Desk, sitting
from tests.support.fake_session import ANA, BOB, NOON_US, OWN, between, said

NAME = "[b] slides.pdf"


def brought(seq: int, name: str = NAME, text: str = "") -> Message:
    return Message(seq, NOON_US, ANA, Global(), text, file=FileRef(name, 2048, b"x" * 32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "[b] photo.png"
    place.write_text("x")
    return place


async def choose(desk: Desk, file: Path) -> UploadScreen:
    screen = desk.app.screen
    assert isinstance(screen, UploadScreen)
    screen.path.value = f"{file.parent}/"
    await desk.until(lambda: screen.list.folder == file.parent)
    return screen


async def offered(desk: Desk, name: str) -> None:
    await desk.until(lambda: desk.chat.offers.display and name in desk.shown(Completions))


async def test_a_file_is_got_by_mouse_and_its_folder_opened() -> None:
    async with sitting() as desk:
        await desk.hear(brought(9, text="Have a look"), brought(10))
        assert f"▤ {NAME}  2.0 KiB   Get" in desk.shown()
        await desk.click("#messages", "Get")
        moves = desk.server.transfers
        assert moves.asked == [{"path": NAME, "over": "auto", "message": 9}]
        moves.show(1, state="running", size=200, received=50)
        await desk.settle()
        assert "25 %" in desk.shown() and desk.shown().count(" Get") == 1
        moves.show(1, state="done", received=200, saved_to=f"/x/{NAME}", verified=True)
        await desk.settle()
        assert "here ✓" in desk.shown()
        await desk.click("#messages", "Open folder")
        assert desk.server.revealed == [Path("/x")]


async def test_a_file_is_got_by_keys_and_from_the_menu() -> None:
    async with sitting() as desk:
        await desk.hear(brought(9), brought(10))
        await desk.press("alt+up", "g", "alt+up", "enter", "enter")
        assert [asked["message"] for asked in desk.server.transfers.asked] == [10, 9]
        await desk.hear(MessageDeleted(11, NOON_US, 10, ANA, Global()))
        await desk.press("escape", "alt+up", "g")
        assert len(desk.server.transfers.asked) == 2


async def test_what_has_only_a_file_is_quoted_by_its_name() -> None:
    async with sitting() as desk:
        await desk.hear(brought(9), Message(10, NOON_US, BOB, Global(), "Thanks", reply_to=9))
        assert f"↳ ana: ▤ {NAME}" in desk.shown()


async def test_a_long_name_keeps_its_end_in_a_narrow_window() -> None:
    async with sitting(size=(40, 24)) as desk:
        await desk.hear(brought(9, "invoice" * 30 + ".pdf.exe"))
        assert "pdf.exe" in desk.shown() and "Get" in desk.shown()


async def test_sending_by_keys_with_what_was_typed(file: Path) -> None:
    async with sitting() as desk:
        await desk.write("Look at this")
        await desk.press("ctrl+o")
        await choose(desk, file)
        await desk.press("down", "down", "enter")
        moves = desk.server.transfers
        assert moves.asked == [{"file": file, "folder": "", "to": ToGlobal(), "text": "Look at this"}]
        assert desk.chat.composer.text == "" and desk.chat.composer.has_focus
        moves.show(1, state="running", size=100, received=40, speed_bytes_s=10.0, left_s=6.0)
        await desk.settle()
        assert "↑ [b] photo.png" in desk.shown(SendingBar) and "40 %" in desk.shown(SendingBar)
        await desk.press("f4")
        assert not desk.displayed("#sending")
        await desk.press("escape")
        assert desk.displayed("#sending")
        moves.show(1, state="done", received=100, message=12)
        await desk.settle()
        assert not desk.displayed("#sending")


async def test_sending_by_mouse_to_one_person(file: Path) -> None:
    async with sitting() as desk:
        await desk.hear(Message(9, NOON_US, ANA, between(ANA), "hi"))
        await desk.click("#tabs", "ana")
        await desk.click("#attach")
        screen = await choose(desk, file)
        await desk.click(screen.list, "[b] photo.png")
        moves = desk.server.transfers
        assert [asked["to"] for asked in moves.asked] == [ToUsers((ANA.name,))]
        moves.show(1, state="failed", error="[no] room")
        await desk.settle()
        assert "[no] room" in desk.shown(SendingBar)
        await desk.click("#sending", "↻")
        await desk.click("#sending", "×")
        assert moves.did == [("retry", 1), ("cancel", 1)]
        await desk.click("#tabs", "Global")
        assert not desk.displayed("#sending")


async def test_an_answer_outlives_a_file_that_is_chosen_by_keys(file: Path) -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "lunch?"))
        await desk.press("alt+up", "r")
        await desk.write("gladly")
        await desk.press("ctrl+o")
        await choose(desk, file)
        assert "your answer stays" in str(desk.app.screen.query_one(".about").render())
        await desk.press("down", "down", "enter")
        assert [asked["text"] for asked in desk.server.transfers.asked] == [""]
        assert "ana: lunch?" in desk.shown(ComposeBar) and desk.chat.composer.text == "gladly"
        await desk.press("enter")
        assert desk.posted == [(ToGlobal(), "gladly")] and desk.server.session.replies_to == [5]


async def test_an_answer_outlives_a_file_that_is_put_by_command(file: Path) -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "lunch?"))
        await desk.press("alt+up", "r")
        await desk.write(f"/put {file}", "enter")
        await desk.hear(Message(6, NOON_US, OWN, Global(), "", cid=b"c" * 16, file=FileRef(file.name, 1, b"x" * 32)))
        assert len(desk.server.transfers.asked) == 1 and "ana: lunch?" in desk.shown(ComposeBar)
        await desk.write("gladly", "enter")
        assert desk.server.session.replies_to == [5]


async def test_an_answer_outlives_a_file_that_is_dropped_by_mouse(file: Path) -> None:
    async with sitting() as desk:
        await desk.hear(said(5, ANA, "lunch?"))
        await desk.click(desk.chat.view, "lunch", button=3)
        await desk.click(desk.app.screen.query_one("ActList"), "Reply")
        await desk.write("gladly")
        desk.chat.composer.post_message(events.Paste(f"'{file}'"))
        await desk.settle()
        await desk.click("#connect")
        assert [asked["text"] for asked in desk.server.transfers.asked] == [""]
        assert "ana: lunch?" in desk.shown(ComposeBar)
        await desk.click("#send")
        assert desk.server.session.replies_to == [5]


async def test_put_by_command(file: Path) -> None:
    async with sitting() as desk:
        await desk.write(f"/put {file}", "enter")
        assert [asked["file"] for asked in desk.server.transfers.asked] == [file]
        await desk.write("/put /no/such [file]", "enter")
        assert "/no/such [file]: No such file" in desk.shown()
        await desk.write("/put", "enter")
        assert isinstance(desk.app.screen, UploadScreen)


@pytest.mark.parametrize("by_mouse", [False, True])
async def test_the_path_of_put_is_completed(file: Path, by_mouse: bool) -> None:
    (file.parent / "a folder").mkdir()
    inside = file.parent / "a folder" / "[c] notes.txt"
    inside.write_text("x")
    async with sitting() as desk:
        await desk.write(f"/put {file.parent}/")
        for name, taken in (("a folder", "a folder/"), ("[c]", "a folder/[c] notes.txt")):
            await offered(desk, name)
            if by_mouse:
                await desk.click(desk.chat.offers, name)
            else:
                await desk.press("tab")
            assert desk.chat.composer.text == f"/put {file.parent}/{taken}"
        await desk.press("enter")
        assert [asked["file"] for asked in desk.server.transfers.asked] == [inside]


async def test_a_folder_that_cannot_be_read_has_nothing_to_offer(tmp_path: Path) -> None:
    async with sitting() as desk:
        await desk.write(f"/put {tmp_path}/nowhere/")
        (tmp_path / "found.txt").write_text("x")
        await desk.press("ctrl+u")
        await desk.write(f"/put {tmp_path}/f")
        await offered(desk, "found.txt")


async def test_a_file_that_is_dropped_onto_the_line(file: Path) -> None:
    async with sitting() as desk:
        desk.chat.composer.post_message(events.Paste(f"'{file}'"))
        await desk.settle()
        assert isinstance(desk.app.screen, Question)
        await desk.press("y")
        assert [asked["file"] for asked in desk.server.transfers.asked] == [file]
        desk.chat.composer.post_message(events.Paste(f"'{file}'"))
        await desk.settle()
        await desk.click("#cancel")
        assert desk.chat.composer.text == f"'{file}'" and len(desk.server.transfers.asked) == 1
        await desk.press("f4")
        desk.chat.files.table.post_message(events.Paste(str(file)))
        await desk.settle()
        await desk.click("#connect")
        assert desk.server.transfers.asked[-1] == {"file": file, "folder": "", "to": None, "text": ""}


async def test_ones_own_file_comes_as_a_message() -> None:
    async with sitting() as desk:
        message = Message(9, NOON_US, OWN, Global(), "Mine", cid=b"c" * 16, file=FileRef(NAME, 1, b"x" * 32))
        await desk.hear(message)
        assert NAME in desk.shown()
