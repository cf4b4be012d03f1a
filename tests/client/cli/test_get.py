"""`mystic get`: where files go, and what is said about them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.cli.get import Reporter, get, progress_line
from mystic_client.cli.status import Failure, Status
from mystic_client.session.transfers import Progress
from mysticproto import model
from mysticproto.native import encode_frame
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer


async def serve(server: FakeServer, said_hash: bytes) -> None:
    """One visit: the ticket, the file "abc", the farewell."""
    chat = await server.accept()
    await chat.welcome()
    request = await chat.expect(model.OpenDownload)
    assert request.path == "Sub/a.txt"
    chat.say(model.Ticket(request.n, b"ticket", request.path, 3, 4, said_hash))
    files = await server.accept()
    await files.expect(model.Fetch)
    files.raw(encode_frame(model.FileStart(1, 3, 0)) + b"abc")
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
        getting = asyncio.create_task(get(place_at(server, tmp_path), "/Sub/a.txt", target))
        await serve(server, blake3(b"abc").digest())
        await getting
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / saved}\n"
    assert told.err == "mystic: 3 bytes, verified\n"
    assert (tmp_path / saved).read_bytes() == b"abc"


async def test_a_wrong_hash_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        getting = asyncio.create_task(get(place_at(server, tmp_path), "Sub/a.txt", ""))
        await serve(server, b"x" * 32)
        with pytest.raises(Failure, match="thrown away") as caught:
            await getting
    assert caught.value.status is Status.REFUSED
    assert capsys.readouterr().out == ""


def test_progress_in_words() -> None:
    progress = Progress("a", "running", 3_000_000, 1_500_000, 500_000.0, 3.0)
    assert progress_line(progress) == "1.4 MiB of 2.9 MiB, 488 KiB/s, 3 s left"
    assert progress_line(Progress("a", "verifying", 10, 10)) == "10 bytes of 10 bytes, verifying"


def test_progress_is_drawn_on_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    for at_terminal in (False, True):
        for state in ("running", "done"):
            Reporter(at_terminal=at_terminal)(Progress("a", state, 10, 5))
    assert capsys.readouterr().err == "\r\x1b[K5 bytes of 10 bytes\r\x1b[K"
