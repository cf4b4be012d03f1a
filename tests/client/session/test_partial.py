"""Files that are not whole yet."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.session import partial
from mystic_client.session.partial import Busy, PartialFile, partial_path


def test_the_identity_is_part_of_the_name(tmp_path: Path) -> None:
    same = partial_path(tmp_path, "a.txt", b"server", "Sub/a.txt", 10, 20)
    assert same == partial_path(tmp_path, "a.txt", b"server", "Sub/a.txt", 10, 20)
    assert same.name.startswith("a.txt.") and same.suffix == ".part"
    others = [(b"other", "Sub/a.txt", 10, 20), (b"server", "a.txt", 10, 20), (b"server", "Sub/a.txt", 11, 20)]
    others.append((b"server", "Sub/a.txt", 10, 21))
    assert len({same, *(partial_path(tmp_path, "a.txt", *what) for what in others)}) == 5


def test_a_file_grows_over_two_attempts_and_is_published(tmp_path: Path) -> None:
    first = PartialFile(tmp_path / "x.part", 10)
    first.gather()
    first.write(b"01234")
    first.close()
    second = PartialFile(tmp_path / "x.part", 10)
    second.gather()
    assert second.received == 5
    second.write(b"56789")
    assert second.digest() == blake3(b"0123456789").digest()
    (tmp_path / "x.txt").write_text("somebody else's")
    saved = second.publish(tmp_path, "x.txt")
    second.close()
    assert saved == tmp_path / "x (1).txt"
    assert saved.read_bytes() == b"0123456789"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x (1).txt", "x.txt"]


async def test_publishing_over_what_the_user_named(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("old")
    part = PartialFile(tmp_path / "x.part", 3)
    part.write(b"new")
    assert part.publish(tmp_path, "mine", replace=True).read_bytes() == b"new"


async def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*args: object) -> None:
        raise OSError(95, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "x").write_text("there")
    part = PartialFile(tmp_path / "x.part", 3)
    part.write(b"new")
    assert part.publish(tmp_path, "x") == tmp_path / "x (1)"


def test_what_is_longer_than_the_file_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "x.part").write_bytes(b"far too long")
    part = PartialFile(tmp_path / "x.part", 3)
    part.gather()
    assert part.received == 0
    part.close()
    assert not (tmp_path / "x.part").exists()


def test_two_downloads_of_one_file_at_once(tmp_path: Path) -> None:
    first = PartialFile(tmp_path / "x.part", 3)
    with pytest.raises(Busy):
        PartialFile(tmp_path / "x.part", 3)
    first.write(b"a")
    first.close()
    PartialFile(tmp_path / "x.part", 3).close()


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "x.part").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        PartialFile(tmp_path / "x.part", 3)
    assert (tmp_path / "precious").read_text() == "precious"


async def test_discarding(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "x.part", 3)
    part.write(b"bad")
    part.discard()
    part.close()
    assert list(tmp_path.iterdir()) == []


def test_what_has_come_without_a_gap_is_hashed_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "HASH_STEP_BYTES", 40)
    content = os.urandom(1000)
    part = PartialFile(tmp_path / "x.part", len(content))
    blocks = part.scatter(10)
    for first, count in ((50, 50), (0, 30), (31, 19), (30, 1)):
        part.store(first * 10, content[first * 10 : (first + count) * 10])
        blocks.add(first, count)
        part.hash_ahead()
        part.hash_ahead()
    part.save_blocks()
    read: list[int] = []
    monkeypatch.setattr(part, "_file", _Counting(part._file, read))
    part.hash_rest()
    assert part.digest() == blake3(content).digest() and part.received == len(content)
    assert sum(read) == len(content) - 6 * 40
    part.close()


class _Counting:
    """A file that notes how much is read of it."""

    def __init__(self, file: FileIO, read: list[int]) -> None:
        self._file, self._read = file, read

    def readinto(self, buffer: memoryview) -> int:
        self._read.append(self._file.readinto(buffer))
        return self._read[-1]

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)
