"""Small files that are written whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mystic_client.session.whole_files import read_at_most, set_aside, write_whole


@pytest.mark.parametrize("lasting", [False, True])
def test_a_file_is_replaced_and_only_its_owner_reads_it(tmp_path: Path, lasting: bool) -> None:
    path = tmp_path / "file"
    for data in (b"one", b"", b"two"):
        write_whole(path, data, lasting=lasting)
        assert read_at_most(path, 3) == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_used_up(tmp_path: Path) -> None:
    (tmp_path / "file.draft").write_bytes(b"half of something longer")
    write_whole(tmp_path / "file", b"whole")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"whole")]


def test_what_can_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        write_whole(tmp_path / "folder", b"x")
    with pytest.raises(OSError):
        write_whole(tmp_path / "nowhere" / "file", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_reading_is_bounded(tmp_path: Path) -> None:
    assert read_at_most(tmp_path / "nothing", 10) is None
    (tmp_path / "file").write_bytes(b"12345")
    with pytest.raises(OSError, match="longer"):
        read_at_most(tmp_path / "file", 4)


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    for content in ("first", "second"):
        (tmp_path / "file").write_text(content)
        set_aside(tmp_path / "file")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file.damaged", "second")]
    set_aside(tmp_path / "file")
