"""Logins with keys: each proves a claimed name, or claims a free one, with a signature of the server's nonce."""

from __future__ import annotations

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench.crowd import Crowd
from tests.bench.report import Row
from tests.bench.server import MeasuredServer, running_server

LOGINS = 1_000
QUICK_LOGINS = 200
KINDS = {"claims a name": True, "comes back": True, "one-shot command": False}
"""Whether a session watches. Who watches is announced to everybody who does, so these logins cost more with each."""


def run(quick: bool) -> list[Row]:
    """One row for each kind of login."""
    count = QUICK_LOGINS if quick else LOGINS
    keys = [Ed25519PrivateKey.generate() for _ in range(count)]
    with running_server() as server:
        return [measure(server, kind, keys, watch) for kind, watch in KINDS.items()]


def measure(server: MeasuredServer, kind: str, keys: list[Ed25519PrivateKey], watch: bool) -> Row:
    """Everybody logs in and stays until the last one is there; then all leave."""
    crowd = Crowd(server.address)
    cpu_before_s, started = server.cpu_s(), time.perf_counter()
    try:
        crowd.join([f"user{at}" for at in range(len(keys))], keys, watch)
        wall_s = time.perf_counter() - started
        crowd.settle()
        cpu_s = server.cpu_s() - cpu_before_s
        crowd.leave()
    finally:
        crowd.close()
    return {
        "login": kind,
        "logins": len(keys),
        "logins/s": round(len(keys) / wall_s),
        "server CPU us/login": round(cpu_s * 1e6 / len(keys)),
    }
