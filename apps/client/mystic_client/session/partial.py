"""PartialFile: a download that is not whole yet, as `<name>.<identity>.part` beside where the file will be.

The identity is made of the server's id and the file's path, size and time of change. A later attempt goes on with the
same bytes only if all of that is the same, two files of one name don't meet, and no second file has to keep notes.

Over TCP bytes come in order: the file grows, and is hashed meanwhile. Datagrams bring blocks in any order: which ones
there are is kept beside the file (`.blocks`), from what was there in order on; the whole is hashed when it is complete.
Back in order (`gather`) only what is there without a gap counts.
"""

import contextlib
import hashlib
import os
import sys
from pathlib import Path

from blake3 import blake3

from mystic_client.session.filenames import free_names
from mysticproto.udp.blocks import BlockSet

if sys.platform != "win32":
    import fcntl

HASH_STEP_BYTES = 1024 * 1024
MAX_BLOCKS_BYTES = 64 * 1024 * 1024
_BLOCK_FIELD_BYTES = 4


class Busy(Exception):
    """Another download is writing this very file."""


class Stopped(Exception):
    """Somebody called `stop` while a file was read."""


def partial_path(folder: Path, name: str, server_id: bytes, path: str, size: int, modified_us: int) -> Path:
    """Where the bytes of exactly this file are gathered."""
    return folder / f"{name}.{_short(server_id, path)}-{_short(size, modified_us)}.part"


def origin(path: str, message: int) -> str:
    """Which file it is on its server: the shared one of this path, or the one that a message brought."""
    return f"message {message}" if message else path


def parts_of(folder: Path, name: str, server_id: bytes, path: str) -> list[Path]:
    """What was gathered there of this file, in whatever state it was. Raises `OSError`."""
    beginning = f"{name}.{_short(server_id, path)}-"
    return [part for part in folder.iterdir() if part.name.startswith(beginning) and part.suffix == ".part"]


def forget_parts(folder: Path, name: str, server_id: bytes, path: str, *, but: Path | None = None) -> bool:
    """Deletes what was gathered, but for one part; whether there was any. Raises `OSError`."""
    was_any = False
    for part in parts_of(folder, name, server_id, path):
        if part != but:
            with contextlib.suppress(Busy):
                PartialFile(part, 0).discard()
                was_any = True
    return was_any


def _short(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:8]


class PartialFile:
    """An open file that grows to `size` bytes, and the hash of what is in it. Methods raise `OSError`.

    They may be called by any thread, by one at a time; `stop` at any time. `received` is how many bytes there are.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.received = 0
        self.was_there = False
        """Whether some of it is from an earlier attempt, or came in blocks, so that it may have gone wrong on disk."""
        self._hash = blake3()
        self._hashed = 0
        self._stopped = False
        self.blocks: BlockSet | None = None
        """Which blocks there are, between `scatter` and what brings it back in order."""
        self._has_notes = False
        self._block_bytes = 0
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_CLOEXEC", 0)
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

    @property
    def _blocks_path(self) -> Path:
        return self.path.with_name(self.path.name + ".blocks")

    def stop(self) -> None:
        """Lets `gather`, `rehash` and `hash_rest` in another thread end with `Stopped`."""
        self._stopped = True

    # In order.

    @property
    def is_in_order(self) -> bool:
        """Whether bytes may be appended, and the hash is of all that there are."""
        return self._hashed == self.received and not self._has_notes

    def count(self) -> None:
        """Says in `received` how much an earlier attempt left, as far as can be told without reading it."""
        held = min(os.fstat(self._file.fileno()).st_size, self.size)
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            data = self._blocks_path.read_bytes()
            block_bytes = int.from_bytes(data[:_BLOCK_FIELD_BYTES], "big")
            blocks = BlockSet.from_bytes(-(-self.size // block_bytes), data[_BLOCK_FIELD_BYTES:])
            held = min(blocks.held * block_bytes, self.size)
        self.received = held
        self._has_notes = self._blocks_path.exists()

    def gather(self) -> None:
        """Reads what an earlier attempt left, and goes on in order behind it."""
        self._leave_blocks()
        if os.fstat(self._file.fileno()).st_size > self.size:
            self._file.truncate(0)
        self.rehash()
        self.was_there = self.received > 0

    def rehash(self) -> None:
        """Computes the hash anew of what is in the file, and counts it."""
        self._hash.reset()
        self._hashed = 0
        self.hash_rest()

    def hash_rest(self) -> None:
        """Hashes what has not been hashed yet, and counts all."""
        self._file.seek(self._hashed)
        buffer = memoryview(bytearray(HASH_STEP_BYTES))
        while count := self._file.readinto(buffer):
            if self._stopped:
                raise Stopped
            self._hash.update(buffer[:count])
            self._hashed += count
        self.received = self._hashed

    def write(self, data: bytes | memoryview) -> None:
        """Appends; the caller sees to it that `size` is not exceeded."""
        assert self.received + len(data) <= self.size
        self._write_all(memoryview(data))
        self._hash.update(data)
        self.received += len(data)
        self._hashed += len(data)

    def digest(self) -> bytes:
        """The BLAKE3 of all that was received, 32 bytes."""
        return self._hash.digest()

    # In blocks.

    def scatter(self, block_bytes: int) -> BlockSet:
        """Goes on in blocks of this size, any of them at any time: which ones there are, to be kept up by the caller.

        Call `save_blocks` and `hash_ahead` now and then, `save_blocks` at the end; then `hash_rest`.
        """
        total = -(-self.size // block_bytes)
        blocks = self._saved_blocks(total, block_bytes)
        if blocks is None:
            blocks = BlockSet(total)
            held = min(os.fstat(self._file.fileno()).st_size, self.size)
            blocks.add(0, total if held == self.size else held // block_bytes)
        self.blocks, self._block_bytes, self.was_there = blocks, block_bytes, True
        self._has_notes = True
        self.save_blocks()
        self._file.truncate(self.size)
        self._hash.reset()
        self._hashed = 0
        return blocks

    def hash_ahead(self) -> None:
        """Hashes a little of what is there from the beginning without a gap, so that little is left for the end."""
        assert self.blocks is not None
        whole = min(self.size, self.blocks.gap_from(self._hashed // self._block_bytes) * self._block_bytes)
        if whole - self._hashed >= HASH_STEP_BYTES:
            self._file.seek(self._hashed)
            data = self._file.read(HASH_STEP_BYTES)
            self._hash.update(data)
            self._hashed += len(data)

    def store(self, offset: int, data: memoryview | bytes) -> None:
        """Writes a block where it belongs."""
        self._file.seek(offset)
        self._write_all(memoryview(data))

    def save_blocks(self) -> None:
        """Notes which blocks there are, for a later attempt. If this is cut short the old notes are still there."""
        assert self.blocks is not None
        head = self._block_bytes.to_bytes(_BLOCK_FIELD_BYTES, "big")
        unfinished = self._blocks_path.with_suffix(".new")
        unfinished.write_bytes(head + self.blocks.to_bytes())
        unfinished.replace(self._blocks_path)

    def _saved_blocks(self, total: int, block_bytes: int = 0) -> BlockSet | None:
        """What was noted; nothing if it is for blocks of another size, or damaged."""
        if self.blocks is not None and block_bytes == self._block_bytes:
            return self.blocks
        try:
            data = self._blocks_path.read_bytes()
            if int.from_bytes(data[:_BLOCK_FIELD_BYTES], "big") == block_bytes:
                return BlockSet.from_bytes(total, data[_BLOCK_FIELD_BYTES:])
        except (OSError, ValueError):
            pass
        self._leave_blocks()
        return None

    def _leave_blocks(self) -> None:
        """Keeps what there is from the beginning up to the first gap, and no notes."""
        try:
            with self._blocks_path.open("rb") as notes:
                data = notes.read(MAX_BLOCKS_BYTES)
        except FileNotFoundError:
            data = b""
        self._has_notes = False
        self.blocks = None
        if not data:
            return
        held = 0
        with contextlib.suppress(ValueError, ZeroDivisionError, IndexError):
            block_bytes = int.from_bytes(data[:_BLOCK_FIELD_BYTES], "big")
            blocks = BlockSet.from_bytes(-(-self.size // block_bytes), data[_BLOCK_FIELD_BYTES:])
            first, end = next(blocks.runs(), (0, 0))
            held = 0 if first else min(end * block_bytes, self.size)
        self._file.truncate(min(held, os.fstat(self._file.fileno()).st_size))
        self._blocks_path.unlink()

    def _write_all(self, view: memoryview) -> None:
        while view:
            view = view[self._file.write(view) :]

    # The end.

    def discard(self) -> None:
        """Deletes what was gathered."""
        self.path.unlink(missing_ok=True)
        self._blocks_path.unlink(missing_ok=True)
        self._file.close()

    def close(self) -> None:
        """Leaves the file for a later attempt; one that is empty is no use to anybody."""
        if not self._file.closed and os.fstat(self._file.fileno()).st_size == 0:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def publish(self, folder: Path, name: str, *, replace: bool = False) -> Path:
        """Closes the whole file and gives it its name; without `replace` a free one, so that nothing is overwritten.

        It is not forced onto the disk: a gigabyte at once makes everything else there wait, a server's log included.
        """
        self._file.close()
        self._blocks_path.unlink(missing_ok=True)
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
