"""Whole downloads over emulated links: in datagrams, and by the kernel's TCP with bbr and cubic."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from msgspec import Struct

from tests.bench.files import FILE, shared_file
from tests.bench.over_link import by_kernel, by_mystic
from tests.bench.report import Row
from tests.bench.server import BenchError
from tests.support.netlab import LabError, Line, why_impossible

CUBIC_LIMIT_S = 60.0
"""At three lost packets in a hundred cubic would take a quarter of an hour: what came in this time counts."""
QUICK_LIMIT_S = 15.0
QUICK_SHARE = 5
SEEDS = (1, 2, 3)
"""Of the lost packets; the median counts. Cubic has to do with the first."""
MEGABYTE = 1_000_000


class Course(Struct, frozen=True):
    """A path, what is fetched over it, and by percent of loss the goals: parts of bbr's and of cubic's speed."""

    rate_mbit: float
    rtt_ms: float
    megabytes: int
    of_bbr: dict[float, float]
    of_cubic: dict[float, float]

    def line(self, loss_percent: float, seed: int) -> Line:
        return Line(self.rate_mbit, self.rtt_ms, loss_percent, seed=seed)


COURSES = (
    Course(100, 100, 100, of_bbr={0: 1.0, 1: 1.05, 3: 1.15}, of_cubic={1: 40.0}),
    Course(50, 300, 60, of_bbr={0: 1.1, 1: 1.5, 3: 1.4}, of_cubic={}),
)


def run(quick: bool) -> list[Row]:
    """A row for each path and loss."""
    if why := why_impossible():
        raise BenchError(why)
    rows = []
    try:
        for course in COURSES:
            size = course.megabytes * MEGABYTE // (QUICK_SHARE if quick else 1)
            with shared_file(size) as (folder, _):
                rows += [measure(course, loss_percent, folder / FILE, quick) for loss_percent in course.of_bbr]
    except LabError as problem:
        raise BenchError(str(problem)) from None
    return rows


def measure(course: Course, loss_percent: float, file: Path, quick: bool) -> Row:
    """One row. The three ways take turns, so that what else the machine does meets all of them."""
    bbr: list[float] = []
    udp: list[float] = []
    cubic: list[float] = []
    for seed in SEEDS[:1] if quick else SEEDS:
        line = course.line(loss_percent, seed)
        bbr.append(by_kernel(line, file, "bbr", limit_s=300.0))
        udp.append(by_mystic(line, file, "udp"))
        cubic += [by_kernel(line, file, "cubic", QUICK_LIMIT_S if quick else CUBIC_LIMIT_S)] if not cubic else []
    of_bbr, of_cubic = median(udp) / median(bbr), median(udp) / cubic[0]
    goals = [f"{course.of_bbr[loss_percent]:g} x bbr"]
    reached = of_bbr >= course.of_bbr[loss_percent]
    if loss_percent in course.of_cubic:
        goals.append(f"{course.of_cubic[loss_percent]:g} x cubic")
        reached &= of_cubic >= course.of_cubic[loss_percent]
    return {
        "Mbit/s": course.rate_mbit,
        "RTT ms": course.rtt_ms,
        "loss %": loss_percent,
        "MB": file.stat().st_size // MEGABYTE,
        "cubic": round(cubic[0], 1),
        "bbr": round(median(bbr), 1),
        "udp": round(median(udp), 1),
        "udp/bbr": round(of_bbr, 2),
        "udp/cubic": round(of_cubic, 1),
        "of the ceiling": round(median(udp) / (course.rate_mbit * (1 - loss_percent / 100)), 2),
        "goal": ", ".join(goals),
        "reached": "yes" if reached else "no",
    }
