"""What of a shared folder can be named, opened and listed, with descriptors of folders and without."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.files.tree import (
    HAS_FOLDER_DESCRIPTORS,
    MAX_DEPTH,
    MAX_LISTED,
    MAX_LISTED_BYTES,
    FileId,
    Listing,
    PathRefused,
    Tree,
    is_path,
    is_served,
    natural_key,
)
from mysticproto.errors import Code

SECRET = b"nobody may have this"

needs_descriptors = pytest.mark.skipif(not HAS_FOLDER_DESCRIPTORS, reason="no descriptors of folders here")


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """A shared folder with a secret beside it."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    root = tmp_path / "share"
    (root / "Guides" / "Deep").mkdir(parents=True)
    (root / "Guides" / "start.txt").write_bytes(b"begin here")
    (root / "Guides" / "Deep" / "end.txt").write_bytes(b"")
    (root / "readme.txt").write_bytes(b"hello")
    return root


@pytest.fixture(params=[pytest.param(True, marks=needs_descriptors), False], ids=["by descriptor", "by name"])
def tree(request: pytest.FixtureRequest, share: Path) -> Tree:
    return Tree(str(share), request.param)


def contents(tree: Tree, path: str) -> bytes:
    fd = tree.open_file(path)
    try:
        return os.read(fd, 1000)
    finally:
        os.close(fd)


def refusal(tree: Tree, path: str) -> Code:
    with pytest.raises(PathRefused) as caught:
        os.close(tree.open_file(path))
    assert caught.value.text.endswith(".")
    return caught.value.code


def listing_refusal(tree: Tree, path: str) -> Code:
    with pytest.raises(PathRefused) as caught:
        tree.list_folder(path)
    return caught.value.code


def names(listing: Listing) -> list[str]:
    return [entry.name for entry in listing.entries]


# Paths.

OUTSIDE = [
    "..", "../secret.txt", "Guides/../../secret.txt", "Guides/..", "./readme.txt", ".", "/", "/etc/passwd", "//etc/x",
    "Guides//start.txt", "/Guides", "Guides/", "..\\secret.txt", "Guides\\start.txt", "C:\\secret.txt", "C:secret.txt",
    "c:/secret.txt", "\\\\host\\share", "readme.txt\0", "\0", "read\nme.txt", "\x1b[2Jreadme.txt", "a\x7f", "\x9b2J",
    "invoice\u202egpj.exe", "zero\u200bwidth", "line\u2028end", ".bashrc", "Guides/.hidden", "x.part", "X.PART",
    "a" * 256, "é" * 128, "a/" * MAX_DEPTH + "a", "Guides/" + "a" * 5000, "%2e%2e/secret.txt", "~/secret.txt", "~root",
    "CON", "readme.txt ", "nothing here", "readme.txt/x", "Guides/start.txt/..", "[FILE_START]", "-rf", " ", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE, ids=ascii)
def test_what_is_not_in_the_share_is_not_found(tree: Tree, path: str) -> None:
    assert refusal(tree, path) is Code.FILE_NOT_FOUND
    assert listing_refusal(tree, path) is Code.FILE_NOT_FOUND


@pytest.mark.parametrize("name", ["-rf", "~", "%2e%2e", "x ", "a..b", "Ünïcode ✓.txt", "日本語", "[b]bold[b]", "12:30"])
def test_odd_names_that_are_clean_are_served(tree: Tree, share: Path, name: str) -> None:
    (share / name).write_bytes(name.encode())
    assert contents(tree, name) == name.encode()
    assert name in names(tree.list_folder(""))


def test_files_are_opened_at_any_depth(tree: Tree) -> None:
    assert contents(tree, "readme.txt") == b"hello"
    assert contents(tree, "Guides/start.txt") == b"begin here"
    assert contents(tree, "Guides/Deep/end.txt") == b""


def test_an_opened_file_is_closed_on_exec(tree: Tree) -> None:
    fd = tree.open_file("readme.txt")
    assert not os.get_inheritable(fd)
    os.close(fd)


@pytest.mark.parametrize("path", ["", "Guides", "Guides/Deep"])
def test_a_folder_is_no_file(tree: Tree, path: str) -> None:
    assert refusal(tree, path) is Code.FILE_NOT_FOUND


@pytest.mark.parametrize("path", ["readme.txt", "Guides/start.txt"])
def test_a_file_is_no_folder(tree: Tree, path: str) -> None:
    assert listing_refusal(tree, path) is Code.NOT_A_FOLDER


def test_a_share_that_is_gone_says_so(tmp_path: Path) -> None:
    for by_descriptor in {HAS_FOLDER_DESCRIPTORS, False}:
        tree = Tree(str(tmp_path / "nowhere"), by_descriptor)
        assert refusal(tree, "x") is Code.FILES_UNAVAILABLE
        assert listing_refusal(tree, "") is Code.FILES_UNAVAILABLE


@needs_descriptors
def test_running_out_of_descriptors_is_a_limit(share: Path) -> None:
    tree = Tree(str(share))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = os.open(os.devnull, os.O_RDONLY)
    os.close(spare)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare, hard))
    try:
        code = refusal(tree, "readme.txt")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert code is Code.LIMIT_REACHED


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert is_served(text) == (is_path(text) and text != "" and "/" not in text)
    assert is_path(text + "/..") is is_path("../" + text) is False


# Links and what isn't a file.


def test_links_are_not_there(tree: Tree, share: Path, tmp_path: Path) -> None:
    (share / "out").symlink_to(tmp_path / "secret.txt")
    (share / "in").symlink_to("readme.txt")
    (share / "up").symlink_to(tmp_path)
    (share / "around").symlink_to("Guides")
    (share / "nowhere").symlink_to("nothing")
    (share / "loop").symlink_to("loop")
    for path in ("out", "in", "up/secret.txt", "up", "around/start.txt", "nowhere", "loop"):
        assert refusal(tree, path) is Code.FILE_NOT_FOUND
    for path in ("up", "around", "loop", "out"):
        assert listing_refusal(tree, path) is Code.FILE_NOT_FOUND
    assert names(tree.list_folder("")) == ["Guides", "readme.txt"]


@pytest.mark.parametrize("by_descriptor", {HAS_FOLDER_DESCRIPTORS, False})
def test_the_share_itself_may_be_a_link(share: Path, tmp_path: Path, by_descriptor: bool) -> None:
    (tmp_path / "link").symlink_to(share)
    tree = Tree(str(tmp_path / "link"), by_descriptor)
    assert contents(tree, "Guides/start.txt") == b"begin here"
    assert names(tree.list_folder("Guides")) == ["Deep", "start.txt"]


def test_a_hard_link_is_a_file_like_another(tree: Tree, share: Path) -> None:
    os.link(share / "readme.txt", share / "again.txt")
    assert contents(tree, "again.txt") == b"hello"


def test_pipes_sockets_and_devices_are_not_there(tree: Tree, share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(share)  # a socket's path must be short
    os.mkfifo("pipe")
    paths = ["pipe", "sock"]
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("sock")
        try:
            os.mknod("zero", 0o20666, os.makedev(1, 5))
            paths.append("zero")
        except OSError:
            pass  # only root makes devices
        for path in paths:
            assert refusal(tree, path) is Code.FILE_NOT_FOUND
            assert listing_refusal(tree, path) is Code.FILE_NOT_FOUND
        assert names(tree.list_folder("")) == ["Guides", "readme.txt"]


SWAP = """
import os, sys
target, inside, outside = sys.argv[1:]
while True:
    os.symlink(outside, "swap"); os.rename("swap", target)
    os.link(inside, "swap"); os.rename("swap", target)
"""
SWAP_FOLDER = """
import os, sys
target, inside, outside = sys.argv[1:]
while True:
    os.rename(target, inside); os.symlink(outside, target)
    os.unlink(target); os.rename(inside, target)
"""


@needs_descriptors
@pytest.mark.parametrize(("script", "path"), [(SWAP, "target"), (SWAP_FOLDER, "target/secret.txt")])
def test_nothing_outside_is_opened_however_names_are_exchanged(
    share: Path, tmp_path: Path, script: str, path: str
) -> None:
    tree = Tree(str(share))
    if script is SWAP:
        (share / "target").write_bytes(b"mine")
        arguments = ["target", "readme.txt", "../secret.txt"]
    else:
        (share / "target").mkdir()
        (share / "target" / "secret.txt").write_bytes(b"mine")
        arguments = ["target", "aside", ".."]
    with subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=share) as swapper:
        try:
            seen = {contents_or_nothing(tree, path) for _ in range(10_000)}
        finally:
            swapper.kill()
    assert seen <= {b"mine", b"hello", b""}


def contents_or_nothing(tree: Tree, path: str) -> bytes:
    try:
        return contents(tree, path)
    except PathRefused:
        return b""


# Listings.


def test_a_listing_says_sizes_times_and_counts(tree: Tree, share: Path) -> None:
    os.utime(share / "readme.txt", ns=(0, 1_700_000_000_123_456_789))
    listing = tree.list_folder("")
    folder, file = listing.entries
    assert (folder.name, folder.kind, folder.size, folder.entries) == ("Guides", "folder", 0, 2)
    assert (file.name, file.kind, file.size, file.modified_us) == ("readme.txt", "file", 5, 1_700_000_000_123_456)
    assert listing.total == 2


def test_an_empty_folder_has_an_empty_listing(tree: Tree, share: Path) -> None:
    (share / "empty").mkdir()
    assert tree.list_folder("empty") == Listing((), 0)


def test_folders_come_first_then_names_in_natural_order(tree: Tree, share: Path) -> None:
    (share / "zoo").mkdir()
    for name in ("file 10.txt", "File 9.txt", "b", "A", "file 9.txt", "10", "9"):
        (share / name).touch()
    expected = ["Guides", "zoo", "9", "10", "A", "b", "File 9.txt", "file 9.txt", "file 10.txt", "readme.txt"]
    assert names(tree.list_folder("")) == expected


@given(st.lists(st.text(max_size=20)))
def test_natural_order_takes_any_names(texts: list[str]) -> None:
    keys = [natural_key(text) for text in texts]
    assert len(sorted(keys)) == len(texts)


def test_names_that_are_not_served_are_not_listed(tree: Tree, share: Path) -> None:
    for name in (b".hidden", b"x.part", b"a\nb", b"\xff\xfe", b"back\\slash", "\u202egpj".encode(), b"C:x"):
        try:
            Path(os.fsdecode(os.fsencode(share / "Guides" / "Deep") + b"/" + name)).touch()
        except OSError:
            continue  # a file system of other rules
    assert names(tree.list_folder("Guides/Deep")) == ["end.txt"]
    assert tree.list_folder("Guides").entries[0].entries == 1


def test_a_large_folder_is_cut_and_counted(tree: Tree, share: Path) -> None:
    for number in range(MAX_LISTED + 50):
        os.close(os.open(share / "Guides" / "Deep" / f"{number}", os.O_CREAT | os.O_WRONLY))
    listing = tree.list_folder("Guides/Deep")
    assert (len(listing.entries), listing.total) == (MAX_LISTED, MAX_LISTED + 51)
    assert tree.list_folder("Guides").entries[0].entries == MAX_LISTED


def test_long_names_are_cut_to_what_a_reader_may_wait_for(tree: Tree, share: Path) -> None:
    for number in range(4000):
        os.close(os.open(share / "Guides" / "Deep" / f"{number:0250}", os.O_CREAT | os.O_WRONLY))
    listing = tree.list_folder("Guides/Deep")
    assert sum(len(entry.name) for entry in listing.entries) < MAX_LISTED_BYTES
    assert len(listing.entries) < listing.total == 4001


# States of a file.


def test_a_file_is_the_same_until_it_is_written(share: Path) -> None:
    fd = os.open(share / "readme.txt", os.O_RDONLY)
    first = FileId.of(fd)
    assert FileId.of(fd) == first
    assert first.size == 5 and first.modified_us == first.mtime_ns // 1000
    os.truncate(share / "readme.txt", 3)
    assert FileId.of(fd) != first
    os.close(fd)
