"""Hashes are those of the bytes, and are forgotten in the right order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_server.files.hashes import HashCache, Hashing
from mystic_server.files.tree import FileId

FILE = FileId(1, 2, 3, 4)


def hashing(path: Path) -> Hashing:
    fd = os.open(path, os.O_RDONLY)
    return Hashing(fd, FileId.of(fd))


def finish(work: Hashing, slice_bytes: int = 1000) -> tuple[bytes, int]:
    """The hash, and in how many steps."""
    buffer = memoryview(bytearray(slice_bytes))
    steps = 1
    while (digest := work.step(buffer)) is None:
        steps += 1
    work.close()
    return digest, steps


@pytest.mark.parametrize(("size", "steps"), [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (10_000, 10)])
def test_a_hash_is_that_of_the_bytes(tmp_path: Path, size: int, steps: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    assert finish(hashing(tmp_path / "file")) == (blake3(data).digest(), steps)


@pytest.mark.parametrize("size", [0, 500, 1500, 5000])
def test_a_file_that_changes_meanwhile_has_no_hash(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(bytes(3000))
    work = hashing(tmp_path / "file")
    assert work.step(memoryview(bytearray(1000))) is None
    os.truncate(tmp_path / "file", size)
    with pytest.raises(ValueError):
        finish(work)
    work.close()


def test_only_what_was_written_long_ago_is_settled(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with_fresh_time = hashing(tmp_path / "file")
    os.utime(tmp_path / "file", (1, 1))
    with_old_time = hashing(tmp_path / "file")
    assert not with_fresh_time.settled
    assert with_old_time.settled
    with_fresh_time.close()
    with_old_time.close()


def test_a_hash_belongs_to_one_path_in_one_state() -> None:
    cache = HashCache()
    cache.put("a", FILE, b"hash")
    assert cache.get("a", FILE) == b"hash"
    assert cache.get("b", FILE) == b""
    assert cache.get("a", FileId(1, 2, 3, 5)) == b""


def test_what_was_not_asked_for_longest_is_forgotten() -> None:
    cache = HashCache(2)
    cache.put("a", FILE, b"1")
    cache.put("b", FILE, b"2")
    cache.get("a", FILE)
    cache.put("c", FILE, b"3")
    assert [cache.get(path, FILE) for path in "abc"] == [b"1", b"", b"3"]
    assert len(cache) == 2
