"""How often somebody may try a password or take a new name, in a time that the tests make."""

from __future__ import annotations

import itertools

import pytest

from mystic_server.accounts.throttle import FORGOTTEN_S, MAX_ACCOUNTS, MAX_PLACES, Throttle, ThrottleLimits, place_of

PUBLIC = "9.9.9.9"
OTHER = "1.1.1.1"
PRIVATE = "192.168.1.7"
HERE = "127.0.0.1"
LIMITS = ThrottleLimits(
    failures_per_minute=10,
    failures_per_account=5,
    delay_max_s=900,
    registrations_per_hour=3,
    registrations_per_hour_private=20,
    registrations_per_ten_minutes=30,
)


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(LIMITS)


def fails(throttle: Throttle, host: str, account: str, now: float) -> float:
    """One failure, as soon as it may be; when that was."""
    now += throttle.wait_s(host, account, now)
    assert throttle.wait_s(host, account, now) == 0
    throttle.tried(host, account, now)
    return now


# By name.


def test_the_delays_of_a_name_double_from_the_sixth_failure_on_to_a_quarter_of_an_hour(throttle: Throttle) -> None:
    times = [0.0]
    for _ in range(18):
        times.append(fails(throttle, HERE, "ana", times[-1]))
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_other_names_need_not_wait(throttle: Throttle) -> None:
    for _ in range(6):
        fails(throttle, HERE, "ana", 0.0)
    assert throttle.wait_s(HERE, "ana", 1.0) > 0
    assert throttle.wait_s(HERE, "bob", 1.0) == 0


def test_a_success_makes_up_for_all_failures(throttle: Throttle) -> None:
    for _ in range(5):
        fails(throttle, HERE, "ana", 0.0)
    throttle.tried(HERE, "ana", 1.0)
    throttle.succeeded(HERE, "ana", 1.0)
    assert throttle.wait_s(HERE, "ana", 1.0) == 0


def test_many_at_once_count_before_they_are_answered(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.tried(HERE, "ana", 0.0)
    assert throttle.wait_s(HERE, "ana", 0.0) == 1.0


def test_what_could_not_be_checked_is_no_failure(throttle: Throttle) -> None:
    for _ in range(20):
        assert throttle.wait_s(PUBLIC, "ana", 0.0) == 0
        throttle.tried(PUBLIC, "ana", 0.0)
        throttle.not_checked(PUBLIC, "ana", 0.0)


def test_failures_are_forgotten_after_a_day(throttle: Throttle) -> None:
    for _ in range(30):
        throttle.tried(HERE, "ana", 0.0)
    assert throttle.wait_s(HERE, "ana", 1.0) == 899
    later = FORGOTTEN_S + 1
    throttle.tried(HERE, "ana", later)
    assert throttle.wait_s(HERE, "ana", later) == 0


# By place.


def test_one_place_has_ten_failures_a_minute_whatever_names_it_tries(throttle: Throttle) -> None:
    for at in range(10):
        assert fails(throttle, PUBLIC, f"name{at}", 0.0) == 0
    assert throttle.wait_s(PUBLIC, "another", 0.0) == pytest.approx(6.0)
    assert throttle.wait_s(OTHER, "another", 0.0) == 0
    assert throttle.wait_s(PUBLIC, "another", 6.0) == pytest.approx(0.0)


def test_successes_cost_a_place_nothing(throttle: Throttle) -> None:
    for at in range(50):
        throttle.tried(PUBLIC, f"name{at}", 0.0)
        throttle.succeeded(PUBLIC, f"name{at}", 0.0)
    assert throttle.wait_s(PUBLIC, "another", 0.0) == 0


def test_this_machine_is_not_counted(throttle: Throttle) -> None:
    for at in range(50):
        throttle.tried(HERE, f"name{at}", 0.0)
        throttle.registered(HERE, 0.0)
    assert throttle.wait_s(HERE, "another", 0.0) == 0
    assert throttle.registration_wait_s(HERE, 0.0) == 0


def test_a_network_of_64_bits_is_one_place_and_a_mapped_address_is_the_one_it_maps() -> None:
    assert place_of("2001:db8:0:1::1").key == place_of("2001:db8:0:1:ffff::2%eth0").key
    assert place_of("2001:db8:0:1::1").key != place_of("2001:db8:0:2::1").key
    assert place_of("::ffff:198.51.100.7") == place_of("198.51.100.7")
    assert place_of("::1").is_here and place_of("127.8.9.1").is_here and place_of("::ffff:127.0.0.1").is_here


# New names.


def test_one_place_takes_three_new_names_an_hour(throttle: Throttle) -> None:
    for _ in range(3):
        assert throttle.registration_wait_s("8.8.8.8", 0.0) == 0
        throttle.registered("8.8.8.8", 0.0)
    assert throttle.registration_wait_s("8.8.8.8", 0.0) == pytest.approx(1200)
    assert throttle.registration_wait_s("8.8.4.4", 0.0) == 0
    assert throttle.registration_wait_s("8.8.8.8", 1201.0) == 0


def test_all_places_together_take_thirty_in_ten_minutes(throttle: Throttle) -> None:
    for at in range(30):
        assert throttle.registration_wait_s(f"8.8.{at}.1", 0.0) == 0
        throttle.registered(f"8.8.{at}.1", 0.0)
    assert throttle.registration_wait_s(OTHER, 0.0) == pytest.approx(20)


def test_a_private_network_may_be_a_class_room(throttle: Throttle) -> None:
    for _ in range(20):
        assert throttle.registration_wait_s(PRIVATE, 0.0) == 0
        throttle.registered(PRIVATE, 0.0)
    assert throttle.registration_wait_s(PRIVATE, 0.0) == pytest.approx(180)
    assert throttle.registration_wait_s(PUBLIC, 0.0) == 0


# Memory.


def test_tables_are_bounded(throttle: Throttle) -> None:
    for at in range(MAX_ACCOUNTS + 10):
        throttle.tried(f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}", f"name{at}", float(at))
    assert len(throttle._accounts) == MAX_ACCOUNTS
    assert len(throttle._guesses._left) == MAX_PLACES
