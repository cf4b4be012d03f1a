"""Connections with TLS: to whom, with whose key, and what happens when there is none."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mystic_client.session import link as module
from mystic_client.session.heard import Address
from mystic_client.session.link import Link, Lost, open_streams
from mystic_client.session.pins import FILE, Pins
from mystic_client.session.secure import FingerprintChanged, Security
from mysticproto import model
from tests.support.certificates import server_tls
from tests.support.fake_server import FakeServer

OTHER = ":".join(["ab"] * 32)


def never(host: str) -> bool:
    """Nobody is exempt from TLS, not even this machine."""
    return False


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[Address]:
    """A server that says this to everybody as soon as they have spoken, and closes."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        await reader.read(4096)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield Address(*server.sockets[0].getsockname())
    finally:
        server.close()
        await server.wait_closed()
        if tasks:
            await asyncio.wait(tasks)


async def test_words_and_a_lot_of_them_both_ways() -> None:
    async with FakeServer(tls=server_tls().context) as server:
        link = Link(*await open_streams(server.address, Pins(), never))
        peer = await server.accept()
        assert await link.read(5) == [peer.hello]
        text = "x" * 30_000
        for n in range(50):
            link.send(model.Post(n, model.ToGlobal(), text, b"%16d" % n))
        for n in range(50):
            assert (await peer.expect(model.Post)).n == n
        peer.raw(os.urandom(1_000_000))
        got = 0
        while got < 1_000_000:
            got += len(await link.read_raw(5))
        await link.close()


async def test_the_first_connection_is_new_and_the_next_one_is_not() -> None:
    pins = Pins()
    known = server_tls().fingerprint
    async with FakeServer(tls=server_tls().context) as server:
        for is_new in (True, False):
            link = Link(*await open_streams(server.address, pins, never))
            assert link.security == Security(known, is_new)
            await link.close()
        pin = pins.find(server.address)
        assert pin is not None and pin.fingerprint == known


async def test_to_this_machine_there_is_none() -> None:
    async with FakeServer() as server:
        pins = Pins()
        link = Link(*await open_streams(server.address, pins))
        assert link.security == Security() and pins.find(server.address) is None
        await link.close()


async def test_a_server_that_is_known_is_encrypted_wherever_it_is() -> None:
    async with FakeServer(tls=server_tls().context) as server:
        pins = Pins()
        pins.add(server.address, server_tls().fingerprint)
        link = Link(*await open_streams(server.address, pins))
        assert link.security == Security(server_tls().fingerprint)
        await link.close()


async def test_another_key_is_a_full_stop() -> None:
    pins = Pins()
    async with FakeServer(tls=server_tls("other").context) as server:
        pins.add(server.address, server_tls().fingerprint)
        with pytest.raises(FingerprintChanged) as caught:
            await open_streams(server.address, pins, never)
        assert caught.value.known == server_tls().fingerprint
        assert caught.value.seen == server_tls("other").fingerprint
        pins.forget(server.address.host, server.address.port)
        link = Link(*await open_streams(server.address, pins, never))
        assert link.security == Security(server_tls("other").fingerprint, is_new=True)
        await link.close()


NO_TLS = [b"This is a Mystic chat server.\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"MYSTIC\x00\x02rest"]


@pytest.mark.parametrize("answer", NO_TLS)
async def test_a_server_without_tls_is_spoken_to_in_the_clear_and_that_is_said(answer: bytes) -> None:
    async with answering(answer) as address:
        pins = Pins()
        link = Link(*await open_streams(address, pins, never))
        assert link.security == Security(is_exposed=True)
        assert pins.find(address) is None
        await link.close()


@pytest.mark.parametrize("answer", NO_TLS)
async def test_a_known_server_that_has_no_tls_any_more_is_a_full_stop(answer: bytes) -> None:
    async with answering(answer) as address:
        pins = Pins()
        pins.add(address, OTHER)
        with pytest.raises(FingerprintChanged) as caught:
            await open_streams(address, pins, never)
        assert (caught.value.known, caught.value.seen) == (OTHER, "")


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x01\x00\x02\x02\x50", b"\x16\x03\x03"])
async def test_a_handshake_that_fails_in_another_way_is_no_reason_to_speak_in_the_clear(answer: bytes) -> None:
    async with answering(answer) as address:
        with pytest.raises(Lost):
            await open_streams(address, Pins(), never)


async def test_a_server_that_stops_in_the_middle_of_the_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TLS_TIMEOUT_S", 0.05)
    async with FakeServer() as server:
        with pytest.raises(Lost, match="does not answer"):
            await open_streams(server.address, Pins(), never)


async def test_a_damaged_list_of_known_servers_stops_everything(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("nonsense\n")
    async with FakeServer(tls=server_tls().context) as server:
        with pytest.raises(Lost, match="line 1 of .* is damaged"):
            await open_streams(server.address, Pins(tmp_path), never)


async def test_a_list_that_cant_be_written_stops_it_too(tmp_path: Path) -> None:
    (tmp_path / (FILE + ".lock")).mkdir()
    async with FakeServer(tls=server_tls().context) as server:
        with pytest.raises(Lost, match="can't be used"):
            await open_streams(server.address, Pins(tmp_path), never)


async def test_a_server_whose_key_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeServer(tls=server_tls().context) as server:
        monkeypatch.setattr(ssl.SSLObject, "getpeercert", lambda self, binary_form=False: b"nonsense")
        with pytest.raises(Lost, match="no key"):
            await open_streams(server.address, Pins(), never)
