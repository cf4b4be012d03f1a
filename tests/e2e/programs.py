"""Real client programs for end-to-end tests: started, talked to line by line, and never left behind."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

PATIENCE_S = 20.0
CLI = [sys.executable, "-m", "mystic_client.cli"]


def surroundings(home: Path, server: str, name: str) -> dict[str, str]:
    """The environment of a client whose settings, key and downloads are in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / "config.toml"
    if not config.exists():
        config.write_text(f"download_folder = {str(home / 'downloads')!r}\n", encoding="utf-8")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MYSTIC_")}
    return {**clean, "MYSTIC_CONFIG_HOME": str(home), "MYSTIC_SERVER": server, "MYSTIC_NAME": name}


def mystic(home: Path, server: str, name: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Runs one command to its end."""
    return subprocess.run(
        [*CLI, *words],
        input=typed,
        env=surroundings(home, server, name),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


class Program:
    """A command that runs on; its lines can be waited for as they come."""

    def __init__(self, home: Path, server: str, name: str, *words: str) -> None:
        self.process = subprocess.Popen(
            [*CLI, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=surroundings(home, server, name),
            text=True,
            bufsize=1,
        )
        self._out = _Lines(self.process.stdout)
        self._err = _Lines(self.process.stderr)

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for lines in (self._out, self._err):
            lines.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def says(self, words: str) -> str:
        """Waits for a line on standard output that holds these words; lines before it are passed over."""
        return self._out.wait_for(words)

    def says_all(self, *words: str) -> None:
        """Waits for lines that hold these words, in any order."""
        missing = set(words)
        while missing:
            line = self._out.wait_for("")
            missing = {word for word in missing if word not in line}

    def talks(self, words: str) -> str:
        """The same on standard error."""
        return self._err.wait_for(words)

    def ends(self) -> int:
        """Waits for its end; its exit status."""
        return self.process.wait(PATIENCE_S)

    @property
    def output(self) -> list[str]:
        """All lines of standard output so far, those waited for included."""
        return list(self._out.all)

    @property
    def errors(self) -> str:
        return "\n".join(self._err.all)


class _Lines:
    """Reads a stream in a thread that ends with it."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self.all: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.all.append(line.rstrip("\n"))
            self._queue.put(line)
        self._queue.put(None)

    def wait_for(self, words: str) -> str:
        while True:
            try:
                line = self._queue.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"{words!r} never came; there was {self.all[-20:]}") from None
            assert line is not None, f"the program ended without saying {words!r}; there was {self.all[-20:]}"
            if words in line:
                return line.rstrip("\n")

    def join(self) -> None:
        self._thread.join()
