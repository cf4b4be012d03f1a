"""The time that events carry."""

from __future__ import annotations

import time

from mystic_server.hub.house import now_us


def test_time_is_in_microseconds_since_1970() -> None:
    before = time.time()
    assert before * 1e6 - 1 <= now_us() <= time.time() * 1e6 + 1
