"""What a process and all that descend from it use, by /proc."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Seconds of CPU, user and system, that it and its living descendants have used; in steps of 10 ms."""
    return sum(int(fields[11]) + int(fields[12]) for fields in _stats(pid)) / _TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Resident memory of all of them."""
    return sum(int(fields[21]) for fields in _stats(pid)) * _PAGE_BYTES


def _stats(pid: int) -> list[list[str]]:
    """/proc/PID/stat behind the name, see proc(5), of the process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    stats: dict[int, list[str]] = {}
    for other in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            stats[other] = Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(stats[other][1]), []).append(other)
    family = [pid]
    for member in family:
        family += parents.get(member, [])
    return [stats[member] for member in family if member in stats]
