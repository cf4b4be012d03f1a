"""Only the other side can open a datagram, only as it was sealed, and no nonce comes twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.udp.keys import KeyUsedUp, client_keys, server_keys
from mysticproto.udp.packets import DATA, PN_MAX, REPORT
from tests.proto.udp.links import terms_of


def test_each_side_opens_what_the_other_sealed() -> None:
    (server_seals, server_opens), (client_seals, client_opens) = server_keys(terms_of(), 9), client_keys(terms_of(), 9)
    data = server_seals.seal(DATA, b"block", 77)
    assert client_opens.header(data) == (DATA, 1, 77)
    assert client_opens.open(data) == b"block"
    report = client_seals.seal(REPORT, b"")
    assert server_opens.header(report) == (REPORT, 1, 0)
    assert server_opens.open(memoryview(report)) == b""


def test_a_datagram_that_is_sent_back_does_not_open() -> None:
    sealer, opener = server_keys(terms_of(), 9)
    assert opener.open(sealer.seal(DATA, b"block")) is None


@given(st.integers(0, 36), st.integers(0, 7))
def test_no_bit_can_be_changed(at: int, bit: int) -> None:
    (sealer, _), (_, opener) = server_keys(terms_of(), 9), client_keys(terms_of(), 9)
    sealed = bytearray(sealer.seal(DATA, b"block", 3))
    assert len(sealed) == 37
    sealed[at] ^= 1 << bit
    assert opener.open(bytes(sealed)) is None


@given(st.binary(max_size=64))
def test_noise_is_no_datagram(noise: bytes) -> None:
    _, opener = client_keys(terms_of(), 9)
    assert opener.header(noise) is None or opener.open(noise) is None


@pytest.mark.parametrize("other", [(terms_of(1000), 9), (terms_of(), 10), (terms_of(secret=b"t" * 32), 9)])
def test_sides_that_disagree_about_the_terms_can_not_talk(other: tuple[object, int]) -> None:
    (sealer, _), (_, opener) = server_keys(terms_of(), 9), client_keys(*other)  # type: ignore[arg-type]
    assert opener.open(sealer.seal(DATA, b"block")) is None


def test_every_datagram_has_a_pn_of_its_own_and_they_end() -> None:
    sealer, _ = server_keys(terms_of(), 9)
    sealer.seal(DATA, b"")
    assert sealer.skip() == 2
    assert sealer.next_pn == 3
    sealer.next_pn = PN_MAX
    sealer.seal(DATA, b"")
    assert sealer.used_up
    with pytest.raises(KeyUsedUp):
        sealer.seal(DATA, b"")
