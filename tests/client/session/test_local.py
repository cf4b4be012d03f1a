"""Files of ours."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.session.local import Hashing, hash_of, same_sized
from mystic_client.session.partial import Stopped


async def test_hashes(tmp_path: Path) -> None:
    content = bytes(3_000_000)
    (tmp_path / "a").write_bytes(content)
    assert await hash_of(tmp_path / "a") == blake3(content).digest()
    with FileIO(tmp_path / "a") as file:
        hashing = Hashing(file)
        assert hashing.run() == blake3(content).digest()
        assert hashing.hashed == len(content)
        hashing.stop()
        with pytest.raises(Stopped):
            hashing.run()
    with pytest.raises(OSError):
        await hash_of(tmp_path / "nothing")


def test_candidates_for_the_same(tmp_path: Path) -> None:
    for name, content in (("a.txt", "four"), ("a (1).txt", "other"), ("a (3).txt", "four"), ("b.txt", "four")):
        (tmp_path / name).write_text(content)
    (tmp_path / "a (2).txt").symlink_to(tmp_path / "a.txt")
    assert [path.name for path in same_sized(tmp_path, "a.txt", 4)] == ["a.txt", "a (3).txt"]
    assert same_sized(tmp_path, "c.txt", 4) == []
