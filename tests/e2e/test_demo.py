"""The demo as a newcomer starts it, with the real server and clients."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.layout.sources import PACKAGES

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
