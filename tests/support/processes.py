"""What other processes are and hold: the children of a server, whether one still runs, what it has open."""

from __future__ import annotations

import psutil


def children(pid: int, module: str = "") -> list[int]:
    """The processes that one has started, of which `python -m MODULE` was asked for if a module is given."""
    return [child.pid for child in psutil.Process(pid).children() if module in command(child)]


def command(process: psutil.Process) -> str:
    """Its words, or nothing for one that has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def is_running(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits for its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def about(words: str) -> list[str]:
    """The command lines of all processes that say this, as the server's and its children's say their folder."""
    return [line for process in psutil.process_iter() if words in (line := command(process))]


def descriptors(pid: int) -> int:
    """How many are open."""
    return psutil.Process(pid).num_fds()


def resident_bytes(pid: int) -> int:
    """What it has in memory."""
    return int(psutil.Process(pid).memory_info().rss)
