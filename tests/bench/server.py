"""The server that is measured: a process of its own, and what it and its children use."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from tests.bench import processes

READY = "mystic: ready on "
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 20.0

Launch: TypeAlias = Callable[..., "subprocess.Popen[Any]"]
"""As `subprocess.Popen`; perhaps somewhere else."""


class BenchError(Exception):
    """There is nothing to measure; the sentence says why."""


class MeasuredServer:
    """A server that accepts connections at `address`, `start_s` after it was started."""

    def __init__(self, process: subprocess.Popen[bytes], address: tuple[str, int], start_s: float) -> None:
        self._process = process
        self.address = address
        self.start_s = start_s
        self.said = ""
        """What its console said, once it has ended."""

    def cpu_s(self) -> float:
        """Seconds of CPU, user and system, that the server and its children have used; in steps of 10 ms."""
        return processes.cpu_s(self._process.pid)

    def rss_bytes(self) -> int:
        """Resident memory of all its processes."""
        return processes.rss_bytes(self._process.pid)

    def longest_stall_ms(self) -> float:
        """What anybody had to wait for the loop at most, as it said in the end."""
        said = re.search(r"longest stall was ([\d.]+) ms", self.said)
        if not said:
            raise BenchError(f"the server did not end well:\n{self.said[-2000:]}")
        return float(said[1])


@contextmanager
def running_server(
    data: Path | None = None,
    shared: Path | None = None,
    host: str = "127.0.0.1",
    launch: Launch = subprocess.Popen,
) -> Iterator[MeasuredServer]:
    """A server without rate limits, a fresh one or with these data and files, which is stopped afterwards."""
    with TemporaryDirectory(prefix="mystic-bench-") as name:
        folder = Path(name)
        (folder / "shared").mkdir()
        log = folder / "console.txt"
        command = [sys.executable, "-m", "mystic_server", "0", "--host", host, "--unlimited"]
        command += ["--data", str(data or folder / "data"), "--shared", str(shared or folder / "shared")]
        started = time.monotonic()
        with log.open("wb") as console:
            process = launch(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            address = _wait_until_ready(process, log)
            server = MeasuredServer(process, address, time.monotonic() - started)
            yield server
        finally:
            _stop(process)
        server.said = log.read_text(errors="replace")


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        for line in log.read_text(errors="replace").splitlines(keepends=True):
            if line.startswith(READY) and line.endswith("\n"):
                host, _, port = line.removeprefix(READY).strip().rpartition(":")
                return host, int(port)
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise BenchError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
