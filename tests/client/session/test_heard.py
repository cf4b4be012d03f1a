"""Addresses as people write them."""

from __future__ import annotations

import pytest

from mystic_client.session.heard import Address


@pytest.mark.parametrize(
    ("address", "shown"), [(Address("example.org", 12000), "example.org:12000"), (Address("::1", 1), "[::1]:1")]
)
def test_an_address_in_one_word(address: Address, shown: str) -> None:
    assert str(address) == shown
