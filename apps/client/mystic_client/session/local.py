"""Files of ours: which ones might be the same as one of the server's, and their hashes, computed in a thread."""

from io import FileIO
from pathlib import Path
from typing import Final

from blake3 import blake3

from mystic_client.session.direct import follow
from mystic_client.session.filenames import free_names
from mystic_client.session.partial import HASH_STEP_BYTES, Stopped

MAX_LOOKED_AT: Final = 20
"""Copies of one name that are compared."""


class Hashing:
    """Reads an open file from its beginning to its end. `hashed` says how far it is; `stop` at any time."""

    def __init__(self, file: FileIO) -> None:
        self.hashed = 0
        self._file = file
        self._stopped = False

    def stop(self) -> None:
        """Lets `run` in another thread end with `Stopped`."""
        self._stopped = True

    def run(self) -> bytes:
        """The BLAKE3. Raises `OSError`."""
        digest = blake3()
        buffer = memoryview(bytearray(HASH_STEP_BYTES))
        self._file.seek(0)
        while count := self._file.readinto(buffer):
            if self._stopped:
                raise Stopped
            digest.update(buffer[:count])
            self.hashed += count
        return digest.digest()


async def hash_of(path: Path) -> bytes:
    """The BLAKE3 of a file. Raises `OSError`."""
    with FileIO(path) as file:
        hashing = Hashing(file)
        return await follow(hashing.run, hashing.stop, lambda: None)


def same_sized(folder: Path, name: str, size: int) -> list[Path]:
    """Files of this name or numbered copies of it that have this size. Raises `OSError`."""
    found = []
    for _, place in zip(range(MAX_LOOKED_AT), free_names(folder, name), strict=False):
        if not place.exists():
            break
        if place.is_file() and not place.is_symlink() and place.stat().st_size == size:
            found.append(place)
    return found
