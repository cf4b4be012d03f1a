"""The outbox on disk: a file to which every change is appended, so that what was typed survives the program.

    <CRC-32, 8 hex digits> <JSON of one record>\\n

A line is in the file when `append` returns: a killed program loses nothing, and a power cut nothing that was appended
as `lasting`. Lines that don't match their sum are left out when the file is read; if there are any but a torn last one,
the file is set aside as damaged and a new one made of the rest. When most of the file is history it is written anew.
"""

import contextlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from mystic_client.session.whole_files import read_at_most, set_aside, write_whole
from mysticproto.model import Target

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""More than a full outbox of the longest posts, and than its history before it is written anew."""
COMPACT_BYTES: Final = 256 * 1024
_SUM_CHARS: Final = 8


class Said(Struct, frozen=True, tag="said"):
    """A post was made, and waits."""

    cid: bytes
    to: Target
    text: str
    reply_to: int
    time_us: int


class Gone(Struct, frozen=True, tag="gone"):
    """It is on the server, or was given up."""

    cid: bytes


class Failed(Struct, frozen=True, tag="failed"):
    """It was refused, and waits for its user."""

    cid: bytes
    error: str


class Again(Struct, frozen=True, tag="again"):
    """It failed, and waits once more, behind all others."""

    cid: bytes


Record: TypeAlias = Said | Gone | Failed | Again

_decoder: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)


class Journal:
    """The records of one file, which nobody else may write. `open` first. Where writing fails, it keeps quiet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._is_torn = False
        self._compact_at_bytes = COMPACT_BYTES
        self._size_bytes = 0

    def open(self) -> list[Record]:
        """What the file holds, in order."""
        records, is_whole = self._read()
        if not is_whole:
            set_aside(self._path)
            self.rewrite(records)
        else:
            self._reopen()
        return records

    def append(self, record: Record, *, lasting: bool = False) -> None:
        """Adds a record; if `lasting`, waits until the disk has it."""
        self._write([record])
        if lasting and self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.fsync(self._descriptor)

    def compact_if_due(self, records: Callable[[], list[Record]]) -> None:
        """Writes the file anew with only these, if that is worth it."""
        if self._size_bytes >= self._compact_at_bytes:
            self.rewrite(records())

    def rewrite(self, records: list[Record]) -> None:
        """Puts these in the place of all that the file holds."""
        with contextlib.suppress(OSError):
            write_whole(self._path, b"".join(map(_line, records)), lasting=True)
        self._reopen()

    def close(self) -> None:
        """Lets the file go; may be called at any time."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _reopen(self) -> None:
        self.close()
        self._is_torn = True  # so that the first line stands alone, whatever is before it
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            self._descriptor = os.open(self._path, flags, 0o600)
            self._size_bytes = os.fstat(self._descriptor).st_size
        self._compact_at_bytes = max(COMPACT_BYTES, 4 * self._size_bytes)

    def _write(self, records: list[Record]) -> None:
        if self._descriptor < 0:
            return
        data = b"\n" * self._is_torn + b"".join(map(_line, records))
        self._is_torn = True
        with contextlib.suppress(OSError):
            written = os.write(self._descriptor, data)
            self._is_torn = written < len(data)
            self._size_bytes += written

    def _read(self) -> tuple[list[Record], bool]:
        """The records, and whether they are all that there is, apart from a torn end."""
        try:
            data = read_at_most(self._path, MAX_FILE_BYTES) or b""
        except OSError:
            return [], False
        *lines, _ = data.split(b"\n")
        found = [_maybe_record(line) for line in lines if line]
        records = [record for record in found if record is not None]
        return records, len(records) == len(found)


def _line(record: Record) -> bytes:
    said = msgspec.json.encode(record)
    return b"%08x %s\n" % (zlib.crc32(said), said)


def _maybe_record(line: bytes) -> Record | None:
    try:
        if int(line[:_SUM_CHARS], 16) == zlib.crc32(line[_SUM_CHARS + 1 :]):
            return _decoder.decode(line[_SUM_CHARS + 1 :])
    except (ValueError, msgspec.MsgspecError):
        pass
    return None
