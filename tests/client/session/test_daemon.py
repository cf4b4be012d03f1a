"""Blocking calls beside the loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mystic_client.session.daemon import in_daemon_thread


async def test_results_and_errors_come_back() -> None:
    assert await in_daemon_thread(lambda: threading.current_thread().daemon) is True
    with pytest.raises(ZeroDivisionError):
        await in_daemon_thread(lambda: 1 // 0)


async def test_who_stops_waiting_does_not_wait_for_the_call() -> None:
    release = threading.Event()
    waiting = asyncio.create_task(in_daemon_thread(release.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()


def test_a_loop_that_is_gone_does_not_matter() -> None:
    release = threading.Event()

    async def begin() -> None:
        waiting = asyncio.create_task(in_daemon_thread(release.wait))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(begin())
    release.set()
