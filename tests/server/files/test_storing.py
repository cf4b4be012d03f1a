"""What the storing child writes, verifies, places, remembers over a crash, and forgets."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pytest
from blake3 import blake3
from msgspec.structs import replace

from mystic_server.files import storing
from mystic_server.files.hashes import SLICE_BYTES
from mystic_server.files.storing import KNOWN_PART, Storage
from mystic_server.files.tree import Tree
from mystic_server.files.upload_messages import (
    Begin,
    Begun,
    Drop,
    Failed,
    Finish,
    Finished,
    FromChild,
    Gone,
    Known,
    Leave,
    Mark,
    Piece,
    Sweep,
    ToChild,
    Upload,
    Written,
    encode,
    from_child,
)

DATA = bytes(range(256)) * 40
Kind = TypeVar("Kind")


def upload(name: str = "a.txt", data: bytes = DATA, *, id: int = 1, folder: str = "", keeps: bool = False) -> Upload:
    return Upload(
        id=f"{id:032x}",
        user=7,
        name=name,
        size=len(data),
        blake3=blake3(data).digest(),
        touched_us=1,
        folder=folder,
        keeps=keeps,
    )


class Desk:
    """The child's work with folders of its own; `again` is the child of the next run."""

    def __init__(self, tmp_path: Path, reserve_bytes: int = 1) -> None:
        self.folder, self.share = tmp_path / "uploads", tmp_path / "share"
        self.folder.mkdir(exist_ok=True)
        self.share.mkdir(exist_ok=True)
        self.reserve_bytes = reserve_bytes
        self.said: list[FromChild] = []
        self.storage = self._storage()
        self.again()

    def again(self) -> list[Upload]:
        """What the next child says first."""
        self.storage.close()
        self.storage = self._storage()
        self.said.clear()
        self.storage.tell_known()
        return [each for known in self.takes(Known) for each in known.uploads]

    def _storage(self) -> Storage:
        tree, folder = Tree(str(self.share)), str(self.folder)
        return Storage(folder, tree, self.reserve_bytes, lambda body: self.said.append(from_child.decode(body)))

    def tell(self, *work: ToChild) -> None:
        for each in work:
            self.storage.take(encode(each))

    def settle(self) -> None:
        while self.storage.is_busy:
            self.storage.step()

    def takes(self, kind: type[Kind]) -> list[Kind]:
        said: list[object] = list(self.said)
        self.said = [each for each in self.said if not isinstance(each, kind)]
        return [each for each in said if isinstance(each, kind)]

    def bring(self, upload: Upload, data: bytes = DATA, number: int = 1) -> Finished | Failed:
        """All of it, from where it is on."""
        self.said.clear()
        self.tell(Begin(number, upload))
        (begun,) = self.takes(Begun)
        self.tell(Piece(number, data[begun.offset :]), Finish(number))
        self.settle()
        self.takes(Written)
        ends: list[Finished | Failed] = [*self.takes(Finished), *self.takes(Failed)]
        (end,) = ends
        return end

    def finish(self, upload: Upload, data: bytes = DATA) -> Upload:
        end = self.bring(upload, data)
        assert isinstance(end, Finished), end
        return end.upload

    def left(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def shared(self) -> dict[str, bytes]:
        found = [path for path in self.share.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.share)): path.read_bytes() for path in found}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.storage.close()


# The way of one upload.


@pytest.mark.parametrize("data", [b"", b"x", DATA, bytes(SLICE_BYTES + 1)], ids=len)
def test_a_file_for_the_share_appears_there_whole(desk: Desk, data: bytes) -> None:
    one = upload(data=data, folder="plans/new")
    desk.tell(Begin(1, one), *(Piece(1, data[at : at + 65_536]) for at in range(0, len(data), 65_536)))
    assert desk.takes(Begun) == [Begun(1, 0, one)]
    assert sum(each.count for each in desk.takes(Written)) == len(data)
    assert desk.shared() == {}, "nothing is there before it is verified"
    desk.tell(Finish(1))
    desk.settle()
    (finished,) = desk.takes(Finished)
    assert finished.upload.path == "plans/new/a.txt" and finished.upload.is_whole
    assert desk.shared() == {"plans/new/a.txt": data}
    assert desk.left() == [f"{one.id}.about"]
    assert (desk.share / "plans/new/a.txt").stat().st_mode & 0o777 == 0o644


def test_a_file_for_some_people_stays_aside(desk: Desk) -> None:
    one = desk.finish(upload(keeps=True))
    assert (one.path, one.is_whole) == ("", True)
    assert desk.shared() == {}
    assert desk.left() == [one.id, f"{one.id}.about"]
    assert (desk.folder / one.id).stat().st_mode & 0o777 == 0o600


def test_what_comes_goes_to_the_disk_bit_by_bit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that goes there all at once, at its end, would keep the log of the messages from the disk."""
    synced: list[int] = []
    monkeypatch.setattr(storing, "_sync_data", lambda fd: synced.append(os.fstat(fd).st_size))
    monkeypatch.setattr(storing, "SYNC_BYTES", 3000)
    one = len(DATA) // 10
    desk.tell(Begin(1, upload()), *(Piece(1, DATA[at : at + one]) for at in range(0, len(DATA), one)))
    assert synced == [3 * one, 6 * one, 9 * one]


def test_it_goes_on_where_it_was_left(desk: Desk) -> None:
    one = upload()
    desk.tell(Begin(1, one), Piece(1, DATA[:1000]), Leave(1), Piece(1, b"late"), Finish(1))
    desk.tell(Begin(2, one))
    assert [begun.offset for begun in desk.takes(Begun)] == [0, 1000]
    desk.tell(Piece(2, DATA[1000:]), Finish(2))
    desk.settle()
    assert desk.takes(Failed) == [] and len(desk.takes(Finished)) == 1
    assert desk.shared() == {"a.txt": DATA}


def test_it_goes_on_after_a_crash(desk: Desk) -> None:
    one = upload()
    desk.tell(Begin(1, one), Piece(1, DATA[:1000]))
    assert desk.again() == [one]
    desk.tell(Begin(2, one))
    assert desk.takes(Begun) == [Begun(2, 1000, one)]


def test_what_is_no_part_of_it_starts_anew(desk: Desk) -> None:
    one = upload()
    (desk.folder / f"{one.id}.part").write_bytes(DATA + b"more")
    assert desk.finish(one).path == "a.txt"
    assert desk.shared() == {"a.txt": DATA}


def test_other_bytes_than_announced_are_dropped(desk: Desk) -> None:
    end = desk.bring(upload(), DATA[::-1])
    assert isinstance(end, Failed) and (end.code, end.is_dropped) == ("wrong_hash", True)
    assert (desk.shared(), desk.left()) == ({}, [])


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x"], ids=["fewer", "more"])
def test_another_size_than_announced_is_dropped(desk: Desk, data: bytes) -> None:
    end = desk.bring(upload(), data)
    assert isinstance(end, Failed) and (end.code, end.is_dropped) == ("malformed", True)
    assert (desk.shared(), desk.left()) == ({}, [])


def test_nothing_is_replaced(desk: Desk) -> None:
    (desk.share / "a.txt").write_bytes(b"old")
    assert desk.finish(upload()).path == "a (1).txt"
    assert desk.shared() == {"a.txt": b"old", "a (1).txt": DATA}


def test_a_folder_that_is_none_is_refused_and_what_came_is_kept(desk: Desk) -> None:
    (desk.share / "plans").write_bytes(b"a file")
    end = desk.bring(upload(folder="plans"))
    assert isinstance(end, Failed) and (end.code, end.is_dropped) == ("file_not_found", False)
    (desk.share / "plans").unlink()
    assert desk.finish(upload(folder="plans")).path == "plans/a.txt"


def test_several_are_hashed_by_turns(desk: Desk) -> None:
    long, short = bytes(5 * SLICE_BYTES), b"short"
    for number, data in ((1, long), (2, short)):
        desk.tell(Begin(number, upload(f"{number}", data, id=number)), Piece(number, data), Finish(number))
    desk.settle()
    assert [each.number for each in desk.takes(Finished)] == [2, 1]


def test_leaving_while_it_is_hashed_ends_it(desk: Desk) -> None:
    data = bytes(3 * SLICE_BYTES)
    desk.tell(Begin(1, upload(data=data)), Piece(1, data), Finish(1))
    desk.storage.step()
    desk.tell(Leave(1))
    assert not desk.storage.is_busy
    assert desk.takes(Finished) == []
    assert desk.finish(upload(data=data), data).path == "a.txt"


# Asked for again.


@pytest.mark.parametrize("keeps", [False, True])
def test_what_is_whole_is_not_brought_again(desk: Desk, keeps: bool) -> None:
    one = desk.finish(upload(keeps=keeps))
    for known in (one, desk.again()[0]):
        assert known == one
        desk.tell(Begin(2, known))
        assert desk.takes(Begun) == [Begun(2, one.size, one)]
    assert len(desk.shared()) == (0 if keeps else 1)


@pytest.mark.parametrize("change", ["removed", "changed"])
def test_what_was_taken_out_of_the_share_is_brought_again(desk: Desk, change: str) -> None:
    one = desk.finish(upload())
    (desk.share / "a.txt").unlink()
    if change == "changed":
        (desk.share / "a.txt").write_bytes(b"other")
    desk.tell(Begin(2, one))
    (begun,) = desk.takes(Begun)
    assert (begun.offset, begun.upload.is_whole, begun.upload.path) == (0, False, "")


class PowerCut(BaseException):
    """The process ends here."""


STEPS = ["_keep", "_remove", "place", "sync_folder"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("keeps", [False, True])
def test_a_crash_at_any_step_leaves_one_file_or_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, when: str, keeps: bool
) -> None:
    """Killed before and after each time that it takes this step: asked for again the file is there once."""
    target: Any = Storage if step.startswith("_") else storing
    real = getattr(target, step)
    for nth in range(1, 10):
        one = upload(f"{nth}.txt", id=nth, keeps=keeps)
        taken = 0

        def cut(*args: Any, nth: int = nth, **kwargs: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken == nth and when == "before":
                raise PowerCut
            result = real(*args, **kwargs)
            if taken == nth:
                raise PowerCut
            return result

        monkeypatch.setattr(target, step, cut)
        try:
            desk.bring(one)
        except PowerCut:
            pass
        finally:
            monkeypatch.setattr(target, step, real)
        known = {each.id: each for each in desk.again()}
        found = desk.finish(known.get(one.id, one)) if not known.get(one.id, one).is_whole else known[one.id]
        assert found.is_whole and found.path == ("" if keeps else f"{nth}.txt")
        if taken < nth:
            break
    else:
        raise AssertionError("this step never ends")
    names = desk.left() if keeps else list(desk.shared())
    assert len([name for name in names if not name.endswith(".about")]) == nth


# What is known.


def test_it_tells_what_there_is_in_parts(desk: Desk) -> None:
    for number in range(KNOWN_PART + 1):
        one = upload(id=number)
        (desk.folder / f"{one.id}.about").write_bytes(msgspec.json.encode(one))
    assert len(desk.again()) == KNOWN_PART + 1


def test_nothing_known_is_told_too(desk: Desk) -> None:
    desk.storage.tell_known()
    assert desk.takes(Known) == [Known((), False)]


@pytest.mark.parametrize("about", [b"", b"{", b'{"id": 5}', b"\xff", msgspec.json.encode(upload(id=2))])
def test_what_makes_no_sense_is_passed_over(desk: Desk, about: bytes) -> None:
    (desk.folder / f"{1:032x}.about").write_bytes(about)
    (desk.folder / "notes.txt").write_bytes(b"not ours")
    assert desk.again() == []
    assert "notes.txt" in desk.left()


def test_pieces_of_nothing_are_removed(desk: Desk) -> None:
    (desk.folder / f"{1:032x}.part").write_bytes(b"x")
    (desk.folder / f"{1:032x}.new").write_bytes(b"x")
    (desk.folder / f"{2:032x}").write_bytes(b"kept")
    desk.again()
    assert desk.left() == [f"{2:032x}"]


def test_a_mark_is_kept(desk: Desk) -> None:
    one = replace(desk.finish(upload(keeps=True)), seq=41)
    desk.tell(Mark(one))
    assert desk.again() == [one]


def test_what_nobody_wants_is_dropped(desk: Desk) -> None:
    desk.tell(Begin(1, upload()), Piece(1, DATA[:9]), Leave(1))
    kept = desk.finish(upload(id=2, keeps=True))
    desk.tell(Drop((upload().id, kept.id)))
    assert desk.left() == []


def test_a_sweep_forgets_what_left_the_share(desk: Desk) -> None:
    stays, goes = desk.finish(upload("stays")), desk.finish(upload("goes", id=2))
    kept = desk.finish(upload(id=3, keeps=True))
    desk.tell(Begin(4, upload("running", id=4)))
    (desk.share / "goes").unlink()
    desk.tell(Sweep())
    assert desk.takes(Gone) == [Gone((goes.id,))]
    desk.tell(Sweep())
    assert desk.takes(Gone) == []
    assert {each.id for each in desk.again()} == {stays.id, kept.id, f"{4:032x}"}


# The disk.


def test_a_disk_without_enough_room_takes_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, reserve_bytes=1 << 60)
    desk.tell(Begin(1, upload()))
    (failed,) = desk.takes(Failed)
    assert (failed.code, failed.is_dropped) == ("disk_full", True)
    assert desk.left() == []


def test_others_that_are_on_their_way_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(len(DATA) * 3 // 2))
    desk.tell(Begin(1, upload()), Begin(2, upload(id=2)))
    assert [each.number for each in desk.takes(Begun)] == [1]
    assert [(each.number, each.code) for each in desk.takes(Failed)] == [(2, "disk_full")]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EFBIG, "disk_full"),
        (errno.EIO, "files_unavailable"),
    ],
)
def test_a_disk_that_refuses_gets_its_room_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def write(fd: int, data: object) -> int:
        raise OSError(number, os.strerror(number))

    desk.tell(Begin(1, upload()))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        desk.tell(Piece(1, DATA), Piece(1, DATA), Finish(1))
    assert [(each.code, each.is_dropped) for each in desk.takes(Failed)] == [(code, True)]
    assert desk.left() == []
    assert desk.finish(upload()).path == "a.txt", "it goes on as soon as there is room"


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_a_disk_that_refuses_at_the_end_keeps_what_came(desk: Desk, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    desk.tell(Begin(1, upload()), Piece(1, DATA))
    with monkeypatch.context() as patched:
        patched.setattr(os, call, refuse)
        desk.tell(Finish(1))
        desk.settle()
    assert [(each.code, each.is_dropped) for each in desk.takes(Failed)] == [("disk_full", False)]
    desk.tell(Begin(2, upload()))
    assert [each.offset for each in desk.takes(Begun)] == [0, len(DATA)]
    desk.tell(Finish(2))
    desk.settle()
    assert desk.shared() == {"a.txt": DATA}


def test_a_whole_storage_is_closed_with_its_files(desk: Desk) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    desk.tell(Begin(1, upload()), Piece(1, DATA), Finish(1), Begin(2, upload(id=2)))
    desk.storage.close()
    assert not before or len(os.listdir("/proc/self/fd")) == before
