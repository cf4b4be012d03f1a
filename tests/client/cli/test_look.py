"""`mystic ls`, `users` and `groups` against a scripted server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from mystic_client.cli.look import groups, ls, users
from mystic_client.cli.status import Failure
from mysticproto import model
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer, Peer

ANA, BOB = model.UserRef(1, "ana"), model.UserRef(2, "bob")
ENTRIES = (
    model.FolderEntry("Guides", "folder", 0, 1_000_000, 2),
    model.FolderEntry("a b.txt", "file", 1500, 1_000_000),
)


async def entered(server: FakeServer) -> Peer:
    peer = await server.accept()
    assert not (await peer.welcome()).watch
    return peer


async def left(peer: Peer) -> None:
    logout = await peer.expect(model.Logout)
    peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))


async def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        async with FakeServer() as server:
            asking = asyncio.create_task(ls(place_at(server, tmp_path), "/Sub/", as_json=as_json))
            peer = await entered(server)
            request = await peer.expect(model.ListFolder)
            assert request.path == "Sub"
            peer.say(model.Folder(request.n, "Sub", ENTRIES[:1], 2, more=True))
            peer.say(model.Folder(request.n, "Sub", ENTRIES[1:], 2))
            await left(peer)
            await asking
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["2 entries  1970-01-01  Guides/", "  1.5 KiB  1970-01-01  a b.txt"]
    assert [json.loads(line) for line in lines[2:]] == [
        {"name": "Guides", "kind": "folder", "size": 0, "modified": "1970-01-01T00:00:01.000000Z", "entries": 2},
        {"name": "a b.txt", "kind": "file", "size": 1500, "modified": "1970-01-01T00:00:01.000000Z", "entries": 0},
    ]


async def test_an_empty_folder_and_one_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        asking = asyncio.create_task(ls(place_at(server, tmp_path), "", as_json=False))
        peer = await entered(server)
        request = await peer.expect(model.ListFolder)
        peer.say(model.Folder(request.n, "", (), 0))
        await left(peer)
        await asking
        asking = asyncio.create_task(ls(place_at(server, tmp_path), "x", as_json=False))
        peer = await entered(server)
        request = await peer.expect(model.ListFolder)
        peer.say(model.Refused(request.n, "not_a_folder", "There is no folder x."))
        await left(peer)
        with pytest.raises(Failure, match="There is no folder x."):
            await asking
    assert capsys.readouterr().out == ""


async def test_users_and_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        asking = asyncio.create_task(users(place_at(server, tmp_path)))
        peer = await entered(server)
        who = await peer.expect(model.ListUsers)
        peer.say(model.Users(who.n, (model.UserInfo(BOB), model.UserInfo(ANA, "member"))))
        await left(peer)
        await asking
        asking = asyncio.create_task(groups(place_at(server, tmp_path)))
        peer = await entered(server)
        which = await peer.expect(model.ListGroups)
        peer.say(model.Groups(which.n, (model.GroupInfo(model.Group(4, "team"), BOB, (BOB, ANA)),)))
        await left(peer)
        await asking
    assert capsys.readouterr().out == "bob\nana\nteam: bob, ana\n"


async def test_users_who_are_away_say_since_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        asking = asyncio.create_task(users(place_at(server, tmp_path), known=True))
        peer = await entered(server)
        who = await peer.expect(model.ListUsers)
        assert who.known
        away = model.UserInfo(BOB, "member", here=False, last_seen_us=1_000_000)
        peer.say(model.Users(who.n, (model.UserInfo(ANA), away)))
        await left(peer)
        await asking
    assert capsys.readouterr().out == "ana\nbob\taway since 1970-01-01T00:00:01.000000Z\n"
