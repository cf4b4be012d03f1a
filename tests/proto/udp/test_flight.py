"""What is on its way: arrivals, losses, and pns that only a liar reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.udp.flight import Flight, Lied, numbers_of


def flight_of(count: int, *, every_s: float = 0.0) -> Flight:
    """Block n + 100 leaves as pn n + 1, at n * every_s."""
    flight = Flight(1)
    for number in range(count):
        flight.add([100 + number], number * every_s)
    return flight


@given(st.integers(0, 1 << 300), st.integers(0, 1 << 40))
def test_positions_of_bits(bits: int, base: int) -> None:
    assert list(numbers_of(bits, base)) == [base + i for i in range(bits.bit_length()) if bits >> i & 1]


def test_what_arrived_is_told_once() -> None:
    flight = flight_of(5)
    assert flight.acknowledge(1, 0b101) == ([100, 102], 0)
    assert flight.in_flight == 3
    assert flight.acknowledge(1, 0b111) == ([101], 0)
    assert flight.acknowledge(2, 0b11) == ([], 0)


def test_holes_before_the_largest_are_lost_when_they_are_old_enough() -> None:
    flight = flight_of(5, every_s=1.0)
    flight.acknowledge(1, 0b10000)
    assert flight.give_up(5, sent_before=1.5) == [100, 101]
    assert flight.in_flight == 2
    assert flight.give_up(5, sent_before=1.5) == []


def test_what_was_given_up_too_early_still_arrives() -> None:
    flight = flight_of(2)
    assert flight.give_up(3, 9.0) == [100, 101]
    assert flight.acknowledge(1, 0b1) == ([100], 1)
    assert flight.in_flight == 0


def test_a_base_that_moves_on_changes_nothing_else() -> None:
    flight = flight_of(10)
    flight.acknowledge(1, 0b111)
    flight.forget_below(4)
    assert flight.base == 4
    assert flight.acknowledge(1, 0b1111) == ([103], 0)
    assert flight.acknowledge(6, 0b1) == ([105], 0)
    assert flight.oldest_live() == 0.0


def test_without_anything_live_nothing_is_the_oldest() -> None:
    assert Flight(1).oldest_live() is None


@pytest.mark.parametrize(("first", "bitmap"), [(1, 0b1000), (1, 0b10), (9, 0), (1 << 60, 1)])
def test_reporting_what_was_never_sent_is_a_lie(first: int, bitmap: int) -> None:
    flight = flight_of(1)
    flight.skip()  # pn 2
    flight.add([7], 0.0)  # pn 3
    with pytest.raises(Lied):
        flight.acknowledge(first, bitmap)


def test_other_datagrams_have_a_pn_and_a_time_and_no_block() -> None:
    flight = flight_of(1)
    flight.add_other(4.5)
    assert flight.sent_at(2) == 4.5
    assert flight.acknowledge(1, 0b11) == ([100], 0)
    assert flight.in_flight == 0


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1 << 30)), max_size=30))
def test_the_counts_always_agree(steps: list[tuple[int, int]]) -> None:
    flight, known = Flight(1), dict[int, int]()
    for count, chosen in steps:
        for pn in range(flight.next_pn, flight.next_pn + count):
            known[pn] = 1000 + pn
        flight.add([1000 + pn for pn in range(flight.next_pn, flight.next_pn + count)], 0.0)
        bitmap = chosen & ((1 << (flight.next_pn - flight.base)) - 1)
        arrived, _ = flight.acknowledge(flight.base, bitmap)
        expected = [known.pop(pn) for pn in numbers_of(bitmap, flight.base) if pn in known]
        assert arrived == expected
        assert flight.in_flight == len(known)


def test_what_left_last_is_found_by_when_it_left() -> None:
    flight = flight_of(5, every_s=1.0)
    assert [flight.sent_since(moment) for moment in (-1.0, 0.0, 2.5, 3.0, 4.0)] == [1, 2, 4, 5, 6]
    flight.forget_below(3)
    assert flight.sent_since(-1.0) == 3


def test_a_pn_that_was_left_out_is_as_old_as_the_one_before() -> None:
    flight = flight_of(3, every_s=1.0)
    flight.skip()
    flight.add([103], 3.0)
    assert flight.sent_since(1.5) == 3
    assert flight.sent_since(2.0) == 5


def test_what_left_last_is_given_up() -> None:
    flight = flight_of(5)
    flight.acknowledge(1, 0b1000)
    assert flight.give_up_from(3) == [102, 104]
    assert flight.in_flight == 2
    assert flight.give_up_from(1) == [100, 101]
    assert flight.acknowledge(1, 0b11111)[1] == 4
