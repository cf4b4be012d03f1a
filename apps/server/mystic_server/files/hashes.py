"""BLAKE3 of files: computed a slice at a time, and remembered for as long as the file stays as it was."""

import io
import time
from collections import OrderedDict

from blake3 import blake3

from mystic_server.files.tree import FileId

SLICE_BYTES = 4 * 1024 * 1024
"""Hashed in one step: a few milliseconds from memory."""
SETTLED_NS = 2_000_000_000
"""Some file systems keep times of two seconds, so an earlier write could hide behind a later one."""
MAX_REMEMBERED = 4096
"""Files whose hashes are kept."""


class Hashing:
    """One file on its way to its hash; owns the descriptor. `file` is the state in which it was asked for."""

    def __init__(self, fd: int, file: FileId) -> None:
        self._source = io.FileIO(fd)
        self._file = file
        self._hash = blake3()
        self._left = file.size
        self.settled = time.time_ns() - file.mtime_ns > SETTLED_NS
        """Whether the result may be remembered."""

    def step(self, buffer: memoryview) -> bytes | None:
        """Hashes one slice, read into `buffer`. Returns the hash when it is complete, None before.

        Raises OSError, or ValueError if the file is not in the state any more in which it was asked for.
        """
        count = self._source.readinto(buffer[: min(len(buffer), self._left)]) if self._left else 0
        self._hash.update(buffer[:count])
        self._left -= count
        if self._left and count:
            return None
        if self._left or FileId.of(self._source.fileno()) != self._file:
            raise ValueError("the file changed while it was hashed")
        return self._hash.digest()

    def close(self) -> None:
        """Closes the descriptor; may be called again."""
        self._source.close()


class HashCache:
    """Hashes by path and state; forgets those that were not asked for longest."""

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        self._limit = limit
        self._hashes: OrderedDict[tuple[str, FileId], bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._hashes)

    def get(self, path: str, file: FileId) -> bytes:
        """The hash, empty if it isn't known."""
        found = self._hashes.get((path, file), b"")
        if found:
            self._hashes.move_to_end((path, file))
        return found

    def put(self, path: str, file: FileId, digest: bytes) -> None:
        """Remembers."""
        self._hashes[path, file] = digest
        self._hashes.move_to_end((path, file))
        if len(self._hashes) > self._limit:
            self._hashes.popitem(last=False)
