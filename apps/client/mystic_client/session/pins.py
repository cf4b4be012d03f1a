"""Known servers: the fingerprint of each server's key, as it was when this user first came there.

    chat.example:12000 5e:0c:...:91 2026-11-21

One line each, in a file for all programs of this user. A change is a new file in the old one's place, made under a lock
of its own, so that programs which run at once neither lose each other's lines nor read half a file. A line that makes
no sense is not skipped: the server that it was about would be met as if for the first time.
"""

import contextlib
import datetime
import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from mystic_client.session.heard import Address

if sys.platform != "win32":
    import fcntl

FILE = "known_servers"
_FINGERPRINT = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){31}")
_WORDS = 3


class PinsError(Exception):
    """The file of known servers can't be used; the sentence says why."""


class Pin(Struct, frozen=True):
    """What is known of a server. `since`: the date of the first connection, as `2026-11-21`."""

    fingerprint: str
    since: str


class Pins:
    """The servers that are known. `folder` None: for as long as this object lives only. Methods raise `PinsError`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._path = folder / FILE if folder else None
        self._pins: dict[str, Pin] = {}

    def find(self, address: Address) -> Pin | None:
        """What is known of the server at this address."""
        self._read()
        return self._pins.get(_key(address))

    def knows(self, fingerprint: str) -> bool:
        """Whether some server is known by this key."""
        self._read()
        return any(pin.fingerprint == fingerprint for pin in self._pins.values())

    def add(self, address: Address, fingerprint: str) -> Pin:
        """Takes a server for known. Returns what is known of it from now on: another program may have been first."""
        with self._changing():
            pin = Pin(fingerprint, datetime.datetime.now(datetime.UTC).date().isoformat())
            return self._pins.setdefault(_key(address), pin)

    def forget(self, host: str, port: int) -> bool:
        """Lets this server be met as if for the first time; False: it was not known."""
        with self._changing():
            return self._pins.pop(_key(Address(host, port)), None) is not None

    def _read(self) -> None:
        if self._path is None:
            return
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as problem:
            raise self._unusable(problem) from None
        self._pins = dict(self._pin(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())

    def _pin(self, number: int, line: str) -> tuple[str, Pin]:
        words = line.split()
        if len(words) != _WORDS or not _FINGERPRINT.fullmatch(words[1]):
            raise PinsError(f"line {number} of {self._path} is damaged: remove it, or restore the file")
        return words[0], Pin(words[1], words[2])

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """What is changed meanwhile is written afterwards; no other program changes the file in between."""
        if self._path is None:
            yield
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _locked(self._path.with_name(FILE + ".lock")):
                self._read()
                before = dict(self._pins)
                yield
                if self._pins != before:
                    _replace(self._path, "".join(_line(key, pin) for key, pin in sorted(self._pins.items())))
        except OSError as problem:
            raise self._unusable(problem) from None

    def _unusable(self, problem: Exception) -> PinsError:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        return PinsError(f"the list of known servers {self._path} can't be used: {why}")


def _key(address: Address) -> str:
    return str(address).lower()


def _line(key: str, pin: Pin) -> str:
    return f"{key} {pin.fingerprint} {pin.since}\n"


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Waits for whoever holds it; they do so for the time of one small write."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
