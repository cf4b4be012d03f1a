"""Heights of many entries."""

from hypothesis import given
from hypothesis import strategies as st

from mystic_client.tui.widgets.heights import BLOCK, Heights

few = st.lists(st.integers(1, 9), max_size=3 * BLOCK)


def check(heights: Heights, truth: list[int]) -> None:
    assert [heights[index] for index in range(len(heights))] == truth
    assert heights.total == sum(truth)
    for index in {0, len(truth) // 2, max(0, len(truth) - 1)}:
        if truth:
            top = sum(truth[:index])
            assert heights.top_of(index) == top
            assert heights.at(top) == (index, 0)
            assert heights.at(top + truth[index] - 1) == (index, truth[index] - 1)


@given(few, few, few, st.integers(0, 3 * BLOCK))
def test_the_same_as_a_plain_list(first: list[int], front: list[int], back: list[int], index: int) -> None:
    heights = Heights(first)
    check(heights, first)
    heights.prepend(front)
    truth = [*front, *first]
    check(heights, truth)
    index = min(index, len(truth))
    heights.replace_from(index, back)
    truth[index:] = back
    check(heights, truth)
    if truth:
        heights.set_exact(index % len(truth), 50)
        truth[index % len(truth)] = 50
        check(heights, truth)


def test_rows_outside_give_the_first_and_the_last() -> None:
    heights = Heights([2, 3])
    assert heights.at(-5) == (0, 0)
    assert heights.at(99) == (1, 2)
    assert Heights().at(3) == (0, 0)
    assert heights.top_of(2) == 5


def test_what_is_known_is_kept_when_others_come() -> None:
    heights = Heights([1] * 10)
    heights.set_exact(3, 4)
    heights.prepend([1, 1])
    assert heights.is_exact(5) and heights.exact_count == 1
    heights.doubt(5)
    assert not heights.is_exact(5)
    heights.set_exact(5, 4)
    heights.replace_from(6, [1])
    assert heights.is_exact(5) and len(heights) == 7
    heights.replace_from(2, [])
    assert heights.exact_count == 0
