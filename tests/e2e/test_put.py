"""`mystic put` and `mystic get` with a real server: folders, people who are away, kills in the middle, the list."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.session.connection import Session
from mystic_client.session.heard import Address
from mystic_client.session.identity import load_or_make_identity
from mystic_client.session.memory import Memory
from mystic_client.session.progress import Progress
from mystic_client.session.transfer_list import TransferList
from mystic_client.session.transfers import download
from mystic_client.session.uploads import Upload, upload
from mysticproto import model
from tests.e2e.programs import CLI, Program, mystic, surroundings
from tests.server.files.test_placing import BAD_NAMES
from tests.support.proxy import Proxy
from tests.support.server_process import ServerProcess, running_server

PATIENCE_S = 20.0
MIB = 1024 * 1024
CONTENT = random.Random(5).randbytes(20 * MIB + 17)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path / "server", "--unlimited") as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@contextlib.asynccontextmanager
async def logged_in(address: Address, state: Path, name: str = "ana") -> AsyncIterator[Session]:
    identity = load_or_make_identity(state)
    session = Session(address, name, identity, lambda batch: None, memory=Memory(state))
    running = asyncio.create_task(session.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await session.online()
        yield session
    finally:
        await session.close()
        await asyncio.wait({running})


def shared(server: ServerProcess) -> dict[str, bytes]:
    return {
        str(path.relative_to(server.shared)): path.read_bytes() for path in server.shared.rglob("*") if path.is_file()
    }


def test_there_and_back(server: ServerProcess, home: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.bin").write_bytes(CONTENT)
    put = mystic(home, server.address, "ana", "put", str(tmp_path / "plan.bin"), "Docs")
    assert (put.returncode, put.stdout, put.stderr) == (
        0,
        "Docs/plan.bin\n",
        "mystic: 20 MiB, verified by the server\n",
    )
    (tmp_path / "plan.bin").write_bytes(CONTENT[::-1])
    put = mystic(home, server.address, "ana", "put", str(tmp_path / "plan.bin"), "Docs")
    assert put.stdout == "Docs/plan (1).bin\n"
    assert shared(server) == {"Docs/plan.bin": CONTENT, "Docs/plan (1).bin": CONTENT[::-1]}
    got = mystic(home, server.address, "bob", "get", "Docs", "-o", str(tmp_path / "to"))
    assert (got.returncode, got.stdout) == (0, f"{tmp_path / 'to' / 'Docs'}\n")
    assert (tmp_path / "to/Docs/plan (1).bin").read_bytes() == CONTENT[::-1]
    assert (tmp_path / "to/Docs/plan.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("over", ["--tcp", "--udp", "--auto"])
def test_a_folder_there_and_back(server: ServerProcess, home: Path, tmp_path: Path, over: str) -> None:
    files = {"a.txt": b"a", "Deep/er/b.bin": CONTENT[:300_000], "Deep/empty": b""}
    for name, content in files.items():
        path = tmp_path / "Things" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    put = mystic(home, server.address, "ana", "put", str(tmp_path / "Things"))
    assert put.returncode == 0, put.stderr
    assert shared(server) == {f"Things/{name}": content for name, content in files.items()}
    for _ in range(2):
        got = mystic(home, server.address, "ana", "get", over, "--folder", "Things")
        assert got.returncode == 0, got.stderr
        assert "3 files" in got.stderr and "verified" in got.stderr
    saved = home / "downloads/ana/Things"
    assert {name: (saved / name).read_bytes() for name in files} == files
    assert sum(path.is_file() for path in saved.rglob("*")) == len(files)


def test_to_somebody_who_is_away(server: ServerProcess, home: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(CONTENT)
    bobs = tmp_path / "bob"
    assert mystic(bobs, server.address, "bob", "users").returncode == 0
    put = mystic(home, server.address, "ana", "put", str(tmp_path / "photo.jpg"), "--to", "bob", "--text", "Look!")
    assert put.returncode == 0, put.stderr
    number = put.stdout.removeprefix("message ").strip()
    said = json.loads(mystic(bobs, server.address, "bob", "history", "--to", "ana", "--json").stdout)
    assert (said["seq"], said["text"]) == (int(number), "Look!")
    assert said["file"] == {
        "name": "photo.jpg",
        "size": len(CONTENT),
        "blake3": blake3(CONTENT).hexdigest(),
        "path": "",
    }
    got = mystic(bobs, server.address, "bob", "get", "--message", number)
    assert (got.returncode, Path(got.stdout.strip()).read_bytes()) == (0, CONTENT), got.stderr
    other = mystic(tmp_path / "eve", server.address, "eve", "get", "--message", number)
    assert (other.returncode, other.stdout) == (1, "")
    assert shared(server) == {}


def test_a_download_in_datagrams_that_is_killed_goes_on(server: ServerProcess, home: Path) -> None:
    path = server.shared / "large.bin"
    with path.open("wb") as file:
        file.write(CONTENT)
        file.truncate(150 * MIB)
    with Program(home, server.address, "ana", "get", "--udp", "large.bin") as get:
        folder = home / "downloads" / "ana"
        while not list(folder.glob("*.part")):
            assert get.process.poll() is None
        get.process.kill()
    got = mystic(home, server.address, "ana", "get", "--udp", "large.bin")
    assert got.returncode == 0, got.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["large.bin"]
    assert blake3((folder / "large.bin").read_bytes()).digest() == blake3(path.read_bytes()).digest()


# Through a proxy, so that things break where they are meant to.


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.005)


async def test_an_upload_goes_on_after_the_server_was_killed(server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "plan.bin").write_bytes(CONTENT)
    told: list[Progress] = []
    async with Proxy(Address(server.host, server.port)) as proxy, logged_in(proxy.address, tmp_path) as session:
        cut = asyncio.create_task(proxy.cut_after(10 * MIB, to_server=True))
        what = Upload(tmp_path / "plan.bin", to=model.ToGlobal(), text="Here it is")
        sending = asyncio.create_task(upload(session, what, told.append))
        await asyncio.wait_for(cut, PATIENCE_S)
        server.kill()
        await asyncio.to_thread(server.start)
        done = await sending
        assert done.state == "done", done.error
        starts = [progress.received for before, progress in pairwise(told) if before.state == "waiting"]
        assert starts[-1] > MIB  # what the server had on its way to the disk is sent once more
        history = await session.ask(lambda n: model.GetHistory(n, model.ToGlobal()))
        assert isinstance(history, model.History)
        brought = [event for event in history.events if isinstance(event, model.Message)]
        assert [(message.seq, message.text) for message in brought] == [(done.seq, "Here it is")]
        got = await download(session, "", tmp_path / "back", told.append, message=done.seq)
        assert (got.state, got.verified) == ("done", True)
    assert (tmp_path / "back" / "plan.bin").read_bytes() == CONTENT


async def test_the_list_goes_on_after_the_client_was_closed_and_the_server_killed(
    server: ServerProcess, tmp_path: Path
) -> None:
    (server.shared / "large.bin").write_bytes(CONTENT)
    (tmp_path / "plan.bin").write_bytes(CONTENT)
    into = tmp_path / "downloads"
    async with Proxy(Address(server.host, server.port)) as proxy:
        async with logged_in(proxy.address, tmp_path) as session:
            transfers = TransferList(session, into, lambda transfer: None)
            transfers.take_up()
            down = asyncio.create_task(proxy.cut_after(6 * MIB, to_server=False))
            transfers.download("large.bin")
            await asyncio.wait_for(down, PATIENCE_S)
            transfers.upload(tmp_path / "plan.bin", folder="Docs")
            up = asyncio.create_task(proxy.cut_after(6 * MIB, to_server=True))
            await asyncio.wait_for(up, PATIENCE_S)
            await transfers.stop()
        server.kill()
        await asyncio.to_thread(server.start)
        async with logged_in(proxy.address, tmp_path) as session:
            transfers = TransferList(session, into, lambda transfer: None)
            transfers.take_up()
            assert len(transfers.transfers) == 2
            await until(lambda: all(transfer.state == "done" for transfer in transfers.transfers))
            assert all(transfer.verified for transfer in transfers.transfers)
            await transfers.stop()
    assert [path.name for path in into.iterdir()] == ["large.bin"]
    assert (into / "large.bin").read_bytes() == CONTENT
    assert shared(server) == {"large.bin": CONTENT, "Docs/plan.bin": CONTENT}


async def test_names_that_no_file_may_have(server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    async with logged_in(Address(server.host, server.port), tmp_path) as session:
        for name in BAD_NAMES:
            if name.isprintable() and len(name) < 300 and name:
                done = await upload(session, Upload(tmp_path / "file", name=name), lambda progress: None)
                assert (done.state, done.code) == ("failed", "file_name_invalid"), name
    assert shared(server) == {}


def test_a_disk_that_fills_up_and_has_room_again(server: ServerProcess, home: Path) -> None:
    (server.shared / "large.bin").write_bytes(CONTENT)
    for status, limit in ((1, 5 * MIB), (0, resource.RLIM_INFINITY)):
        done = subprocess.run(
            [*CLI, "get", "large.bin"],
            env=surroundings(home, server.address, "ana"),
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)),  # type: ignore[misc]
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == status, done.stderr
        if status:
            assert "File too large" in done.stderr and "Traceback" not in done.stderr
            assert next((home / "downloads/ana").glob("*.part")).stat().st_size == 5 * MIB
    assert (home / "downloads/ana/large.bin").read_bytes() == CONTENT
