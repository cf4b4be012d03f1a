"""Addresses and networks: one spelling each, and what is in which."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mystic_server.domain.addresses import holds_loopback, is_within, network_key, shown_network


@pytest.mark.parametrize(
    ("typed", "key", "shown"),
    [
        ("10.1.2.3", "10.1.2.3/32", "10.1.2.3"),
        ("10.1.2.3/16", "10.1.0.0/16", "10.1.0.0/16"),
        ("10.1.0.0/255.255.0.0", "10.1.0.0/16", "10.1.0.0/16"),
        ("::ffff:10.1.2.3", "10.1.2.3/32", "10.1.2.3"),
        ("::ffff:10.1.0.0/112", "10.1.0.0/16", "10.1.0.0/16"),
        ("2001:DB8:0::1", "2001:db8::1/128", "2001:db8::1"),
        ("2001:db8::1/64", "2001:db8::/64", "2001:db8::/64"),
    ],
)
def test_an_address_has_one_spelling(typed: str, key: str, shown: str) -> None:
    assert network_key(typed) == key
    assert network_key(key) == key
    assert shown_network(key) == shown


@pytest.mark.parametrize("typed", ["", "ana", "10.1.2", "10.1.2.3.4", "10.1.2.3/33", "1" * 100_000, "::1::", "a/b"])
def test_what_is_no_address(typed: str) -> None:
    assert network_key(typed) is None


@pytest.mark.parametrize(
    ("host", "network", "is_in"),
    [
        ("10.1.9.9", "10.1.0.0/16", True),
        ("10.2.0.1", "10.1.0.0/16", False),
        ("::ffff:10.1.9.9", "10.1.0.0/16", True),
        ("2001:db8::77", "2001:db8::/64", True),
        ("fe80::1%eth0", "fe80::/10", True),
        ("10.1.9.9", "2001:db8::/64", False),
        ("2001:db8::77", "10.1.0.0/16", False),
        ("", "10.1.0.0/16", False),
        ("unix", "10.1.0.0/16", False),
    ],
)
def test_who_is_in_a_network(host: str, network: str, is_in: bool) -> None:
    assert is_within(host, network) is is_in


@pytest.mark.parametrize(
    ("network", "holds"),
    [
        ("127.0.0.1/32", True),
        ("127.9.0.0/16", True),
        ("0.0.0.0/0", True),
        ("::1/128", True),
        ("::/0", True),
        ("10.0.0.0/8", False),
        ("2001:db8::/32", False),
        ("ana", False),
    ],
)
def test_the_own_machine_is_in_some_networks(network: str, holds: bool) -> None:
    assert holds_loopback(network) is holds


@given(address=st.ip_addresses(), bits=st.integers(0, 128))
def test_an_address_is_in_every_network_around_it(address: IPv4Address | IPv6Address, bits: int) -> None:
    assume(isinstance(address, IPv4Address) or not address.ipv4_mapped or bits >= 96)
    key = network_key(f"{address}/{bits}")
    assert key is None or is_within(str(address), key)


@given(text=st.text(max_size=70))
def test_any_text_may_be_asked_about(text: str) -> None:
    key = network_key(text)
    assert key is None or "/" in key
    is_within(text, "10.0.0.0/8")
