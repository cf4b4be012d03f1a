"""Connecting, and words over one connection."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from mystic_client.session.heard import Address
from mystic_client.session.link import Link, Lost, open_streams, sentence
from mystic_client.session.pins import Pins
from mysticproto import model
from mysticproto.errors import ProtocolError
from mysticproto.native import encode_frame
from tests.support.fake_server import FakeServer


async def test_a_host_that_has_a_name() -> None:
    async with FakeServer() as server:
        reader, writer, _ = await open_streams(Address("localhost", server.address.port), Pins())
        link = Link(reader, writer)
        assert link.peer_host in ("127.0.0.1", "::1")
        peer = await server.accept()
        assert await link.read(5) == [peer.hello]
        link.send(model.Ping(3))
        assert (await peer.expect(model.Ping)).n == 3
        await link.close()
        link.send(model.Ping(4))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "", "a" * 70, "..", "ex ample"])
async def test_hosts_that_do_not_exist(host: str) -> None:
    with pytest.raises(Lost):
        await open_streams(Address(host, 1), Pins())


async def test_nobody_listens_and_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mystic_client.session.link.CONNECT_TIMEOUT_S", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(Lost, match="nothing listens there"):
            await open_streams(Address(*silent.getsockname()), Pins())
        silent.listen(0)
        filling = [socket.socket() for _ in range(4)]
        for client in filling:
            client.setblocking(False)
            client.connect_ex(silent.getsockname())
        try:
            with pytest.raises(Lost, match="does not answer"):
                await open_streams(Address(*silent.getsockname()), Pins())
        finally:
            for client in filling:
                client.close()


async def test_of_several_addresses_one_that_answers_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeServer() as server:
        found = [(socket.AF_INET6, 0, 0, "", ("::1", 1)), (socket.AF_INET, 0, 0, "", ("127.0.0.1", 1))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: found)
        reader, writer, _ = await open_streams(Address("both", server.address.port), Pins())
        await Link(reader, writer).close()


async def test_the_end_an_error_and_silence() -> None:
    async with FakeServer() as server:
        link = Link(*await open_streams(server.address, Pins()))
        peer = await server.accept()
        await link.read(5)
        with pytest.raises(Lost, match="silent"):
            await link.read(0.01)
        peer.raw(encode_frame(model.Notice("last words")) + b"\xff\xff\xff\xff")
        assert await link.read(5) == [model.Notice("last words")]
        with pytest.raises(ProtocolError):
            await link.read(5)
        await link.close()
        link = Link(*await open_streams(server.address, Pins()))
        peer = await server.accept()
        await link.read(5)
        peer.close()
        with pytest.raises(Lost, match="closed"):
            await link.read(5)
        await link.close()


def test_sentences_for_errors() -> None:
    assert sentence(ConnectionRefusedError(errno.ECONNREFUSED, "")) == "nothing listens there"
    assert sentence(OSError(errno.EACCES, "")) == "Permission denied"
    assert sentence(ssl.SSLError(1, "odd")) == "the encryption broke off: end of file"
    assert sentence(OSError("odd")) == "odd"
    assert sentence(OSError()) == "the connection failed"
