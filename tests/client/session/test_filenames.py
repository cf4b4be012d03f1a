"""Foreign names of files become harmless ones."""

from __future__ import annotations

from itertools import islice
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_client.session.filenames import MAX_NAME_BYTES, free_names, safe_name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.txt", "a.txt"),
        ("Sub/with spaces.txt", "with spaces.txt"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("/", "file"),
        ("folder/", "folder"),
        (".bashrc", "_bashrc"),
        ("..hidden", "_hidden"),
        ("C:\\windows\\evil.exe", "evil.exe"),
        ("c:evil", "c_evil"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("com1 .txt", "_com1 .txt"),
        ("a\x1b[2Jb\x00", "ab_"),
        ("what?*.txt", "what__.txt"),
        ("trailing. . ", "trailing"),
        ("naïve – ünïcode.txt", "naïve – ünïcode.txt"),
        ("-rf", "-rf"),
    ],
)
def test_examples(path: str, name: str) -> None:
    assert safe_name(path) == name


@given(st.text(max_size=400))
def test_any_name_is_one_visible_part_of_bounded_length(path: str) -> None:
    name = safe_name(path)
    assert name and name not in (".", "..") and not name.startswith(".")
    assert not set(name) & set('/\\\0\n<>:"|?*')
    assert len(name.encode()) <= MAX_NAME_BYTES + 1
    assert (Path("folder") / name).parent == Path("folder")
    assert not PureWindowsPath(name).drive
    assert safe_name(name) == name


def test_long_names_keep_their_ending() -> None:
    name = safe_name("ü" * 300 + ".txt")
    assert name.endswith("ü.txt") and len(name.encode()) <= MAX_NAME_BYTES
    assert len(safe_name("x." + "y" * 300)) == MAX_NAME_BYTES


@pytest.mark.parametrize(
    ("name", "second"), [("a.txt", "a (1).txt"), ("a", "a (1)"), ("a.tar.gz", "a (1).tar.gz"), ("a.b.c", "a.b (1).c")]
)
def test_copies_are_numbered(name: str, second: str) -> None:
    places = list(islice(free_names(Path("folder"), name), 2))
    assert places == [Path("folder") / name, Path("folder") / second]
