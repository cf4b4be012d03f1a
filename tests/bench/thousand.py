"""1,000 clients at once: what each of them costs in memory, and messages to all of them."""

from __future__ import annotations

import time

from tests.bench import fanout
from tests.bench.crowd import Crowd
from tests.bench.report import Row
from tests.bench.server import running_server

CLIENTS = 1_000
FIRST = 50
"""Clients before the first look at the memory, so that what the server needs once is not counted."""
WINDOW = 8
MESSAGES = 2_000


def run(quick: bool) -> list[Row]:
    """One row: the login of all, memory, and messages."""
    with running_server() as server:
        crowd = Crowd(server.address)
        try:
            crowd.join([f"first{at}" for at in range(FIRST)])
            crowd.settle()
            rss_before, started = server.rss_bytes(), time.perf_counter()
            crowd.join([f"user{at}" for at in range(CLIENTS - FIRST)])
            login_s = time.perf_counter() - started
            crowd.settle()
            rss = server.rss_bytes()
            row = fanout.measure(server, crowd, MESSAGES // fanout.QUICK_SHARE if quick else MESSAGES, WINDOW)
        finally:
            crowd.close()
    return [
        {
            **row,
            "logins/s": round((CLIENTS - FIRST) / login_s),
            "KiB/connection": round((rss - rss_before) / (CLIENTS - FIRST) / 1024, 1),
            "server MiB": round(rss / 2**20, 1),
        }
    ]
