"""What is left to a TCP flow with cubic when another one joins: cubic, bbr, or a file in datagrams."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack

from tests.bench.files import FILE, memory_folder, shared_file
from tests.bench.over_link import REQUEST, getter_command, mbit_s, mystic_at, start_plain
from tests.bench.report import Row
from tests.bench.server import BenchError
from tests.bench.sink import as_lines, drained, sink_command
from tests.support.netlab import Lab, LabError, Line, Side, laboratory, why_impossible

RATE_MBIT, RTT_MS = 100.0, 50.0
QUEUES_BYTES = (625_000, 2_500_000)
"""Once and four times what is under way without a queue."""
FILE_BYTES = 400_000_000
"""More than can come in this time."""
ALONE_S, SETTLING_S, TOGETHER_S = 6.0, 4.0, 20.0
MARK_S = 0.5


def run(quick: bool) -> list[Row]:
    """A row for each queue and each of those who join."""
    if why := why_impossible():
        raise BenchError(why)
    rows = []
    try:
        for queue_bytes in QUEUES_BYTES[:1] if quick else QUEUES_BYTES:
            for joins in ("cubic", "bbr", "udp"):
                rows.append(measure(queue_bytes, joins, TOGETHER_S / 2 if quick else TOGETHER_S))
    except LabError as problem:
        raise BenchError(str(problem)) from None
    return rows


def measure(queue_bytes: int, joins: str, together_s: float) -> Row:
    """One row. The first flow runs alone, then the second one joins; after a while both are measured."""
    line = Line(RATE_MBIT, RTT_MS, queue_bytes=queue_bytes)
    whole_s = ALONE_S + SETTLING_S + together_s
    with shared_file(FILE_BYTES) as (folder, _), laboratory(line) as lab, ExitStack() as held:
        first_address = start_plain(lab, folder / FILE, "cubic")
        if joins == "udp":
            address = held.enter_context(mystic_at(lab, folder))
            words = getter_command(address, "udp", held.enter_context(memory_folder()))
        else:
            words = sink_command(start_plain(lab, folder / FILE, joins), whole_s)
        first = _start(lab, sink_command(first_address, whole_s, MARK_S))
        time.sleep(ALONE_S)
        second = _start(lab, words)
        time.sleep(SETTLING_S)
        before = lab.lanes()[0].bytes
        time.sleep(together_s / 2)
        both = mbit_s(lab.lanes()[0].bytes - before, together_s / 2)
        assert first.stdout
        marks = drained(first.stdout.read()).marks
        if second.poll():
            raise BenchError(f"{joins} did not join")
    alone = marks[int(ALONE_S / MARK_S) - 1] - marks[int(ALONE_S / MARK_S / 2) - 1]
    left = marks[-1] - marks[int((ALONE_S + SETTLING_S) / MARK_S) - 1]
    left_s = (len(marks) - int((ALONE_S + SETTLING_S) / MARK_S)) * MARK_S
    return {
        "queue KB": queue_bytes // 1000,
        "joins": joins,
        "cubic alone": round(mbit_s(alone, ALONE_S / 2), 1),
        "left to cubic": round(mbit_s(left, left_s), 1),
        "line": round(both, 1),
    }


def _start(lab: Lab, words: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    started = lab.start(Side.B, words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    assert started.stdin
    started.stdin.write(as_lines([REQUEST]))
    started.stdin.close()
    return started
