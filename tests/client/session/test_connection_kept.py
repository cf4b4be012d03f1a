"""What a session keeps through the end of its program: posts, drafts, its place; and what it tells of having read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from mystic_client.session import dialogue
from mystic_client.session.connection import Ended, Heard, NotConnected, Online, PostState, Session, Trying, Waiting
from mystic_client.session.identity import Identity
from mystic_client.session.memory import Memory
from mystic_client.session.pins import Pins
from mystic_client.session.standing import CLOSED
from mysticproto import model
from tests.support.certificates import server_tls
from tests.support.fake_server import FakeServer, Peer
from tests.support.listening import SEED, Ear, running

OWN, BOB = model.UserRef(1, "ana"), model.UserRef(2, "bob")
PRIVATE, TEAM = model.Direct((OWN, BOB)), model.Group(5, "team")


def message(seq: int, where: model.Conversation, author: model.UserRef = BOB) -> model.Message:
    return model.Message(seq, seq, author, where, f"message {seq}")


@asynccontextmanager
async def online(
    server: FakeServer, folder: Path | None, ear: Ear, pins: Pins | None = None
) -> AsyncIterator[tuple[Session, Peer]]:
    """A program that is logged in; it is killed in the end, as far as the server can tell."""
    memory = Memory(folder) if folder else None
    async with running(server.address, ear, memory=memory, pins=pins) as (session, _):
        peer = await server.accept()
        await peer.welcome(upto=1)
        await ear.next(Online)
        yield session, peer


async def test_what_was_typed_without_a_connection_is_said_by_the_next_program(tmp_path: Path) -> None:
    ear = Ear()
    async with FakeServer() as server:
        async with online(server, tmp_path, ear) as (session, peer):
            first = session.post(model.ToUsers(("bob",)), "was sent", 4)
            await peer.expect(model.Post)
            await server.stop()
            await ear.next(Waiting)
            second = session.post(model.ToGlobal(), "was not")
        assert [state.state for state in ear.of(PostState)] == ["pending", "pending"], "nothing has failed"
        await server.start()
        ear = Ear()
        async with online(server, tmp_path, ear) as (session, peer):
            posts = [await peer.expect(model.Post) for _ in range(2)]
            assert [post.cid for post in posts] == [first, second]
            assert (posts[0].to, posts[0].text, posts[0].reply_to) == (model.ToUsers(("bob",)), "was sent", 4)
            (batch,) = [batch for batch in ear.batches if isinstance(batch[0], Online)]
            states = batch[1:]
            assert [(state.cid, state.state, state.restored) for state in states if isinstance(state, PostState)] == [
                (first, "pending", True), (second, "pending", True),
            ]  # fmt: skip
            peer.say(model.Ok(posts[0].n, 8, 8), model.Refused(posts[1].n, "muted", "You are muted."))
            await session.drained()
        ear = Ear()
        async with online(server, tmp_path, ear) as (session, peer):
            (failed,) = ear.of(PostState)
            assert (failed.cid, failed.state, failed.error, failed.restored) == (
                second,
                "failed",
                "You are muted.",
                True,
            )
            assert session.retry(second)
            assert not session.retry(second)
            post = await peer.expect(model.Post)
            assert (post.cid, post.text) == (second, "was not")
            peer.say(model.Refused(post.n, "muted", "You are muted."))
            await session.drained()
            assert session.discard(second)
        ear = Ear()
        async with online(server, tmp_path, ear):
            assert ear.of(PostState) == []


async def test_a_retry_without_a_file_and_after_the_end() -> None:
    ear = Ear()
    async with FakeServer() as server:
        async with online(server, None, ear) as (session, _):
            cid = session.post(model.ToGlobal(), "é" * model.MAX_TEXT_BYTES)
            await session.drained()
            assert session.retry(cid)
            await session.drained()
            assert [state.state for state in ear.of(PostState)] == ["pending", "failed", "pending", "failed"]
        with pytest.raises(NotConnected):
            session.retry(cid)


async def test_a_second_program_of_the_same_name_sends_nothing_of_the_firsts(tmp_path: Path) -> None:
    async with FakeServer() as server:
        ear, other = Ear(), Ear()
        async with online(server, tmp_path, ear) as (session, peer):
            session.post(model.ToGlobal(), "mine")
            session.notebook.keep_draft("global", "mine too")
            await peer.expect(model.Post)
            async with online(server, tmp_path, other) as (second, second_peer):
                second.post(model.ToGlobal(), "of the second")
                assert (await second_peer.expect(model.Post)).text == "of the second"
                assert second.notebook.drafts == {}
            assert [state.state for state in other.of(PostState)] == ["pending", "failed"]


async def test_drafts_tabs_and_read_positions_are_there_when_online_is_told(tmp_path: Path) -> None:
    async with FakeServer() as server:
        async with online(server, tmp_path, Ear()) as (session, _):
            session.notebook.keep_draft("global", "half a")
            session.notebook.keep_open(["global", "group:5"])
            session.notebook.keep_read("group:5", 40)
        seen: list[str] = []

        def heard(batch: list[Heard]) -> None:
            if isinstance(batch[0], Online):
                seen.append(session.notebook.drafts["global"])

        session = Session(server.address, "ana", None, heard, memory=Memory(tmp_path))
        task = asyncio.create_task(session.run())
        await (await server.accept()).welcome()
        await session.online()
        assert seen == ["half a"]
        assert (session.notebook.open, session.notebook.read) == (["global", "group:5"], {"group:5": 40})
        session.drop()
        await task


async def test_another_server_gets_nothing_that_was_for_the_first(tmp_path: Path) -> None:
    ear = Ear()
    async with FakeServer() as server:
        async with online(server, tmp_path, ear) as (session, peer):
            session.notebook.keep_draft("direct:1,2", "dear bob")
            cid = session.post(model.ToUsers(("bob",)), "between us")
            await peer.expect(model.Post)
            server.server_id = b"another"
            peer.reset()
            other = await server.accept()
            await other.welcome()
            session.post(model.ToGlobal(), "hello")
            assert (await other.expect(model.Post)).text == "hello"
            states = [state for state in ear.of(PostState) if state.cid == cid]
            assert [state.state for state in states] == ["pending", "failed"]
            assert session.notebook.drafts == {}
        server.server_id = b"server-id-16-byt"
        async with online(server, tmp_path, Ear()) as (session, peer):
            assert (await peer.expect(model.Post)).text == "between us"
            assert session.notebook.drafts == {"direct:1,2": "dear bob"}


@pytest.mark.parametrize("has_key", [True, False])
async def test_an_impostor_who_says_a_server_s_id_gets_nothing_of_it(tmp_path: Path, has_key: bool) -> None:
    pins, ear = Pins(), Ear()
    async with FakeServer(tls=server_tls().context) as server:
        pins.add(server.address, server_tls().fingerprint)
        async with online(server, tmp_path, ear, pins) as (session, peer):
            session.notebook.keep_draft("direct:1,2", "dear bob")
            session.post(model.ToUsers(("bob",)), "between us")
            await peer.expect(model.Post)
        async with FakeServer(tls=server_tls("other").context if has_key else None) as impostor:
            if has_key:
                pins.add(impostor.address, server_tls("other").fingerprint)
            ear = Ear()
            async with online(impostor, tmp_path, ear, pins) as (session, peer):
                session.post(model.ToGlobal(), "hello")
                assert (await peer.expect(model.Post)).text == "hello"
                assert session.notebook.drafts == {}
                assert [notice.text for notice in ear.of(model.Notice)] == [CLOSED]
        ear = Ear()
        async with online(server, tmp_path, ear, pins) as (session, peer):
            assert (await peer.expect(model.Post)).text == "between us"
            assert session.notebook.drafts == {"direct:1,2": "dear bob"}
            assert ear.of(model.Notice) == []


async def test_a_program_killed_while_it_is_told_is_told_again(tmp_path: Path) -> None:
    """The cursor is written when the owner has heard, not before: also if the owner says something meanwhile."""
    kept: list[int] = []

    def kept_cursor() -> int:
        (place,) = [path for path in (tmp_path / "places").iterdir() if not path.suffix]
        return int((place.read_text() or "-1 0").split()[0])

    def heard(batch: list[Heard]) -> None:
        for one in batch:
            if isinstance(one, model.Message):
                session.post(model.ToGlobal(), "I have heard it")
                kept.append(kept_cursor())

    async with FakeServer() as server:
        session = Session(server.address, "ana", None, heard, memory=Memory(tmp_path))
        task = asyncio.create_task(session.run())
        peer = await server.accept()
        await peer.welcome(upto=3)
        await session.online()
        peer.say(message(5, model.Global()), message(6, model.Global()))
        for _ in range(2):
            await peer.expect(model.Post)
        assert kept == [3, 3]
        assert kept_cursor() == 6
        session.drop()
        await task


async def test_what_was_passed_on_is_marked_delivered() -> None:
    ear = Ear()
    async with FakeServer() as server, online(server, None, ear) as (session, peer):
        peer.say(
            message(5, PRIVATE), message(6, PRIVATE, OWN), message(7, model.Global()), message(8, TEAM),
            message(9, model.Broadcast()), message(10, PRIVATE),
        )  # fmt: skip
        marks = [await peer.expect(model.Mark) for _ in range(2)]
        assert {(mark.conversation, mark.delivered, mark.read) for mark in marks} == {
            ("direct:1,2", 10, 0),
            ("group:5", 8, 0),
        }
        for mark in marks:
            peer.say(model.Ok(mark.n))
        session.mark("direct:1,2", read=10)
        session.mark("direct:1,2", read=9)
        closing = asyncio.create_task(session.close())
        last = await peer.expect(model.Mark)
        assert (last.conversation, last.delivered, last.read, last.private) == ("direct:1,2", 0, 10, False)
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", ""))
        await closing


async def test_during_a_catch_up_nothing_is_marked_and_a_break_repeats_the_mark() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, after=2):
        peer = await server.accept()
        await peer.welcome(upto=9, catching_up=True)
        peer.say(model.CatchUp((message(5, PRIVATE),), 9, more=True))
        await ear.next(model.Message)
        peer.say(model.Pong(99, 0), model.CatchUp((message(7, PRIVATE),), 9))
        assert (await peer.expect(model.Mark)).delivered == 7
        peer.reset()
        peer = await server.accept()
        await peer.welcome(upto=9)
        assert (await peer.expect(model.Mark)).delivered == 7


async def test_reading_can_be_kept_to_oneself() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, shares_read=False) as (session, _):
        peer = await server.accept()
        login = await peer.welcome()
        assert not login.shares_read
        await ear.next(Online)
        session.mark("group:5", read=3)
        mark = await peer.expect(model.Mark)
        assert (mark.delivered, mark.read, mark.private) == (3, 3, True)


async def test_sharing_is_changed_by_a_login_that_takes_over_from_the_connection() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        first = await server.accept()
        assert (await first.welcome(upto=4, session=70)).shares_read
        await ear.next(Online)
        first.say(message(5, PRIVATE))
        await ear.next(model.Message)
        session.share_reads(True)
        session.mark("group:5", read=3)
        assert not (await first.expect(model.Mark)).private
        session.share_reads(False)
        second = await server.accept()
        first.say(model.Pong(9, 9))  # it is still open: who closes it first is said to be lost
        await first.flush()
        login = await second.welcome(upto=5, session=71)
        assert (login.shares_read, login.resume, login.after) == (False, 70, 5)
        assert (await ear.next(Online)).again
        await first.gone()
        session.mark("group:5", read=8)
        while (mark := await second.expect(model.Mark)).read != 8:
            pass
        assert mark.private
        assert len(ear.of(Trying)) == 1 and not ear.of(Waiting)


async def test_sharing_that_is_changed_while_there_is_no_connection_is_said_at_the_next_login() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        first = await server.accept()
        await first.welcome()
        await ear.next(Online)
        first.reset()
        await ear.next(Waiting)
        session.share_reads(False)
        session.try_now()
        assert not (await (await server.accept()).welcome()).shares_read


async def test_a_connection_that_was_to_be_taken_over_ends_with_the_session() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        first = await server.accept()
        await first.welcome()
        await ear.next(Online)
        session.share_reads(False)
        await server.accept()
        await session.close()
        await first.gone()


async def test_how_far_others_have_got_is_heard() -> None:
    ear = Ear()
    async with FakeServer() as server, online(server, None, ear) as (_, peer):
        peer.say(model.Marked("direct:1,2", BOB, 4, 3))
        assert await ear.next(model.Marked) == model.Marked("direct:1,2", BOB, 4, 3)


@pytest.mark.parametrize(
    "event",
    [
        model.MessageEdited(5, 1, 3, BOB, PRIVATE, "two\nlines"),
        model.MessageDeleted(5, 1, 3, BOB, PRIVATE),
        model.GroupRenamed(5, 1, TEAM, BOB, "old"),
        model.GroupHandedOver(5, 1, TEAM, BOB, OWN),
        model.GroupKept(5, 1, TEAM, BOB, True),
        model.AccountClaimed(5, 1, BOB, "member"),
        model.AccountDeleted(5, 1, BOB),
        model.Moderated(5, 1, "mute", BOB, "eve", "noise", 9),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_every_event_is_heard_once_and_moves_the_cursor(event: model.Event) -> None:
    ear = Ear()
    async with FakeServer() as server, online(server, None, ear) as (session, peer):
        peer.say(event, event, message(6, TEAM))
        await ear.next(model.Message)
        assert ear.of(type(event)) == [event]
        assert session.cursor == 6


async def test_a_countdown_that_was_called_off() -> None:
    ear = Ear()
    async with FakeServer() as server, online(server, None, ear) as (_, peer):
        peer.say(model.StoppingIn(1), model.StoppingIn(0))
        assert [(await ear.next(model.Notice)).text for _ in range(2)] == [
            "The server stops in 1 second.", "The server goes on after all.",
        ]  # fmt: skip


async def test_a_password_proves_the_name_until_the_key_does() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, "ana", Identity(SEED), password="open sesame"):
        peer = await server.accept()
        login = await peer.welcome()
        assert (login.password, len(login.key)) == ("open sesame", 32)
        await ear.next(Online)
        peer.reset()
        assert (await (await server.accept()).welcome()).password == ""


@pytest.mark.parametrize("identity", [None, Identity(SEED)])
async def test_a_password_is_not_sent_where_others_can_read_it(
    monkeypatch: pytest.MonkeyPatch, identity: Identity | None
) -> None:
    monkeypatch.setattr(dialogue.Dialogue, "is_exposed", True)
    async with FakeServer() as server:
        async with running(server.address, Ear(), "ana", identity, password="open sesame") as (_, task):
            peer = await server.accept()
            assert (await task).code == "tls_required"
            await peer.gone()
        ear = Ear()
        async with online(server, None, ear) as (session, peer):
            reply = await session.ask(lambda n: model.SetPassword(n, "open sesame"))
            assert isinstance(reply, model.Refused) and reply.code == "tls_required"
            pong = asyncio.create_task(session.ask(model.ListUsers))
            await peer.expect(model.ListUsers)
            peer.reset()
            with pytest.raises(NotConnected):
                await pong


FINAL = [
    "kicked", "banned", "account_deleted", "device_removed", "wrong_password", "name_claimed", "claim_required",
    "tls_required", "too_many_attempts",
]  # fmt: skip


@pytest.mark.parametrize("code", FINAL)
async def test_what_is_final_is_not_tried_again(code: str) -> None:
    async with FakeServer() as server:
        async with running(server.address, Ear()) as (_, task):
            peer = await server.accept()
            login = await peer.expect(model.Login)
            peer.say(model.Refused(login.n, code, "No."))
            assert await task == Ended(code, "No.")
        ear = Ear()
        async with running(server.address, ear) as (_, task):
            peer = await server.accept()
            await peer.welcome()
            await ear.next(Online)
            peer.say(model.Bye(code, "No."))
            assert await task == Ended(code, "No.")


async def test_bans_come_as_one_answer() -> None:
    ban = model.BanInfo("eve", BOB, "noise", 1, 2)
    async with FakeServer() as server, online(server, None, Ear()) as (session, peer):
        asking = asyncio.create_task(session.ask(model.ListBans))
        asked = await peer.expect(model.ListBans)
        peer.say(
            model.Bans(asked.n, (ban,), more=True), model.Bans(asked.n, (msgspec.structs.replace(ban, target="x"),))
        )
        answer = await asking
        assert isinstance(answer, model.Bans)
        assert ([info.target for info in answer.bans], answer.more) == (["eve", "x"], False)
