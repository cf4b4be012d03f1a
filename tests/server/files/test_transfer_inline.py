"""Files that are sent on the connection that asks: searched first where a wire must, within the same limits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.files.messages import Searched, SearchWork, encode
from mystic_server.files.transfer import Transfer
from mystic_server.net.outqueue import Base64Span
from mysticproto.model import Refused
from tests.server.files.test_transfer import ANA, BOB, Desk, bytes_of


class Counter(Desk):
    """A file area, and everything that was opened or refused."""

    def __init__(self, share: Path, **limits: float) -> None:
        super().__init__(share, **limits)
        self.answers: list[Transfer | Refused] = []

    def open(self, path: str = "file", avoid: bytes = b"", user: int = ANA, as_base64: bool = False) -> None:
        self.area.open_inline(5, user, path, avoid, as_base64, self.answers.append)

    def searched(self, found: bool | None) -> None:
        work = self.child.asked.pop(0)
        assert isinstance(work, SearchWork)
        self.area.received(encode(Searched(work.number, found)))

    def transfer(self) -> Transfer:
        answer = self.answers.pop(0)
        assert isinstance(answer, Transfer), answer
        return answer

    def code(self) -> str:
        answer = self.answers.pop(0)
        assert isinstance(answer, Refused) and answer.n == 5
        return answer.code


@pytest.fixture
def share(tmp_path: Path) -> Path:
    root = tmp_path / "share"
    root.mkdir()
    (root / "file").write_bytes(b"0123456789")
    return root


@pytest.fixture
def desk(share: Path) -> Iterator[Counter]:
    desk = Counter(share)
    yield desk
    desk.area.close()


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_a_file_is_opened_at_once_where_nothing_is_avoided(desk: Counter) -> None:
    desk.open()
    transfer = desk.transfer()
    assert (transfer.start.n, transfer.start.size, transfer.start.offset) == (5, 10, 0)
    assert (transfer.path, transfer.user) == ("file", ANA)
    assert bytes_of(transfer) == b"0123456789"
    assert desk.area.downloads == 0


def test_it_may_go_as_base64(desk: Counter) -> None:
    desk.open(as_base64=True)
    transfer = desk.transfer()
    assert isinstance(transfer.span, Base64Span)
    assert transfer.start.size == 10
    transfer.finished(complete=False)


def test_it_waits_for_the_search(desk: Counter) -> None:
    desk.open(avoid=b"<END>")
    assert desk.answers == [] and desk.area.downloads == 1
    desk.searched(False)
    assert bytes_of(desk.transfer()) == b"0123456789"
    assert desk.area.downloads == 0


@pytest.mark.parametrize(("found", "code"), [(True, "file_unfit"), (None, "files_unavailable")])
def test_what_is_found_or_can_t_be_read_is_refused(desk: Counter, found: bool | None, code: str) -> None:
    desk.open(avoid=b"<END>")
    desk.searched(found)
    assert desk.code() == code
    assert desk.area.downloads == 0


def test_a_file_that_changed_after_the_search_is_not_sent(desk: Counter, share: Path) -> None:
    desk.open(avoid=b"<END>")
    with (share / "file").open("r+b") as file:
        file.write(b"<END>")
    os.utime(share / "file", (1, 1))
    desk.searched(False)
    assert desk.code() == "files_unavailable"
    assert desk.area.downloads == 0


@pytest.mark.parametrize("path", ["", "nowhere", "../file", "a\0b", "/etc/passwd"])
def test_only_shared_files_are_opened(desk: Counter, path: str) -> None:
    desk.open(path)
    assert desk.code() == "file_not_found"
    assert desk.area.downloads == 0


def test_places_are_limited_and_free_again(share: Path) -> None:
    desk = Counter(share, downloads=2, downloads_per_user=1)
    desk.open()
    desk.open()
    first = desk.transfer()
    assert desk.code() == "limit_reached"
    desk.open(user=BOB)
    other = desk.transfer()
    desk.open(user=3)
    assert desk.code() == "limit_reached"
    first.finished(complete=False)
    desk.open()
    again = desk.transfer()
    for each in (other, again):
        each.finished(complete=True)
    assert desk.area.downloads == 0
    desk.area.close()


def test_without_the_child_nothing_is_opened(desk: Counter) -> None:
    desk.child.is_up = False
    desk.open()
    assert desk.code() == "files_unavailable"


def test_a_child_that_ends_in_the_middle_is_an_answer(desk: Counter) -> None:
    desk.open(avoid=b"<END>")
    desk.child.is_up = False
    desk.area.went_down()
    assert desk.code() == "files_unavailable"
    assert desk.area.downloads == 0


def test_what_was_never_asked_changes_nothing(desk: Counter) -> None:
    desk.area.received(encode(Searched(99, False)))
    assert desk.answers == []


def test_the_end_closes_what_waits(share: Path) -> None:
    desk = Counter(share)
    desk.open(avoid=b"<END>")
    before = open_descriptors()
    desk.area.close()
    assert open_descriptors() == before - 1
    assert desk.area.downloads == 0
