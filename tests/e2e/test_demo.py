"""The demo as a newcomer starts it, with the real server and clients. How it ends otherwise: `support/test_demo.py`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layout.sources import PACKAGES
from tests.support.processes import about

DEMO = Path(__file__).parents[1] / "support" / "demo.py"


def environment(folder: Path) -> dict[str, str]:
    """Our packages first, whatever is installed, and temporary files where the test can see them."""
    path = os.pathsep.join(str(package.parent) for package in PACKAGES.values())
    return {**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder)}


def test_without_a_terminal_a_client_fetches_a_sample_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO)],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Guides/" in done.stdout
    assert "The demo works" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal of POSIX")
def test_at_a_terminal_the_client_shows_its_screen_and_a_signal_ends_all(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    words = [sys.executable, str(DEMO), "ana"]
    environ = {**environment(tmp_path), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    demo = subprocess.Popen(
        words, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, start_new_session=True
    )
    os.close(theirs)
    try:
        read_until(ours, b"has joined")
        demo.send_signal(signal.SIGTERM)
        read_until(ours, b"\x1b[?1049l")  # the client leaves its screen, or the demo does so for it
        assert demo.wait(20) == 128 + signal.SIGTERM
    finally:
        demo.kill()
        demo.wait()
        os.close(ours)
    assert list(tmp_path.iterdir()) == []
    assert about(str(tmp_path)) == []


def read_until(terminal: int, words: bytes) -> None:
    """Reads what the programs write to the terminal until these words come; an OSError if they end before."""
    seen = b""
    while words not in seen:
        seen = seen[-len(words) :] + os.read(terminal, 4096)
