"""`mystic send` against a scripted server."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_client.cli.send import IN_FLIGHT, send
from mystic_client.cli.status import Failure, Status
from mystic_client.session.outbox import MAX_UNDER_WAY
from mysticproto import model
from tests.client.cli.places import place_at
from tests.support.fake_server import FakeServer, Peer


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.FileIO]:
    """The other end of standard input."""
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as stdin, open(writing, "wb", buffering=0) as file:
        monkeypatch.setattr("sys.stdin", stdin)
        yield file


async def leave(peer: Peer) -> None:
    logout = await peer.expect(model.Logout)
    peer.say(model.Ok(logout.n), model.Bye("left", "Goodbye."))


async def test_one_message_waits_for_its_acknowledgement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakeServer() as server:
        sending = asyncio.create_task(send(place_at(server, tmp_path), model.ToUsers(("bob", "no")), "hi -"))
        peer = await server.accept()
        await peer.welcome()
        post = await peer.expect(model.Post)
        assert (post.to, post.text) == (model.ToUsers(("bob", "no")), "hi -")
        assert not sending.done()
        peer.say(model.Ok(post.n, 5, 5, ("no",), ("bob",)))
        await leave(peer)
        with pytest.raises(Failure) as caught:
            await sending
        assert caught.value.status is Status.REFUSED
        told = capsys.readouterr()
        assert told.out == ""
        assert "nobody is called no" in told.err and "bob" in told.err


async def test_lines_are_pipelined_within_bounds_and_refusals_are_named(
    tmp_path: Path, typed: io.FileIO, capsys: pytest.CaptureFixture[str]
) -> None:
    count = IN_FLIGHT * 2
    typed.write(b"".join(b"line %d\n" % number for number in range(1, count + 1)))
    typed.close()
    async with FakeServer() as server:
        sending = asyncio.create_task(send(place_at(server, tmp_path), model.ToGlobal(), "-"))
        peer = await server.accept()
        await peer.welcome()
        first = [await peer.expect(model.Post) for _ in range(MAX_UNDER_WAY)]
        assert [post.text for post in first] == [f"line {number}" for number in range(1, MAX_UNDER_WAY + 1)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await peer.expect(model.Post)
        peer.say(model.Refused(first[6].n, "text_empty", "No."))
        peer.say(*(model.Ok(post.n, 9, 9) for post in first if post is not first[6]))
        for _ in range(count - MAX_UNDER_WAY):
            post = await peer.expect(model.Post)
            peer.say(model.Ok(post.n, 9, 9))
        await leave(peer)
        with pytest.raises(Failure, match=f"1 of {count} messages") as caught:
            await sending
        assert caught.value.status is Status.REFUSED
        assert "line 7 was not sent: No." in capsys.readouterr().err


async def test_what_broke_in_the_middle_is_sent_again(tmp_path: Path, typed: io.FileIO) -> None:
    typed.write(b"one\ntwo\n")
    typed.close()
    async with FakeServer() as server:
        sending = asyncio.create_task(send(place_at(server, tmp_path), model.ToGlobal(), "-"))
        peer = await server.accept()
        await peer.welcome()
        cids = [(await peer.expect(model.Post)).cid for _ in range(2)]
        peer.reset()
        peer = await server.accept()
        await peer.welcome()
        posts = [await peer.expect(model.Post) for _ in range(2)]
        assert [post.cid for post in posts] == cids
        peer.say(*(model.Ok(post.n, 9, 9) for post in posts))
        await leave(peer)
        await sending


async def test_a_server_that_ends_the_session_leaves_lines_unacknowledged(tmp_path: Path, typed: io.FileIO) -> None:
    typed.write(b"one\ntwo\nthree\n")
    typed.close()
    async with FakeServer() as server:
        sending = asyncio.create_task(send(place_at(server, tmp_path), model.ToGlobal(), "-"))
        peer = await server.accept()
        await peer.welcome()
        post = await peer.expect(model.Post)
        peer.say(model.Ok(post.n, 1, 1), model.Bye("replaced", "You are elsewhere."))
        with pytest.raises(Failure, match=r"You are elsewhere.*lines 2 to 3 were not acknowledged") as caught:
            await sending
        assert caught.value.status is Status.REFUSED


async def test_no_lines_at_all(tmp_path: Path, typed: io.FileIO) -> None:
    typed.close()
    async with FakeServer() as server:
        sending = asyncio.create_task(send(place_at(server, tmp_path), model.ToGlobal(), "-"))
        peer = await server.accept()
        await peer.welcome()
        await leave(peer)
        await sending
