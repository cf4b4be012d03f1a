"""Downloads: started, followed, stopped, tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mystic_client.model.transfer import Transfer
from mystic_client.session.transfers import Progress
from mystic_client.tui import downloads as module
from mystic_client.tui.downloads import MAX_AT_ONCE, Downloads


class Fetching:
    """Fetches as the test says."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[Callable[[Progress], None], asyncio.Future[None]]] = {}
        self.shown: list[Transfer] = []
        self.downloads = Downloads(self.fetch, Path("folder"), self.shown.append)

    async def fetch(self, path: str, folder: Path, progressed: Callable[[Progress], None]) -> Progress:
        assert folder == Path("folder")
        self.running[path] = (progressed, asyncio.get_running_loop().create_future())
        try:
            await self.running[path][1]
        finally:
            del self.running[path]
        return Progress(path, "done")

    def report(self, path: str, progress: Progress) -> None:
        self.running[path][0](progress)

    async def finish(self, path: str, state: str = "done") -> None:
        self.report(path, Progress(path, state, saved_to=str(Path.home() / path), verified=True))
        self.running[path][1].set_result(None)
        await turn()

    @property
    def states(self) -> dict[str, str]:
        return {transfer.path: transfer.state for transfer in self.downloads.shown}


async def turn() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_a_download_is_followed_to_its_end() -> None:
    fetching = Fetching()
    fetching.downloads.start("a")
    await turn()
    fetching.report("a", Progress("a", "running", 10, 5, 2.0, 2.5))
    assert fetching.shown[-1] == Transfer(1, "a", "running", 10, 5, 2.0, 2.5)
    await fetching.finish("a")
    last = fetching.downloads.shown[0]
    assert (last.state, last.verified, last.saved_to) == ("done", True, "~/a")


async def test_one_file_is_fetched_once_at_a_time() -> None:
    fetching = Fetching()
    for _ in range(3):
        fetching.downloads.start("a")
    await turn()
    assert len(fetching.downloads.shown) == 1
    await fetching.finish("a")
    fetching.downloads.start("a")
    await turn()
    assert [transfer.number for transfer in fetching.downloads.shown] == [2, 1]
    await fetching.downloads.stop_all()


async def test_further_ones_wait_for_a_place() -> None:
    fetching = Fetching()
    for number in range(MAX_AT_ONCE + 2):
        fetching.downloads.start(f"f{number}")
    await turn()
    assert len(fetching.running) == MAX_AT_ONCE
    await fetching.finish("f0")
    assert f"f{MAX_AT_ONCE}" in fetching.running
    await fetching.downloads.stop_all()
    assert set(fetching.states.values()) == {"done", "cancelled"}
    assert fetching.running == {}


async def test_stopping_and_trying_again() -> None:
    fetching = Fetching()
    fetching.downloads.start("a")
    await turn()
    fetching.downloads.stop(1)
    await turn()
    assert fetching.states == {"a": "cancelled"}
    fetching.downloads.again(1)
    await turn()
    assert "a" in fetching.running
    fetching.downloads.again(1)
    await fetching.finish("a", "failed")
    fetching.downloads.again(1)
    await turn()
    await fetching.finish("a")
    fetching.downloads.again(1)
    fetching.downloads.again(99)
    fetching.downloads.stop(1)
    fetching.downloads.stop(99)
    assert fetching.downloads.shown == []


async def test_the_list_has_a_limit() -> None:
    fetching = Fetching()
    for number in range(module.MAX_LISTED + 5):
        fetching.downloads.start(str(number))
        await turn()
        await fetching.finish(str(number))
    assert len(fetching.downloads.shown) == module.MAX_LISTED
