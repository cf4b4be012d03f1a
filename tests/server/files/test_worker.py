"""What the file child answers, and in which order."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from mystic_server.files.hashes import SLICE_BYTES
from mystic_server.files.messages import (
    Changed,
    FromChild,
    Hashed,
    HashWork,
    Listed,
    ListWork,
    NotListed,
    Searched,
    SearchWork,
    ToChild,
    Watching,
    WatchWork,
    encode,
    from_child,
)
from mystic_server.files.tree import FileId, Tree
from mystic_server.files.worker import Worker, run


class Parent:
    """Gives the child its work: at once, or a piece after each slice that was hashed."""

    def __init__(self, *work: ToChild) -> None:
        self.work = deque(work)
        self.said: list[FromChild] = []
        self.ended = False

    def receive(self) -> bytes | None:
        if self.work:
            return encode(self.work.popleft())
        self.ended = True
        return None

    maybe_receive = receive

    def send(self, body: bytes) -> None:
        self.said.append(from_child.decode(body))


class Patient(Parent):
    """Waits for the end of what it asked for."""

    def maybe_receive(self) -> bytes | None:
        return encode(self.work.popleft()) if self.work else None


def answers(share: Path, parent: Parent) -> list[FromChild]:
    run(Worker(Tree(str(share)), parent.send), parent)  # type: ignore[arg-type]
    return parent.said


def hash_work(number: int, path: Path) -> HashWork:
    fd = os.open(path, os.O_RDONLY)
    file = FileId.of(fd)
    os.close(fd)
    return HashWork(number, path.name, file)


def test_it_lists_and_refuses(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    listed, refused = answers(tmp_path, Patient(ListWork(1, ""), ListWork(2, "a.txt")))
    assert isinstance(listed, Listed) and listed.number == 1 and listed.total == 1
    assert isinstance(refused, NotListed) and (refused.number, refused.code) == (2, "not_a_folder")


@pytest.mark.parametrize("size", [0, 1, SLICE_BYTES, SLICE_BYTES + 1, 3 * SLICE_BYTES])
def test_it_hashes(tmp_path: Path, size: int) -> None:
    data = bytes(size)
    (tmp_path / "file").write_bytes(data)
    os.utime(tmp_path / "file", (1, 1))
    assert answers(tmp_path, Patient(hash_work(7, tmp_path / "file"))) == [Hashed(7, blake3(data).digest(), True)]


def test_a_listing_does_not_wait_for_a_long_hash(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(40 * SLICE_BYTES)
    work = hash_work(1, tmp_path / "sparse")
    said = answers(tmp_path, Patient(work, ListWork(2, ""), ListWork(3, "")))
    assert [answer.number for answer in said if not isinstance(answer, Changed)] == [2, 3, 1]


def test_a_short_file_overtakes_a_long_one(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10 * SLICE_BYTES)
    (tmp_path / "short").write_bytes(b"x")
    parent = Patient(hash_work(1, tmp_path / "sparse"), hash_work(2, tmp_path / "short"))
    assert [answer.number for answer in answers(tmp_path, parent) if not isinstance(answer, Changed)] == [2, 1]


def test_a_file_in_another_state_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    work = hash_work(1, tmp_path / "file")
    (tmp_path / "file").write_bytes(b"changed")
    gone = msgspec.structs.replace(work, number=2, path="gone")
    assert answers(tmp_path, Patient(work, gone)) == [Hashed(1, b""), Hashed(2, b"")]


def search_work(number: int, path: Path, needle: bytes) -> SearchWork:
    work = hash_work(number, path)
    return SearchWork(number, work.path, work.file, needle)


@pytest.mark.parametrize("place", [0, 1, SLICE_BYTES - 3, SLICE_BYTES, 2 * SLICE_BYTES + 7])
def test_it_searches(tmp_path: Path, place: int) -> None:
    data = bytearray(3 * SLICE_BYTES)
    data[place : place + 5] = b"<END>"
    (tmp_path / "file").write_bytes(data)
    work = [search_work(1, tmp_path / "file", b"<END>"), search_work(2, tmp_path / "file", b"<FIN>")]
    assert answers(tmp_path, Patient(*work)) == [Searched(1, True), Searched(2, False)]


def test_an_empty_file_is_searched_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert answers(tmp_path, Patient(search_work(1, tmp_path / "file", b"x"))) == [Searched(1, False)]


def test_a_file_in_another_state_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    work = search_work(1, tmp_path / "file", b"y")
    (tmp_path / "file").write_bytes(b"changed")
    gone = msgspec.structs.replace(work, number=2, path="gone")
    assert answers(tmp_path, Patient(work, gone)) == [Searched(1, None), Searched(2, None)]


def test_a_search_and_a_hash_go_by_turns(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10 * SLICE_BYTES)
    (tmp_path / "short").write_bytes(b"x")
    parent = Patient(search_work(1, tmp_path / "sparse", b"x"), hash_work(2, tmp_path / "short"), ListWork(3, ""))
    assert [answer.number for answer in answers(tmp_path, parent) if not isinstance(answer, Changed)] == [3, 2, 1]


def test_it_ends_in_the_middle_of_a_search(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1000 * SLICE_BYTES)
    assert answers(tmp_path, Parent(search_work(1, tmp_path / "sparse", b"x"))) == []


def test_it_ends_in_the_middle_of_a_hash(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1000 * SLICE_BYTES)
    assert answers(tmp_path, Parent(hash_work(1, tmp_path / "sparse"))) == []


def test_it_says_what_has_changed_in_watched_folders(tmp_path: Path) -> None:
    class Curious(Parent):
        """Watches, changes something, waits until that is told, and goes."""

        def has_something(self, limit_s: float) -> bool:
            (tmp_path / "new").write_bytes(os.urandom(8))
            return bool(self.work) or Changed("") in self.said

    parent = Curious(WatchWork(8, ("",)))
    first, *others = answers(tmp_path, parent)
    assert first == Watching(8)
    assert set(others) == {Changed("")}
    assert parent.ended
