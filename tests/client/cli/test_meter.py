"""Progress on a line of a terminal."""

from __future__ import annotations

import pytest

from mystic_client.cli.meter import Meter, bar, in_all, progress_line
from mystic_client.session.progress import Progress


def test_progress_in_words() -> None:
    progress = Progress("a", "running", 3_000_000, 1_500_000, 500_000.0, 3.0)
    assert progress_line(progress) == "1.4 MiB of 2.9 MiB, 488 KiB/s, 3 s left"
    assert progress_line(Progress("a", "verifying", 10, 10)) == "10 bytes of 10 bytes, verifying"
    assert progress_line(Progress("a", "running", 10, 5, files=7, files_done=2)) == "2 of 7 files, 5 bytes of 10 bytes"
    assert bar(progress) == "[##########          ]"
    assert bar(Progress("a", "waiting")) == f"[{' ' * 20}]"


def test_several_as_one() -> None:
    first = Progress("a", "running", 100, 50, 10.0, 5.0)
    assert in_all([first]) is first
    both = in_all([first, Progress("b", "running", 300, 100, 30.0, 6.7)])
    assert (both.size, both.received, both.speed_bytes_s, both.left_s) == (400, 150, 40.0, 6.25)
    assert in_all([Progress("a", "waiting"), Progress("b", "waiting")]).left_s is None


def test_progress_is_drawn_on_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    for at_terminal in (False, True):
        with Meter(at_terminal=at_terminal) as meter:
            meter.told(Progress("a", "running", 10, 5))
            meter.told(Progress("a", "done", 10, 10))
    line = "[##########          ] 5 bytes of 10 bytes"
    assert capsys.readouterr().err == f"\r\x1b[K{line}\r\x1b[K\r\x1b[K"
    with Meter():
        pass
