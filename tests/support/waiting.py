"""Waiting for what another process or thread does and nothing tells."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 20.0
POLL_S = 0.005


def until(is_true: Callable[[], bool], what: Callable[[], str]) -> None:
    """Looks until it is so; fails with what is wrong if that takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline, what()
        time.sleep(POLL_S)
