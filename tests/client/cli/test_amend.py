"""`mystic receipts` against a scripted server; what `edit` and `delete` ask for is in test_words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mystic_client.cli.amend import receipts
from mystic_client.cli.status import Failure
from mysticproto import model
from mysticproto.model import ToGroup, ToUsers
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer

ANA, BOB, EVE = model.UserRef(1, "ana"), model.UserRef(2, "bob"), model.UserRef(3, "eve")
CONVERSATIONS = (
    model.ConversationInfo(model.Direct((ANA, BOB, EVE)), 9, 9),
    model.ConversationInfo(model.Direct((ANA, BOB)), 8, 8),
    model.ConversationInfo(model.Group(4, "Team"), 7, 7),
)


@pytest.mark.parametrize(
    ("of", "key"),
    [(ToUsers(("BOB",)), "direct:1,2"), (ToUsers(("eve", "bob")), "direct:1,2,3"), (ToGroup("team"), "group:4")],
)
async def test_how_far_the_others_have_got(
    of: ToGroup | ToUsers, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeServer() as server:
        asking = asyncio.create_task(receipts(place_at(server, tmp_path), of))
        peer = await server.accept()
        await peer.welcome()
        which = await peer.expect(model.ListConversations)
        peer.say(model.Conversations(which.n, CONVERSATIONS))
        far = await peer.expect(model.GetReceipts)
        assert far.conversation == key
        peer.say(model.Receipts(far.n, key, (model.Watermark(BOB, 8, 5),)))
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        await asking
    assert capsys.readouterr().out == "bob  delivered 8  read 5\n"


async def test_a_conversation_that_one_does_not_have(tmp_path: Path) -> None:
    async with FakeServer() as server:
        asking = asyncio.create_task(receipts(place_at(server, tmp_path), ToUsers(("nobody",))))
        peer = await server.accept()
        await peer.welcome()
        which = await peer.expect(model.ListConversations)
        peer.say(model.Conversations(which.n, CONVERSATIONS))
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        with pytest.raises(Failure, match="no such conversation"):
            await asking
