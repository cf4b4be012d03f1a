"""`mystic op bans`; what the other words ask for is in test_words."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from mystic_client.cli.operate import ban, ban_line, bans
from mystic_client.cli.status import Failure, Status
from mysticproto import model
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer

BOSS = model.UserRef(1, "boss")


def test_a_ban_in_a_line() -> None:
    assert ban_line(model.BanInfo("bob", BOSS, "", 0, model.FOR_EVER_US), 0) == "bob  by boss  for ever"
    assert ban_line(model.BanInfo("10.0.0.0/8", BOSS, "spam", 0, 60_000_000), 0).endswith("1 min 0 s left  spam")


async def test_who_is_banned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        asking = asyncio.create_task(bans(place_at(server, tmp_path)))
        peer = await server.accept()
        await peer.welcome()
        asked = await peer.expect(model.ListBans)
        now_us = time.time_ns() // 1000
        peer.say(model.Bans(asked.n, (model.BanInfo("bob", BOSS, "spam", now_us, model.FOR_EVER_US),)))
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        await asking
    assert capsys.readouterr().out == "bob  by boss  for ever  spam\n"


async def test_a_span_that_is_none(tmp_path: Path) -> None:
    async with FakeServer() as server:
        with pytest.raises(Failure) as wrong:
            await ban(place_at(server, tmp_path), "bob", "a while", "")
    assert wrong.value.status is Status.USAGE
