"""Sessions against a server that follows a script: logging in, hearing, posting, asking, leaving."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mystic_client.session.connection import (
    Address,
    Ended,
    NotConnected,
    Online,
    OutboxFull,
    PostState,
    Session,
    Timing,
    Trying,
    Waiting,
)
from mystic_client.session.identity import Identity
from mysticproto import model
from mysticproto.auth import login_challenge
from tests.support.fake_server import NONCE, SERVER_ID, FakeServer
from tests.support.listening import SEED, Ear, running

BOB = model.UserRef(2, "bob")


def message(seq: int, text: str = "", conversation: model.Conversation | None = None) -> model.Message:
    return model.Message(seq, 1_000_000 * seq, BOB, conversation or model.Global(), text or f"message {seq}")


async def test_a_login_proves_the_name_with_the_devices_key() -> None:
    identity = Identity(SEED)
    async with FakeServer() as server, running(server.address, Ear(), "ana", identity, after=41, resume=9):
        peer = await server.accept()
        login = await peer.expect(model.Login)
        assert (login.name, login.key, login.watch, login.resume, login.after) == ("ana", identity.public, True, 9, 41)
        key = Ed25519PublicKey.from_public_bytes(login.key)
        key.verify(login.signature, login_challenge(NONCE, SERVER_ID, "ana"))


async def test_a_guest_and_an_acting_session_say_so() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, watch=False, after=5, resume=6):
        login = await (await server.accept()).expect(model.Login)
        assert (login.key, login.signature, login.watch, login.resume, login.after) == (b"", b"", False, 0, -1)


async def test_the_states_of_a_session() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, task):
        peer = await server.accept()
        await peer.welcome(upto=12, session=77)
        online = await ear.next(Online)
        assert (online.again, online.welcome.user.name, session.session_id, session.cursor) == (False, "ana", 77, 12)
        assert session.state == online
        closing = asyncio.create_task(session.close())
        logout = await peer.expect(model.Logout)
        peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))
        await closing
        assert await task == Ended("left", "You have left.")
        assert [type(one) for one in ear.all] == [Trying, Online, model.Bye, Ended]
        assert session.state == ear.all[-1]


async def test_leaving_does_not_wait_for_a_server_that_is_silent() -> None:
    ear = Ear()
    async with FakeServer() as server:
        async with running(server.address, ear, timing=Timing(logout_s=0.01)) as (session, task):
            await (await server.accept()).welcome()
            await ear.next(Online)
            await session.close()
            assert (await task).code == "left"


async def test_what_was_seen_off_ends_before_leaving_does() -> None:
    session = Session(Address("127.0.0.1", 1), "ana", None, Ear().heard)
    may_end, ended = threading.Event(), []
    session.see_off(lambda: ended.append(may_end.wait()))
    asyncio.get_running_loop().call_later(0.01, may_end.set)
    await session.close()
    assert ended == [True]


async def test_closing_before_and_after_a_session_ran_is_harmless() -> None:
    ear = Ear()
    session = Session(Address("127.0.0.1", 1), "ana", None, ear.heard)
    await session.close()
    assert (await session.run()).code == "left"
    await session.close()
    session.drop()


async def test_dropping_ends_a_session_that_waits_to_connect_again() -> None:
    ear = Ear()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with running(Address(*taken.getsockname()), ear) as (session, task):
            waiting = await ear.next(Waiting)
            assert "nothing listens there" in waiting.reason
            assert 0 < waiting.retry_in_s <= 10
            session.drop()
            assert (await task).code == "dropped"


async def test_cancelling_run_cancels_it() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (_, task):
        await (await server.accept()).welcome()
        await ear.next(Online)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("code", ["name_invalid", "name_in_use", "name_claimed", "bad_signature", "something_new"])
async def test_a_refused_login_is_final(code: str) -> None:
    async with FakeServer() as server, running(server.address, Ear()) as (_, task):
        peer = await server.accept()
        login = await peer.expect(model.Login)
        peer.say(model.Refused(login.n, code, "No \x1b[31mway.", "ana"))
        assert await task == Ended(code, "No way.")


async def test_a_full_server_is_asked_again() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        peer.say(model.Bye("server_full", "Too many people."))
        assert (await ear.next(model.Bye)).code == "server_full"
        assert (await ear.next(Waiting)).reason == "Too many people."
        await (await server.accept()).welcome()
        assert not (await ear.next(Online)).again


async def test_without_retry_the_first_failure_is_the_end() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        session = Session(Address(*taken.getsockname()), "ana", None, Ear().heard, retry=False)
        assert (await session.run()).code == "unreachable"


async def test_what_one_read_brings_is_heard_together_and_clean() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        login = await peer.expect(model.Login)
        eve = model.UserRef(3, "e\u202eve")
        peer.say(
            model.Welcome(login.n, 1, model.UserRef(1, "ana"), "guest", 4),
            model.UserJoined(5, 1, eve),
            model.Message(6, 1, eve, model.Global(), "\x1b]0;title\x07hi\x00\nthere"),
            model.Notice("Soon\x9b2J."),
        )
        await ear.next(model.Notice)
        online, joined, said, notice = ear.batches[-1]
        assert isinstance(online, Online)
        assert isinstance(joined, model.UserJoined) and joined.user.name == "e\ufffdve"
        assert isinstance(said, model.Message) and said.text == "hi\ufffd\nthere"
        assert notice == model.Notice("Soon.")


async def test_what_was_missed_comes_before_what_happens_and_nothing_twice() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, after=10) as (session, _):
        peer = await server.accept()
        await peer.welcome(upto=14, catching_up=True)
        peer.say(
            message(15, "live"),
            model.CatchUp((message(10), message(11), message(12)), 0, more=True),
            message(16, "live"),
            model.CatchUp((message(12), message(14), message(15, "live")), 15),
            message(16, "live"),
            message(17, "last"),
        )
        while (await ear.next(model.Message)).text != "last":
            pass
        assert [one.seq for one in ear.of(model.Message)] == [11, 12, 14, 15, 16, 17]
        assert session.cursor == 17


async def test_a_post_is_sent_once_and_acknowledged() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        peer = await server.accept()
        early = session.post(model.ToGlobal(), "before the login")
        (pending,) = ear.of(PostState)
        assert pending == PostState(early, "pending", model.ToGlobal(), "before the login", time_us=pending.time_us)
        assert abs(pending.time_us - time.time_ns() // 1000) < 60_000_000
        await peer.welcome()
        post = await peer.expect(model.Post)
        assert (post.cid, post.text, len(post.cid)) == (early, "before the login", model.CLIENT_ID_BYTES)
        to = model.ToUsers(("bob", "nobody"))
        late = session.post(to, "hi", 3)
        second = await peer.expect(model.Post)
        assert (second.cid, second.to, second.reply_to) == (late, to, 3)
        peer.say(
            model.Ok(second.n, 9, 99, ("nobody",), ("bob",), (50,)),
            model.Refused(post.n, "text_empty", "Say something."),
        )
        await session.drained()
        assert ear.of(PostState)[2:] == [
            PostState(late, "sent", to, "hi", 9, 99, ("nobody",), ("bob",), away_since_us=(50,), reply_to=3),
            msgspec.structs.replace(pending, state="failed", error="Say something."),
        ]


async def test_a_text_that_fits_no_frame_fails_and_the_connection_stays() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        peer = await server.accept()
        await peer.welcome()
        session.post(model.ToGlobal(), "é" * (model.MAX_TEXT_BYTES // 2 + 1))
        session.post(model.ToUsers(tuple("x" * 1000 for _ in range(70))), "hi")
        session.post(model.ToGlobal(), "fits")
        assert (await peer.expect(model.Post)).text == "fits"
        assert [post.state for post in ear.of(PostState)].count("failed") == 2
        reply = await session.ask(lambda n: model.ListFolder(n, "x" * 70_000))
        assert isinstance(reply, model.Refused) and reply.code == "frame_too_large"


async def test_the_outbox_is_bounded_and_fails_with_the_session() -> None:
    ear = Ear()
    session = Session(Address("127.0.0.1", 1), "ana", None, ear.heard)
    for _ in range(1000):
        session.post(model.ToGlobal(), "hi")
    with pytest.raises(OutboxFull):
        session.post(model.ToGlobal(), "one too many")
    session.drop()
    await session.run()
    assert sum(post.state == "failed" for post in ear.of(PostState)) == 1000
    with pytest.raises(NotConnected):
        session.post(model.ToGlobal(), "too late")


async def test_questions_get_their_answers_and_parts_become_one() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        peer = await server.accept()
        with pytest.raises(NotConnected):
            await session.ask(model.ListUsers)
        await peer.welcome()
        await session.online()
        users = asyncio.create_task(session.ask(model.ListUsers))
        pong = asyncio.create_task(session.ask(lambda n: model.JoinGroup(n, "team")))
        asked = await peer.expect(model.ListUsers)
        joining = await peer.expect(model.JoinGroup)
        peer.say(
            model.Users(asked.n, (model.UserInfo(BOB),), more=True),
            model.Refused(joining.n, "unknown_group", "There is no team."),
            model.Users(asked.n, (model.UserInfo(model.UserRef(1, "ana")),)),
            model.Users(999, ()),
        )
        assert await pong == model.Refused(joining.n, "unknown_group", "There is no team.")
        answer = await users
        assert isinstance(answer, model.Users)
        assert ([info.user.name for info in answer.users], answer.more) == (["bob", "ana"], False)


async def test_a_question_without_an_answer_times_out() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, timing=Timing(ask_s=0.01)) as (session, _):
        await (await server.accept()).welcome()
        await session.online()
        with pytest.raises(TimeoutError):
            await session.ask(model.ListUsers)


async def test_waiting_for_a_login_that_never_comes() -> None:
    async with FakeServer() as server, running(server.address, Ear()) as (session, _):
        peer = await server.accept()
        login = await peer.expect(model.Login)
        waiting = asyncio.create_task(session.online())
        peer.say(model.Refused(login.n, "name_in_use", "Taken."))
        with pytest.raises(NotConnected, match="Taken."):
            await waiting


async def test_a_hash_is_waited_for() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        peer = await server.accept()
        with pytest.raises(NotConnected):
            await session.file_hash("a.txt", 1, 2)
        await peer.welcome()
        await session.online()
        waiting = asyncio.create_task(session.file_hash("a.txt", 1, 2))
        peer.say(model.FileHashed("a.txt", 1, 2, b"h" * 32))
        assert await waiting == b"h" * 32
        assert await session.file_hash("a.txt", 1, 2) == b"h" * 32
        assert ear.of(model.FileHashed)
