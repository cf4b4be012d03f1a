"""A real server in a process of its own, for tests that talk to it with real programs.

`running_server(folder)` starts it on a free port, waits for the line in which it says that it is ready, and stops it
with SIGTERM: it must end with status 0, and nothing that it printed may be a traceback.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

READY_S = 20.0
STOP_S = 20.0
_READY = re.compile(r"^mystic: ready on (.*):(\d+)$")


class ServerProcess:
    """A server whose data and shared files are in `folder`, so that it can be started there again."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.data = folder / "data"
        self.shared = folder / "shared"
        self.shared.mkdir(parents=True, exist_ok=True)
        self.host = "127.0.0.1"
        self.port = 0
        self._words = words
        self._log = folder / "server.err"
        self._said = ""

    @property
    def address(self) -> str:
        """HOST:PORT, as programs take it."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        """Starts it, on the same port as before if there was one, and waits until it is ready."""
        command = [sys.executable, "-m", "mystic_server", str(self.port), "--host", self.host]
        command += ["--data", str(self.data), "--shared", str(self.shared), *self._words]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._await_ready(self._process.stdout)

    def stop(self) -> None:
        """SIGTERM; it must end well."""
        self._process.send_signal(signal.SIGTERM)
        status = self._end()
        assert status == 0, f"the server ended with status {status}:\n{self.printed()}"
        assert "Traceback" not in self.printed(), self.printed()

    def kill(self) -> None:
        """SIGKILL, as a power cut."""
        self._process.kill()
        self._end()

    def printed(self) -> str:
        """Everything it said so far, on both outputs."""
        self._read()
        return self._said + self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def _end(self) -> int:
        """Waits, reading on, since a server whose output nobody reads must not be what hangs."""
        assert self._process.stdout is not None
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._read()
            self._process.stdout.close()

    def _await_ready(self, stdout: IO[bytes]) -> None:
        deadline = time.monotonic() + READY_S
        start = len(self._said)
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                ready = next(filter(None, map(_READY.match, self._said[start:].splitlines())), None)
                if ready:
                    self.port = int(ready[2])
                    return
                if self._process.poll() is not None:
                    break
                selector.select(timeout=1.0)
                self._read()
        self.kill()
        raise AssertionError(f"the server was not ready:\n{self.printed()}")

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        with contextlib.suppress(ValueError):  # closed
            while data := stdout.read(65536):
                self._said += data.decode(errors="replace")


@contextlib.contextmanager
def running_server(folder: Path, *words: str) -> Iterator[ServerProcess]:
    """A server that is ready; stopped and judged in the end, unless the test killed it."""
    server = ServerProcess(folder, *words)
    server.start()
    try:
        yield server
    except BaseException:
        if server.is_running:
            server.kill()
        raise
    if server.is_running:
        server.stop()
