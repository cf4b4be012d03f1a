"""Bytes are found wherever they lie in a file, however it is read, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.files.search import Searching

Begin = Callable[..., Searching]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    begun: list[Searching] = []

    def begin(data: bytes, needle: bytes, size: int | None = None) -> Searching:
        path = tmp_path / "file"
        path.write_bytes(data)
        begun.append(Searching(os.open(path, os.O_RDONLY), len(data) if size is None else size, needle))
        return begun[-1]

    yield begin
    for each in begun:
        each.close()


def outcome(searching: Searching, slice_bytes: int = 4) -> bool:
    buffer = memoryview(bytearray(slice_bytes))
    while (found := searching.step(buffer)) is None:
        pass
    return found


@pytest.mark.parametrize("slice_bytes", [1, 2, 3, 4, 5, 7, 64])
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", False),
        (b"<END>", True),
        (b"before <END> after", True),
        (b"<END", False),
        (b"END>", False),
        (b"<EN<END>", True),
        (b"<END<END", False),
        (b"<END><", True),
        (b"<end>", False),
    ],
)
def test_it_is_found_across_slices(begin: Begin, data: bytes, found: bool, slice_bytes: int) -> None:
    assert outcome(begin(data, b"<END>"), slice_bytes) is found


def test_a_single_byte_can_be_looked_for(begin: Begin) -> None:
    assert outcome(begin(b"abcdefgh", b"h"))
    assert not outcome(begin(b"abcdefgh", b"i"))


def test_what_lies_behind_the_size_does_not_count(begin: Begin) -> None:
    assert not outcome(begin(b"abc<END>", b"<END>", size=7))
    assert outcome(begin(b"abc<END>", b"<END>", size=8))


def test_a_slice_at_a_time(begin: Begin) -> None:
    searching, buffer = begin(b"x" * 10, b"y"), memoryview(bytearray(4))
    assert [searching.step(buffer) for _ in range(4)] == [None, None, None, False]


def test_a_file_that_became_shorter_is_no_answer(begin: Begin) -> None:
    with pytest.raises(ValueError, match="shorter"):
        outcome(begin(b"abc", b"y", size=100))


def test_the_file_is_closed_and_may_be_closed_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    fd = os.open(path, os.O_RDONLY)
    searching = Searching(fd, 1, b"x")
    searching.close()
    searching.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


@given(
    data=st.lists(st.sampled_from([b"<", b"END", b">", b"<END", b"x"])).map(b"".join),
    needle=st.sampled_from([b"<END>", b"<<", b"x", b"D><E"]),
    slice_bytes=st.integers(1, 9),
)
def test_it_is_found_exactly_where_it_is(data: bytes, needle: bytes, slice_bytes: int) -> None:
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    searching = Searching(read, len(data), needle)
    assert outcome(searching, slice_bytes) is (needle in data)
    searching.close()
