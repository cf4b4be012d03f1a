"""Opening a folder in the desktop's own file manager, where there is one."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

PROGRAMS: Final = {"darwin": "open", "win32": "explorer"}
"""By `sys.platform`; everywhere else `xdg-open`."""


def reveal(folder: Path) -> str:
    """Opens the folder; returns "" or why that can't be."""
    name = PROGRAMS.get(sys.platform, "xdg-open")
    program = shutil.which(name)
    if not folder.is_dir():
        return f"The folder {folder} is gone."
    if program is None or (name == "xdg-open" and not _has_desktop()):
        return f"There is no file manager here. The folder is {folder}"
    try:
        opener = subprocess.Popen(
            [program, str(folder.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as problem:
        return f"{program}: {problem.strerror or problem}"
    threading.Thread(target=opener.wait, daemon=True, name="mystic-reveal").start()
    return ""


def _has_desktop() -> bool:
    """Whether there is a display to show it on: over SSH there is none, and a browser for texts would take the
    terminal."""
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
