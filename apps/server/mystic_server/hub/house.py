"""The house: what this server is to its clients and to the log, and what its settings say to the hub."""

import time

from msgspec import Struct

from mystic_server.domain.decide import EVERYBODY, Rules
from mystic_server.hub.rates import Rates


class Identity(Struct, frozen=True):
    """What this server is to its clients, and this process to the log. `fingerprint`: of its key for encryption."""

    name: str
    version: str
    server_id: bytes
    node: int
    epoch: int
    fingerprint: str = ""


class House(Struct, frozen=True, kw_only=True):
    """What the settings say. `send_queue_soft`: bytes that wait for a peer before its requests wait too.

    `rules`: who may come in. `encrypts_passwords`: they are refused in the clear, except from this machine itself.
    `local_may_stop`: whoever is on this machine may stop the server, not operators alone. `password_failures`: of one
    connection, which then ends. `uploads`: who may bring files, "members", "operators" or "off".
    """

    send_queue_soft: int
    rates: Rates | None = None
    rules: Rules = EVERYBODY
    encrypts_passwords: bool = False
    local_may_stop: bool = False
    password_failures: int = 3
    uploads: str = "members"


def now_us() -> int:
    """The time that events carry."""
    return time.time_ns() // 1000
