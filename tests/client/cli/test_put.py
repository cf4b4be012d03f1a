"""`mystic put`: what is sent where, and what is said about it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mystic_client.cli.put import put
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.words import parse
from mysticproto import model
from tests.client.cli.places import place_at
from tests.client.cli.test_get import farewell
from tests.client.cli.test_words import NOWHERE
from tests.support.fake_server import FakeServer, Peer


async def take(server: FakeServer, chat: Peer, answer: model.Stored | model.Refused) -> model.OpenUpload:
    """Takes one file; what was asked."""
    request = await chat.expect(model.OpenUpload)
    chat.say(model.UploadTicket(request.n, b"ticket", 0))
    files = await server.accept()
    await files.expect(model.Store)
    if request.size:
        await files.take_raw(request.size)
    files.say(answer)
    return request


async def test_into_the_shared_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("abc")
    async with FakeServer() as server:
        putting = asyncio.create_task(put(place_at(server, tmp_path), tmp_path / "a.txt", "/Docs/", None))
        chat = await server.accept()
        await chat.welcome()
        request = await take(server, chat, model.Stored(1, "Docs/a (1).txt"))
        assert (request.name, request.folder, request.to) == ("a.txt", "Docs", None)
        await farewell(chat)
        await putting
    told = capsys.readouterr()
    assert (told.out, told.err) == ("Docs/a (1).txt\n", "mystic: 3 bytes, verified by the server\n")


async def test_to_somebody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("abc")
    async with FakeServer() as server:
        options = parse(["put", str(tmp_path / "a.txt"), "--to", "bob", "--text", "Look!"])
        putting = asyncio.create_task(options.run(place_at(server, tmp_path), options))
        chat = await server.accept()
        await chat.welcome()
        request = await take(server, chat, model.Stored(1, "", 17))
        assert (request.to, request.text, request.folder) == (model.ToUsers(("bob",)), "Look!", "")
        await farewell(chat)
        await putting
    assert capsys.readouterr().out == "message 17\n"


async def test_a_folder_and_a_refusal_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "Pictures"
    (folder / "Old").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name in ("a.jpg", "Old/b.jpg", ".hidden/c.jpg", ".d.jpg"):
        (folder / name).write_text("abc")
    (folder / "link").symlink_to(folder / "a.jpg")
    async with FakeServer() as server:
        putting = asyncio.create_task(put(place_at(server, tmp_path), folder, "Docs", None))
        chat = await server.accept()
        await chat.welcome()
        asked = [
            await take(server, chat, model.Stored(1, "Docs/Pictures/a.jpg")),
            await take(server, chat, model.Refused(1, "quota_reached", "That is too much.")),
        ]
        assert {(request.folder, request.name) for request in asked} == {
            ("Docs/Pictures", "a.jpg"),
            ("Docs/Pictures/Old", "b.jpg"),
        }
        await farewell(chat)
        with pytest.raises(Failure, match="1 of 2 were not sent") as caught:
            await putting
    assert caught.value.status is Status.REFUSED
    told = capsys.readouterr()
    assert told.out == "Docs/Pictures/a.jpg\n"
    assert "That is too much." in told.err


@pytest.mark.parametrize(
    "words",
    [
        ["put", "nothing.txt"],
        ["put", "empty"],
        ["put", "empty", "--to", "bob"],
        ["put", "a.txt", "--text", "for nobody"],
        ["put", "a.txt", "--to", "bob", "--group", "team"],
        ["get"],
        ["get", "a", "--message", "7"],
    ],
    ids=" ".join,
)
async def test_what_makes_no_sense(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("abc")
    options = parse(words)
    with pytest.raises(Failure) as caught:
        await options.run(NOWHERE, options)
    assert caught.value.status is Status.USAGE
