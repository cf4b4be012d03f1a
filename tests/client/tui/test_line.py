"""The join of a session with its store."""

from __future__ import annotations

import asyncio

import pytest

from mystic_client.model.talk import GLOBAL
from mystic_client.session.heard import Address, NotConnected, Online, OutboxFull, Waiting
from mystic_client.tui.line import Line
from mysticproto import model
from mysticproto.model import GroupInfo, ToEveryone, ToGlobal, ToUsers
from tests.support.fake_session import ANA, DEV, NOON_US, OWN, FakeServer, FakeSession, between, said


class Joined:
    """A line with a session that is online."""

    def __init__(self, server: FakeServer | None = None) -> None:
        self.server = server or FakeServer()
        self.changes = 0
        self.line = Line("zoe", lambda: NOON_US, self.changed)
        self.session = FakeSession(Address("h", 1), "zoe", self.line.heard, self.server)
        self.line.attach(self.session)
        self.session.go_online()
        if not self.server.greeting:
            self.line.store.clear(GLOBAL)
            self.line.store.talks[GLOBAL].history = "unasked"

    def changed(self) -> None:
        self.changes += 1

    def texts(self, key: str = GLOBAL) -> list[tuple[str, str]]:
        return [(entry.kind, entry.text) for entry in self.line.store.talks[key].timeline.entries]


@pytest.fixture
async def joined() -> Joined:
    joined = Joined()
    await turn()
    return joined


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def focus_of(joined: Joined) -> str:
    """The name of the group that the session hears instead of global; "" for global."""
    focus = joined.line.store.focus
    return focus.name if focus else ""


async def test_going_online_asks_for_the_lists(joined: Joined) -> None:
    assert joined.line.was_online
    assert [type(request) for request in joined.session.requests] == [
        model.ListUsers,
        model.ListGroups,
        model.ListConversations,
    ]
    assert len(joined.line.store.roster.users) == 4


async def test_a_greeting_is_shown_once() -> None:
    server = FakeServer()
    server.greeting = "Welcome, zoe!"
    joined = Joined(server)
    joined.session.go_online(again=True)
    assert joined.texts() == [("notice", "Welcome, zoe!")]


async def test_what_is_heard_is_in_the_store(joined: Joined) -> None:
    joined.session.say(said(1, ANA, "hi"), said(2, ANA, "psst", between(ANA)), model.FileHashed("a", 1, 1, b""))
    assert joined.texts() == [("message", "hi")]
    assert joined.texts("direct:1,2") == [("message", "psst")]


async def test_the_servers_words_are_in_global_and_in_front(joined: Joined) -> None:
    joined.line.store.look_at(joined.line.store.open_direct([ANA]))
    joined.session.say(model.Notice("back soon"), model.Bye("stopping", "good-bye"))
    assert joined.texts() == joined.texts("direct:1,2") == [("notice", "back soon"), ("notice", "good-bye")]


async def test_posts_are_shown_pending_sent_and_failed(joined: Joined) -> None:
    joined.line.say(GLOBAL, "one")
    joined.session.acknowledge(9)
    joined.line.say(GLOBAL, "two", ToEveryone())
    joined.session.refuse("no")
    states = [(entry.kind, entry.text, entry.state) for entry in joined.line.store.talks[GLOBAL].timeline.entries]
    assert states == [("message", "one", "sent"), ("broadcast", "two", "failed")]
    assert [to for _, to, _ in joined.session.posts] == [ToGlobal(), ToEveryone()]
    joined.line.retry()
    assert joined.session.posts[-1][1:] == (ToEveryone(), "two")
    joined.session.refuse("no")
    joined.line.give_up(joined.session.posts[-1][0])
    assert joined.texts() == [("message", "one")]


async def test_what_cannot_be_posted_is_said(joined: Joined, monkeypatch: pytest.MonkeyPatch) -> None:
    joined.line.say(GLOBAL, "ü" * model.MAX_TEXT_BYTES)
    assert joined.session.posts == []
    for problem in (OutboxFull("too many"), NotConnected("it is over")):

        def fail(*_: object, problem: Exception = problem) -> bytes:
            raise problem

        monkeypatch.setattr(joined.session, "post", fail)
        joined.line.say(GLOBAL, "hi")
    assert [kind for kind, _ in joined.texts()] == ["error"] * 3


async def test_the_past_is_fetched_page_by_page(joined: Joined) -> None:
    joined.server.past["global"] = [said(n, ANA, f"m{n}") for n in range(1, 251)]
    for expected, before in ((100, 0), (200, 151), (250, 51)):
        joined.line.fetch_past(GLOBAL)
        joined.line.fetch_past(GLOBAL)
        await turn()
        asked = joined.session.requests[-1]
        assert isinstance(asked, model.GetHistory) and asked.before == before
        assert len(joined.texts()) == expected
    joined.line.fetch_past(GLOBAL)
    await turn()
    assert len([request for request in joined.session.requests if isinstance(request, model.GetHistory)]) == 3
    joined.line.fetch_past("no such conversation")


async def test_a_refused_page_can_be_tried_again(joined: Joined) -> None:
    joined.server.refusals[model.GetHistory] = model.Refused(1, "limit_reached", "slow down")
    joined.line.fetch_past(GLOBAL)
    await turn()
    assert joined.line.store.talks[GLOBAL].history == "failed"


async def test_without_a_connection_nothing_is_fetched(joined: Joined) -> None:
    joined.session.say(Waiting("cut", 3.0))
    joined.line.fetch_past(GLOBAL)
    await turn()
    assert joined.line.store.talks[GLOBAL].history == "unasked"
    reply = await joined.line.ask(model.ListUsers)
    assert isinstance(reply, model.Refused) and "needs a connection" in reply.text


async def test_no_answer_is_said(joined: Joined, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_: object) -> model.Reply:
        raise TimeoutError

    monkeypatch.setattr(joined.session, "ask", silent)
    reply = await joined.line.ask(model.ListUsers)
    assert isinstance(reply, model.Refused) and reply.text == "The server does not answer."


async def test_entering_and_leaving_a_group(joined: Joined) -> None:
    joined.server.past["global"] = [said(n, ANA, f"m{n}") for n in range(1, 5)]
    await joined.line.create("ops", True)
    store = joined.line.store
    assert store.front_talk.title == "ops"
    assert focus_of(joined) == "ops"
    assert await joined.line.leave("ops")
    await turn()
    assert focus_of(joined) == ""
    assert len(joined.texts()) == 4, "what was said meanwhile is fetched"
    joined.server.refusals[model.LeaveGroup] = model.Refused(1, "not_in_group", "You are not in it.")
    assert not await joined.line.leave("ops")
    joined.server.refusals[model.JoinGroup] = model.Refused(1, "unknown_group", "No such group.")
    await joined.line.join("nix", True)
    assert [entry.text for entry in store.front_talk.timeline.entries] == ["You are not in it.", "No such group."]


async def test_joining_a_group_that_is_there(joined: Joined) -> None:
    joined.server.groups.append(GroupInfo(DEV, ANA, (ANA,)))
    await joined.line.join("dev", False)
    assert joined.line.store.focus is None
    assert joined.line.store.front == "group:7"
    assert joined.line.store.roster.is_member(OWN.id, 7)


async def test_folders_and_refusals(joined: Joined) -> None:
    joined.server.folders["Music"] = [model.FolderEntry("a.ogg", "file", 9)]
    assert [entry.name for entry in (await joined.line.folder("Music")).entries] == ["a.ogg"]
    joined.server.refusals[model.ListFolder] = model.Refused(1, "not_a_folder", "That is no folder.")
    listing = await joined.line.folder("x")
    assert (listing.state, listing.error) == ("failed", "That is no folder.")


async def test_an_answer_of_the_wrong_kind_is_said(joined: Joined) -> None:
    joined.line.complain(model.Pong(1, 2))
    assert joined.texts() == [("error", "The server's answer makes no sense.")]


async def test_private_conversations_have_their_own_past(joined: Joined) -> None:
    joined.server.past["users:ana"] = [said(3, ANA, "old", between(ANA))]
    key = joined.line.store.open_direct([ANA])
    joined.line.fetch_past(key)
    await turn()
    asked = joined.session.requests[-1]
    assert isinstance(asked, model.GetHistory) and asked.of == ToUsers(("ana",))
    assert joined.texts(key) == [("message", "old")]


async def test_the_end_stops_what_waits(joined: Joined) -> None:
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    joined.line.do(asyncio.wait_for(never, None))
    await turn()
    await joined.line.end(politely=False)
    assert never.cancelled()
    other = Joined()
    await other.line.end(politely=True)
    assert isinstance(other.session.state, Online)


async def test_what_cannot_be_sent_again_stays_failed(joined: Joined) -> None:
    joined.line.say(GLOBAL, "hello")
    joined.session.refuse("no")

    def full(cid: bytes) -> bool:
        raise OutboxFull("1000 messages are waiting to be sent already")

    joined.session.retry = full  # type: ignore[method-assign]
    joined.line.retry()
    assert joined.texts()[-1] == ("error", "1000 messages are waiting to be sent already")
    assert joined.line.store.front_talk.timeline.entries[0].state == "failed"


async def test_what_is_read_is_marked_and_noted_once(joined: Joined) -> None:
    joined.line.heard([said(5, ANA, "psst", between(ANA))])
    for _ in range(2):
        joined.line.seen("direct:1,2", 5)
    joined.line.seen("group:99", 5)
    assert joined.session.marks == [("direct:1,2", 5)]
    assert joined.session.notebook.read == {"direct:1,2": 5}


async def test_open_conversations_are_kept_once_the_lists_are_here() -> None:
    joined = Joined()
    joined.line.follow_front()
    assert list(joined.session.notebook.open) == []
    await turn()
    joined.line.store.open_direct([ANA])
    joined.line.store.open_named(["nobody-met"])
    joined.line.follow_front()
    assert list(joined.session.notebook.open) == [GLOBAL, "direct:1,2"]


async def test_changed_folders_are_told_once(joined: Joined) -> None:
    joined.session.say(model.FolderChanged("Music"), model.FolderChanged("Music"))
    assert joined.line.take_changed_folders() == {"Music"}
    assert joined.line.take_changed_folders() == set()
