"""The leak check itself: it sees what is left behind, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.leaks import Held, left_behind

linux_only = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found through /proc")


def test_nothing_left_behind_is_no_leak() -> None:
    before = Held.now()
    os.close(os.dup(0))
    assert left_behind(before) == []


@pytest.mark.skipif(os.name == "nt", reason="descriptors are found through /dev/fd")
def test_an_open_descriptor_is_a_leak() -> None:
    before = Held.now()
    number = os.open(os.devnull, os.O_RDONLY)
    try:
        assert any(line.startswith(f"file descriptor {number}:") for line in left_behind(before, grace_s=0))
    finally:
        os.close(number)


def test_a_file_that_only_garbage_holds_is_no_leak() -> None:
    before = Held.now()
    circle: list[object] = [_Closing(os.open(os.devnull, os.O_RDONLY))]
    circle.append(circle)
    del circle
    assert left_behind(before) == []


class _Closing:
    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        os.close(self._number)


def test_a_running_thread_is_a_leak() -> None:
    before, end = Held.now(), threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    try:
        assert left_behind(before, grace_s=0) == ["thread forgotten"]
    finally:
        end.set()
        thread.join()


@linux_only
def test_a_child_process_is_a_leak_even_when_it_is_dead() -> None:
    before = Held.now()
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert [line.split(":")[0] for line in left_behind(before, grace_s=0)] == [f"child process {child.pid}"]
    finally:
        child.wait()
