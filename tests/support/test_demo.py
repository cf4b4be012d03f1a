"""The demo with stand-ins for the server and the clients: how it starts, ends and cleans up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import is_running

DEMO = Path(__file__).with_name("demo.py")

SERVER = """
import os, pathlib, signal, subprocess, sys, time
data = pathlib.Path(sys.argv[sys.argv.index("--data") + 1])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # one that does not end by itself
pathlib.Path(os.environ["NOTES"], "pids").write_text(f"{os.getpid()} {child.pid}")
pathlib.Path(os.environ["NOTES"], "data").write_text(str(data))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("a line of the log")
print("mystic: ready on 127.0.0.1:4711", flush=True)
while True:
    time.sleep(1)
"""
BROKEN_SERVER = """
import sys
sys.exit("the port is taken")
"""
CLI = """
import os, pathlib, sys
def main():
    words = sys.argv[1:]
    assert words[:4] == ["--server", "127.0.0.1:4711", "--name", "demo"], words
    if words[4] == "get":
        content = pathlib.Path(os.environ["SHARED"], words[5]).read_bytes()
        pathlib.Path(words[7]).write_bytes(content + os.environ.get("SPOILED", "").encode())
    print("did", words[4])
main()
"""
TUI = """
import os, pathlib, sys, time
print("screen of", *sys.argv[1:], flush=True)
if sys.stdin.readline().strip() == "leave":
    sys.exit(0)
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups and terminals of POSIX")


class Stage:
    """A folder with stand-ins that the demo finds instead of the real packages, and their notes."""

    def __init__(self, folder: Path, server: str = SERVER) -> None:
        self.folder = folder
        for name, text in {
            "mystic_server/__main__.py": server,
            "mystic_client/__main__.py": TUI,
            "mystic_client/cli.py": CLI,
            "mystic_client/__init__.py": "",
            "mystic_server/__init__.py": "",
        }.items():
            folder.joinpath(name).parent.mkdir(exist_ok=True)
            folder.joinpath(name).write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        shared = DEMO.parents[2] / "SharedFiles"
        mine = {"PYTHONPATH": str(self.folder), "NOTES": str(self.folder), "SHARED": str(shared)}
        return {**os.environ, **mine, "TMPDIR": str(self.folder), **more}

    def run(self, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(DEMO)],
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def assert_tidy(self) -> None:
        """No process of the server is left, and the data folder is gone."""
        for pid in map(int, (self.folder / "pids").read_text().split()):
            assert not is_running(pid)
        assert list(self.folder.glob("mystic-demo-*")) == []


def test_without_a_terminal_it_fetches_a_file_and_compares_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    done = stage.run()
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("did")] == [
        "did send",
        "did groups",
        "did ls",
        "did get",
    ]
    assert "The demo works" in done.stdout
    assert "a line of the log" not in done.stdout
    stage.assert_tidy()


def test_a_file_that_arrives_changed_is_an_error(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    done = stage.run(SPOILED="!")
    assert done.returncode == 1
    assert "arrived changed" in done.stderr
    stage.assert_tidy()


def test_a_server_that_does_not_start_is_reported_with_its_words(tmp_path: Path) -> None:
    done = Stage(tmp_path, BROKEN_SERVER).run()
    assert done.returncode == 1
    assert "the port is taken" in done.stderr


class Terminal:
    """The demo at a terminal of its own."""

    def __init__(self, stage: Stage) -> None:
        self._ours, theirs = os.openpty()
        command = [sys.executable, str(DEMO), "ana"]
        self.demo = subprocess.Popen(
            command, env=stage.environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def read_until(self, words: str) -> None:
        seen = b""
        while words.encode() not in seen:
            seen += os.read(self._ours, 1024)

    def type(self, words: str) -> None:
        os.write(self._ours, words.encode())

    def close(self) -> int:
        try:
            return self.demo.wait(20)
        finally:
            self.demo.kill()
            self.demo.wait()
            os.close(self._ours)


def test_at_a_terminal_the_client_is_connected_and_leaving_it_ends_all(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    terminal = Terminal(stage)
    terminal.read_until("screen of ana 127.0.0.1 4711")
    terminal.type("leave\n")
    assert terminal.close() == 0
    stage.assert_tidy()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_client_and_server(tmp_path: Path, number: signal.Signals) -> None:
    stage = Stage(tmp_path)
    terminal = Terminal(stage)
    terminal.read_until("screen of ana")
    terminal.demo.send_signal(number)
    assert terminal.close() == 128 + number
    stage.assert_tidy()
