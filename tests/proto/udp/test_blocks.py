"""Sets of blocks, and the runs of them that fit into a START."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.udp.blocks import BlockSet, decode_runs, encode_runs

numbers = st.sets(st.integers(0, 299))


def set_of(total: int, members: set[int]) -> BlockSet:
    blocks = BlockSet(total)
    blocks.update(members)
    return blocks


@given(numbers)
def test_it_holds_what_was_added(members: set[int]) -> None:
    blocks = set_of(300, members)
    assert {block for block in range(300) if block in blocks} == members
    assert blocks.held == len(members)


@given(numbers)
def test_runs_and_holes_cover_the_file(members: set[int]) -> None:
    blocks = set_of(300, members)
    assert [block for first, end in blocks.runs() for block in range(first, end)] == sorted(members)
    assert {block for first, end in blocks.missing() for block in range(first, end)} == set(range(300)) - members
    assert all(a[1] < b[0] for a, b in zip(list(blocks.runs()), list(blocks.runs())[1:], strict=False))


@given(numbers, st.integers(0, 299), st.integers(0, 300))
def test_a_long_run_is_added_as_single_blocks_would_be(members: set[int], first: int, count: int) -> None:
    blocks, run = set_of(300, members), set(range(first, min(300, first + count)))
    assert blocks.add(first, len(run)) == len(run - members)
    assert blocks.to_bytes() == set_of(300, members | run).to_bytes()
    assert blocks.held == len(members | run)


@given(numbers)
def test_bytes_come_back(members: set[int]) -> None:
    blocks = set_of(300, members)
    again = BlockSet.from_bytes(300, blocks.to_bytes())
    assert (again.bits, again.held) == (blocks.bits, blocks.held)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\x04", b"\xff\xff\xff"])
def test_bytes_of_another_file_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        BlockSet.from_bytes(10, data)


def test_no_blocks_are_complete() -> None:
    assert BlockSet(0).complete and not BlockSet(1).complete
    assert BlockSet.from_bytes(0, b"").complete
    assert list(BlockSet(0).missing()) == []


@given(numbers)
def test_runs_that_fit_come_back(members: set[int]) -> None:
    blocks = set_of(300, members)
    assert decode_runs(encode_runs(blocks, 10_000), 300) == list(blocks.runs())


@given(numbers, st.integers(0, 100))
def test_of_too_many_runs_the_longest_are_told(members: set[int], limit: int) -> None:
    blocks = set_of(300, members)
    encoded = encode_runs(blocks, limit)
    told = decode_runs(encoded, 300)
    assert len(encoded) <= limit
    assert set(told) <= set(blocks.runs())
    untold = set(blocks.runs()) - set(told)
    assert not told or not untold or min(e - f for f, e in told) >= max(e - f for f, e in untold)


def test_a_hundred_gigabytes_fit() -> None:
    blocks = BlockSet(85_000_000)
    blocks.add(0, 84_000_000)
    blocks.add(84_500_000, 7)
    assert len(encode_runs(blocks, 1136)) < 20
    assert list(blocks.missing()) == [(84_000_000, 84_500_000), (84_500_007, 85_000_000)]


@given(st.binary(max_size=60))
def test_any_bytes_are_runs_inside_the_file_or_refused(data: bytes) -> None:
    try:
        runs = decode_runs(data, 1000)
    except ValueError:
        return
    reached = 0
    for first, end in runs:
        assert reached <= first < end <= 1000
        reached = end


@pytest.mark.parametrize("data", [b"\x01", b"\x00\x00", b"\x00\x81", b"\x7f\x7f", b"\xff\xff\xff\xff\xff\xff\x01\x01"])
def test_runs_that_nobody_can_have_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode_runs(data, 100)


@pytest.mark.parametrize("first", range(0, 40, 3))
@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 17])
def test_a_run_of_which_nothing_is_there(first: int, count: int) -> None:
    for held in (0, 11, 12, 31, 59):
        blocks = BlockSet(60)
        blocks.add(held)
        assert blocks.lacks(first, count) == (not first <= held < first + count)


@given(st.data())
def test_the_first_gap(data: st.DataObject) -> None:
    total = data.draw(st.integers(0, 200))
    there = data.draw(st.sets(st.integers(0, max(0, total - 1)), max_size=total)) if total else set()
    blocks = BlockSet(total)
    blocks.update(there)
    start = data.draw(st.integers(0, total))
    assert blocks.gap_from(start) == next((n for n in range(start, total) if n not in there), total)


def test_a_gap_behind_many_blocks() -> None:
    blocks = BlockSet(100_000)
    blocks.add(0, 99_990)
    assert (blocks.gap_from(0), blocks.gap_from(50_000), blocks.gap_from(99_995)) == (99_990, 99_990, 99_995)
