"""Writing and hashing beside receiving."""

from __future__ import annotations

from pathlib import Path

import pytest
from blake3 import blake3

from mystic_client.session.appender import Appender
from mystic_client.session.partial import PartialFile

CONTENT = bytes(range(251)) * 100


def test_everything_is_written_in_order(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "a.part", len(CONTENT))
    with Appender(part, 1000) as appender:
        for start in range(0, len(CONTENT), 999):
            piece = CONTENT[start : start + 999]
            buffer = appender.take_buffer()
            buffer[: len(piece)] = piece
            appender.append(buffer, len(piece))
    assert part.received == len(CONTENT)
    assert part.digest() == blake3(CONTENT).digest()
    assert (tmp_path / "a.part").read_bytes() == CONTENT
    part.close()


def test_a_failure_is_raised_and_nobody_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: PartialFile, data: memoryview) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PartialFile, "write", full)
    part = PartialFile(tmp_path / "a.part", 100)
    with pytest.raises(OSError, match="No space"), Appender(part, 10) as appender:
        for _ in range(50):
            appender.append(appender.take_buffer(), 10)
    with pytest.raises(OSError, match="No space"), Appender(part, 10) as appender:
        appender.append(appender.take_buffer(), 10)
    with pytest.raises(ZeroDivisionError), Appender(part, 10):
        print(1 // 0)
    part.close()
