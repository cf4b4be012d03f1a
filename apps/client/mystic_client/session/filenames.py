"""Names under which foreign files may be saved: never outside the folder, never over another file, never a trap.

A shared file's name comes from a stranger. What remains of it is its last part, without characters that some file
system or shell takes for something else, not hidden, not a device, and short enough everywhere.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mysticproto.names import DEVICES, clean_line

MAX_NAME_BYTES = 180
"""Leaves room for what is added to a name within the 255 bytes that file systems take."""
MAX_COPIES = 10_000

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f\ufffd]')


def safe_name(path: str) -> str:
    """A name for the file at `path`, which uses `/`, as it may appear in a folder of ours."""
    last = re.split(r"[/\\]", clean_line(path.rstrip("/\\")))[-1]
    name = _FORBIDDEN.sub("_", last).strip(" .")
    if last.startswith(".") and name:
        name = f"_{name}"
    if name.partition(".")[0].rstrip().lower() in DEVICES:
        name = f"_{name}"
    return _shortened(name) or "file"


def free_names(folder: Path, name: str) -> Iterator[Path]:
    """Places for a file: `folder/name`, then `name (1)`, `name (2)` and so on. Whoever takes one must not overwrite."""
    stem, suffix = _split(name)
    yield folder / name
    for number in range(1, MAX_COPIES):
        yield folder / f"{stem} ({number}){suffix}"


def _split(name: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    suffix = "".join(path.suffixes[-2:]) if path.stem.lower().endswith(".tar") else path.suffix
    return name.removesuffix(suffix), suffix


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, suffix = _split(name)
    if len(suffix.encode()) > 20:
        stem, suffix = name, ""
    room = MAX_NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + suffix
