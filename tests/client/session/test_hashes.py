"""Hashes that the server says by and by."""

from __future__ import annotations

import asyncio

import pytest

from mystic_client.session.hashes import MAX_KEPT, Hashes
from mystic_client.session.heard import NotConnected
from mysticproto.model import FileHashed


async def test_a_hash_may_come_before_and_after_it_is_waited_for() -> None:
    hashes = Hashes()
    waiting = [asyncio.create_task(hashes.wait_for("a", 1, 2)) for _ in range(2)]
    other = asyncio.create_task(hashes.wait_for("a", 1, 3))
    await asyncio.sleep(0)
    hashes.heard(FileHashed("a", 1, 2, b"one"))
    assert await asyncio.gather(*waiting) == [b"one", b"one"]
    assert await hashes.wait_for("a", 1, 2) == b"one"
    assert not other.done()
    hashes.disconnected("it broke")
    with pytest.raises(NotConnected, match="it broke"):
        await other


async def test_who_stops_waiting_is_forgotten() -> None:
    hashes = Hashes()
    waiting = asyncio.create_task(hashes.wait_for("a", 1, 2))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hashes.heard(FileHashed("a", 1, 2, b"one"))
    hashes.disconnected("it broke")


async def test_only_the_latest_are_kept() -> None:
    hashes = Hashes()
    for number in range(MAX_KEPT + 1):
        hashes.heard(FileHashed("a", number, 0, b"h"))
    assert await hashes.wait_for("a", 1, 0) == b"h"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await hashes.wait_for("a", 0, 0)
