"""Small files of the client's state: written whole or not at all, readable by their owner alone.

Each has one writer at a time, who holds the place that it belongs to: the next one may use up what a killed one left.
"""

import contextlib
import os
from pathlib import Path

DAMAGED = ".damaged"
DRAFT = ".draft"


def read_at_most(path: Path, limit_bytes: int) -> bytes | None:
    """The content; None if there is no such file. Raises `OSError`, also for a file that is longer."""
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except FileNotFoundError:
        return None
    if len(data) > limit_bytes:
        raise OSError(f"{path} is longer than anything that was kept there")
    return data


def write_whole(path: Path, data: bytes, *, lasting: bool = False) -> None:
    """Puts `data` in the place of what the file holds. `lasting`: it survives a power cut. Raises `OSError`."""
    draft = path.with_name(path.name + DRAFT)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def set_aside(path: Path) -> None:
    """Moves a file away that can't be read, in the place of an earlier one, for whoever wants to look into it."""
    with contextlib.suppress(OSError):
        path.replace(path.with_name(path.name + DAMAGED))
