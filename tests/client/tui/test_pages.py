"""What is fetched of the past."""

from __future__ import annotations

from mystic_client.model.talk import GLOBAL
from mysticproto import model
from mysticproto.model import Global, Message, Refused
from tests.client.tui.test_line import Joined, turn
from tests.support.fake_session import ANA, NOON_US, FakeServer, said


async def joined() -> Joined:
    server = FakeServer()
    server.past["global"] = [said(n, ANA, f"words {n}") for n in range(1, 501)]
    joined = Joined(server)
    await turn()
    joined.line.fetch_past(GLOBAL)
    await turn()
    joined.session.requests.clear()
    return joined


async def test_a_message_that_is_here_is_jumped_to_without_asking() -> None:
    here = await joined()
    assert await here.line.pages.jump(GLOBAL, 450) == ""
    assert here.session.requests == [] and not here.line.store.front_talk.in_past


async def test_another_one_is_fetched_with_what_is_around_it() -> None:
    here = await joined()
    pages, talk = here.line.pages, here.line.store.front_talk
    assert await pages.jump(GLOBAL, 200) == ""
    assert talk.in_past and talk.shown.find(200)
    pages.fetch_past(GLOBAL)
    pages.fetch_future(GLOBAL)
    pages.fetch_future(GLOBAL)
    await turn()
    assert (talk.shown.oldest_logged, talk.shown.newest_logged) == (50, 349)
    assert [type(request) for request in here.session.requests] == [model.GetHistory] * 3
    assert await pages.jump(GLOBAL, 300) == "" and talk.in_past, "it is in the excerpt"
    assert await pages.jump(GLOBAL, 450) == ""
    assert talk.excerpt is None, "it is in the live conversation"


async def test_what_cannot_be_found_is_said() -> None:
    here = await joined()
    assert await here.line.pages.jump(GLOBAL, 9999) == "That message is not to be found here."
    assert await here.line.pages.jump("group:9", 1) == "That conversation is closed."
    here.server.refusals[model.GetHistory] = Refused(1, "busy", "Later.")
    assert await here.line.pages.jump(GLOBAL, 200) == "Later."
    assert here.line.store.front_talk.excerpt is None


async def test_a_page_of_an_excerpt_that_failed_can_be_asked_for_again() -> None:
    here = await joined()
    await here.line.pages.jump(GLOBAL, 200)
    here.server.refusals[model.GetHistory] = Refused(1, "busy", "Later.")
    here.line.pages.fetch_past(GLOBAL)
    await turn()
    excerpt = here.line.store.front_talk.excerpt
    assert excerpt is not None and excerpt.older == "failed"


async def test_a_quoted_message_is_fetched_once() -> None:
    here = await joined()
    here.line.heard([Message(600, NOON_US, ANA, Global(), "yes", reply_to=7)])
    for _ in range(2):
        here.line.pages.fetch_quote(GLOBAL, 7)
    await turn()
    assert len(here.session.requests) == 1
    assert here.line.store.front_talk.timeline.entries[-1].quote == "ana: words 7"


async def test_a_quoted_message_that_may_not_be_seen_is_said_to_be_so() -> None:
    here = await joined()
    here.line.heard([Message(600, NOON_US, ANA, Global(), "yes", reply_to=9000)])
    here.line.pages.fetch_quote(GLOBAL, 9000)
    await turn()
    assert here.line.store.front_talk.timeline.entries[-1].quote == "a message that cannot be shown"
