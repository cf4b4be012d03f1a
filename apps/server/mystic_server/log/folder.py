"""The data folder: made private, locked for one server, and its database looked at before SQLite may touch it.

Problem: SQLite repairs, checkpoints and converts what it opens. A file that is not ours, is newer than this version or
is cut short must be left as it is, so its header is read first, as plain bytes.
"""

import os
import struct
import sys
import time
from pathlib import Path

from mystic_server.log.base import StoreError

APPLICATION_ID = 0x4D595354
"""Says in the file's header that it is ours: "MYST"."""
LOCK_WAIT_S = 5.0
"""A successor waits this long for its predecessor to finish."""

_LOCK_POLL_S = 0.05
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100


def make_private(folder: Path) -> None:
    """Makes the folder if it is missing, for this user alone; raises StoreError if it can't be used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The data folder {folder} can't be made: {error.strerror}.") from error


def lock(folder: Path, wait_s: float = LOCK_WAIT_S) -> int:
    """Locks the folder for as long as the returned descriptor is open; raises StoreError if another server has it."""
    path = folder / "mystic.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"The data folder {folder} can't be written to: {error.strerror}.") from error
    deadline = time.monotonic() + wait_s
    while not _try_lock(descriptor):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            raise StoreError(f"Another server is using the data folder {folder}; give this one another with --data.")
        time.sleep(_LOCK_POLL_S)
    return descriptor


def make_file(path: Path) -> None:
    """Makes an empty database file for this user alone, if there is none; SQLite gives its other files the same
    mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"The database {path} can't be opened: {error.strerror}.") from error


def check_header(path: Path, newest_schema: int) -> None:
    """Raises StoreError if the file is not a database of this program, or one that it can't read. Changes nothing."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise StoreError(f"The database {path} can't be read: {error.strerror}.") from error
    if not header:
        return  # new, or everything is still in the write-ahead log
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise StoreError(f"The file {path} is not a database; move it away or give another folder with --data.")
    page_bytes = struct.unpack_from(">H", header, 16)[0]
    pages = struct.unpack_from(">I", header, 28)[0]
    schema, application = struct.unpack_from(">I4xI", header, 60)
    if application != APPLICATION_ID:
        raise StoreError(f"The database {path} belongs to another program; give another folder with --data.")
    if schema > newest_schema:
        raise StoreError(f"The database {path} was written by a newer Mystic (format {schema}); update this one.")
    if size < pages * (65536 if page_bytes == 1 else page_bytes) and not _has_write_ahead_log(path):
        raise StoreError(f"The database {path} is cut short; restore it from a backup.")


def _has_write_ahead_log(path: Path) -> bool:
    """Then the rest may be there: a process was killed while it brought pages from there into the database."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
