"""The logs that `test_logs*.py` hold to the EventLog contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.log.memory import MemoryLog
from tests.contracts.logs import Opener, Rig, in_memory, on_disk


@pytest.fixture(params=["memory", "disk"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens one log, and the same one again."""
    if request.param == "disk":
        return lambda: on_disk(tmp_path / "data")
    log = MemoryLog()
    return lambda: in_memory(log)


@pytest.fixture
def rig(opener: Opener) -> Iterator[Rig]:
    with opener() as rig:
        yield rig
