"""Sessions whose connection breaks, or whose server makes no sense."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mystic_client.session.backoff import Backoff
from mystic_client.session.connection import Ended, NotConnected, Online, PostState, Timing, Waiting
from mystic_client.session.memory import Memory
from mysticproto import model
from mysticproto.native import MAX_ANSWER_BYTES, PREAMBLE, encode_frame
from tests.support.fake_server import FakeServer
from tests.support.listening import Ear, running

BOB = model.UserRef(2, "bob")


def message(seq: int) -> model.Message:
    return model.Message(seq, seq, BOB, model.Global(), f"message {seq}")


async def test_after_a_break_the_session_is_taken_back_and_posts_go_out_again() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        first = await server.accept()
        await first.welcome(upto=3, session=70)
        first.say(message(5))
        await ear.next(model.Message)
        cids = [session.post(model.ToGlobal(), f"post {number}") for number in range(3)]
        posts = [await first.expect(model.Post) for _ in cids]
        assert [post.cid for post in posts] == cids
        first.say(model.Ok(posts[0].n, 6, 6))
        await session.drained(2)
        first.reset()
        waiting = await ear.next(Waiting)
        assert waiting.retry_in_s < 1
        while_away = session.post(model.ToGlobal(), "while away")

        second = await server.accept()
        login = await second.welcome(upto=8, session=71, catching_up=True)
        assert (login.resume, login.after) == (70, 5)
        again = [await second.expect(model.Post) for _ in range(3)]
        assert [post.cid for post in again] == [*cids[1:], while_away]
        second.say(model.CatchUp((message(5), message(7)), 8), *(model.Ok(post.n, 9, 9) for post in again))
        online = await ear.next(Online)
        assert online.again
        await session.drained()
        assert [one.seq for one in ear.of(model.Message)] == [5, 7]
        assert [post.state for post in ear.of(PostState)].count("sent") == 4
        assert (session.session_id, session.cursor) == (71, 8)


async def test_open_questions_fail_with_the_connection() -> None:
    async with FakeServer() as server, running(server.address, Ear()) as (session, _):
        peer = await server.accept()
        await peer.welcome()
        await session.online()
        asking = asyncio.create_task(session.ask(model.ListUsers))
        hashing = asyncio.create_task(session.file_hash("a", 1, 1))
        await peer.expect(model.ListUsers)
        peer.reset()
        for task in (asking, hashing):
            with pytest.raises(NotConnected):
                await task


async def test_a_silent_server_is_lost_and_pings_keep_a_quiet_one() -> None:
    ear = Ear()
    timing = Timing(ping_every_s=0.01, silence_s=0.25)
    async with FakeServer() as server, running(server.address, ear, timing=timing):
        peer = await server.accept()
        await peer.welcome()
        for _ in range(5):
            ping = await peer.expect(model.Ping)
            peer.say(model.Pong(ping.n, 1))
        assert ear.of(Waiting) == []
        assert (await ear.next(Waiting)).reason == "the server has fallen silent"


async def test_a_server_that_never_greets_is_given_up() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, timing=Timing(login_s=0.05)):
        await server.accept(greet=False)
        assert (await ear.next(Waiting)).reason == "the server has fallen silent"


async def test_a_name_in_use_after_a_break_is_tried_again() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (_, task):
        peer = await server.accept()
        await peer.welcome()
        await ear.next(Online)
        peer.reset()
        peer = await server.accept()
        login = await peer.expect(model.Login)
        peer.say(model.Refused(login.n, "name_in_use", "The old connection looks alive."))
        await (await server.accept()).welcome()
        assert (await ear.next(Online)).again
        assert not task.done()


@pytest.mark.parametrize("code", ["replaced", "kicked", "left"])
async def test_some_farewells_are_final(code: str) -> None:
    async with FakeServer() as server, running(server.address, Ear()) as (_, task):
        peer = await server.accept()
        await peer.welcome()
        peer.say(model.Bye(code, "That was it."))
        assert await task == Ended(code, "That was it.")


async def test_a_server_that_stops_is_waited_for() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        await peer.welcome()
        peer.say(model.Notice("Closing."), model.Bye("stopping", "The server stops."))
        await ear.next(model.Notice)
        await ear.next(Waiting)
        await server.stop()
        await ear.next(Waiting)
        await server.start()
        await (await server.accept()).welcome()
        assert (await ear.next(Online)).again


async def test_who_is_in_a_hurry_need_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "failed", lambda self: 3600.0)
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear) as (session, _):
        peer = await server.accept()
        await peer.welcome()
        peer.reset()
        assert (await ear.next(Waiting)).retry_in_s == 3600
        session.try_now()
        await (await server.accept()).welcome()
        assert (await ear.next(Online)).again


@pytest.mark.parametrize("opening", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xffMYSTIC\x09", b"220 ready\r\n"])
async def test_something_that_is_no_mystic_server_is_final(opening: bytes) -> None:
    async with FakeServer() as server, running(server.address, Ear()) as (_, task):
        peer = await server.accept(greet=False)
        peer.raw(opening)
        ended = await task
        assert ended.code in ("wrong_protocol", "unsupported_version")
        assert "Mystic" in ended.text


NONSENSE = {
    "a frame that is no msgpack": b"\x00\x00\x00\x04\xc1\xc1\xc1\xc1",
    "an event without its fields": b"\x00\x00\x00\x09\x91\xa7message",
    "a frame above the limit": (MAX_ANSWER_BYTES + 1).to_bytes(4) + b"x",
    "a second greeting": encode_frame(model.Hello(b"n", b"s", "", "")),
    "a second welcome": encode_frame(model.Welcome(1, 1, BOB, "guest", 1)),
    "a file": encode_frame(model.FileStart(1, 10**12, 0)) + bytes(1000),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_ends_the_connection_after_what_came_before_it(nonsense: bytes) -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        await peer.welcome()
        peer.raw(encode_frame(message(1)) + nonsense)
        assert (await ear.next(model.Message)).seq == 1
        assert "no sense" in (await ear.next(Waiting)).reason
        await (await server.accept()).welcome(upto=1)
        await ear.next(Online)


async def test_unknown_kinds_of_a_newer_server_are_passed_over() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        await peer.welcome()
        peer.raw(b"\x00\x00\x00\x08\x92\xa5newer\x01" + encode_frame(message(1)))
        assert (await ear.next(model.Message)).seq == 1
        assert ear.of(Waiting) == []


async def test_endless_live_events_during_a_catch_up_are_not_gathered_for_ever() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        await peer.welcome(catching_up=True)
        for start in range(1, 30_000, 1000):
            peer.say(*(message(seq) for seq in range(start, start + 1000)))
        assert "catching up" in (await ear.next(Waiting)).reason


async def test_bytes_one_by_one_are_the_same_as_all_at_once() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept(greet=False)
        for byte in PREAMBLE + encode_frame(peer.hello):
            peer.raw(bytes([byte]))
            await peer.flush()
            await asyncio.sleep(0)
        await peer.welcome()
        await ear.next(Online)


async def test_another_server_at_the_same_address_is_met_afresh() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        await peer.welcome(upto=500, session=70)
        await ear.next(Online)
        server.server_id = b"another"
        peer.reset()
        peer = await server.accept()
        login = await peer.welcome(upto=3, session=1)
        assert (login.after, login.resume) == (-1, 0)
        peer.say(message(4))
        assert (await ear.next(model.Message)).seq == 4


async def test_a_client_that_is_started_again_goes_on_where_it_was(tmp_path: Path) -> None:
    async with FakeServer() as server:
        ear = Ear()
        async with running(server.address, ear, memory=Memory(tmp_path)):
            peer = await server.accept()
            login = await peer.welcome(upto=5, session=70)
            assert (login.after, login.resume) == (-1, 0)
            peer.say(message(9))
            await ear.next(model.Message)
        async with running(server.address, Ear(), memory=Memory(tmp_path)):
            login = await (await server.accept()).welcome()
            assert (login.after, login.resume) == (9, 70)


async def test_a_second_client_of_the_same_name_does_not_take_the_first_ones_session(tmp_path: Path) -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear, memory=Memory(tmp_path)):
        await (await server.accept()).welcome(upto=5, session=70)
        await ear.next(Online)
        async with running(server.address, Ear(), memory=Memory(tmp_path)):
            login = await (await server.accept()).welcome(upto=6, session=71)
            assert (login.after, login.resume) == (5, 0)


async def test_a_countdown_is_a_notice() -> None:
    ear = Ear()
    async with FakeServer() as server, running(server.address, ear):
        peer = await server.accept()
        await peer.welcome()
        peer.say(model.StoppingIn(60), model.StoppingIn(1))
        assert (await ear.next(model.Notice)).text == "The server stops in 60 seconds."
        assert (await ear.next(model.Notice)).text == "The server stops in 1 second."
