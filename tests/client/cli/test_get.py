"""`mystic get`: where files go, and what is said about them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.cli.get import get
from mystic_client.cli.status import Failure, Status
from mysticproto import model
from mysticproto.native import encode_frame
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer, Peer


async def serve(server: FakeServer, said_hash: bytes, *, wrong: bool = False) -> None:
    """One visit: the tickets, the file "abc", the farewell."""
    chat = await server.accept()
    await chat.welcome()
    for fetched in [True] + [False] * wrong:
        request = await chat.expect(model.OpenDownload)
        assert request.path == "Sub/a.txt"
        chat.say(model.Ticket(request.n, b"ticket", request.path, 3, 4, said_hash))
        if fetched:
            await bring(server)
    await farewell(chat)


async def bring(server: FakeServer) -> None:
    files = await server.accept()
    request = await files.expect(model.Fetch)
    files.raw(encode_frame(model.FileStart(1, 3, request.offset)) + b"abc"[request.offset :])


async def farewell(chat: Peer) -> None:
    logout = await chat.expect(model.Logout)
    chat.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))


@pytest.mark.parametrize(
    ("output", "saved"),
    [("", "downloads/ana/a.txt"), ("folder", "folder/a.txt"), ("folder/b", "folder/b"), ("new/b", "new/b")],
)
async def test_places(tmp_path: Path, output: str, saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b").write_text("old")
    async with FakeServer() as server:
        target = str(tmp_path / output) if output else ""
        getting = asyncio.create_task(get(place_at(server, tmp_path), ["/Sub/a.txt"], target))
        await serve(server, blake3(b"abc").digest())
        await getting
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / saved}\n"
    assert told.err == "mystic: 3 bytes, verified\n"
    assert (tmp_path / saved).read_bytes() == b"abc"


async def test_a_wrong_hash_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        getting = asyncio.create_task(get(place_at(server, tmp_path), ["Sub/a.txt"], ""))
        await serve(server, b"x" * 32, wrong=True)
        with pytest.raises(Failure, match="thrown away") as caught:
            await getting
    assert caught.value.status is Status.REFUSED
    assert capsys.readouterr().out == ""


async def test_what_is_there_already_is_not_fetched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "downloads" / "ana").mkdir(parents=True)
    (tmp_path / "downloads" / "ana" / "a.txt").write_bytes(b"abc")
    async with FakeServer() as server:
        getting = asyncio.create_task(get(place_at(server, tmp_path), ["Sub/a.txt"], ""))
        await serve(server, blake3(b"abc").digest())
        await getting
    assert capsys.readouterr().err == "mystic: 3 bytes, verified; it was there already\n"


async def test_several_of_which_one_does_not_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        getting = asyncio.create_task(get(place_at(server, tmp_path), ["a", "b"], str(tmp_path / "new")))
        chat = await server.accept()
        await chat.welcome()
        for _ in range(2):
            request = await chat.expect(model.OpenDownload)
            if request.path == "a":
                chat.say(model.Ticket(request.n, b"ticket", "a", 3, 4, blake3(b"abc").digest()))
            else:
                chat.say(model.Refused(request.n, "file_not_found", "There is no such file."))
        asked = await chat.expect(model.ListFolder)
        assert asked.path == "b"
        chat.say(model.Refused(asked.n, "file_not_found", "There is no such folder."))
        await bring(server)
        await farewell(chat)
        with pytest.raises(Failure, match="1 of 2 did not come") as caught:
            await getting
    assert caught.value.status is Status.REFUSED
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'new' / 'a'}\n"
    assert told.err == "mystic: 3 bytes, verified\nmystic: b: There is no such file.\n"


async def test_a_folder_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        getting = asyncio.create_task(get(place_at(server, tmp_path), ["Music"], ""))
        chat = await server.accept()
        await chat.welcome()
        request = await chat.expect(model.OpenDownload)
        chat.say(model.Refused(request.n, "file_not_found", "That is a folder, not a file."))
        for _ in range(2):
            asked = await chat.expect(model.ListFolder)
            chat.say(model.Folder(asked.n, "Music", (model.FolderEntry("a.ogg", "file", 3, 4),), 1))
        request = await chat.expect(model.OpenDownload)
        assert request.path == "Music/a.ogg"
        chat.say(model.Ticket(request.n, b"ticket", request.path, 3, 4, blake3(b"abc").digest()))
        await bring(server)
        await farewell(chat)
        await getting
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        f"{tmp_path / 'downloads/ana/Music'}\n",
        "mystic: 1 file, 3 bytes, verified\n",
    )
    assert (tmp_path / "downloads/ana/Music/a.ogg").read_bytes() == b"abc"


async def test_what_a_message_brought(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        getting = asyncio.create_task(get(place_at(server, tmp_path), [], str(tmp_path / "mine"), message=17))
        chat = await server.accept()
        await chat.welcome()
        request = await chat.expect(model.OpenDownload)
        assert (request.path, request.message) == ("", 17)
        chat.say(model.Ticket(request.n, b"ticket", "photo.jpg", 3, 4, blake3(b"abc").digest()))
        await bring(server)
        await farewell(chat)
        await getting
    assert capsys.readouterr().out == f"{tmp_path / 'mine'}\n"
