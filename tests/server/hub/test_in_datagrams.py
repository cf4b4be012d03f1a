"""Downloads in datagrams as the hub sees them: when the request is answered, what the operator reads, whose place it
is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mystic_server.files.offers import Route, Watcher, Withdrawal
from mystic_server.hub.in_datagrams import OfferDatagrams
from mystic_server.hub.sending import Sending
from mystic_server.net.connection import Connection
from mystic_server.net.outqueue import FileSpan
from mysticproto.errors import Code
from mysticproto.model import OpenDownload, Refused, Ticket, UdpTerms
from tests.server.hub.fakes import Transfer
from tests.server.hub.rig import Client, Rig

TERMS = UdpTerms(4000, 7, bytes(32), 1168)
SIZE = 5000
GIVEN = Ticket(5, b"t" * 16, "a/file", SIZE, 77)


class Desk:
    """A hub's sending whose datagrams are the test's to play."""

    def __init__(self, rig: Rig, path: Path) -> None:
        self.rig = rig
        self.ana: Client = rig.comes("ana")
        self.watchers: list[Watcher] = []
        self.withdrawn: list[Watcher] = []
        self.offered: list[tuple[int, int, Route]] = []
        self.transfers: list[Transfer] = []
        self._path = path
        self._sending = self.sending(self._offer)
        path.write_bytes(bytes(SIZE))

    def sending(self, offer: OfferDatagrams | None) -> Sending:
        rig = self.rig
        udp: Callable[..., object] = pytest.fail
        return Sending(rig.reactor, rig.world, rig.files, rig.witness, udp, pytest.fail, offer)  # type: ignore[arg-type]

    def asks(self, over: str = "udp", offer: bool = True) -> None:
        """The peer has asked for a file, and the file area has a ticket for it."""
        self.rig.files.transfers[GIVEN.ticket] = self._transfer
        sending = self._sending if offer else self.sending(None)
        sending.open_download(self.ana.peer, OpenDownload(5, "a/file", over))
        self.rig.files.opened.pop()[2](GIVEN)
        self.rig.settle()

    def leaves(self) -> None:
        """The peer's connection ends."""
        self._sending.connection_ended(self.ana.peer, "lost")

    def _offer(self, fd: int, size: int, route: Route, watcher: Watcher) -> Withdrawal:
        self.offered.append((fd, size, route))
        self.watchers.append(watcher)
        return lambda: self.withdrawn.append(watcher)

    def _transfer(self, n: int) -> Transfer:
        fd = os.open(self._path, os.O_RDONLY)
        self.transfers.append(Transfer(n, FileSpan(fd, 0, SIZE), "a/file", self.ana.peer.user))
        return self.transfers[-1]

    @property
    def lines(self) -> list[str]:
        self.rig.settle()
        return [line for line in self.rig.witness.lines if "a/file" in line]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(Connection, "local_host", "10.0.0.1")  # the rig's sockets have no addresses
    with Rig() as rig:
        yield Desk(rig, tmp_path / "file")


def test_the_ticket_comes_when_the_file_waits(desk: Desk) -> None:
    desk.asks()
    ((fd, size, route),) = desk.offered
    assert (fd, size) == (desk.transfers[0].span.fd, SIZE)
    assert (route.local_host, route.peer_host) == ("10.0.0.1", desk.ana.peer.host)
    assert desk.ana.takes(Ticket) == []
    desk.watchers[0].waiting(TERMS)
    desk.rig.settle()
    assert desk.ana.takes(Ticket) == [Ticket(5, GIVEN.ticket, "a/file", SIZE, 77, b"", TERMS)]
    desk.watchers[0].ended(0, "no datagram came back")
    assert desk.transfers[0].outcomes == [False]


def test_from_its_beginning_to_its_end(desk: Desk) -> None:
    desk.asks()
    watcher = desk.watchers[0]
    watcher.waiting(TERMS)
    assert desk.lines == []
    for held in (1000, 1000, 3000):
        watcher.moved(held)
    assert desk.lines == ["ana gets a/file in datagrams"]
    watcher.ended(SIZE, "")
    assert desk.lines == ["ana gets a/file in datagrams", "ana has got a/file in datagrams"]
    assert desk.transfers[0].outcomes == [True] and desk.transfers[0].span.fd == -1


def test_one_that_breaks_off(desk: Desk) -> None:
    desk.asks()
    watcher = desk.watchers[0]
    watcher.waiting(TERMS)
    watcher.moved(0)
    desk.ana.goes()
    desk.rig.settle()
    watcher.moved(10)
    watcher.ended(0, "the process that sends datagrams ended")
    assert desk.lines == ["ana gets a/file in datagrams", "ana has not got a/file in datagrams"]
    assert desk.transfers[0].outcomes == [False]


def test_what_a_connection_asked_for_is_withdrawn_when_it_ends(desk: Desk) -> None:
    for _ in range(3):
        desk.asks()
    over, waiting, running = desk.watchers
    over.waiting(TERMS)
    over.ended(SIZE, "")
    running.waiting(TERMS)
    running.moved(1000)
    assert desk.withdrawn == []
    desk.leaves()
    assert set(desk.withdrawn) == {waiting, running}
    running.ended(SIZE, "")  # it had come whole, and its client was quicker with its goodbye
    waiting.ended(0, "the connection ended")
    assert desk.lines == ["ana gets a/file in datagrams", "ana has got a/file in datagrams"]
    assert [transfer.outcomes for transfer in desk.transfers] == [[True], [False], [True]]
    desk.leaves()
    assert len(desk.withdrawn) == 2


def test_what_cannot_be_had_is_not_withdrawn(desk: Desk) -> None:
    desk.asks()
    desk.watchers[0].unavailable("No port.")
    desk.leaves()
    assert desk.withdrawn == []


def test_one_that_never_begins_is_no_news(desk: Desk) -> None:
    desk.asks()
    desk.watchers[0].waiting(TERMS)
    desk.watchers[0].ended(0, "no datagram came back")
    assert desk.lines == []
    assert desk.transfers[0].outcomes == [False]


def test_what_cannot_be_had_in_datagrams_is_refused(desk: Desk) -> None:
    desk.asks()
    desk.watchers[0].unavailable("No port.")
    desk.rig.settle()
    assert desk.ana.takes(Refused) == [Refused(5, Code.UDP_UNAVAILABLE, "No port.", "a/file")]
    assert desk.transfers[0].outcomes == [False]


def test_a_server_without_datagrams(desk: Desk) -> None:
    desk.asks(offer=False)
    text = "This server sends no datagrams."
    assert desk.ana.takes(Refused) == [Refused(5, Code.UDP_UNAVAILABLE, text, "a/file")]
    assert desk.transfers[0].outcomes == [False]


def test_over_tcp_the_ticket_comes_as_it_is(desk: Desk) -> None:
    desk.asks("tcp")
    assert desk.ana.takes(Ticket) == [GIVEN]
    assert desk.offered == [] and desk.transfers == []


def test_a_file_that_changed_meanwhile(desk: Desk) -> None:
    sending = desk.sending(desk._offer)
    sending.answer_download(desk.ana.peer, OpenDownload(5, "a/file", "udp"), GIVEN)
    desk.rig.settle()
    assert desk.ana.takes(Refused) == [Refused(5, Code.BAD_TICKET, "No.")]
    assert desk.offered == []
