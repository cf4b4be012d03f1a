"""Commands that find no server, are refused, or lose the server in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Visit, visiting
from mystic_client.session.connection import Waiting
from mysticproto import model
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer
from tests.support.listening import Ear


async def test_a_visit_logs_in_and_out(tmp_path: Path) -> None:
    async with FakeServer() as server:

        async def come() -> str:
            async with visiting(place_at(server, tmp_path)) as visit:
                return visit.own_name

        coming = asyncio.create_task(come())
        peer = await server.accept()
        login = await peer.welcome()
        assert (login.watch, len(login.key)) == (False, 32)
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        assert await coming == "ana"


async def test_no_server(tmp_path: Path) -> None:
    server = FakeServer()
    await server.start()
    place = place_at(server, tmp_path)
    await server.stop()
    with pytest.raises(Failure, match="nothing listens there") as caught:
        async with visiting(place):
            pass
    assert caught.value.status is Status.NO_SERVER


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (model.Refused(1, "name_in_use", "That name is taken."), Status.REFUSED),
        (model.Bye("server_full", "That name is taken."), Status.NO_SERVER),
    ],
)
async def test_a_refused_login(tmp_path: Path, said: model.FromServer, status: Status) -> None:
    async with FakeServer() as server:

        async def come() -> None:
            async with visiting(place_at(server, tmp_path)):
                pass

        coming = asyncio.create_task(come())
        peer = await server.accept()
        await peer.expect(model.Login)
        peer.say(said)
        with pytest.raises(Failure, match="That name is taken") as caught:
            await coming
        assert caught.value.status is status


async def test_a_refused_question_and_a_lost_server(tmp_path: Path) -> None:
    async with FakeServer() as server:

        async def ask() -> model.Reply:
            async with visiting(place_at(server, tmp_path)) as visit:
                return await visit.ask(model.ListUsers)

        for answer, status in (("refuse", Status.REFUSED), ("break", Status.NO_SERVER)):
            asking = asyncio.create_task(ask())
            peer = await server.accept()
            await peer.welcome()
            request = await peer.expect(model.ListUsers)
            if answer == "refuse":
                peer.say(model.Refused(request.n, "limit_reached", "Too much."))
                peer.say(model.Bye("left", ""))
            else:
                peer.reset()
            with pytest.raises(Failure) as caught:
                await asking
            assert caught.value.status is status


async def test_a_key_that_is_no_key_is_the_users_business(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "device.key").write_text("not a key")
    async with FakeServer() as server:
        with pytest.raises(Failure, match="device.key") as caught:
            Visit(place_at(server, tmp_path), None, watch=False)
        assert caught.value.status is Status.USAGE


async def test_patience_after_a_break_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mystic_client.cli.visit.PATIENCE_S", 0.05)
    async with FakeServer() as server:
        ear = Ear()

        async def post() -> None:
            async with visiting(place_at(server, tmp_path), ear.heard) as visit:
                await server.stop()
                await ear.next(Waiting)
                visit.session.post(model.ToGlobal(), "hi")
                await visit.session.drained()
                assert visit.ended is not None
                raise visit.failure(await visit.ended)

        posting = asyncio.create_task(post())
        await (await server.accept()).welcome()
        with pytest.raises(Failure) as caught:
            await posting
        assert caught.value.status is Status.NO_SERVER
