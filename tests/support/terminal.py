"""A program in a terminal of its own: typed into, looked at, killed."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from types import TracebackType

_CONTROLS = re.compile(r"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[@-Z\\-_=>]|\x1b\][^\x07]*\x07")


class Terminal:
    """Starts `command` with a terminal of `columns` by `rows`; what it writes is gathered in `printed`."""

    def __init__(self, command: list[str], environment: dict[str, str], columns: int = 110, rows: int = 34) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.printed = ""
        surroundings = {**environment, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(rows)}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=surroundings, start_new_session=True
        )
        os.close(theirs)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def type(self, keys: str) -> None:
        os.write(self._own, keys.encode())

    def kill(self) -> None:
        """SIGKILL; may be called again."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reading.join()
        with contextlib.suppress(OSError):
            os.close(self._own)
        self._own = -1

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        with contextlib.suppress(OSError):  # EIO: nobody is at the other end any more
            while data := os.read(self._own, 65536):
                self.printed += _CONTROLS.sub("", decoder.decode(data))
