"""Choosing files to send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mystic_client.model.own_files import OwnFile, listed
from mystic_client.tui.screens.upload import UploadScreen
from mystic_client.tui.widgets.clock import Clock
from tests.support.fake_session import NOON_US
from tests.support.widget_app import WidgetApp, at, running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub [x]").mkdir()
    for name in ("alpha.txt", "beta.txt", "sub [x]/gamma.txt"):
        (tmp_path / name).write_text("x")
    return tmp_path


async def read(folder: Path) -> list[OwnFile]:
    return listed(folder)


@asynccontextmanager
async def choosing(
    folder: Path,
) -> AsyncIterator[tuple[UploadScreen, list[tuple[Path, ...] | None], Pilot[None], WidgetApp]]:
    async with running(size=(80, 24)) as (app, pilot):
        screen = UploadScreen("Send files [b]", "They go with [b]", f"{folder}/", read, Clock(lambda: NOON_US, UTC))
        given: list[tuple[Path, ...] | None] = []
        app.push_screen(screen, given.append)
        await app.workers.wait_for_complete()
        await pilot.pause()
        yield screen, given, pilot, app


async def test_by_keys(folder: Path) -> None:
    async with choosing(folder) as (screen, given, pilot, app):
        await pilot.press("s", "tab")
        await app.workers.wait_for_complete()
        assert screen.path.value == f"{folder}/sub [x]/"
        await pilot.press("g", "enter")
        assert given == [(folder / "sub [x]" / "gamma.txt",)]


async def test_several_by_keys(folder: Path) -> None:
    async with choosing(folder) as (_screen, given, pilot, _):
        await pilot.press("down", "down", "down", "space", "down", "space", "enter")
        assert given == [(folder / "alpha.txt", folder / "beta.txt")]


async def test_by_mouse(folder: Path) -> None:
    async with choosing(folder) as (screen, given, pilot, app):
        await pilot.click(screen.list, offset=at(screen.list, "sub [x]"))
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.click(screen.list, offset=at(screen.list, ".."))
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert screen.path.value == f"{folder}/"
        await pilot.click(screen.list, offset=(0, at(screen.list, "beta")[1]))
        await pilot.click("#send-files")
        assert given == [(folder / "beta.txt",)]


async def test_what_is_typed_whole_or_wrong(folder: Path) -> None:
    async with choosing(folder) as (screen, given, pilot, app):
        screen.path.value = f"{folder}/nothing/at"
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await pilot.pause()
        assert "No such file" in str(screen.query_one(".problem").render())
        screen.path.value = f"{folder}/sub [x]"
        await pilot.press("enter")
        assert screen.path.value == f"{folder}/sub [x]/"
        screen.path.value = f"{folder}/alpha.txt"
        await pilot.press("enter")
        assert given == [(folder / "alpha.txt",)]


async def test_letters_over_the_list_are_for_the_path_and_escape_gives_nothing(folder: Path) -> None:
    async with choosing(folder) as (screen, given, pilot, _):
        await pilot.press("down", "b")
        assert screen.path.value == f"{folder}/b" and screen.path.has_focus
        await pilot.press("escape")
        assert given == [None]
