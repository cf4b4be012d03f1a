"""Messages to 200 clients, with 1, 8 and 64 of them in flight."""

from __future__ import annotations

from tests.bench.crowd import Crowd, Heard
from tests.bench.report import Row
from tests.bench.server import MeasuredServer, running_server

CLIENTS = 200
SENDERS = 10
MESSAGES = {1: 3_000, 8: 20_000, 64: 20_000}
"""By window. One at a time takes ten times as long, and shows the same after a few seconds."""
QUICK_SHARE = 10


def run(quick: bool) -> list[Row]:
    """One row for each window."""
    rows = []
    with running_server() as server:
        crowd = Crowd(server.address)
        try:
            crowd.join([f"user{at}" for at in range(CLIENTS)])
            crowd.settle()
            crowd.post(200, 8, SENDERS)
            for window, messages in MESSAGES.items():
                crowd.settle()
                rows.append(measure(server, crowd, messages // QUICK_SHARE if quick else messages, window))
        finally:
            crowd.close()
    return rows


def measure(server: MeasuredServer, crowd: Crowd, messages: int, window: int) -> Row:
    """One run of posts as a row of figures."""
    cpu_before_s = server.cpu_s()
    heard: Heard = crowd.post(messages, window, SENDERS)
    cpu_s = server.cpu_s() - cpu_before_s
    return {
        "clients": len(crowd),
        "window": window,
        "messages": messages,
        "deliveries/s": round(heard.delivered / heard.wall_s),
        "server CPU us/delivery": round(cpu_s * 1e6 / max(1, heard.delivered), 2),
        "median ms": round(heard.latency_ms(0.5), 2),
        "p99 ms": round(heard.latency_ms(0.99), 2),
        "lost": heard.lost,
    }
