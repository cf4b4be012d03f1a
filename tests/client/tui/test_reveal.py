"""Opening a folder on the desktop."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mystic_client.tui.reveal import reveal


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file manager that writes down what it was given; it is the only program that there is."""
    told = tmp_path / "told"
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > "{told}.part" && /bin/mv "{told}.part" "{told}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    return told


def test_a_folder_is_opened(opener: Path, tmp_path: Path) -> None:
    folder = tmp_path / "[b] a folder"
    folder.mkdir()
    assert reveal(folder) == ""
    while not opener.exists():
        pass
    assert opener.read_text() == str(folder)


def test_without_a_desktop_it_says_where_the_folder_is(
    opener: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert reveal(tmp_path) == f"There is no file manager here. The folder is {tmp_path}"
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", "")
    assert str(tmp_path) in reveal(tmp_path)
    assert "is gone" in reveal(tmp_path / "gone")
