"""What is opened for what was chosen in the search and the switcher."""

from __future__ import annotations

from mysticproto.model import ToUsers
from tests.support.desk import sitting
from tests.support.fake_session import EVA, said
from tests.support.sample_past import full_server


async def test_a_hit_that_is_gone_is_explained() -> None:
    server = full_server()
    server.hits.append(said(900, EVA, "gone words"))
    async with sitting(server=server) as desk:
        await desk.write("/search gone", "enter")
        await desk.press("enter")
        assert [toast.message for toast in desk.app._notifications] == ["That message is not to be found here."]


async def test_somebody_whom_nobody_here_knows_can_be_written_to() -> None:
    async with sitting(server=full_server()) as desk:
        await desk.press("f4", "ctrl+k")
        await desk.write("mallory", "enter")
        assert desk.app.line.store.front_talk.target == ToUsers(("mallory",))
        assert desk.chat.composer.has_focus
