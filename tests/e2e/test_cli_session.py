"""Sessions and the real server: taking over, coming back, catching up, and a network that keeps breaking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_client.session.connection import Ended, Online, PostState, Session, Waiting
from mystic_client.session.heard import Address
from mystic_client.session.identity import Identity
from mystic_client.session.memory import Memory
from mystic_client.session.transfers import Progress, download
from mysticproto import model
from tests.support.listening import SEED, Ear, running
from tests.support.proxy import Proxy
from tests.support.server_process import ServerProcess, running_server

BOBS_SEED = bytes(32)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path / "server", "--unlimited") as server:
        yield server


def address_of(server: ServerProcess) -> Address:
    return Address(server.host, server.port)


async def texts_until(ear: Ear, last: str) -> list[str]:
    """Waits for a message; all texts heard so far."""
    while (await ear.next(model.Message)).text != last:
        pass
    return [message.text for message in ear.of(model.Message)]


async def say(session: Session, to: model.Target, *texts: str) -> None:
    for text in texts:
        session.post(to, text)
    await session.drained()


async def test_a_device_takes_its_session_back_from_a_connection_that_looks_alive(server: ServerProcess) -> None:
    ana, again, bob = Ear(), Ear(), Ear()
    identity = Identity(SEED)
    address = address_of(server)
    async with (
        running(address, bob, "bob", Identity(BOBS_SEED)) as (bobs, _),
        Proxy(address) as proxy,
        running(proxy.address, ana, "ana", identity) as (first, ended),
    ):
        await bobs.online()
        await first.online()
        entered = await first.ask(lambda n: model.CreateGroup(n, "team"))
        assert isinstance(entered, model.Entered)
        proxy.freeze()
        await say(bobs, model.ToUsers(("ana",)), "while it hung")
        async with running(address, again, "ana", identity, resume=first.session_id, after=first.cursor) as (second, _):
            online = await again.next(Online)
            assert online.welcome.focus == entered.group.group
            assert await texts_until(again, "while it hung") == ["while it hung"]
            await say(second, model.ToGroup(), "I am back")
            await say(bobs, model.ToEveryone(), "over")
            await texts_until(again, "over")
            proxy.thaw()
            assert (await ended).code == "replaced"
            assert [joined.user.name for joined in bob.of(model.UserJoined)] == ["ana"]
            assert bob.of(model.UserLeft) == []


async def test_a_session_that_was_lost_comes_back_to_its_room_and_catches_up(server: ServerProcess) -> None:
    ana, bob = Ear(), Ear()
    address = address_of(server)
    async with running(address, bob, "bob", Identity(BOBS_SEED)) as (bobs, _):
        await bobs.online()
        async with Proxy(address) as proxy, running(proxy.address, ana, "ana", Identity(SEED)) as (anas, _):
            await anas.online()
            await anas.ask(lambda n: model.CreateGroup(n, "team"))
            proxy.cut()
            assert (await bob.next(model.UserLeft)).cause == "lost"
            await ana.next(Waiting)
            await say(bobs, model.ToGlobal(), "not for ana, who is in a room")
            await say(bobs, model.ToUsers(("ana",)), "for ana")
            await say(bobs, model.ToEveryone(), "for everybody")
            online = await ana.next(Online)
            while not online.again:
                online = await ana.next(Online)
            assert online.welcome.focus is not None
            assert online.welcome.focus.name == "team"
            assert await texts_until(ana, "for everybody") == ["for ana", "for everybody"]
            joined = await bob.next(model.UserJoined)
            while not joined.returned:
                joined = await bob.next(model.UserJoined)


async def test_a_program_that_is_started_again_gets_what_it_missed(server: ServerProcess, tmp_path: Path) -> None:
    address = address_of(server)
    async with running(address, Ear(), "bob", Identity(BOBS_SEED)) as (bobs, _):
        await bobs.online()
        for leaves, texts in ((True, ["one", "two"]), (False, ["three"]), (True, ["four"])):
            ear = Ear()
            async with running(address, ear, "ana", Identity(SEED), memory=Memory(tmp_path)) as (anas, _):
                await anas.online()
                await say(bobs, model.ToGlobal(), "seen")
                await texts_until(ear, "seen")
                if leaves:
                    await anas.close()
            await say(bobs, model.ToGlobal(), *texts)
            ear = Ear()
            async with running(address, ear, "ana", Identity(SEED), memory=Memory(tmp_path)) as (anas, _):
                assert await texts_until(ear, texts[-1]) == texts


async def test_nothing_is_lost_or_doubled_on_a_network_that_keeps_breaking(server: ServerProcess) -> None:
    """Two people post through a proxy that cuts every few kilobytes; a third one's connection is cut as well."""
    address = address_of(server)
    ana, bob, eve = Ear(), Ear(), Ear()
    expected = {name: [f"{name} {number}" for number in range(100)] for name in ("ana", "bob")}
    async with (
        Proxy(address) as proxy,
        running(proxy.address, ana, "ana", Identity(SEED)) as (anas, _),
        running(proxy.address, bob, "bob", Identity(SEED)) as (bobs, _),
        running(proxy.address, eve, "eve", Identity(SEED)) as (eves, _),
    ):
        for session in (anas, bobs, eves):
            await session.online()
        cutting = asyncio.create_task(_cut_again_and_again(proxy, [anas, bobs, eves]))
        for number in range(100):
            anas.post(model.ToGlobal(), f"ana {number}")
            bobs.post(model.ToGlobal(), f"bob {number}")
            await anas.drained(5)
            await bobs.drained(5)
        await anas.drained()
        await bobs.drained()
        cutting.cancel()
        await asyncio.wait({cutting})
        for session in (anas, bobs, eves):
            await session.online()
        await say(anas, model.ToGlobal(), "over")
        for ear in (ana, bob, eve):
            texts = await texts_until(ear, "over")
            assert [text for text in texts if text.startswith("ana")] == expected["ana"]
            assert [text for text in texts if text.startswith("bob")] == expected["bob"]
            seqs = [message.seq for message in ear.of(model.Message)]
            assert seqs == sorted(set(seqs))
        history = await eves.ask(lambda n: model.GetHistory(n, model.ToGlobal(), 0, 500))
        assert isinstance(history, model.History)
        assert sum(isinstance(event, model.Message) for event in history.events) == 201
        assert ana.of(Waiting)
        assert {post.state for post in ana.of(PostState)} == {"pending", "sent"}


async def _cut_again_and_again(proxy: Proxy, sessions: list[Session]) -> None:
    while True:
        for session in sessions:
            await session.online()
        before = proxy.passed_bytes
        while proxy.passed_bytes < before + 12_000:
            await asyncio.sleep(0.001)
        proxy.cut()
        while all(isinstance(session.state, Online) for session in sessions):
            await asyncio.sleep(0.001)


async def test_a_download_through_a_network_that_keeps_breaking(server: ServerProcess, tmp_path: Path) -> None:
    content = bytes(range(256)) * 12_000
    (server.shared / "file.bin").write_bytes(content)
    told: list[Progress] = []
    async with (
        Proxy(address_of(server)) as proxy,
        running(proxy.address, Ear(), "ana", Identity(SEED)) as (session, _),
    ):
        await session.online()
        cutting = asyncio.create_task(_cut_downloads(proxy, told))
        done = await download(session, "file.bin", tmp_path / "here", told.append)
        cutting.cancel()
        await asyncio.wait({cutting})
    assert (done.state, done.verified, done.error) == ("done", True, "")
    assert (tmp_path / "here" / "file.bin").read_bytes() == content
    assert [progress.state for progress in told].count("running") > 2


async def _cut_downloads(proxy: Proxy, told: list[Progress]) -> None:
    for _ in range(4):
        before = proxy.passed_bytes
        while proxy.passed_bytes < before + 500_000:
            await asyncio.sleep(0)
        proxy.cut()


async def test_a_second_device_comes_by_password_once_and_by_its_key_ever_after(server: ServerProcess) -> None:
    address = address_of(server)
    phone = Identity(BOBS_SEED)
    async with running(address, Ear(), "ana", Identity(SEED)) as (laptops, _):
        await laptops.online()
        assert isinstance(await laptops.ask(lambda n: model.SetPassword(n, "correct horse")), model.Ok)
        async with running(address, Ear(), "ana", phone) as (_, refused):
            assert (await refused).code == "name_claimed"
        async with running(address, Ear(), "ana", phone, password="wrong horses") as (_, refused):
            assert (await refused).code == "wrong_password"
        ear = Ear()
        async with (
            Proxy(address) as proxy,
            running(proxy.address, ear, "ana", phone, password="correct horse") as (phones, _),
        ):
            await phones.online()
            proxy.cut()
            await ear.next(Waiting)
            await phones.online()
            await say(laptops, model.ToGlobal(), "to all of my devices")
            assert await texts_until(ear, "to all of my devices") == ["to all of my devices"]


async def test_who_wrote_learns_what_was_delivered_and_read(server: ServerProcess) -> None:
    address = address_of(server)
    ana, bob = Ear(), Ear()
    async with running(address, ana, "ana", Identity(SEED)) as (anas, _):
        await anas.online()
        async with running(address, bob, "bob", Identity(BOBS_SEED)) as (bobs, _):
            await bobs.online()
            await say(anas, model.ToUsers(("bob",)), "psst")
            message = await bob.next(model.Message)
            delivered = await ana.next(model.Marked)
            assert (delivered.user.name, delivered.delivered, delivered.read) == ("bob", message.seq, 0)
            bobs.mark(delivered.conversation, read=message.seq)
            await bobs.close()  # what is left to say is said before leaving
        assert (await ana.next(model.Marked)).read == message.seq


async def test_what_waits_for_somebody_away_is_said_to_be_so(server: ServerProcess) -> None:
    address = address_of(server)
    ana, bob = Ear(), Ear()
    async with running(address, ana, "ana", Identity(SEED)) as (anas, _):
        async with running(address, bob, "bob", Identity(BOBS_SEED)) as (bobs, _):
            await bobs.online()
            await bobs.close()
        await anas.online()
        await say(anas, model.ToUsers(("bob", "nobody")), "for later")
        sent = ana.of(PostState)[-1]
        assert (sent.state, sent.away, sent.unknown) == ("sent", ("bob",), ("nobody",))
        assert 0 < sent.away_since_us[0] < sent.time_us
        ear = Ear()
        async with running(address, ear, "bob", Identity(BOBS_SEED)):
            assert await texts_until(ear, "for later") == ["for later"]


async def test_the_server_refuses_and_ends_with_words(server: ServerProcess) -> None:
    address = address_of(server)
    ear = Ear()
    async with running(address, ear, "ana", Identity(SEED)) as (anas, ended):
        await anas.online()
        async with running(address, Ear(), "ana", Identity(BOBS_SEED)) as (_, refused):
            assert (await refused).code == "name_claimed"
        async with running(address, Ear(), "ana") as (_, refused):
            assert (await refused).code in ("name_claimed", "name_in_use")
        async with running(address, Ear(), "two words") as (_, refused):
            assert (await refused).code == "name_invalid"
        reply = await anas.ask(lambda n: model.GetHistory(n, model.ToGroup("nowhere")))
        assert isinstance(reply, model.Refused)
        await anas.close()
        assert await ended == Ended("left", "You have left.")
