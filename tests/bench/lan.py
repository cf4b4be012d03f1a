"""The client's own downloads on this machine: over TCP and in datagrams, verified and under their names."""

from __future__ import annotations

import subprocess

from tests.bench.files import FILE, memory_folder, shared_file
from tests.bench.over_link import GET_LIMIT_S, getter_command, judged
from tests.bench.report import Row
from tests.bench.server import BenchError, running_server

FULL_BYTES = 1 << 30
SMALL_BYTES = 1 << 27
ROUNDS = 3
WAYS = {"tcp": 0, "udp": 250}
"""With the goals in MB/s, encryption included."""


def run(quick: bool) -> list[Row]:
    """A row for each way; the best of some rounds, since nothing but a busy machine makes one slower."""
    rows: list[Row] = []
    with shared_file(SMALL_BYTES if quick else FULL_BYTES) as (folder, size), running_server(shared=folder) as server:
        for over, goal in WAYS.items():
            best: tuple[float, Row] = (0.0, {})
            for _ in range(1 if quick else ROUNDS):
                cpu_before_s = server.cpu_s()
                with memory_folder() as target:
                    words = getter_command(server.address, over, target)
                    done = subprocess.run(words, capture_output=True, text=True, timeout=GET_LIMIT_S, check=False)
                if done.returncode:
                    raise BenchError(done.stderr[-2000:])
                got = judged(done.stdout, over, folder / FILE)
                row: Row = {
                    "over": over,
                    "MB": size // 1_000_000,
                    "MB/s": round(size / got.seconds / 1e6),
                    "server CPU s/GB": round((server.cpu_s() - cpu_before_s) / size * 1e9, 2),
                    "client CPU s/GB": round(got.cpu_s / size * 1e9, 2),
                    "goal MB/s": goal,
                }
                best = max(best, (size / got.seconds, row), key=lambda one: one[0])
            rows.append(best[1])
    return rows
