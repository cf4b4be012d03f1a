"""The file that is fetched."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

FILE = "file.bin"
SMALL_FILE = "small.bin"
_SMALL_BYTES = 5_000
_IN_MEMORY = Path("/dev/shm")
_PIECE_BYTES = 1 << 20
_LEAST_BYTES = 1 << 28


def memory_folder() -> TemporaryDirectory[str]:
    """A folder in memory where there is such a thing, so that no disk is measured."""
    return TemporaryDirectory(prefix="mystic-bench-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None)


@contextmanager
def shared_file(wanted_bytes: int) -> Iterator[tuple[Path, int]]:
    """A folder with a small file and a large one, and the large one's size: smaller than wanted, and told, if there is
    no room."""
    with memory_folder() as name:
        size = wanted_bytes
        while size > _LEAST_BYTES and shutil.disk_usage(name).free < 2 * size:
            size //= 2
        if size < wanted_bytes:
            print(f"There is room for a file of {size >> 20} MiB only.", file=sys.stderr)
        _write(Path(name, SMALL_FILE), _SMALL_BYTES)
        _write(Path(name, FILE), size)
        yield Path(name), size


def _write(path: Path, size: int) -> None:
    """Noise, no two pieces of which are the same. From long ago, since new files' hashes are not kept."""
    noise = os.urandom(_PIECE_BYTES)
    with path.open("wb") as file:
        for at in range(0, size, _PIECE_BYTES):
            file.write((at.to_bytes(8) + noise[8:])[: size - at])
    os.utime(path, (0, 0))
