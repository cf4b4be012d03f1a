"""Downloads from a scripted server: whole, cut, wrong, refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from mystic_client.session import transfers
from mystic_client.session.connection import Session
from mystic_client.session.transfers import Progress, download
from mysticproto import model
from mysticproto.native import encode_frame
from tests.support.fake_server import FakeServer, Peer
from tests.support.listening import Ear, running

CONTENT = bytes(range(251)) * 4000
HASH = blake3(CONTENT).digest()


class Fetching:
    """A session that downloads, and the server's end of its chat connection."""

    def __init__(self, server: FakeServer, chat: Peer, session: Session, folder: Path) -> None:
        self.server = server
        self.chat = chat
        self.session = session
        self.folder = folder
        self.told: list[Progress] = []

    def start(self, path: str = "Sub/a.bin", save_as: str = "", **options: Any) -> asyncio.Task[Progress]:
        work = download(self.session, path, self.folder, self.told.append, save_as=save_as, **options)
        return asyncio.create_task(work)

    async def ticket(
        self,
        size: int = len(CONTENT),
        modified_us: int = 5,
        blake3: bytes = b"",
        udp: model.UdpTerms | None = None,
        path: str = "",
    ) -> model.OpenDownload:
        """Answers the next question for a ticket; the question."""
        request = await self.chat.expect(model.OpenDownload)
        self.chat.say(model.Ticket(request.n, b"ticket", request.path or path, size, modified_us, blake3, udp))
        return request

    async def serve(self, content: bytes = CONTENT, *, upto: int | None = None) -> int:
        """Serves the next file connection, perhaps only up to somewhere; the offset that was asked for."""
        peer = await self.server.accept()
        request = await peer.expect(model.Fetch)
        peer.raw(encode_frame(model.FileStart(request.n, len(content), request.offset)))
        peer.raw(content[request.offset : upto])
        peer.close()
        return request.offset

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@asynccontextmanager
async def fetching(folder: Path) -> AsyncIterator[Fetching]:
    async with FakeServer() as server, running(server.address, Ear()) as (session, _):
        chat = await server.accept()
        await chat.welcome()
        await session.online()
        yield Fetching(server, chat, session, folder / "downloads")


async def test_a_download_is_verified_and_renamed(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        done = await task
        saved = fetch.folder / "a.bin"
        assert (done.state, done.verified, done.saved_to, done.error) == ("done", True, str(saved), "")
        assert (done.size, done.received) == (len(CONTENT), len(CONTENT))
        assert saved.read_bytes() == CONTENT
        assert fetch.names == ["a.bin"]
        states = [told.state for told in fetch.told]
        assert list(dict.fromkeys(states)) == ["waiting", "running", "verifying", "done"]
        assert [told.received for told in fetch.told] == sorted(told.received for told in fetch.told)
        assert fetch.told[-1] == done


async def test_the_hash_may_come_later_on_the_chat_connection(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket()
        await fetch.serve()
        while fetch.told[-1].state != "verifying":
            await asyncio.sleep(0)
        fetch.chat.say(model.FileHashed("Sub/a.bin", len(CONTENT), 5, HASH))
        assert (await task).verified


async def test_an_empty_file(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start("empty")
        await fetch.ticket(0, blake3=blake3(b"").digest())
        await fetch.serve(b"")
        assert (await task).verified
        assert (fetch.folder / "empty").read_bytes() == b""
        assert fetch.names == ["empty"]


async def test_what_arrives_wrong_is_thrown_away(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=b"x" * 32)
        await fetch.serve()
        await fetch.ticket(blake3=b"x" * 32)
        failed = await task
        assert (failed.state, failed.code, failed.verified) == ("failed", "wrong_hash", False)
        assert fetch.names == []


async def test_without_a_hash_it_says_that_nothing_was_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "HASH_PATIENCE_S", 0.02)
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket()
        await fetch.serve()
        await fetch.ticket()
        done = await task
        assert (done.state, done.verified) == ("done", False)


async def test_a_cut_transfer_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        assert await fetch.serve(upto=400_000) == 0
        await fetch.ticket(blake3=HASH)
        assert await fetch.serve(upto=900_000) == 400_000
        await fetch.ticket(blake3=HASH)
        assert await fetch.serve() == 900_000
        assert (await task).verified
        assert (fetch.folder / "a.bin").read_bytes() == CONTENT


async def test_a_transfer_that_brings_nothing_is_given_up_and_stays_for_later(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        await fetch.serve(upto=1000)
        for _ in range(transfers.ATTEMPTS):
            await fetch.ticket(blake3=HASH)
            await fetch.serve(upto=1000)
        failed = await task
        assert (failed.state, failed.code) == ("failed", "cut")
        assert [name.endswith(".part") for name in fetch.names] == [True]
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        assert await fetch.serve() == 1000
        assert (await task).verified
        assert fetch.names == ["a.bin"]


async def test_a_file_that_changed_starts_over(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        await fetch.serve(upto=1000)
        newer = b"newer" * 1000
        await fetch.ticket(len(newer), 6, blake3(newer).digest())
        assert await fetch.serve(newer) == 0
        done = await task
        assert done.verified and done.note == transfers.CHANGED
        assert fetch.names == ["a.bin"]
        assert (fetch.folder / "a.bin").read_bytes() == newer


async def test_a_broken_chat_connection_does_not_end_a_download(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket()
        files = await fetch.server.accept()
        request = await files.expect(model.Fetch)
        files.raw(encode_frame(model.FileStart(request.n, len(CONTENT), 0)) + CONTENT)
        while fetch.told[-1].state != "verifying":
            await asyncio.sleep(0)
        fetch.chat.reset()
        fetch.chat = await fetch.server.accept()
        await fetch.chat.welcome()
        await fetch.ticket(blake3=HASH)
        assert (await task).verified


async def test_a_session_that_ends_ends_the_download(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        peer = await fetch.server.accept()
        await peer.expect(model.Fetch)
        fetch.session.drop()
        peer.reset()
        failed = await task
        assert (failed.state, failed.code) == ("failed", "not_connected")


async def test_refusals(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start("no\x1bthing")
        request = await fetch.chat.expect(model.OpenDownload)
        fetch.chat.say(model.Refused(request.n, "file_not_found", "There is no such file."))
        failed = await task
        assert (failed.state, failed.code, failed.error) == ("failed", "file_not_found", "There is no such file.")
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        peer = await fetch.server.accept()
        await peer.expect(model.Fetch)
        peer.say(model.Refused(1, "file_unfit", "Not that one."))
        assert (await task).code == "file_unfit"
        task = fetch.start()
        await fetch.ticket(-5)
        assert (await task).code == "malformed"
        assert fetch.names == []


@pytest.mark.parametrize("path", ["../../evil.txt", "Sub/.bashrc", "con", "a\x1b[2Jb", "..", "x/" * 500, "ü" * 500])
async def test_hostile_names_stay_in_the_folder(tmp_path: Path, path: str) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start(path)
        await fetch.ticket(3, blake3=blake3(b"abc").digest())
        await fetch.serve(b"abc")
        done = await task
        assert done.state == "done", done.error
        saved = Path(done.saved_to)
        assert saved.parent == fetch.folder
        assert not saved.name.startswith(".")
        assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(["downloads", saved.name])


async def test_nothing_is_overwritten_but_what_the_user_named(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        fetch.folder.mkdir()
        for name in ("a.bin", "a (1).bin", "mine"):
            (fetch.folder / name).write_text("old")
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        assert (await task).saved_to.endswith("a (2).bin")
        task = fetch.start(save_as="mine")
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        assert (await task).saved_to == str(fetch.folder / "mine")
        assert (fetch.folder / "a.bin").read_text() == "old"
        assert (fetch.folder / "mine").read_bytes() == CONTENT


async def test_cancelling_leaves_the_part(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        peer = await fetch.server.accept()
        await peer.expect(model.Fetch)
        peer.raw(encode_frame(model.FileStart(1, len(CONTENT), 0)) + CONTENT[:5000])
        while not list(fetch.folder.glob("*.part")) or not next(fetch.folder.glob("*.part")).stat().st_size:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert fetch.told[-1].state == "cancelled"
        assert next(fetch.folder.glob("*.part")).stat().st_size == 5000
        await peer.gone()


async def test_the_same_file_twice_at_once(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        first = fetch.start()
        await fetch.ticket(blake3=HASH)
        peer = await fetch.server.accept()
        await peer.expect(model.Fetch)
        second = fetch.start()
        await fetch.ticket(blake3=HASH)
        failed = await second
        assert (failed.state, failed.code) == ("failed", "disk")
        assert "already" in failed.error
        peer.raw(encode_frame(model.FileStart(1, len(CONTENT), 0)) + CONTENT)
        assert (await first).verified


async def test_a_folder_that_cannot_be_made_and_a_disk_that_is_too_small(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(2**60, blake3=HASH)
        failed = await task
        assert failed.code == "disk" and "no room" in failed.error
        assert fetch.names == []
        (tmp_path / "file").write_text("")
        fetch.folder = tmp_path / "file" / "downloads"
        failed = await fetch.start()
        assert failed.code == "disk" and "file" in failed.error


async def test_a_file_that_changed_between_two_runs_starts_over_and_says_so(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        peer = await fetch.server.accept()
        await peer.expect(model.Fetch)
        peer.raw(encode_frame(model.FileStart(1, len(CONTENT), 0)) + CONTENT[:5000])
        while fetch.told[-1].received < 5000:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait({task})
        assert len(fetch.names) == 1
        task = fetch.start()
        await fetch.ticket(3, 6, blake3(b"new").digest())
        assert await fetch.serve(b"new") == 0
        assert (await task).note == transfers.CHANGED
        assert fetch.names == ["a.bin"]


async def test_a_file_that_changed_while_it_came_is_fetched_anew(tmp_path: Path) -> None:
    newer = CONTENT[::-1]
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=blake3(b"neither").digest())
        await fetch.serve()
        await fetch.ticket(modified_us=6, blake3=blake3(newer).digest())
        await fetch.ticket(modified_us=6, blake3=blake3(newer).digest())
        await fetch.serve(newer)
        done = await task
        assert (done.state, done.verified, done.note) == ("done", True, transfers.CHANGED)
        assert (fetch.folder / "a.bin").read_bytes() == newer


async def test_what_was_damaged_between_two_attempts_is_fetched_anew_once(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        for second_is_right in (True, False):
            task = fetch.start()
            await fetch.ticket(blake3=HASH)
            await fetch.serve(upto=1000)
            request = await fetch.chat.expect(model.OpenDownload)
            part = next(fetch.folder.glob("*.part"))
            part.write_bytes(b"x" * 1000)
            task.cancel()
            await asyncio.wait({task})
            fetch.chat.say(model.Refused(request.n, "file_not_found", "Never mind."))
            task = fetch.start()
            await fetch.ticket(blake3=HASH)
            assert await fetch.serve() == 1000
            await fetch.ticket(blake3=HASH)
            assert await fetch.serve(CONTENT if second_is_right else CONTENT[::-1]) == 0
            if second_is_right:
                done = await task
                assert (done.state, done.note) == ("done", transfers.DAMAGED)
                (fetch.folder / "a.bin").unlink()
            else:
                await fetch.ticket(blake3=HASH)
                assert (await task).code == "wrong_hash"
                assert fetch.names == []


async def test_what_is_here_already_and_the_same_is_not_fetched(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        fetch.folder.mkdir()
        (fetch.folder / "a.bin").write_bytes(CONTENT[::-1])
        (fetch.folder / "a (1).bin").write_bytes(CONTENT)
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        assert await fetch.serve() == len(CONTENT)
        done = await task
        assert (done.state, done.verified, done.note) == ("done", True, transfers.ALREADY_THERE)
        assert done.saved_to == str(fetch.folder / "a (1).bin")
        assert fetch.names == ["a (1).bin", "a.bin"]


async def test_what_a_message_brought(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start("", message=17)
        request = await fetch.ticket(3, blake3=blake3(b"abc").digest(), path="notes.txt")
        assert (request.path, request.message) == ("", 17)
        await fetch.serve(b"abc")
        await fetch.ticket(3, blake3=blake3(b"abc").digest(), path="notes.txt")
        await fetch.serve(b"abc")
        assert (await task).saved_to == str(fetch.folder / "notes.txt")


async def test_a_restart_of_the_server_between_ticket_and_file(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        await fetch.ticket(blake3=HASH)
        peer = await fetch.server.accept()
        await peer.expect(model.Fetch)
        peer.say(model.Refused(1, "bad_ticket", "Not here."))
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        assert (await task).verified


async def test_waiting_for_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "BUSY_S", (0.0, 0.0))
    async with fetching(tmp_path) as fetch:
        task = fetch.start()
        for _ in range(2):
            request = await fetch.chat.expect(model.OpenDownload)
            fetch.chat.say(model.Refused(request.n, "limit_reached", "Four at once."))
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        assert (await task).verified
