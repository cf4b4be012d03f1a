"""The list of transfers: what the user does to it, what it tells, and what is left for the next start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from mystic_client.model.transfer import Transfer
from mystic_client.session import transfer_list as module
from mystic_client.session.connection import Session
from mystic_client.session.memory import Memory
from mystic_client.session.partial import partial_path
from mystic_client.session.progress import Progress
from mystic_client.session.transfer_list import DOWN_AT_ONCE, UP_AT_ONCE, ListFull, TransferList
from mystic_client.session.uploads import Upload
from mysticproto import model
from tests.client.session.test_folders import sharing
from tests.support.fake_server import FakeServer, Peer
from tests.support.listening import Ear, running

PATIENCE_S = 5.0


class Mover:
    """In the place of the real transfers: each waits until the test says how it ends."""

    def __init__(self) -> None:
        self.under_way: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.options: dict[str, dict[str, Any]] = {}
        self.over = ""
        """The way that each of them takes."""
        self.uploads: list[Upload] = []

    async def download(self, session: Session, path: str, folder: Path, told: Any, **options: Any) -> Progress:
        self.options[path] = options
        return await self._move(path, told)

    async def upload(self, session: Session, what: Upload, told: Any, **options: Any) -> Progress:
        self.uploads.append(what)
        return await self._move(what.file.name, told)

    async def _move(self, name: str, told: Any) -> Progress:
        self.under_way[name] = asyncio.get_running_loop().create_future()
        told(Progress(name, "running", 100, 50, 10.0, 5.0, over=self.over, blake3=blake3(name.encode()).digest()))
        try:
            end = Progress(name, **{"size": 100, "received": 100, **await self.under_way[name]})
        except asyncio.CancelledError:
            told(Progress(name, "cancelled"))
            raise
        finally:
            del self.under_way[name]
        told(end)
        return end

    def end(self, name: str, state: str = "done", **changes: Any) -> None:
        self.under_way[name].set_result({"state": state, **changes})


class Listed:
    """A list on a session that is logged in."""

    def __init__(self, chat: Peer, session: Session, folder: Path) -> None:
        self.chat = chat
        self.told: list[Transfer] = []
        self.list = TransferList(session, folder, self.told.append)

    def state(self, number: int) -> str:
        return next(transfer.state for transfer in self.list.transfers if transfer.number == number)

    async def until(self, number: int, *states: str) -> Transfer:
        async with asyncio.timeout(PATIENCE_S):
            while self.state(number) not in states:
                await asyncio.sleep(0.001)
        return next(transfer for transfer in self.list.transfers if transfer.number == number)


@pytest.fixture
def mover(monkeypatch: pytest.MonkeyPatch) -> Mover:
    mover = Mover()
    monkeypatch.setattr(module, "download", mover.download)
    monkeypatch.setattr(module, "upload", mover.upload)
    return mover


@asynccontextmanager
async def listed(folder: Path, server_id: bytes = b"one-server-16byt") -> AsyncIterator[Listed]:
    async with FakeServer(server_id) as server:
        async with running(server.address, Ear(), memory=Memory(folder / "state")) as (session, _):
            chat = await server.accept()
            await chat.welcome()
            await session.online()
            transfers = Listed(chat, session, folder / "downloads")
            transfers.list.take_up()
            yield transfers
            await transfers.list.stop()


async def test_a_download_from_the_beginning_to_the_end(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        number = on.list.download("Sub/a.bin", over="auto")
        shown = await on.until(number, "running")
        assert (shown.name, shown.size, shown.received, shown.over) == ("a.bin", 100, 50, "auto")
        assert mover.options["Sub/a.bin"]["over"] == "auto"
        assert on.list.download("Sub/a.bin") == number
        mover.end("Sub/a.bin", saved_to=str(Path.home() / "a.bin"), verified=True)
        shown = await on.until(number, "done")
        assert shown.in_words() == "verified ✓ BLAKE3 · ~/a.bin"
        assert [told.state for told in on.told] == ["queued", "running", "done"]
        assert on.list.download("Sub/a.bin") != number


async def test_the_real_way_is_shown_once_it_is_known(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        number = on.list.download("a", over="auto")
        assert (await on.until(number, "running")).over == "auto"
        mover.end("a", "failed", error="No.", over="udp")
        assert (await on.until(number, "failed")).over == "udp"
        mover.over = "tcp"
        on.list.retry(number)
        assert (await on.until(number, "running")).over == "tcp"
        assert mover.options["a"]["over"] == "auto", "and is decided anew each time"


async def test_only_some_at_once_in_each_direction(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        down = [on.list.download(f"d{index}") for index in range(DOWN_AT_ONCE + 1)]
        up = [on.list.upload(tmp_path / f"u{index}") for index in range(UP_AT_ONCE + 1)]
        for number in (*down[:-1], *up[:-1]):
            await on.until(number, "running")
        assert (on.state(down[-1]), on.state(up[-1])) == ("queued", "queued")
        mover.end("d0", "failed", error="No.")
        await on.until(down[-1], "running")
        on.list.pause(up[0])
        await on.until(up[-1], "running")
        assert [transfer.number for transfer in on.list.transfers] == sorted([*down, *up], reverse=True)


async def test_pausing_and_going_on(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        number = on.list.download("a")
        await on.until(number, "running")
        on.list.pause(number)
        assert on.state(number) == "paused"
        assert on.list.transfers[0].in_words() == "paused · 50 bytes of 100 bytes"
        on.list.resume(number)
        await on.until(number, "running")
        on.list.retry(number)
        on.list.resume(number)
        assert on.state(number) == "running"
        mover.end("a")
        await on.until(number, "done")
        on.list.pause(number)
        on.list.cancel(number)
        assert on.state(number) == "done"


async def test_a_failure_and_another_attempt(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        number = on.list.download("a")
        await on.until(number, "running")
        mover.end("a", "failed", error="There is no such file.")
        assert (await on.until(number, "failed")).in_words() == "There is no such file."
        on.list.retry(number)
        assert (await on.until(number, "running")).error == ""


async def test_cancelling_throws_away_what_has_come(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        (tmp_path / "downloads").mkdir()
        part = partial_path(tmp_path / "downloads", "a.bin", b"one-server-16byt", "Sub/a.bin", 100, 5)
        part.write_bytes(b"some")
        number = on.list.download("Sub/a.bin")
        await on.until(number, "running")
        on.list.cancel(number)
        assert on.state(number) == "cancelled"
        while part.exists():
            await asyncio.sleep(0.001)
        number = on.list.upload(tmp_path / "u.bin")
        await on.until(number, "running")
        on.list.cancel(number)
        request = await on.chat.expect(model.CancelUpload)
        assert (request.name, request.blake3) == ("u.bin", blake3(b"u.bin").digest())
        on.chat.say(model.Ok(request.n))


async def test_taking_off_the_list(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        numbers = [on.list.download(path) for path in ("a", "b", "c")]
        for number in numbers:
            await on.until(number, "running")
        mover.end("a")
        mover.end("b", "failed", error="No.")
        await on.until(numbers[0], "done")
        await on.until(numbers[1], "failed")
        on.list.clear()
        assert [on.list.is_listed(number) for number in numbers] == [False, True, True]
        on.list.remove(numbers[2])
        assert not on.list.is_listed(numbers[2])
        while mover.under_way:
            await asyncio.sleep(0)
        on.list.remove(99)


async def test_the_next_start_goes_on(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        numbers = [on.list.download(path) for path in ("done", "failed", "paused", "running", "cancelled")]
        on.list.upload(tmp_path / "up", to=model.ToUsers(("bob",)), text="Look!", whither="to bob")
        for number in numbers[:-1]:
            await on.until(number, "running")
        mover.end("done", saved_to="somewhere", verified=True)
        mover.end("failed", "failed", error="No.")
        await on.until(numbers[0], "done")
        await on.until(numbers[1], "failed")
        on.list.pause(numbers[2])
        on.list.cancel(numbers[4])
        cid = mover.uploads[0].cid
    assert mover.under_way == {}
    async with listed(tmp_path) as on:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        states = {transfer.name: transfer.state for transfer in on.list.transfers}
        assert states["done"] == "done" and states["failed"] == "failed" and states["paused"] == "paused"
        assert states["cancelled"] == "cancelled"
        numbers_of = {transfer.name: transfer.number for transfer in on.list.transfers}
        await on.until(numbers_of["running"], "running")
        await on.until(numbers_of["up"], "running")
        again = mover.uploads[1]
        assert (again.cid, again.to, again.text) == (cid, model.ToUsers(("bob",)), "Look!")
        shown = {transfer.name: transfer for transfer in on.list.transfers}
        assert shown["done"].saved_to == "somewhere" and shown["failed"].error == "No."
        assert shown["up"].whither == "to bob"


async def test_every_server_has_a_list_of_its_own(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        await on.until(on.list.download("a"), "running")
    async with listed(tmp_path, b"other-server-16b") as on:
        assert on.list.transfers == []
        await on.until(on.list.download("b"), "running")
        on.list.take_up()
        assert [transfer.name for transfer in on.list.transfers] == ["b"]


async def test_verifying_again(tmp_path: Path, mover: Mover) -> None:
    async with listed(tmp_path) as on:
        (tmp_path / "a").write_bytes(b"a")
        number = on.list.download("a")
        await on.until(number, "running")
        on.list.verify(number)
        assert on.state(number) == "running"
        mover.end("a", saved_to=str(tmp_path / "a"), verified=True, blake3=blake3(b"a").digest())
        await on.until(number, "done")
        on.list.verify(number)
        assert on.state(number) == "verifying"
        await on.until(number, "done")
        (tmp_path / "a").write_bytes(b"b")
        on.list.verify(number)
        shown = await on.until(number, "failed")
        assert (shown.error, shown.verified) == (module.DAMAGED, False)
        on.list.retry(number)
        await on.until(number, "running")
        mover.end("a", saved_to=str(tmp_path / "gone"))
        await on.until(number, "done")
        on.list.verify(number)
        assert "gone" in (await on.until(number, "failed")).error


async def test_the_list_is_bounded(tmp_path: Path, mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 2)
    async with listed(tmp_path) as on:
        first, second = on.list.download("a"), on.list.download("b")
        with pytest.raises(ListFull):
            on.list.download("c")
        await on.until(first, "running")
        mover.end("a")
        await on.until(first, "done")
        on.list.download("c")
        assert not on.list.is_listed(first) and on.list.is_listed(second)


async def test_a_folder(tmp_path: Path) -> None:
    told: list[Transfer] = []
    async with sharing() as share:
        share.refused = {"Music/a.ogg"}
        transfers = TransferList(share.session, tmp_path, told.append)
        transfers.take_up()
        number = transfers.download_folder("Music")
        await until(lambda: told[-1].state == "failed")
        assert (told[-1].files, told[-1].files_done) == (4, 3)
        assert {file.name: file.state for file in transfers.files_of(number)} == {
            "a.ogg": "failed",
            "b.ogg": "done",
            "c.ogg": "done",
            "d.ogg": "done",
        }
        share.refused, share.fetched = set(), []
        transfers.retry(number)
        await until(lambda: told[-1].state == "done")
        assert share.fetched == ["Music/a.ogg"]
        assert told[-1].in_words().startswith("4 files · verified ✓ BLAKE3 · ")
        assert transfers.files_of(99) == []
        await transfers.stop()


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.001)
