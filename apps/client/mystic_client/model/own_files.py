"""Files of the user's own: what is in a folder here, what a typed path may become, and which files a paste names.

Terminals paste the path of a file that is dropped onto them: as it is, quoted, with escaped spaces, or as a URL.
"""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

MAX_SHOWN: Final = 2000
"""Entries of one folder."""
MAX_PASTED_CHARS: Final = 16 * 1024
MAX_PASTED_FILES: Final = 20
_BEGINNINGS: Final = ("/", "~/", "'", '"', "file://", "\\\\")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")


class OwnFile(Struct, frozen=True):
    """One entry of a folder here. `size` in bytes."""

    name: str
    is_folder: bool
    size: int = 0
    modified_us: int = 0


def expanded(typed: str) -> Path:
    """The path that somebody typed, "~" being their own folder."""
    path = Path(typed or ".")
    try:
        return path.expanduser()
    except RuntimeError:  # nobody is called so
        return path


def split(typed: str) -> tuple[str, str]:
    """What was typed of the folder, with the slash at its end, and of the name in it."""
    cut = max(typed.rfind("/"), typed.rfind(os.sep)) + 1
    return typed[:cut], typed[cut:]


def listed(folder: Path) -> list[OwnFile]:
    """What is in a folder, folders first, hidden ones last. Raises `OSError`."""
    with os.scandir(folder) as entries:
        found = [own for _, entry in zip(range(MAX_SHOWN), entries, strict=False) if (own := _own_file(entry))]
    return sorted(found, key=lambda own: (not own.is_folder, own.name.startswith("."), own.name.casefold()))


def _own_file(entry: os.DirEntry[str]) -> OwnFile | None:
    try:
        seen = entry.stat()
    except OSError:  # a link that leads nowhere, or what is gone meanwhile
        return None
    if entry.is_dir():
        return OwnFile(entry.name, True, 0, seen.st_mtime_ns // 1000)
    return OwnFile(entry.name, False, seen.st_size, seen.st_mtime_ns // 1000) if S_ISREG(seen.st_mode) else None


def fitting(files: list[OwnFile], begun: str) -> list[OwnFile]:
    """Those whose names begin with this, and then those that have it elsewhere; hidden ones only if they begin so."""
    wanted = begun.casefold()
    shown = [own for own in files if begun.startswith(".") or not own.name.startswith(".")]
    first = [own for own in shown if own.name.casefold().startswith(wanted)]
    return [*first, *(own for own in shown if wanted in own.name.casefold() and own not in first)] if wanted else shown


def problem_of(file: Path) -> str:
    """Why a file can't be sent, or ""."""
    try:
        mode = file.stat().st_mode
    except OSError as problem:
        return f"{file}: {problem.strerror or problem}"
    return "" if S_ISREG(mode) else f"{file}: only files can be sent"


def pasted_files(text: str) -> tuple[Path, ...]:
    """The files that a pasted text names, if it names nothing else."""
    text = text.strip()
    if len(text) > MAX_PASTED_CHARS or not (text.startswith(_BEGINNINGS) or _DRIVE.match(text)):
        return ()
    for names in _readings(text):
        paths = [expanded(name) for name in names]
        if 0 < len(paths) <= MAX_PASTED_FILES and all(path.is_absolute() and _is_file(path) for path in paths):
            return tuple(paths)
    return ()


def _readings(text: str) -> Iterator[list[str]]:
    """What the text may mean: one path as it is, one in each line, or several as a shell reads them."""
    lines = [_unquoted(line.strip()) for line in text.splitlines() if line.strip()]
    yield lines
    try:
        yield [_unquoted(word) for word in shlex.split(text)]
    except ValueError:  # a quote that is not closed
        return


def _unquoted(word: str) -> str:
    if word.startswith("file://"):
        return unquote(urlsplit(word).path)
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word


def _is_file(path: Path) -> bool:
    try:
        return S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
