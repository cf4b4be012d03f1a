"""`mystic group` with several members; what else is asked for is in test_words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mystic_client.cli.group import add
from mystic_client.cli.status import Failure
from mysticproto import model
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer


async def test_one_after_the_other_up_to_a_refusal(tmp_path: Path) -> None:
    async with FakeServer() as server:
        adding = asyncio.create_task(add(place_at(server, tmp_path), "team", ["bob", "nobody", "eve"]))
        peer = await server.accept()
        await peer.welcome()
        first = await peer.expect(model.AddMember)
        peer.say(model.Ok(first.n))
        second = await peer.expect(model.AddMember)
        assert (first.name, second.name) == ("bob", "nobody")
        peer.say(model.Refused(second.n, "unknown_user", "Nobody is called nobody."))
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        with pytest.raises(Failure, match="Nobody is called nobody"):
            await adding
