"""How many may come from where."""

from __future__ import annotations

import pytest

from mystic_server.net.admission import Admission


def admitted(admission: Admission, host: str, attempts: int = 10) -> int:
    return sum(admission.admit(host) for _ in range(attempts))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("8.8.8.8", 2),
        ("2001:4860:4860::8888", 2),
        ("::ffff:8.8.8.8", 2),
        ("10.1.2.3", 4),
        ("192.168.0.7", 4),
        ("172.16.0.1", 4),
        ("fd00::1", 4),
        ("fe80::1%eth0", 4),
        ("::ffff:10.1.2.3", 4),
        ("127.0.0.1", 10),
        ("127.9.9.9", 10),
        ("::1", 10),
        ("::ffff:127.0.0.1", 10),
    ],
)
def test_every_kind_of_address_has_its_limit(host: str, expected: int) -> None:
    assert admitted(Admission(0, per_public_address=2, per_private_address=4), host) == expected


def test_one_address_does_not_take_the_places_of_another() -> None:
    admission = Admission(0, 2, 2)
    assert admitted(admission, "8.8.8.8") == admitted(admission, "8.8.4.4") == 2
    assert admission.count == 4


def test_an_ipv6_network_of_64_bits_counts_as_one_address() -> None:
    admission = Admission(0, 2, 2)
    assert admission.admit("2001:db8:1:2::1") and admission.admit("2001:db8:1:2:ffff::9")
    assert not admission.admit("2001:db8:1:2::3")
    assert admission.admit("2001:db8:1:3::1")


def test_the_total_holds_for_everybody() -> None:
    admission = Admission(3, 0, 0)
    assert admission.admit("127.0.0.1") and admission.admit("8.8.8.8") and admission.admit("10.0.0.1")
    assert not any(map(admission.admit, ("127.0.0.1", "8.8.4.4", "10.0.0.2")))


def test_who_was_refused_is_not_counted() -> None:
    admission = Admission(2, 1, 1)
    assert admitted(admission, "8.8.8.8") == 1
    assert admission.admit("8.8.4.4")


def test_who_leaves_gives_the_place_back() -> None:
    admission = Admission(2, 2, 2)
    for _ in range(100):
        assert admitted(admission, "2001:db8::1") == 2
        admission.leave("2001:db8::2")
        admission.leave("2001:db8::1")
    assert admission.count == 0


def test_zero_is_no_limit() -> None:
    assert admitted(Admission(0, 0, 0), "8.8.8.8", 1000) == 1000
