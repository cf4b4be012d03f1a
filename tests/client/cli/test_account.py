"""`mystic register`, `login`, `devices` and the like against a scripted server; passwords come from standard input."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mystic_client.cli.account import devices, login, register, trust, unregister
from mystic_client.cli.status import Failure
from mystic_client.session.heard import Address
from mysticproto import model
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer, Peer

DEVICES = (model.DeviceInfo(b"\xaa" * 32, 1_000_000, True), model.DeviceInfo(b"\xbb" * 32, 1_000_000))


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts lines into standard input."""
    reading, writing = os.pipe()
    stream = os.fdopen(reading)
    monkeypatch.setattr(sys, "stdin", stream)

    def put(lines: str) -> None:
        os.write(writing, lines.encode())
        os.close(writing)

    yield put
    stream.close()


async def left(peer: Peer) -> None:
    logout = await peer.expect(model.Logout)
    peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))


async def test_a_password_is_set(tmp_path: Path, typed: Callable[[str], None]) -> None:
    typed("correct horse\n")
    async with FakeServer() as server:
        running = asyncio.create_task(register(place_at(server, tmp_path)))
        peer = await server.accept()
        assert (await peer.welcome()).password == ""
        asked = await peer.expect(model.SetPassword)
        assert asked.password == "correct horse"
        peer.say(model.Ok(asked.n))
        await left(peer)
        await running


async def test_a_password_proves_the_name_and_the_key_goes_with_it(
    tmp_path: Path, typed: Callable[[str], None]
) -> None:
    typed("correct horse\n")
    async with FakeServer() as server:
        running = asyncio.create_task(login(place_at(server, tmp_path)))
        peer = await server.accept()
        asked = await peer.welcome()
        assert asked.password == "correct horse" and asked.key
        await left(peer)
        await running


@pytest.mark.parametrize("lines", ["", "\n"])
async def test_without_a_password_nobody_is_said_to_be_proven(
    tmp_path: Path, typed: Callable[[str], None], lines: str
) -> None:
    typed(lines)
    async with FakeServer() as server:
        with pytest.raises(Failure, match="no password"):
            async with asyncio.timeout(5):
                await login(place_at(server, tmp_path))


async def test_devices_are_listed_and_taken_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for remove in ("", "bbbb", "cc"):
        async with FakeServer() as server:
            running = asyncio.create_task(devices(place_at(server, tmp_path), remove))
            peer = await server.accept()
            await peer.welcome()
            asked = await peer.expect(model.ListDevices)
            peer.say(model.Devices(asked.n, DEVICES))
            if remove == "bbbb":
                removal = await peer.expect(model.RemoveDevice)
                assert removal.key == DEVICES[1].key
                peer.say(model.Ok(removal.n))
            await left(peer)
            if remove == "cc":
                with pytest.raises(Failure, match="no devices"):
                    await running
            else:
                await running
    assert capsys.readouterr().out.splitlines() == [
        "aaaaaaaaaaaa  1970-01-01  this device",
        "bbbbbbbbbbbb  1970-01-01",
    ]


async def test_a_name_is_given_up_only_by_who_types_it(tmp_path: Path, typed: Callable[[str], None]) -> None:
    typed("bob\n")
    async with FakeServer() as server:
        with pytest.raises(Failure, match="nothing was done"):
            await unregister(place_at(server, tmp_path), is_sure=False)


async def test_a_server_is_met_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        place = place_at(server, tmp_path)
        place.pins.add(place.address, "aa:" * 31 + "aa")
        running = asyncio.create_task(trust(place))
        peer = await server.accept()
        await peer.welcome()
        await left(peer)
        await running
        assert place.pins.find(Address(place.address.host, place.address.port)) is None
    assert "not encrypted: there is nothing to know it by" in capsys.readouterr().err
