"""Tickets, places, listings and hashes as the server sees them; first with a child made up, then with the real one."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from mystic_server.files.messages import (
    Changed,
    Hashed,
    HashWork,
    Listed,
    ListWork,
    NotListed,
    ToChild,
    Watching,
    WatchWork,
    encode,
    to_child,
)
from mystic_server.files.transfer import CHILD_MODULE, FileArea, FileLimits, Transfer, in_parts
from mystic_server.net.children import ChildProcess
from mystic_server.net.outqueue import OutQueue
from mystic_server.net.reactor import Reactor
from mysticproto.model import FileHashed, Folder, FolderEntry, Refused, Ticket

ANA, BOB = 7, 8
DIGEST = bytes(range(32))


class FakeChild:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.is_up = True
        self.asked: list[ToChild] = []

    def send(self, body: bytes) -> None:
        assert self.is_up
        self.asked.append(to_child.decode(body))


class Desk:
    """A file area and everything that it answered."""

    def __init__(self, share: Path, **limits: float) -> None:
        numbers = count()
        self.child = FakeChild()
        self.area = FileArea(
            self.child,
            share,
            lambda size: next(numbers).to_bytes(size, "big"),
            msgspec.convert(limits, FileLimits),
        )
        self.hashes: list[FileHashed] = []
        self.listings: list[list[Folder] | Refused] = []
        self.now = 1000.0

    def ask(self, path: str = "file", user: int = ANA) -> Ticket | Refused:
        answers: list[Ticket | Refused] = []
        self.area.open_download(5, user, path, self.now, answers.append, self.hashes.append)
        (answer,) = answers
        return answer

    def ticket(self, path: str = "file", user: int = ANA) -> Ticket:
        answer = self.ask(path, user)
        assert isinstance(answer, Ticket), answer
        return answer

    def refusal(self, path: str = "file", user: int = ANA) -> str:
        answer = self.ask(path, user)
        assert isinstance(answer, Refused)
        assert (answer.n, answer.about) == (5, path)
        return answer.code

    def redeem(self, ticket: Ticket, offset: int = 0) -> Transfer:
        transfer = self.area.redeem(6, ticket.ticket, offset, self.now)
        assert isinstance(transfer, Transfer), transfer
        return transfer

    def redeem_refusal(self, ticket: bytes, offset: int = 0) -> str:
        refused = self.area.redeem(6, ticket, offset, self.now)
        assert isinstance(refused, Refused) and refused.n == 6
        return refused.code

    def list(self, path: str = "") -> None:
        self.area.list_folder(3, path, self.listings.append)

    def answer(self, said: Hashed | Listed | NotListed) -> None:
        self.area.received(encode(said))


@pytest.fixture
def share(tmp_path: Path) -> Path:
    root = tmp_path / "share"
    root.mkdir()
    (root / "file").write_bytes(b"0123456789")
    return root


@pytest.fixture
def desk(share: Path) -> Iterator[Desk]:
    desk = Desk(share)
    yield desk
    desk.area.close()


def bytes_of(transfer: Transfer) -> bytes:
    """What a file connection would get; ends the transfer."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        queue = OutQueue()
        queue.push(transfer.span)
        queue.flush(ours, 0.0)
        ours.shutdown(socket.SHUT_WR)
        data = b"".join(iter(lambda: theirs.recv(65536), b""))
    transfer.finished(True)
    return data


# Tickets.


def test_a_ticket_names_the_file_as_it_is(desk: Desk, share: Path) -> None:
    os.utime(share / "file", ns=(0, 123_456_789_012_345))
    ticket = desk.ticket()
    assert (ticket.n, ticket.path, ticket.size, ticket.modified_us, ticket.blake3) == (
        5,
        "file",
        10,
        123_456_789_012,
        b"",
    )
    assert len(ticket.ticket) == 16


@pytest.mark.parametrize("offset", [0, 1, 9, 10])
def test_a_ticket_becomes_the_rest_of_the_file(desk: Desk, offset: int) -> None:
    transfer = desk.redeem(desk.ticket(), offset)
    assert (transfer.start.n, transfer.start.size, transfer.start.offset) == (6, 10, offset)
    assert (transfer.path, transfer.size, transfer.user) == ("file", 10, ANA)
    assert bytes_of(transfer) == b"0123456789"[offset:]
    assert transfer.complete


def test_an_empty_file_is_sent_too(desk: Desk, share: Path) -> None:
    (share / "file").write_bytes(b"")
    assert bytes_of(desk.redeem(desk.ticket())) == b""


def test_a_ticket_is_good_for_one_time(desk: Desk) -> None:
    ticket = desk.ticket()
    bytes_of(desk.redeem(ticket))
    assert desk.redeem_refusal(ticket.ticket) == "bad_ticket"
    assert desk.redeem_refusal(b"") == desk.redeem_refusal(b"?" * 16) == "bad_ticket"


def test_a_ticket_expires(desk: Desk) -> None:
    first = desk.ticket()
    desk.now += 30
    second = desk.ticket()
    assert desk.area.next_deadline() == 1060
    desk.now += 30
    assert desk.redeem_refusal(first.ticket) == "bad_ticket"
    desk.area.expire(desk.now)
    assert desk.area.downloads == 1
    assert desk.area.next_deadline() == 1090
    bytes_of(desk.redeem(second))
    assert desk.area.next_deadline() is None
    assert desk.area.downloads == 0


def test_expired_tickets_give_their_files_back(desk: Desk) -> None:
    desk.ticket()
    desk.area.expire(desk.now + 59)
    assert desk.area.downloads == 1
    desk.area.expire(desk.now + 60)
    assert desk.area.downloads == 0


@pytest.mark.parametrize("offset", [11, -1, 2**62])
def test_an_offset_outside_the_file_is_refused_and_frees_the_place(desk: Desk, offset: int) -> None:
    assert desk.redeem_refusal(desk.ticket().ticket, offset) == "file_changed"
    assert desk.area.downloads == 0


@pytest.mark.parametrize("change", [b"longer than it was", b"short", b"9876543210"])
def test_a_file_that_changed_since_is_refused(desk: Desk, share: Path, change: bytes) -> None:
    ticket = desk.ticket()
    (share / "file").write_bytes(change)
    os.utime(share / "file", (1, 1))
    assert desk.redeem_refusal(ticket.ticket) == "file_changed"
    assert desk.area.downloads == 0


@pytest.mark.parametrize("gone", ["deleted", "replaced", "linked"])
def test_what_was_promised_is_sent_whatever_happens_to_the_name(
    desk: Desk, share: Path, tmp_path: Path, gone: str
) -> None:
    ticket = desk.ticket()
    (share / "file").unlink()
    (tmp_path / "secret").write_bytes(b"secret")
    if gone == "replaced":
        (share / "file").write_bytes(b"other")
    elif gone == "linked":
        (share / "file").symlink_to(tmp_path / "secret")
    assert bytes_of(desk.redeem(ticket)) == b"0123456789"


def test_what_cannot_be_opened_is_refused(desk: Desk, share: Path) -> None:
    os.mkfifo(share / "pipe")
    assert desk.refusal("pipe") == desk.refusal("../share/file") == desk.refusal("") == "file_not_found"
    assert desk.area.downloads == 0


def test_a_long_path_is_cut_in_the_answer(desk: Desk) -> None:
    answer = desk.ask("x\a" * 10_000)
    assert isinstance(answer, Refused) and len(answer.about) == 200 and answer.about.isprintable()


# Places.


def test_a_user_has_four_places(desk: Desk) -> None:
    tickets = [desk.ticket() for _ in range(4)]
    assert desk.refusal() == "limit_reached"
    assert isinstance(desk.ask(user=BOB), Ticket)
    transfer = desk.redeem(tickets[0])
    assert desk.refusal() == "limit_reached"
    transfer.finished(False)
    transfer.finished(True)
    assert not transfer.complete
    desk.ticket()
    assert desk.refusal() == "limit_reached"


def test_the_server_has_a_limit_too(share: Path) -> None:
    desk = Desk(share, downloads=3)
    for user in range(3):
        desk.ticket(user=user)
    assert desk.refusal(user=9) == "limit_reached"
    desk.area.close()


# Hashes.


def hash_asked(desk: Desk) -> HashWork:
    asked = desk.child.asked[-1]
    assert isinstance(asked, HashWork)
    return asked


def test_a_hash_is_asked_for_once_and_told_to_everybody_who_waits(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.ticket(user=BOB)
    assert len(desk.child.asked) == 1
    asked = hash_asked(desk)
    desk.answer(Hashed(asked.number, DIGEST, True))
    assert desk.hashes == [FileHashed("file", 10, ticket.modified_us, DIGEST)] * 2
    desk.answer(Hashed(asked.number, DIGEST, True))
    assert len(desk.hashes) == 2


def test_a_hash_is_remembered_until_the_file_changes(desk: Desk, share: Path) -> None:
    desk.ticket()
    desk.answer(Hashed(hash_asked(desk).number, DIGEST, True))
    assert desk.ticket().blake3 == DIGEST
    assert len(desk.child.asked) == 1
    os.utime(share / "file", (1, 1))
    assert desk.ticket().blake3 == b""
    assert len(desk.child.asked) == 2


def test_the_hash_of_a_file_that_was_just_written_is_not_remembered(desk: Desk) -> None:
    desk.ticket()
    desk.answer(Hashed(hash_asked(desk).number, DIGEST, False))
    assert len(desk.hashes) == 1
    assert desk.ticket().blake3 == b""


def test_a_file_that_cannot_be_hashed_has_an_empty_hash(desk: Desk) -> None:
    desk.ticket()
    desk.answer(Hashed(hash_asked(desk).number, b""))
    assert [news.blake3 for news in desk.hashes] == [b""]


def test_waiting_for_hashes_has_limits(share: Path) -> None:
    desk = Desk(share, hashes_waiting=3, hashes_waiting_per_user=2)
    for number in range(5):
        (share / f"{number}").touch()
    desk.ticket("0"), desk.ticket("1")
    assert desk.refusal("2") == "limit_reached"
    desk.ticket("2", BOB)
    assert desk.refusal("3", BOB) == "limit_reached"
    desk.ticket("2", 9)
    assert desk.area.downloads == 4
    desk.area.close()


# Listings.


def test_a_listing_is_answered_in_parts(desk: Desk) -> None:
    desk.list("")
    entries = tuple(FolderEntry(f"{number}", "file") for number in range(1001))
    (asked,) = desk.child.asked
    assert asked == ListWork(1, "")
    desk.answer(Listed(1, entries, 2000))
    (parts,) = desk.listings
    assert isinstance(parts, list)
    assert [len(part.entries) for part in parts] == [500, 500, 1]
    assert [part.more for part in parts] == [True, True, False]
    assert {(part.n, part.path, part.total) for part in parts} == {(3, "", 2000)}
    assert tuple(entry for part in parts for entry in part.entries) == entries


def test_an_empty_folder_is_one_part() -> None:
    assert in_parts(1, "x", (), 0) == [Folder(1, "x", (), 0)]


def test_a_listing_can_be_refused(desk: Desk) -> None:
    desk.list("file")
    desk.answer(NotListed(1, "not_a_folder", "A sentence."))
    desk.list("..")
    assert desk.listings == [
        Refused(3, "not_a_folder", "A sentence.", "file"),
        Refused(3, "file_not_found", "There is nothing of that name in the shared folder.", ".."),
    ]


def test_only_so_many_listings_wait(share: Path) -> None:
    desk = Desk(share, listings_waiting=2)
    for _ in range(3):
        desk.list()
    (refused,) = desk.listings
    assert isinstance(refused, Refused) and refused.code == "limit_reached"


# A child that dies.


def test_without_the_child_everything_is_refused(desk: Desk) -> None:
    desk.list()
    desk.ticket()
    desk.child.is_up = False
    desk.area.went_down()
    desk.list()
    assert [refused.code for refused in desk.listings if isinstance(refused, Refused)] == ["files_unavailable"] * 2
    assert desk.refusal() == "files_unavailable"


def test_a_promised_hash_is_asked_for_again_once(desk: Desk) -> None:
    desk.ticket()
    first = hash_asked(desk)
    desk.area.went_down()
    desk.area.came_up()
    assert hash_asked(desk) == first and len(desk.child.asked) == 2
    desk.area.went_down()
    assert [news.blake3 for news in desk.hashes] == [b""]
    desk.area.came_up()
    assert len(desk.child.asked) == 2


# The real child.


class Running:
    """A file area with its child in a reactor."""

    def __init__(self, share: Path) -> None:
        self.faults: list[BaseException] = []
        self.reactor = Reactor(self.faults.append)
        self.child = ChildProcess(
            self.reactor,
            CHILD_MODULE,
            [str(share)],
            lambda body: self.area.received(body),
            lambda: self.area.came_up(),
            lambda: self.area.went_down(),
        )
        self.area = FileArea(self.child, share, os.urandom)
        self.heard: list[object] = []
        self.child.start()

    def until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.reactor.tick()
        assert self.faults == []

    def download(self, path: str) -> None:
        self.area.open_download(1, ANA, path, self.reactor.now, self.heard.append, self.heard.append)

    def listing(self, path: str = "") -> None:
        self.area.list_folder(2, path, self.heard.append)


@pytest.fixture
def running(share: Path) -> Iterator[Running]:
    running = Running(share)
    yield running
    running.area.close()
    running.child.stop()
    running.reactor.close()


def test_the_child_hashes_what_is_sent(running: Running, share: Path) -> None:
    data = os.urandom(1_000_000)
    (share / "file").write_bytes(data)
    running.download("file")
    running.until(lambda: len(running.heard) == 2)
    ticket, news = running.heard
    assert isinstance(ticket, Ticket) and isinstance(news, FileHashed)
    assert (news.path, news.size, news.modified_us) == (ticket.path, ticket.size, ticket.modified_us)
    assert news.blake3 == blake3(data).digest()


def test_a_long_hash_does_not_delay_a_listing(running: Running, share: Path) -> None:
    with (share / "sparse").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    running.download("sparse")
    running.listing()
    running.until(lambda: len(running.heard) == 3)
    assert [type(said) for said in running.heard] == [Ticket, list, FileHashed]


def test_a_child_that_is_killed_is_refused_for_and_comes_back(running: Running) -> None:
    running.listing()
    running.until(lambda: len(running.heard) == 1)
    os.kill(running.child.pid, signal.SIGKILL)
    running.until(lambda: not running.child.is_up)
    running.listing()
    refused = running.heard[-1]
    assert isinstance(refused, Refused) and refused.code == "files_unavailable"
    running.until(lambda: running.child.is_up)
    running.listing()
    running.until(lambda: len(running.heard) == 3)
    assert isinstance(running.heard[-1], list)


def test_the_child_ends_in_the_middle_of_a_hash(running: Running, share: Path) -> None:
    with (share / "sparse").open("wb") as file:
        file.truncate(2**40)
    running.download("sparse")
    running.listing()
    running.until(lambda: len(running.heard) == 2)


# Watched folders.


def test_what_changes_in_a_watched_folder_is_told(desk: Desk) -> None:
    begun: list[str] = []
    told: list[str] = []
    desk.area.on_change = told.append
    desk.area.watch(["", "plans", "../outside"], lambda: begun.append("first"))
    (work,) = desk.child.asked
    assert isinstance(work, WatchWork) and work.paths == ("", "plans")
    assert begun == []
    desk.area.received(encode(Watching(work.number)))
    for path in ("plans", "other"):
        desk.area.received(encode(Changed(path)))
    assert (begun, told) == (["first"], ["plans"])


def test_after_a_child_s_death_anything_may_have_changed(desk: Desk) -> None:
    begun: list[str] = []
    told: list[str] = []
    desk.area.on_change = told.append
    desk.area.watch(["plans"], lambda: begun.append("asked before"))
    desk.child.is_up = False
    desk.area.went_down()
    desk.area.watch(["plans", "more"], lambda: begun.append("asked meanwhile"))
    desk.child.is_up = True
    desk.area.came_up()
    work = desk.child.asked[-1]
    assert isinstance(work, WatchWork) and work.paths == ("plans", "more")
    desk.area.received(encode(Watching(work.number)))
    assert (begun, told) == (["asked before", "asked meanwhile"], ["plans", "more"])
