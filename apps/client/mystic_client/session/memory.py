"""What a device remembers between two starts: how far it has read as which user of which server, and its session there.

One small file for each (server, name) under `<folder>/places/`. A program holds a lock on its file while it runs: a
second one for the same name, which must not take the first one's session away, learns the cursor only and keeps
nothing. Without the file (a full disk, no permission) a client starts afresh every time, which is no reason to refuse
to run. What else belongs to a place (its outbox, its notebook) lies beside it under `maybe_file` names.

Any server can say another one's id. So a place belongs to the key of the first server that showed one, and stays closed
to whoever shows another or none, until that key is forgotten (see `pins`): then it belongs to the next.
"""

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from mysticproto.names import name_key

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_RECORD_BYTES = 64
_FINGERPRINT_BYTES = 32 * 3
"""Behind the record: whose place it is."""
_FINGERPRINT = re.compile(rb"[0-9a-f]{2}(:[0-9a-f]{2}){31}")
_MAX_NUMBER = 2**63 - 1
_LOCKED_BYTE = 1 << 20
"""Where Windows locks: far behind the record, which others may read."""


class Place(Struct, frozen=True):
    """Where a device was: everything up to `cursor` is known (-1: nothing), its session was `session` (0: none)."""

    cursor: int = -1
    session: int = 0


class Memory:
    """The remembered place of one running client. `open` it when the server is known, `close` it at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "places"
        self._descriptor = -1
        self._path = Path()
        self._kept = Place()
        self.is_anothers = False
        """Whether the place that was opened last stays closed, since it belongs to a server with another key."""

    def open(
        self, server_id: bytes, name: str, fingerprint: str = "", is_known: Callable[[str], bool] = lambda key: True
    ) -> Place:
        """What was kept for this user of this server, and the right to keep more if no other program has it.

        `fingerprint`: of the key that the server has shown, empty if it has shown none. `is_known`: whether this other
        key is still a known server's.
        """
        self.close()
        path = self._folder / hashlib.sha256(server_id + b"\0" + name_key(name).encode()).hexdigest()[:32]
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            data = os.read(self._descriptor, _RECORD_BYTES + _FINGERPRINT_BYTES)
        except OSError:
            self.close()
            return Place()
        place, owner = _decode(data[:_RECORD_BYTES]), _decode_owner(data[_RECORD_BYTES:])
        if owner not in ("", fingerprint) and (not fingerprint or is_known(owner)):
            self.close()
            self.is_anothers = True
            return Place()
        if not _lock(self._descriptor):
            self.close()
            return Place(place.cursor)
        self._path, self._kept = path, place
        if fingerprint not in ("", owner):
            self._write(f"{fingerprint}\n", _RECORD_BYTES)
        return place

    def maybe_file(self, kind: str) -> Path | None:
        """Where another file of the open place belongs; None if this program has no right to it."""
        return self._path.with_name(f"{self._path.name}.{kind}") if self._descriptor >= 0 else None

    def keep(self, place: Place) -> None:
        """Writes the place down, if it is another than before and this program has the right to."""
        if self._descriptor < 0 or place == self._kept:
            return
        if self._write(f"{place.cursor:>31} {place.session:>31}\n", 0):
            self._kept = place

    def close(self) -> None:
        """Gives the file back; may be called at any time."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self.is_anothers = False

    def _write(self, text: str, offset: int) -> bool:
        """Whether the disk took it."""
        with contextlib.suppress(OSError):
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            os.write(self._descriptor, text.encode())
            return True
        return False


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _decode_owner(data: bytes) -> str:
    owner = data.strip()
    return owner.decode() if _FINGERPRINT.fullmatch(owner) else ""


def _decode(record: bytes) -> Place:
    try:
        cursor, session = (int(word) for word in record.split())
    except ValueError:
        return Place()
    if not (-1 <= cursor <= _MAX_NUMBER and 0 <= session <= _MAX_NUMBER):
        return Place()
    return Place(cursor, session)
