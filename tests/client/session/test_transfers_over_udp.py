"""Downloads in datagrams, as far as the download itself goes: blocks, falling back, and the choice of the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mystic_client.session import transfers
from mystic_client.session.connection import Session
from mystic_client.session.fetch import UdpFailed
from mystic_client.session.partial import PartialFile
from mysticproto import model
from tests.client.session.test_transfers import CONTENT, HASH, fetching

TERMS = model.UdpTerms(1, 2, b"s" * 32, 1000)


async def datagrams(session: Session, ticket: model.Ticket, part: PartialFile, moved: Callable[[int], None]) -> None:
    """Brings what is missing, the last block first."""
    assert ticket.udp is not None and part.blocks is not None
    for first, end in reversed(list(part.blocks.missing())):
        for block in reversed(range(first, end)):
            part.store(block * 1000, CONTENT[block * 1000 : (block + 1) * 1000])
            part.blocks.add(block)
    part.save_blocks()
    moved(part.size)


async def test_over_udp(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start(over="udp", fetch_udp=datagrams)
        assert (await fetch.ticket(blake3=HASH, udp=TERMS)).over == "udp"
        done = await task
        assert (done.state, done.verified, done.over, done.note) == ("done", True, "udp", "")
        assert (fetch.folder / "a.bin").read_bytes() == CONTENT
        assert fetch.names == ["a.bin"]


async def test_udp_goes_on_with_the_blocks_that_are_there(tmp_path: Path) -> None:
    async def half(session: Session, ticket: model.Ticket, part: PartialFile, moved: Callable[[int], None]) -> None:
        assert part.blocks is not None
        for block in range(0, part.blocks.total, 2):
            part.store(block * 1000, CONTENT[block * 1000 : (block + 1) * 1000])
            part.blocks.add(block)
        part.save_blocks()
        raise OSError(28, "No space left on device")

    async with fetching(tmp_path) as fetch:
        task = fetch.start(over="udp", fetch_udp=half)
        await fetch.ticket(blake3=HASH, udp=TERMS)
        assert (await task).code == "disk"
        task = fetch.start(over="udp", fetch_udp=datagrams)
        await fetch.ticket(blake3=HASH, udp=TERMS)
        assert (await task).verified
        assert min(told.received for told in fetch.told if told.state == "running" and told.received) > 500_000
        assert fetch.names == ["a.bin"]


async def test_without_datagrams_it_goes_on_over_tcp_and_says_so(tmp_path: Path) -> None:
    async def blocked(session: Session, ticket: model.Ticket, part: PartialFile, moved: Callable[[int], None]) -> None:
        assert part.blocks is not None
        part.store(0, CONTENT[:1000])
        part.blocks.add(0)
        part.save_blocks()
        moved(1000)
        raise UdpFailed("no datagram came through")

    async with fetching(tmp_path) as fetch:
        task = fetch.start(over="udp", fetch_udp=blocked)
        await fetch.ticket(blake3=HASH, udp=TERMS)
        assert (await fetch.ticket(blake3=HASH)).over == "tcp"
        assert await fetch.serve() == 1000
        done = await task
        assert (done.state, done.verified, done.over) == ("done", True, "tcp")
        assert done.note == "over TCP: no datagram came through"
        assert fetch.names == ["a.bin"]


async def test_a_server_without_datagrams(tmp_path: Path) -> None:
    async with fetching(tmp_path) as fetch:
        task = fetch.start(over="udp", fetch_udp=datagrams)
        request = await fetch.chat.expect(model.OpenDownload)
        fetch.chat.say(model.Refused(request.n, "udp_unavailable", "No datagrams here."))
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        assert (await task).note == "over TCP: No datagrams here."
        task = fetch.start("b", over="udp")
        await fetch.ticket(blake3=HASH)
        await fetch.serve()
        assert (await task).note == "over TCP: the server does not offer datagrams"


@pytest.mark.parametrize(("short_rtt_s", "over"), [(10.0, "tcp"), (0.0, "udp")])
async def test_auto_asks_how_long_the_way_is(
    tmp_path: Path, short_rtt_s: float, over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "SHORT_RTT_S", short_rtt_s)
    async with fetching(tmp_path) as fetch:
        task = fetch.start(over="auto", fetch_udp=datagrams)
        for _ in range(3):
            ping = await fetch.chat.expect(model.Ping)
            fetch.chat.say(model.Pong(ping.n, 1))
        assert (await fetch.ticket(blake3=HASH, udp=TERMS if over == "udp" else None)).over == over
        if over == "tcp":
            await fetch.serve()
        assert (await task).over == over
        assert 0 < fetch.session.rtt_s < 10
