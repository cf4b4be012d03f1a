"""PartialFile: a download that is not whole yet, as `<name>.<identity>.part` beside where the file will be.

The identity is made of the server's id and the file's path, size and time of change. A later attempt goes on with the
same bytes only if all of that is the same, two files of one name don't meet, and no second file has to keep notes.
"""

import asyncio
import contextlib
import hashlib
import os
import sys
from pathlib import Path

from blake3 import blake3

from mystic_client.session.filenames import free_names

if sys.platform != "win32":
    import fcntl

_HASH_STEP_BYTES = 1024 * 1024


class Busy(Exception):
    """Another download is writing this very file."""


def partial_path(folder: Path, name: str, server_id: bytes, path: str, size: int, modified_us: int) -> Path:
    """Where the bytes of exactly this file are gathered."""
    what = repr((server_id, path, size, modified_us)).encode()
    return folder / f"{name}.{hashlib.sha256(what).hexdigest()[:8]}.part"


class PartialFile:
    """An open file that grows to `size` bytes, and the hash of what is in it. Methods raise `OSError`."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.received = 0
        self._hash = blake3()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"{self.path.name} is being downloaded already") from None

    async def resume(self) -> None:
        """Reads what an earlier attempt left, letting others run in between; `received` says how much that is."""
        if os.fstat(self._file.fileno()).st_size > self.size:
            self._file.truncate(0)
        while data := self._file.read(_HASH_STEP_BYTES):
            self._hash.update(data)
            self.received += len(data)
            await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        """Appends; the caller sees to it that `size` is not exceeded."""
        assert self.received + len(data) <= self.size
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            view = view[written:]
        self._hash.update(data)
        self.received += len(data)

    def digest(self) -> bytes:
        """The BLAKE3 of all that was received, 32 bytes."""
        return self._hash.digest()

    def discard(self) -> None:
        """Deletes what was gathered."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Leaves the file for a later attempt; one that is empty is no use to anybody."""
        if self.received == 0 and not self._file.closed:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def publish(self, folder: Path, name: str, *, replace: bool = False) -> Path:
        """Closes the whole file and gives it its name; without `replace` a free one, so that nothing is overwritten.

        It is not forced onto the disk: a gigabyte at once makes everything else there wait, a server's log included.
        """
        self._file.close()
        if replace:
            return self.path.replace(folder / name)
        for place in free_names(folder, name):
            with contextlib.suppress(FileExistsError):
                return _take(self.path, place)
        raise OSError(f"there are too many files called {name}")


def _take(part: Path, place: Path) -> Path:
    """Renames without ever overwriting, which only a hard link does everywhere but on Windows."""
    if sys.platform == "win32":
        return part.rename(place)
    try:
        os.link(part, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if place.exists():
            raise FileExistsError(place) from None
        return part.rename(place)
    part.unlink()
    return place
