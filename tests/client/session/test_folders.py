"""Whole folders from a server that plays its part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.session import folders
from mystic_client.session.connection import Session
from mystic_client.session.folders import FolderDownload, walk
from mystic_client.session.progress import Failed, Progress
from mysticproto import model
from mysticproto.native import encode_frame
from tests.support.fake_server import FakeServer, Peer
from tests.support.listening import Ear, running

SHARED = {
    "Music/a.ogg": b"a" * 1000,
    "Music/Old/b.ogg": b"b" * 2000,
    "Music/Old/c.ogg": b"",
    "Music/Old/Older/d.ogg": b"d",
    "other.txt": b"o",
}


class Sharing:
    """Answers listings, tickets and fetches out of `shared`; `refused` are not given."""

    def __init__(self, server: FakeServer, chat: Peer, session: Session) -> None:
        self.shared = dict(SHARED)
        self.refused: set[str] = set()
        self.fetched: list[str] = []
        self.session = session
        self._server = server
        self._chat = chat

    async def play(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_chat())
            group.create_task(self._answer_files())

    async def _answer_chat(self) -> None:
        while True:
            request = await self._chat.next_request()
            match request:
                case model.ListFolder(n, path):
                    self._chat.say(self._listing(n, path))
                case model.OpenDownload(n, path) if path in self.refused:
                    self._chat.say(model.Refused(n, "file_not_found", "Gone."))
                case model.OpenDownload(n, path):
                    content = self.shared[path]
                    said = model.Ticket(n, path.encode(), path, len(content), 5, blake3(content).digest())
                    self._chat.say(said)

    def _listing(self, n: int, path: str) -> model.FromServer:
        inside = {name.removeprefix(f"{path}/" if path else ""): name for name in self.shared if name.startswith(path)}
        if not inside:
            return model.Refused(n, "file_not_found", "There is no such folder.")
        names = sorted({name.partition("/")[0] for name in inside})
        entries = [
            model.FolderEntry(name, "file", len(self.shared[inside[name]]), 5)
            if name in inside
            else model.FolderEntry(name, "folder")
            for name in names
        ]
        return model.Folder(n, path, tuple(entries), len(entries))

    async def _answer_files(self) -> None:
        while True:
            peer = await self._server.accept()
            request = await peer.expect(model.Fetch)
            path = request.ticket.decode()
            content = self.shared[path]
            if request.offset < len(content):
                self.fetched.append(path)
            peer.raw(encode_frame(model.FileStart(1, len(content), request.offset)) + content[request.offset :])
            peer.close()


@asynccontextmanager
async def sharing() -> AsyncIterator[Sharing]:
    async with FakeServer() as server, running(server.address, Ear()) as (session, _):
        chat = await server.accept()
        await chat.welcome()
        await session.online()
        share = Sharing(server, chat, session)
        playing = asyncio.create_task(share.play())
        try:
            yield share
        finally:
            playing.cancel()
            await asyncio.wait({playing})


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_walking() -> None:
    async with sharing() as share:
        found = await walk(share.session, "Music")
        assert [(file.path, file.size) for file in found] == [
            ("Music/Old/Older/d.ogg", 1),
            ("Music/Old/b.ogg", 2000),
            ("Music/Old/c.ogg", 0),
            ("Music/a.ogg", 1000),
        ]
        assert len(await walk(share.session, "")) == 5
        with pytest.raises(Failed) as caught:
            await walk(share.session, "Nothing")
        assert caught.value.code == "file_not_found"


async def test_a_walk_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sharing() as share:
        for limit in ("MAX_DEPTH", "MAX_FILES"):
            with monkeypatch.context() as patch:
                patch.setattr(folders, limit, 1)
                with pytest.raises(Failed) as caught:
                    await walk(share.session, "")
                assert caught.value.code == "too_many"


async def test_a_folder_with_its_structure(tmp_path: Path) -> None:
    told: list[Progress] = []
    told_files: list[Progress] = []
    async with sharing() as share:
        done = await FolderDownload(share.session, "Music", tmp_path, told.append, told_file=told_files.append).run()
    assert (done.state, done.verified, done.saved_to) == ("done", True, str(tmp_path / "Music"))
    assert (told[0].over, done.over) == ("", "tcp"), "known once a file is on its way"
    assert (done.files, done.files_done, done.size, done.received) == (4, 4, 3001, 3001)
    assert files_in(tmp_path) == {name: SHARED[name] for name in SHARED if name.startswith("Music")}
    assert {progress.path for progress in told_files} == {name for name in SHARED if name.startswith("Music")}
    assert [one.files_done for one in told] == sorted(one.files_done for one in told)


async def test_only_what_is_missing_is_fetched_again(tmp_path: Path) -> None:
    async with sharing() as share:
        share.refused = {"Music/Old/b.ogg"}
        folder = FolderDownload(share.session, "Music", tmp_path, lambda progress: None)
        failed = await folder.run()
        assert (failed.state, failed.files_done, failed.code) == ("failed", 3, "file_not_found")
        assert failed.error == "1 of 4 files failed; Music/Old/b.ogg: Gone."
        assert folder.files["Music/Old/b.ogg"].state == "failed"
        share.refused, share.fetched = set(), []
        assert (await folder.run()).state == "done"
        assert share.fetched == ["Music/Old/b.ogg"]
        share.fetched = []
        share.shared["Music/a.ogg"] = b"A" * 1000
        again = FolderDownload(share.session, "Music", tmp_path, lambda progress: None)
        assert (await again.run()).state == "done"
        assert share.fetched == ["Music/a.ogg"]
        assert again.files["Music/Old/b.ogg"].note
    assert sorted(path.name for path in (tmp_path / "Music").iterdir()) == ["Old", "a (1).ogg", "a.ogg"]


async def test_the_root_and_hostile_names(tmp_path: Path) -> None:
    async with sharing() as share:
        share.shared = {"..\\..\\evil/x": b"1", "con/.bashrc": b"2"}
        done = await FolderDownload(share.session, "", tmp_path / "to", lambda progress: None).run()
        assert done.state == "done", done.error
    assert sorted(files_in(tmp_path)) == [f"to/{folders.ROOT_NAME}/_con/_bashrc", f"to/{folders.ROOT_NAME}/evil/x"]


async def test_cancelling(tmp_path: Path) -> None:
    told: list[Progress] = []
    async with sharing() as share:
        places = asyncio.Semaphore(1)
        await places.acquire()
        folder = FolderDownload(share.session, "Music", tmp_path, told.append, places=places)
        task = asyncio.create_task(folder.run())
        while not told or told[-1].files != 4:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() and told[-1].state == "cancelled"
        assert share.fetched == []
