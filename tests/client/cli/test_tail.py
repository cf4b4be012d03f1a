"""`mystic tail` against a scripted server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from mystic_client.cli.status import Failure, Status
from mystic_client.cli.tail import iso_time, json_line, tail, text_line
from mysticproto import model
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer, Peer

ANA, BOB, EVE = model.UserRef(1, "ana"), model.UserRef(2, "bob"), model.UserRef(3, "eve")


def message(seq: int, text: str = "", conversation: model.Conversation | None = None) -> model.Message:
    return model.Message(seq, seq, BOB, conversation or model.Global(), text or f"m{seq}")


async def leave(peer: Peer) -> None:
    logout = await peer.expect(model.Logout)
    peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))


async def test_only_messages_are_printed_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        tailing = asyncio.create_task(tail(place_at(server, tmp_path), 0, 2, as_json=False))
        peer = await server.accept()
        login = await peer.welcome(upto=10)
        assert (login.watch, login.after) == (True, -1)
        peer.say(model.UserJoined(11, 11, EVE), message(12), model.Notice("hm"), message(13), message(14))
        await leave(peer)
        await tailing
    told = capsys.readouterr()
    assert told.out == "[GLOBAL] bob: m12\n[GLOBAL] bob: m13\n"
    assert told.err == "mystic: hm\nmystic: connected\n"


async def test_what_waited_for_the_user_counts_as_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        tailing = asyncio.create_task(tail(place_at(server, tmp_path), 0, 2, as_json=False))
        peer = await server.accept()
        await peer.welcome(upto=10, catching_up=True)
        direct = model.Direct((ANA, BOB))
        peer.say(model.CatchUp((message(4, "waited", direct), message(6, "waited too", direct)), 10))
        await leave(peer)
        await tailing
    assert capsys.readouterr().out == "[PM] bob: waited\n[PM] bob: waited too\n"


async def test_the_last_ones_come_first_and_are_not_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        tailing = asyncio.create_task(tail(place_at(server, tmp_path), 3, 1, as_json=False))
        peer = await server.accept()
        assert not (await peer.welcome(upto=20)).watch
        request = await peer.expect(model.GetHistory)
        assert (request.of, request.before) == (model.ToGlobal(), 0)
        peer.say(model.History(request.n, (message(18), model.UserJoined(19, 1, EVE), message(20)), more=True))
        request = await peer.expect(model.GetHistory)
        assert request.before == 18
        peer.say(model.History(request.n, (message(10), message(12)), more=True))
        await leave(peer)

        peer = await server.accept()
        login = await peer.welcome(upto=22, catching_up=True)
        assert (login.watch, login.after) == (True, 11)
        direct = model.Direct((ANA, BOB))
        peer.say(model.CatchUp((message(12), message(15, "private", direct), message(18)), 18, more=True))
        peer.say(model.CatchUp((message(20), message(22, "new")), 22))
        await leave(peer)
        await tailing
    assert capsys.readouterr().out.splitlines() == [
        "[PM] bob: private",
        "[GLOBAL] bob: m18",
        "[GLOBAL] bob: m20",
        "[GLOBAL] bob: new",
    ]


async def test_a_short_history_is_printed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        tailing = asyncio.create_task(tail(place_at(server, tmp_path), 10, 1, as_json=False))
        peer = await server.accept()
        await peer.welcome(upto=5)
        request = await peer.expect(model.GetHistory)
        peer.say(model.History(request.n, (message(2),)))
        await leave(peer)
        peer = await server.accept()
        assert (await peer.welcome(upto=5, catching_up=True)).after == 0
        peer.say(model.CatchUp((message(2), message(3)), 5), message(6))
        await leave(peer)
        await tailing
    assert capsys.readouterr().out.count("\n") == 3


async def test_a_tail_survives_a_break_and_ends_when_it_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeServer() as server:
        tailing = asyncio.create_task(tail(place_at(server, tmp_path), 0, 0, as_json=True))
        peer = await server.accept()
        await peer.welcome(upto=10)
        peer.say(message(11))
        peer.close()
        peer = await server.accept()
        assert (await peer.welcome(upto=13, catching_up=True)).after in (10, 11)
        peer.say(
            model.CatchUp((message(11), message(12)), 13), message(14), model.Bye("replaced", "You are elsewhere.")
        )
        with pytest.raises(Failure, match="elsewhere") as caught:
            await tailing
        assert caught.value.status is Status.REFUSED
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [11, 12, 14]


def test_lines_as_json() -> None:
    said = model.Message(7, 1_700_000_000_123_456, BOB, model.Global(), 'a "b"\nü')
    assert json.loads(json_line(said)) == {
        "seq": 7,
        "time": "2023-11-14T22:13:20.123456Z",
        "author": "bob",
        "conversation": "global",
        "text": 'a "b"\nü',
    }
    brought = msgspec.structs.replace(said, file=model.FileRef("a.txt", 7, b"\x0f" * 32, "Docs/a.txt"))
    assert json.loads(json_line(brought))["file"] == {
        "name": "a.txt",
        "size": 7,
        "blake3": "0f" * 32,
        "path": "Docs/a.txt",
    }
    direct = model.Direct((ANA, BOB, EVE))
    assert json.loads(json_line(message(1, "x", direct)))["to"] == ["ana", "eve"]
    grouped = json.loads(json_line(message(1, "x", model.Group(4, "team"))))
    assert (grouped["conversation"], grouped["group"]) == ("group", "team")
    assert json.loads(json_line(message(1, "x", model.Broadcast())))["conversation"] == "broadcast"


def test_a_line_of_text_is_one_line() -> None:
    assert text_line(message(1, "one\ntwo"), "ana") == "[GLOBAL] bob: one two"


@pytest.mark.parametrize("time_us", [2**63 - 1, -(2**63)])
def test_times_that_no_calendar_has(time_us: int) -> None:
    assert iso_time(time_us) == "1970-01-01T00:00:00.000000Z"
