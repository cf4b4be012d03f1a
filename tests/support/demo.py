"""The demo: a server with the sample files, and a client connected to it, until the client ends.

    python demo.py [USERNAME]

The server gets a free port, a data folder that is removed afterwards, and a log file instead of the terminal. However
the demo ends (the client is left, Ctrl-C, SIGTERM, a closed terminal), the server and its children are stopped first.
Without a terminal the demo shows by itself that a client works: it says something, lists groups and files, fetches a
file and compares it.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from mysticproto.names import NameRefused, check_user_name

# As modules, so that the demo runs whatever this interpreter would import, installed commands or not.
SERVER = [sys.executable, "-m", "mystic_server"]
TUI = [sys.executable, "-m", "mystic_client"]
CLI = [sys.executable, "-m", "mystic_client.cli"]
SHARED = Path(__file__).resolve().parents[2] / "SharedFiles"
SAMPLE = "Guides/Getting started.txt"
READY = re.compile(r"^mystic: ready on (\S+):(\d+)$", re.MULTILINE)
START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
POLL_S = 0.05
# Main screen, cursor shown, no mouse reports, no bracketed paste, plain keyboard.
LEAVE_SCREEN = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[<u"
ENDING_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


def main() -> int:
    """Runs the demo; returns the exit status of the client."""
    for number in ENDING_SIGNALS:
        signal.signal(number, _end)
    try:
        with tempfile.TemporaryDirectory(prefix="mystic-demo-", ignore_cleanup_errors=True) as folder:
            return _demo(Path(folder))
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _demo(folder: Path) -> int:
    os.environ["MYSTIC_CONFIG_HOME"] = str(folder / "client")  # the demo's server is not one to remember
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with running_server(folder) as (host, port):
        if at_terminal:
            return _with_screen(host, port)
        _without_screen(host, port, folder)
        return 0


@contextlib.contextmanager
def running_server(folder: Path) -> Iterator[tuple[str, int]]:
    """A server that shares the sample files and keeps its data and log in `folder`; gives host and port."""
    log = folder / "server.log"
    options = ["--host", "127.0.0.1", "--data", str(folder / "data"), "--shared", str(SHARED)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*SERVER, "0", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=None if os.name == "nt" else 0,  # Ctrl-C is for the client; and it can be ended as a whole
        )
    try:
        yield _wait_until_ready(server, log)
    finally:
        with undisturbed():
            _stop(server)


def _wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace")
        if ready := READY.search(text):
            return ready[1].strip("[]"), int(ready[2])
        if server.poll() is not None:
            raise DemoError(f"the server ended with status {server.returncode}:\n{text}")
        time.sleep(POLL_S)
    raise DemoError(f"the server was not ready after {START_LIMIT_S:.0f} seconds:\n{text}")


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Cleaning up has a limit of its own, so a second Ctrl-C or SIGTERM waits for it."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *ENDING_SIGNALS)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a process to end, insists after a while, and ends what is left of its group."""
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if os.name != "nt":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _with_screen(host: str, port: int) -> int:
    """The terminal client in the foreground."""
    name = sys.argv[1] if len(sys.argv) > 1 else user_name()
    with kept_terminal():
        client = subprocess.Popen([*TUI, name, host, str(port)])
        try:
            return client.wait()
        finally:
            with undisturbed():
                _end_client(client)


def _end_client(client: subprocess.Popen[bytes]) -> None:
    """Ends a client that still runs; one that ended by a signal had no time to leave its screen."""
    if client.poll() is None:
        client.terminate()
        try:
            client.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            client.kill()
            client.wait()
    if client.returncode < 0:
        with contextlib.suppress(OSError):
            os.write(sys.stdout.fileno(), LEAVE_SCREEN)


def user_name() -> str:
    """The name of the account if it can be a name in a chat, `guest` otherwise."""
    try:
        return check_user_name(getpass.getuser())
    except (NameRefused, KeyError, OSError, ImportError):
        return "guest"


@contextlib.contextmanager
def kept_terminal() -> Iterator[None]:
    """Gives the terminal back as it was, even when the client had no time to do so itself."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error, OSError):  # the terminal may be gone
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def _without_screen(host: str, port: int, folder: Path) -> None:
    """A connected client that needs no terminal: users, files, and one download compared byte for byte."""
    fetched = folder / "fetched.txt"
    client = [*CLI, "--server", f"{host}:{port}", "--name", "demo"]
    _run(client, "send", "The demo says hello.")
    _run(client, "groups")
    _run(client, "ls")
    _run(client, "get", SAMPLE, "-o", str(fetched))
    if fetched.read_bytes() != (SHARED / SAMPLE).read_bytes():
        raise DemoError(f"{SAMPLE} arrived changed")
    print(f"The demo works: {SAMPLE}, {fetched.stat().st_size:,} bytes, arrived as it was sent.")


def _run(mystic: list[str], *words: str) -> None:
    what = shlex.join(["mystic", *words])
    print(f"$ {what}", flush=True)
    client = subprocess.Popen([*mystic, *words], stdin=subprocess.DEVNULL)
    try:
        status = client.wait(START_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise DemoError(f"{what} took more than {START_LIMIT_S:.0f} seconds") from None
    finally:
        with undisturbed():
            client.kill()
            client.wait()
    if status:
        raise DemoError(f"{what} ended with status {status}")


if __name__ == "__main__":
    sys.exit(main())
