"""Which block is next: the lost ones, then those that were never sent, never one that the client has."""

from hypothesis import given
from hypothesis import strategies as st

from mysticproto.udp.supply import Supply


def test_only_what_is_missing_is_sent() -> None:
    supply = Supply(10, [(2, 5), (7, 8)])
    assert supply.take(4) == [0, 1, 5, 6]
    assert supply.take(99) == [8, 9]
    assert supply.empty and not supply.complete


def test_lost_ones_come_first_unless_they_have_arrived_meanwhile() -> None:
    supply = Supply(10, [])
    supply.take(4)
    supply.give_back([1, 2, 3])
    supply.confirmed.update([2])
    assert supply.take(3) == [1, 3, 4]


def test_it_is_empty_when_the_lost_ones_have_arrived() -> None:
    supply = Supply(3, [])
    supply.take(3)
    supply.give_back([0, 1])
    assert not supply.empty
    supply.confirmed.update([0, 1])
    assert supply.take(9) == []
    supply.confirmed.update([2])
    assert supply.complete


@given(st.sets(st.integers(0, 49)), st.lists(st.integers(1, 9), min_size=50, max_size=50))
def test_everything_that_is_missing_comes_once(had: set[int], counts: list[int]) -> None:
    supply = Supply(50, sorted((block, block + 1) for block in had))
    taken = [block for count in counts for block in supply.take(count)]
    assert taken == [block for block in range(50) if block not in had]
