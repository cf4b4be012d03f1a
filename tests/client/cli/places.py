"""Where the commands under test go: a scripted server, and state and downloads in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

from mystic_client.cli.visit import Place
from mystic_client.config import Config, Settings
from tests.support.fake_server import FakeServer


def place_at(server: FakeServer, folder: Path, name: str = "ana", *, keep_hearing_global: bool = False) -> Place:
    settings = Settings(download_folder=str(folder / "downloads"), keep_hearing_global=keep_hearing_global)
    return Place(server.address, name, Config(settings, folder / "state"))
