"""Files of the user's own: folders, paths that are typed, and pastes that name files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mystic_client.model import own_files
from mystic_client.model.own_files import OwnFile, expanded, fitting, listed, pasted_files, problem_of, split


def test_what_is_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "Zoo").mkdir()
    for name in ("b.txt", "A [red].txt", ".hidden", "new\nline"):
        (tmp_path / name).write_text("12345")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    found = listed(tmp_path)
    assert [own.name for own in found] == ["Zoo", "A [red].txt", "b.txt", "new\nline", ".hidden"]
    assert [own.is_folder for own in found] == [True, False, False, False, False]
    assert found[1].size == 5 and found[1].modified_us > 0


def test_a_folder_of_millions_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_files, "MAX_SHOWN", 3)
    for number in range(9):
        (tmp_path / str(number)).touch()
    assert len(listed(tmp_path)) == 3


def test_what_fits_a_name_that_was_begun() -> None:
    files = [OwnFile(name, False) for name in ("a-photo.png", "Photo.png", ".photos", "text")]
    assert [own.name for own in fitting(files, "pho")] == ["Photo.png", "a-photo.png"]
    assert next(own.name for own in fitting(files, ".p")) == ".photos"
    assert [own.name for own in fitting(files, "")] == ["a-photo.png", "Photo.png", "text"]


def test_paths_that_are_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/x") == tmp_path / "x"
    assert expanded("") == Path()
    assert expanded("~nobody-is-called-so/x") == Path("~nobody-is-called-so/x")
    assert split("~/Docs/re") == ("~/Docs/", "re")
    assert split("re") == ("", "re")


def test_what_can_be_sent(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert problem_of(tmp_path / "a") == ""
    assert "only files" in problem_of(tmp_path)
    assert "No such file" in problem_of(tmp_path / "b")


def test_pastes_that_name_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one two's.txt", tmp_path / "[b]ü.txt"
    one.touch()
    two.touch()
    escaped = str(one).replace(" ", "\\ ").replace("'", "\\'")
    url = two.as_uri()
    assert pasted_files(f"{one}\n") == (one,)
    assert pasted_files(f'"{one}"') == (one,)
    assert pasted_files(escaped) == (one,)
    assert pasted_files(url) == (two,)
    assert pasted_files(f"{escaped} '{two}'") == (one, two)
    assert pasted_files(f"{one}\n{two}") == (one, two)


@pytest.mark.parametrize(
    "text", ["", "hello", "/", "/no/such/file", "'", "/etc", "relative.txt", "/help", "file://", "/\0", "/x" * 20_000]
)
def test_pastes_that_name_none(text: str) -> None:
    assert pasted_files(text) == ()
