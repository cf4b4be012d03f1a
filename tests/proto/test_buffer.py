from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.buffer import BufferFull, ReceiveBuffer


def test_takes_exactly_what_is_asked_for() -> None:
    buffer = ReceiveBuffer(10)
    buffer.feed(b"abcdef")
    assert buffer.maybe_take_exactly(2) == b"ab"
    assert buffer.maybe_take_exactly(2, after=1) == b"de"
    assert buffer.maybe_take_exactly(2) is None
    assert len(buffer) == 1
    assert buffer.maybe_take_exactly(0) == b""
    assert buffer.take_all() == b"f"
    assert buffer.maybe_take_exactly(1) is None


def test_a_peek_takes_nothing() -> None:
    buffer = ReceiveBuffer(10)
    buffer.feed(b"abc")
    assert buffer.maybe_peek(2) == b"ab"
    assert buffer.maybe_peek(4) is None
    assert buffer.take_all() == b"abc"


def test_a_delimiter_may_be_cut_in_two() -> None:
    buffer = ReceiveBuffer(10)
    buffer.feed(b"one\r")
    assert buffer.maybe_take_until(b"\r\n") is None
    buffer.feed(b"\n\r\ntwo")
    assert buffer.maybe_take_until(b"\r\n") == b"one"
    assert buffer.maybe_take_until(b"\r\n") == b""
    assert buffer.maybe_take_until(b"\r\n") is None
    assert buffer.take_all() == b"two"


def test_a_piece_is_refused_as_soon_as_it_must_be_too_long() -> None:
    buffer = ReceiveBuffer(10)
    buffer.feed(b"x")
    assert buffer.maybe_take_exactly(10) is None
    for _ in range(2):
        with pytest.raises(BufferFull):
            buffer.maybe_take_exactly(11)
    with pytest.raises(BufferFull):
        buffer.maybe_take_exactly(7, after=4)


@pytest.mark.parametrize("unfinished", [b"x" * 10, b"x" * 11])
def test_a_delimiter_that_does_not_come_is_refused(unfinished: bytes) -> None:
    buffer = ReceiveBuffer(10)
    buffer.feed(unfinished)
    with pytest.raises(BufferFull):
        buffer.maybe_take_until(b"\n")


def test_a_delimiter_that_comes_too_late_is_refused_and_stays_so() -> None:
    buffer = ReceiveBuffer(10)
    buffer.feed(b"x" * 11 + b"\nfine\n")
    for _ in range(2):
        with pytest.raises(BufferFull):
            buffer.maybe_take_until(b"\n")


def test_many_small_pieces_in_one_read_are_no_reason_to_refuse() -> None:
    buffer = ReceiveBuffer(10)
    buffer.feed(b"123456789\n" * 100_000 + b"rest")
    count = 0
    while buffer.maybe_take_until(b"\n") is not None:
        count += 1
    assert count == 100_000
    assert buffer.take_all() == b"rest"


def test_what_was_used_is_not_kept() -> None:
    buffer = ReceiveBuffer(1000)
    tracemalloc.start()
    for _ in range(1000):
        buffer.feed(b"x" * 10_000 + b"rest")
        while buffer.maybe_take_exactly(1000) is not None:
            pass
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 100_000


def test_single_bytes_cost_linear_time() -> None:
    """Quadratic work would take minutes here and meet the test's time limit."""
    buffer = ReceiveBuffer(1_000_000)
    for _ in range(500_000):
        buffer.feed(b"x")
        assert buffer.maybe_take_until(b"\r\n") is None
        assert buffer.maybe_take_exactly(600_000) is None
    buffer.feed(b"\r\n")
    assert buffer.maybe_take_until(b"\r\n") == b"x" * 500_000


@given(st.lists(st.binary(max_size=6)), st.sampled_from([b"\n", b"ab", b"aab", b"\0\0"]), st.integers(1, 5))
def test_the_cuts_do_not_matter(pieces: list[bytes], delimiter: bytes, size: int) -> None:
    stream = b"".join(pieces)
    until, exact = ReceiveBuffer(len(stream) + 1), ReceiveBuffer(len(stream) + size)
    lines: list[bytes] = []
    blocks: list[bytes] = []
    for piece in pieces:
        until.feed(piece)
        exact.feed(piece)
        lines += iter(lambda: until.maybe_take_until(delimiter), None)
        blocks += iter(lambda: exact.maybe_take_exactly(size), None)
    assert [*lines, until.take_all()] == stream.split(delimiter)
    assert [*blocks, exact.take_all()] == [stream[at : at + size] for at in range(0, len(stream) - size + 1, size)] + [
        stream[len(stream) - len(stream) % size :]
    ]
