"""Which names may be stored, which name is free, and that nothing is ever replaced."""

from __future__ import annotations

import errno
import os
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from mystic_server.files import placing
from mystic_server.files.placing import MAX_NAMES_TRIED, free_names, may_be_stored, place
from mystic_server.files.tree import FileId, PathRefused, Tree

BAD_NAMES = [
    "", ".", "..", ".bashrc", "../x", "..\\x", "/etc/passwd", "\\\\host\\x", "C:\\x", "C:x", "a/../../x", "a/b", "a\\b",
    "x\0y", "x\ny", "\x1b[2Jx", "x\x9b31m", "invoice\u202egpj.exe", "\u2066x", "x\u200bx", "x\ufeff", "CON", "con.txt",
    "NUL.tar.gz", "LPT1", "aux", "x.", "x ", " x", "~", "~root", "-rf", "-", "x.part", "x.PART", "x" * 256, "é" * 128,
    "stream:data", "\udc80",
]  # fmt: skip
GOOD_NAMES = ["a", "plan.txt", "Größe 3.pdf", "файл", "写真.jpg", "%2e%2e", "a..b", "x" * 255, "é" * 127, "[b]x"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_traps_are_no_names(name: str) -> None:
    assert not may_be_stored(name)


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_ordinary_names_are(name: str) -> None:
    assert may_be_stored(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", ["a.txt", "a (1).txt", "a (2).txt"]),
        ("a", ["a", "a (1)", "a (2)"]),
        ("a.tar.gz", ["a.tar.gz", "a.tar (1).gz", "a.tar (2).gz"]),
        ("a.this is no ending", ["a.this is no ending", "a.this is no ending (1)", "a.this is no ending (2)"]),
    ],
)
def test_the_next_names_count(name: str, expected: list[str]) -> None:
    assert list(islice(free_names(name), 3)) == expected


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "x" * 250 + ".txt", "日" * 85])
def test_the_next_names_are_not_too_long(name: str) -> None:
    assert all(may_be_stored(each) for each in islice(free_names(name), 200))


# Placing.


class Desk:
    """A shared folder, and a file to put there."""

    def __init__(self, tmp_path: Path, by_descriptor: bool) -> None:
        self.share = tmp_path / "share"
        self.share.mkdir()
        self.source = tmp_path / "whole.part"
        self.source.write_bytes(b"new")
        self.tree = Tree(str(self.share), by_descriptor)
        self.announced: list[tuple[str, FileId]] = []

    def place(self, name: str = "a.txt", folder: str = "") -> str:
        found, file = place(self.tree, folder, name, str(self.source), self._announce)
        assert (found, file) == self.announced[-1]
        assert self.tree.look_at("/".join(filter(None, (folder, found)))) == file
        return found

    def _announce(self, name: str, file: FileId) -> None:
        assert not (self.share / name).exists(), "told before it is there"
        self.announced.append((name, file))

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.share)): path.read_bytes() for path in self.share.rglob("*") if path.is_file()
        }


@pytest.fixture(params=[True, False], ids=["descriptors", "paths"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, request.param)


def test_it_gets_its_name_or_the_next_free_one(desk: Desk) -> None:
    assert desk.place() == "a.txt"
    (desk.share / "a.txt").write_bytes(b"old")
    assert desk.place() == "a (1).txt"
    assert desk.files()["a.txt"] == b"old"


def test_missing_folders_are_made(desk: Desk) -> None:
    assert desk.place(folder="x/y") == "a.txt"
    assert desk.files() == {"x/y/a.txt": b"new"}


def test_links_in_the_way_are_not_followed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (desk.share / "door").symlink_to(tmp_path / "outside")
    (desk.share / "a.txt").symlink_to(tmp_path / "outside" / "target")
    with pytest.raises(PathRefused) as refused:
        desk.place(folder="door")
    assert refused.value.code == "file_not_found"
    assert desk.place() == "a (1).txt"
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_a_refusal(desk: Desk) -> None:
    (desk.share / "plans").write_bytes(b"old")
    with pytest.raises(PathRefused):
        desk.place(folder="plans")
    assert desk.files() == {"plans": b"old"}


def test_somebody_else_s_file_that_comes_meanwhile_is_not_replaced(desk: Desk) -> None:
    tree, source = desk.tree, str(desk.source)

    def announce(name: str, file: FileId) -> None:
        if name == "a.txt":
            (desk.share / name).write_bytes(b"quicker")

    assert place(tree, "", "a.txt", source, announce)[0] == "a (1).txt"
    assert desk.files() == {"a.txt": b"quicker", "a (1).txt": b"new"}


def test_there_is_an_end_to_trying(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "_exists", lambda inside, name: True)
    with pytest.raises(PathRefused) as refused:
        desk.place()
    assert refused.value.code == "limit_reached" and str(MAX_NAMES_TRIED) in refused.value.text


# File systems that are not alike.


def refuse_links(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def link(*args: Any, **kwargs: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_without_links_the_name_is_taken_first(desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    refuse_links(monkeypatch, number)
    (desk.share / "a.txt").write_bytes(b"old")
    assert desk.place() == "a (1).txt"
    assert desk.files() == {"a.txt": b"old", "a (1).txt": b"new"}
    assert not desk.source.exists()


def test_other_refusals_of_the_disk_are_passed_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_links(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        desk.place()
    assert desk.files() == {}


def other_file_system() -> Path | None:
    """A folder that is not in the file system of the temporary files."""
    shm = Path("/dev/shm")
    return shm if shm.is_dir() and os.access(shm, os.W_OK) else None


@pytest.mark.skipif(other_file_system() is None, reason="there is only one file system")
def test_over_a_file_system_s_border_it_is_copied(desk: Desk) -> None:
    elsewhere = other_file_system()
    assert elsewhere
    source = elsewhere / f"mystic-test-{os.getpid()}.part"
    source.write_bytes(b"from elsewhere")
    try:
        if source.stat().st_dev == desk.share.stat().st_dev:
            pytest.skip("there is only one file system")
        desk.source = source
        assert desk.place() == "a.txt"
        assert desk.files() == {"a.txt": b"from elsewhere"}, "no copy is left behind"
        assert source.exists()
    finally:
        source.unlink(missing_ok=True)
