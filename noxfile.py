#!/usr/bin/env python3
"""Everything there is to do in this checkout: nox -s server | tui | demo | tests | nightly | lint | bench.

Run as a script (`python3 noxfile.py -s demo`) it needs Python 3.11 and nothing else: it fetches nox into a virtual
environment of its own under .nox/.bootstrap and becomes that nox, with the same arguments. The environment is built
under another name and renamed when it is whole, so an interrupted attempt leaves nothing that looks finished.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent
NOX = "nox>=2025.5.1,<2027"
OLDEST_PYTHON = (3, 11)
ABANDONED_AFTER_S = 3600
NIGHTLY_TEST_S = 3600
"""How long one test may take that tries 10,000 cases."""
AT_ONCE = ("-n", "auto", "--dist", "loadfile")
"""As many tests at once as there are processors; those of one file in one process, since they share what is costly."""
BIN = "Scripts" if os.name == "nt" else "bin"
NO_VENV = """\
Mystic's tools need Python's `venv` module with `ensurepip`, and {python} has none.
Debian and Ubuntu: sudo apt install python3-venv. Elsewhere: install Python from its own installer or package."""


def main() -> int:
    """The script: becomes nox, or says in a sentence why it cannot."""
    if sys.version_info < OLDEST_PYTHON:
        print(f"Mystic needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    try:
        python = nox_python()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Could not prepare nox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    command = [str(python), "-m", "nox", "--noxfile", __file__, *sys.argv[1:]]
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)


def nox_python() -> Path:
    """The interpreter that has nox; builds its environment at the first call."""
    name = f"nox-{hashlib.sha256(NOX.encode()).hexdigest()[:8]}-python{sys.version_info[0]}.{sys.version_info[1]}"
    home = ROOT / ".nox" / ".bootstrap" / name
    python = home / BIN / "python"
    if not python.exists() and not python.with_suffix(".exe").exists():
        build_bootstrap(home)
    return python


def build_bootstrap(home: Path) -> None:
    """Makes the environment `home` whole or not at all. Of two builders at once the first one wins."""
    try:
        import ensurepip  # noqa: F401  Debian leaves it out of its plain python3
    except ImportError:
        raise OSError(NO_VENV.format(python=sys.executable)) from None
    print("Fetching nox for this checkout, once...", file=sys.stderr, flush=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned_drafts(home.parent)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home.parent))
    try:
        subprocess.run([sys.executable, "-m", "venv", str(draft)], check=True)
        pip = [str(draft / BIN / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", NOX], check=True)
        if not (home / BIN).exists():
            shutil.rmtree(home, ignore_errors=True)
        draft.rename(home)
    except OSError:
        if not (home / BIN).exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def remove_abandoned_drafts(folder: Path) -> None:
    """Drafts of builders that were killed; a young one may still be at work."""
    for draft in folder.glob(".draft-*"):
        if draft.exists() and time.time() - draft.stat().st_mtime > ABANDONED_AFTER_S:
            shutil.rmtree(draft, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests", "lint"]


def locked() -> TextIO:
    """A file that one nox of this checkout holds locked: two at once would spoil each other's new environment."""
    (ROOT / ".nox").mkdir(exist_ok=True)
    lock = (ROOT / ".nox" / "lock").open("w")
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


preparing = locked()  # taken before nox makes the environment, given back when the project is installed in it


def install(session: nox.Session, *extras: str) -> None:
    """The project, editable, with these extras; again only when pyproject.toml or the place of the checkout changed."""
    wanted = hashlib.sha256(f"{ROOT}\n{extras}\n".encode() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = Path(session.virtualenv.location) / "mystic-installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        session.run_install("python", "-m", "ensurepip", silent=True)  # an earlier attempt may have been interrupted
        session.install("-e", f".[{','.join(extras)}]" if extras else ".")
        stamp.write_text(wanted)
    preparing.close()


def become(session: nox.Session, *command: str) -> None:
    """Runs a program that owns the terminal and its signals: where the system allows it, in nox's own place.

    As a child of nox it would get a third of a second after Ctrl-C, and outlive a nox that gets SIGTERM.
    """
    if os.name == "nt":
        session.run(*command)
        return
    program = shutil.which(command[0], path=os.pathsep.join(session.bin_paths or []))
    if program is None:
        session.error(f"{command[0]} is not installed in {session.virtualenv.location}")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(program, [program, *command[1:]], {**os.environ, "PATH": path_of(session)})


def path_of(session: nox.Session) -> str:
    return os.pathsep.join([*(session.bin_paths or []), os.environ.get("PATH", os.defpath)])


@nox.session
def server(session: nox.Session) -> None:
    """Starts the server: nox -s server -- [PORT] [--shared DIR] ..."""
    install(session)
    become(session, "mystic-server", *session.posargs)


@nox.session
def tui(session: nox.Session) -> None:
    """Starts the terminal client: nox -s tui -- [USERNAME [HOST [PORT]]]"""
    install(session)
    become(session, "mystic-tui", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Starts a server with sample files and a client connected to it: nox -s demo -- [USERNAME]"""
    install(session)
    become(session, "python", str(ROOT / "tests" / "support" / "demo.py"), *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Runs the tests: nox -s tests -- [what pytest understands]"""
    install(session, "tests")
    session.run("python", "-m", "pytest", *AT_ONCE, *session.posargs)


@nox.session
def nightly(session: nox.Session) -> None:
    """Searches long for bytes that a wire can't bear, and breaks much: nox -s nightly -- [what pytest understands]"""
    install(session, "tests")
    thorough = {
        "HYPOTHESIS_PROFILE": "nightly",
        "MYSTIC_CUTS": "1000",  # connections, at any byte
        "MYSTIC_ROUNDS": "50",  # kills of a server under load
        "MYSTIC_CLIENT_KILLS": "100",
        "MYSTIC_BIG_FILE_BYTES": str(500 << 20),
    }
    breaking = [f"tests/e2e/test_{what}.py" for what in ("cuts", "restart", "outbox", "udp_download")]
    where = session.posargs or ["tests/contracts", "tests/proto", *breaking]
    session.run("python", "-m", "pytest", "--timeout", str(NIGHTLY_TEST_S), *where, env=thorough)


@nox.session
def lint(session: nox.Session) -> None:
    """Checks style, types, and the layout of the house."""
    install(session, "tests", "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("python", "-m", "pytest", "-q", "tests/layout")


@nox.session
def bench(session: nox.Session) -> None:
    """Measures a server under load: nox -s bench -- [what the bench understands]"""
    install(session, "tests")
    session.run("python", "-m", "tests.bench", *session.posargs)
