"""Small C programs that are compiled when they are wanted, and gone when this process ends."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


class NotCompiled(Exception):
    """There is no compiler, or it did not like the source; says what it said."""


def has_compiler() -> bool:
    """Whether there is a `cc`."""
    return shutil.which("cc") is not None


def compiled(source: Path) -> str:
    """The path of the program, compiled at the first call. Raises `NotCompiled`."""
    return os.path.join(_folder_with(source).name, source.stem)


@cache
def _folder_with(source: Path) -> TemporaryDirectory[str]:
    """Removes itself at the end of the process."""
    if not has_compiler():
        raise NotCompiled("there is no C compiler (cc)")
    folder = TemporaryDirectory(prefix="mystic-compiled-")
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", os.path.join(folder.name, source.stem), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        folder.cleanup()
        raise NotCompiled(f"{source.name} was not compiled:\n{done.stderr[-2000:]}")
    return folder
