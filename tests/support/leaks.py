"""Finds what a test left behind: open file descriptors, threads, child processes.

`Held.now()` takes stock, `left_behind(before)` compares after the test. What is still there gets a short grace, because
garbage has to be collected, and a thread or process that was told to end needs a moment to do so.
"""

from __future__ import annotations

import gc
import os
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 2.0
POLL_S = 0.02


@dataclass(frozen=True)
class Held:
    """What this process holds: descriptors as (number, what it is), threads, and child processes as (pid, command)."""

    descriptors: frozenset[tuple[int, str]]
    threads: frozenset[threading.Thread]
    children: frozenset[tuple[int, str]]

    @classmethod
    def now(cls) -> Held:
        return cls(_descriptors(), frozenset(threading.enumerate()), _children())

    def since(self, before: Held) -> list[str]:
        """One line for each thing that is held now and was not before."""
        return [
            *(f"file descriptor {number}: {what}" for number, what in sorted(self.descriptors - before.descriptors)),
            *(f"thread {thread.name}" for thread in self.threads - before.threads),
            *(f"child process {pid}: {command}" for pid, command in sorted(self.children - before.children)),
        ]


def left_behind(before: Held, grace_s: float = GRACE_S) -> list[str]:
    """What the test left behind, after garbage collection and at most `grace_s` seconds; empty when all is well."""
    if not Held.now().since(before):
        return []
    gc.collect()
    deadline = time.monotonic() + grace_s
    while (leaks := Held.now().since(before)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return leaks


def _descriptors() -> frozenset[tuple[int, str]]:
    folder = next((path for path in ("/proc/self/fd", "/dev/fd") if os.path.isdir(path)), None)
    if folder is None:
        return frozenset()
    numbers = (int(name) for name in os.listdir(folder))
    return frozenset((number, what) for number in numbers if (what := _describe(number)))


def _describe(number: int) -> str:
    """What a descriptor is, or nothing if it is closed (the listing's own descriptor is)."""
    try:
        status = os.fstat(number)
    except OSError:
        return ""
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:  # macOS has no such links
        return f"type {stat.S_IFMT(status.st_mode):o}, inode {status.st_ino}"


def _children() -> frozenset[tuple[int, str]]:
    """Children of any thread, dead ones that nobody waited for included. Linux only: elsewhere it finds none."""
    found: set[tuple[int, str]] = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            found.update((int(pid), _command(int(pid))) for pid in listing.read_text().split())
        except OSError:
            continue
    return frozenset(found)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"
