"""Uploads to a scripted server: whole, cut, refused, and files that change under way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from mystic_client.session import uploads
from mystic_client.session.connection import Session
from mystic_client.session.progress import Progress
from mystic_client.session.uploads import Upload, forget_upload, upload
from mysticproto import model
from tests.support.certificates import server_tls
from tests.support.fake_server import FakeServer, Peer
from tests.support.listening import Ear, running

CONTENT = bytes(range(251)) * 4000
HASH = blake3(CONTENT).digest()


class Sending:
    """A session that uploads, and the server's end of its chat connection."""

    def __init__(self, server: FakeServer, chat: Peer, session: Session, folder: Path) -> None:
        self.server = server
        self.chat = chat
        self.session = session
        self.file = folder / "a.bin"
        self.file.write_bytes(CONTENT)
        self.told: list[Progress] = []

    def start(self, **what: Any) -> asyncio.Task[Progress]:
        return asyncio.create_task(upload(self.session, Upload(self.file, **what), self.told.append))

    async def ticket(self, offset: int = 0) -> model.OpenUpload:
        request = await self.chat.expect(model.OpenUpload)
        self.chat.say(model.UploadTicket(request.n, b"ticket", offset))
        return request

    async def store(self, offset: int = 0, upto: int = len(CONTENT)) -> Peer:
        """Takes the bytes from the offset on up to somewhere."""
        peer = await self.server.accept()
        assert (await peer.expect(model.Store)).ticket == b"ticket"
        if upto > offset:
            assert await peer.take_raw(upto - offset) == CONTENT[offset:upto]
        return peer


@asynccontextmanager
async def sending(folder: Path, *, tls: bool = False) -> AsyncIterator[Sending]:
    async with FakeServer(tls=server_tls().context if tls else None) as server:
        async with running(server.address, Ear()) as (session, _):
            chat = await server.accept()
            await chat.welcome()
            await session.online()
            yield Sending(server, chat, session, folder)


async def test_a_file_goes_into_the_shared_folder(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start(folder="Docs")
        request = await send.ticket()
        assert (request.name, request.size, request.blake3) == ("a.bin", len(CONTENT), HASH)
        assert (request.folder, request.to, len(request.cid)) == ("Docs", None, 16)
        peer = await send.store()
        peer.say(model.Stored(1, "Docs/a (1).bin"))
        done = await task
        assert (done.state, done.saved_to, done.verified) == ("done", "Docs/a (1).bin", True)
        assert (done.size, done.received, done.blake3) == (len(CONTENT), len(CONTENT), HASH)
        states = list(dict.fromkeys(told.state for told in send.told))
        assert [state for state in states if state != "verifying"] == ["waiting", "hashing", "running", "done"]


async def test_a_file_goes_to_a_conversation_under_a_name_of_ones_own(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start(to=model.ToUsers(("bob",)), text="Look!", name="photo.jpg", cid=b"c" * 16)
        request = await send.ticket()
        assert (request.name, request.to, request.text) == ("photo.jpg", model.ToUsers(("bob",)), "Look!")
        assert request.cid == b"c" * 16
        (await send.store()).say(model.Stored(1, "", 17))
        done = await task
        assert (done.state, done.saved_to, done.seq) == ("done", "", 17)


async def test_a_cut_upload_goes_on_under_the_same_id(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        first = await send.ticket()
        (await send.store(upto=300_000)).reset()
        second = await send.ticket(300_000)
        assert (second.cid, second.blake3) == (first.cid, HASH)
        (await send.store(300_000, 800_000)).reset()
        await send.ticket(800_000)
        (await send.store(800_000)).say(model.Stored(1, "a.bin"))
        assert (await task).state == "done"


async def test_what_the_server_has_already_is_not_sent(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        await send.ticket(len(CONTENT))
        (await send.store(len(CONTENT))).say(model.Stored(1, "a.bin"))
        assert (await task).state == "done"


async def test_an_empty_file(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        send.file.write_bytes(b"")
        task = send.start()
        assert (await send.ticket()).blake3 == blake3(b"").digest()
        (await send.store(upto=0)).say(model.Stored(1, "a.bin"))
        assert (await task).state == "done"


async def test_an_upload_that_gets_nowhere_is_given_up(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        for _ in range(3):
            await send.ticket()
            (await send.store(upto=0)).reset()
        failed = await task
        assert (failed.state, failed.code) == ("failed", "cut")


async def test_refusals(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        request = await send.chat.expect(model.OpenUpload)
        send.chat.say(model.Refused(request.n, "not_allowed", "Only members may."))
        failed = await task
        assert (failed.state, failed.code, failed.error) == ("failed", "not_allowed", "Only members may.")
        task = send.start()
        await send.ticket()
        (await send.store(upto=1000)).say(model.Refused(1, "disk_full", "The disk is full."))
        assert (await task).code == "disk_full"
        task = send.start()
        await send.ticket(len(CONTENT) + 1)
        assert (await task).code == "malformed"


@pytest.mark.parametrize("code", ["bad_ticket", "stopping", "files_unavailable"])
async def test_a_restart_of_the_server_is_no_refusal(tmp_path: Path, code: str) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        await send.ticket()
        (await send.store(upto=0)).say(model.Refused(1, code, "Not now."))
        await send.ticket()
        (await send.store()).say(model.Stored(1, "a.bin"))
        assert (await task).state == "done"


async def test_waiting_for_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "BUSY_S", (0.0,))
    async with sending(tmp_path) as send:
        task = send.start()
        request = await send.chat.expect(model.OpenUpload)
        send.chat.say(model.Refused(request.n, "limit_reached", "Two at once."))
        await send.ticket()
        (await send.store()).say(model.Stored(1, "a.bin"))
        assert (await task).state == "done"


async def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        request = await send.chat.expect(model.OpenUpload)
        os.utime(send.file, ns=(1, 1))
        send.chat.say(model.UploadTicket(request.n, b"ticket", 0))
        failed = await task
        assert (failed.state, failed.code, failed.error) == ("failed", "file_changed", uploads.CHANGED)
        task = send.start()
        request = await send.chat.expect(model.OpenUpload)
        with send.file.open("r+b") as file:
            file.truncate(1000)
        send.chat.say(model.UploadTicket(request.n, b"ticket", 0))
        assert (await task).code == "file_changed"


async def test_only_files(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        send.file = tmp_path
        assert (await send.start()).code == "disk"
        send.file = tmp_path / "nothing"
        assert "No such file" in (await send.start()).error
        send.file = tmp_path / "pipe"
        os.mkfifo(send.file)
        failed = await send.start()
        assert (failed.code, failed.error) == ("disk", "only files can be sent")


async def test_a_session_that_ends_and_one_that_comes_back(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        await send.ticket()
        peer = await send.store(upto=1000)
        send.chat.reset()
        peer.reset()
        send.chat = await send.server.accept()
        await send.chat.welcome()
        await send.ticket(1000)
        peer = await send.store(1000, 2000)
        send.session.drop()
        peer.reset()
        assert (await task).code == "not_connected"


async def test_cancelling_ends_the_connection(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = send.start()
        await send.ticket()
        peer = await send.store(upto=1000)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() and send.told[-1].state == "cancelled"
        await peer.gone()


async def test_with_tls_as_the_chat_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mystic_client.session.link.open_streams.__defaults__", (lambda host: False,))
    async with sending(tmp_path, tls=True) as send:
        assert send.session.security.fingerprint == server_tls().fingerprint
        task = send.start()
        await send.ticket()
        (await send.store()).say(model.Stored(1, "a.bin"))
        assert (await task).state == "done"


async def test_giving_up_what_the_server_has(tmp_path: Path) -> None:
    async with sending(tmp_path) as send:
        task = asyncio.create_task(forget_upload(send.session, "a.bin", HASH))
        request = await send.chat.expect(model.CancelUpload)
        assert (request.name, request.blake3) == ("a.bin", HASH)
        send.chat.say(model.Ok(request.n))
        await task
        send.session.drop()
        await forget_upload(send.session, "a.bin", HASH)
