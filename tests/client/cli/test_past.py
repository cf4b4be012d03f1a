"""`mystic search` and `history` against a scripted server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from mystic_client.cli.past import history, search
from mystic_client.cli.status import Failure, Status
from mystic_client.model.search import STILL_INDEXING
from mysticproto import model
from mysticproto.model import ToGlobal, ToGroup
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer, Peer

ANA = model.UserRef(1, "ana")


def message(seq: int) -> model.Message:
    return model.Message(seq, 1_000_000 * seq, ANA, model.Global(), f"cake {seq}")


async def left(peer: Peer) -> None:
    logout = await peer.expect(model.Logout)
    peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))


async def test_a_search_goes_on_until_there_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        searching = search(
            place_at(server, tmp_path), "cake", ToGroup("team"), "ana", "2026-11-20", "", 3, as_json=True
        )
        running = asyncio.create_task(searching)
        peer = await server.accept()
        await peer.welcome()
        first = await peer.expect(model.Search)
        assert (first.words, first.of, first.author, first.before, first.limit) == (
            "cake",
            ToGroup("team"),
            "ana",
            0,
            3,
        )
        assert first.since_us > 0 and first.until_us == 0
        peer.say(model.Found(first.n, (message(9), message(8)), True, 8))
        second = await peer.expect(model.Search)
        assert (second.before, second.limit) == (8, 1)
        peer.say(model.Found(second.n, (message(3),), True, 3))
        await left(peer)
        await running
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [3, 8, 9]


async def test_what_is_not_indexed_yet_is_said_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        running = asyncio.create_task(search(place_at(server, tmp_path), "cake", None, "", "", "", 3, as_json=True))
        peer = await server.accept()
        await peer.welcome()
        first = await peer.expect(model.Search)
        peer.say(model.Found(first.n, (message(9),), True, 9, complete=False))
        second = await peer.expect(model.Search)
        peer.say(model.Found(second.n, (message(3),)))
        await left(peer)
        await running
    said = capsys.readouterr()
    assert [json.loads(line)["seq"] for line in said.out.splitlines()] == [3, 9]
    assert STILL_INDEXING in said.err


async def test_nothing_found_is_status_1(tmp_path: Path) -> None:
    async with FakeServer() as server:
        running = asyncio.create_task(search(place_at(server, tmp_path), "cake", None, "", "", "", 3, as_json=False))
        peer = await server.accept()
        await peer.welcome()
        asked = await peer.expect(model.Search)
        peer.say(model.Found(asked.n, ()))
        await left(peer)
        with pytest.raises(Failure) as nothing:
            await running
    assert nothing.value.status is Status.REFUSED


async def test_a_date_that_is_none(tmp_path: Path) -> None:
    async with FakeServer() as server:
        with pytest.raises(Failure) as wrong:
            await search(place_at(server, tmp_path), "cake", None, "", "soon", "", 3, as_json=False)
    assert wrong.value.status is Status.USAGE


async def test_history_pages_until_there_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        running = asyncio.create_task(history(place_at(server, tmp_path), ToGlobal(), 0, 2, as_json=False))
        peer = await server.accept()
        await peer.welcome()
        first = await peer.expect(model.GetHistory)
        peer.say(model.History(first.n, (model.UserJoined(8, 8, ANA), message(9)), True))
        second = await peer.expect(model.GetHistory)
        assert second.before == 8
        peer.say(model.History(second.n, (message(5), message(6)), True))
        await left(peer)
        await running
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == ["6", "9"]
    assert "--before 6" in shown.err
