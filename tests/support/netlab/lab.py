"""Lab: a running link, and the programs at its ends. See the package."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from tests.support.compiled import NotCompiled, compiled, has_compiler

A_ADDRESS = "10.77.0.1"
B_ADDRESS = "10.77.0.2"
PATIENCE_S = 10.0
_SOURCE = Path(__file__).with_name("link.c")
_TOOLS = ("nsenter", "setpriv", "unshare")
"""Of util-linux."""


class LabError(Exception):
    """The link could not be made, or has ended."""


class Side(IntEnum):
    """An end of the line."""

    A = 0
    B = 1


class Line(Struct, frozen=True):
    """What the link does to packets. `rate_mbit` holds each way; loss is from A to B, where files go, and back."""

    rate_mbit: float = 100.0
    rtt_ms: float = 100.0
    loss_percent: float = 0.0
    loss_back_percent: float = 0.0
    queue_bytes: int = 1 << 20
    """What may wait for the rate; what comes then is dropped."""
    seed: int = 1
    """The same seed loses the same packets, counted from the first."""

    def words(self) -> list[str]:
        """As `link.c` takes it."""
        delay_us = self.rtt_ms * 1000 / 2
        lost_ppm = [self.loss_percent * 1e4, self.loss_back_percent * 1e4]
        return [str(figure) for figure in (self.rate_mbit * 1e6, delay_us, self.queue_bytes, *lost_ppm, self.seed)]


class Lane(Struct, frozen=True):
    """What has gone one way so far, in packets and bytes."""

    packets: int
    bytes: int
    lost: int
    """As the line loses them."""
    dropped: int
    """Because the queue was full."""
    latest_us: int
    """How late a packet came at most, by the emulator's own fault."""


def why_impossible() -> str:
    """Why there can be no link here, as a sentence; "" if there can."""
    if sys.platform != "linux":
        return "The emulated link needs Linux."
    if os.geteuid():
        return "The emulated link needs root: it makes network namespaces."
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "The emulated link needs /dev/net/tun."
    if missing := [tool for tool in _TOOLS if not shutil.which(tool)]:
        return f"The emulated link needs {missing[0]} of util-linux."
    if not has_compiler():
        return "The emulated link needs a C compiler, cc."
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        return "The emulated link needs network namespaces, which are not allowed here."
    return ""


class Lab:
    """The ends of a running link; `laboratory` makes it."""

    def __init__(self, link: subprocess.Popen[str], namespaces: tuple[str, str]) -> None:
        self._link = link
        self._namespaces = namespaces
        self._started: list[subprocess.Popen[Any]] = []

    def inside(self, side: Side, words: Sequence[str]) -> list[str]:
        """The command that runs `words` at that end, and dies with the thread that starts it."""
        enter = ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={self._namespaces[side]}", "--"]
        return [*enter, *words]

    def start(self, side: Side, words: Sequence[str], **how: Any) -> subprocess.Popen[Any]:
        """Starts a program at one end; `how` is for Popen. It is killed with all its children at the lab's end."""
        process = subprocess.Popen(self.inside(side, words), start_new_session=True, **how)
        self._started.append(process)
        return process

    def run(self, side: Side, words: Sequence[str], *, given: str = "", timeout_s: float = 600.0) -> str:
        """Runs a program at one end, and returns what it says. Raises `LabError` if it fails."""
        process = self.start(
            side, words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            said, complaint = process.communicate(given, timeout_s)
        except subprocess.TimeoutExpired:
            raise LabError(f"{words[0]} did not end within {timeout_s} s") from None
        if process.returncode:
            raise LabError(f"{words[0]} ended with status {process.returncode}:\n{complaint[-2000:]}")
        return str(said)

    def lanes(self) -> tuple[Lane, Lane]:
        """What has gone from A to B so far, and what back."""
        assert self._link.stdin
        self._link.stdin.write("\n")
        self._link.stdin.flush()
        said = json.loads(_line_of(self._link))
        return Lane(**said["there"]), Lane(**said["back"])

    def close(self) -> None:
        """Ends everything."""
        for process in reversed(self._started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            _reap(process)
        self._link.kill()
        _reap(self._link)


@contextmanager
def laboratory(line: Line) -> Iterator[Lab]:
    """A link that carries packets. Raises `LabError` if there can be none."""
    if why := why_impossible():
        raise LabError(why)
    try:
        program = compiled(_SOURCE)
    except NotCompiled as problem:
        raise LabError(str(problem)) from None
    pipe = subprocess.PIPE
    link = subprocess.Popen([program, *line.words()], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    lab = Lab(link, ("", ""))
    try:
        ready, *namespaces = _line_of(link).split()
        if ready != "ready":
            raise LabError(f"the link said {ready}")
        lab._namespaces = (f"/proc/{link.pid}/fd/{namespaces[0]}", f"/proc/{link.pid}/fd/{namespaces[1]}")
        yield lab
    finally:
        lab.close()


def _line_of(link: subprocess.Popen[str]) -> str:
    assert link.stdout and link.stderr
    if select.select([link.stdout], [], [], PATIENCE_S)[0] and (line := link.stdout.readline()):
        return line
    link.kill()
    raise LabError(f"the link has ended: {link.stderr.read().strip()}")


def _reap(process: subprocess.Popen[Any]) -> None:
    process.wait()
    pipes: list[IO[Any] | None] = [process.stdin, process.stdout, process.stderr]
    for pipe in pipes:
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
