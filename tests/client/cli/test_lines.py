"""Lines of standard input, however they are cut and wherever they come from."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_client.cli.lines import MAX_LINE_BYTES, LineSplitter, lines_of


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_lines_are_the_same_however_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    pieces = [0, *sorted(cuts), len(data)]
    splitter = LineSplitter()
    lines = [line for a, b in pairwise(pieces) for line in splitter.feed(data[a:b])]
    whole = LineSplitter()
    assert lines == whole.feed(data)
    assert splitter.take_rest() == whole.take_rest()


def test_line_ends_and_broken_utf8() -> None:
    splitter = LineSplitter()
    assert splitter.feed("a\r\nbä\n\n".encode() + b"\xff\n c") == ["a", "bä", "", "�"]
    assert splitter.take_rest() == " c"


def test_a_line_without_end_is_cut_and_what_follows_it_is_not_mistaken_for_a_line() -> None:
    splitter = LineSplitter(max_line_bytes=4)
    assert splitter.feed(b"abcdefgh") == []
    assert splitter.feed(b"ijk\nok\n") == ["abcd", "ok"]
    assert MAX_LINE_BYTES > 32 * 1024


async def _all(lines: AsyncGenerator[str, None]) -> list[str]:
    async with aclosing(lines):
        return [line async for line in lines]


async def test_lines_come_from_a_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo")
    os.close(writing)
    try:
        assert await _all(lines_of(reading)) == ["one", "two"]
        assert os.get_blocking(reading)
    finally:
        os.close(reading)


@pytest.mark.parametrize("content", ["", "one\n", "one\ntwo", "x" * 200_000 + "\nend\n"])
async def test_lines_come_from_a_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lines"
    path.write_text(content)
    with path.open("rb") as file:
        assert await _all(lines_of(file.fileno())) == content.splitlines()


async def test_nothing_comes_from_nowhere() -> None:
    with open(os.devnull, "rb") as nowhere:
        assert await _all(lines_of(nowhere.fileno())) == []


async def test_a_descriptor_that_is_closed_has_no_lines() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    os.close(reading)
    assert await _all(lines_of(reading)) == []
