"""The world around the app as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from mystic_client.config import Config, Settings, load_config
from mystic_client.model.choice import Choice
from mystic_client.session.connection import Session
from mystic_client.session.heard import Address
from mystic_client.session.pins import Pins
from mystic_client.tui.world import real_world

FINGERPRINT = ":".join(["ab"] * 32)


def test_settings_and_recent_servers(tmp_path: Path) -> None:
    settings = Settings(download_folder=str(tmp_path), theme="nord", keep_hearing_global=True, time_format="%H.%M")
    world = real_world(Config(settings, tmp_path / "state"))
    assert (world.theme, world.keeps_global, world.clock.pattern) == ("nord", True, "%H.%M")
    assert world.downloads_of("zoe") == tmp_path / "zoe"
    assert world.clock.now_us() > 1_700_000_000_000_000
    world.remember(Choice("zoe", "h", 1))
    assert list(world.recent()) == [Choice("zoe", "h", 1)]


def test_what_is_read_is_shared_or_not_in_this_run_and_the_next_ones(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    world = real_world(Config(Settings(), tmp_path, file))
    assert world.shares_read()
    assert world.keep_shares_read(False) == ""
    assert not world.shares_read() and not load_config(file).settings.share_read_receipts
    file.write_text("nonsense")
    assert str(file) in world.keep_shares_read(True)
    assert world.shares_read(), "for this run all the same"
    assert "no settings file" in real_world(Config(Settings(), tmp_path)).keep_shares_read(False)


def test_a_server_is_forgotten_on_purpose(tmp_path: Path) -> None:
    address = Address("office", 1)
    Pins(tmp_path).add(address, FINGERPRINT)
    real_world(Config(Settings(), tmp_path)).forget("office", 1)
    assert Pins(tmp_path).find(address) is None
    (tmp_path / "known_servers").write_text("nonsense")
    with pytest.raises(OSError, match="damaged"):
        real_world(Config(Settings(), tmp_path)).forget("office", 1)


async def test_sessions_are_real_and_have_the_devices_key(tmp_path: Path) -> None:
    world = real_world(Config(Settings(), tmp_path))
    session = world.connect(Address("127.0.0.1", 1), "zoe", lambda heard: None, "")
    assert isinstance(session, Session)
    assert not session.security.is_exposed
    assert (tmp_path / "device.key").exists()


async def test_a_key_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "device.key").write_text("nonsense")
    world = real_world(Config(Settings(), tmp_path))
    with pytest.raises(OSError, match="device key"):
        world.connect(Address("127.0.0.1", 1), "zoe", lambda heard: None, "")
