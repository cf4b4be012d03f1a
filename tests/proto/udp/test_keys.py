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


def test_many_blocks_at_once_are_the_same_as_one_by_one() -> None:
    bodies = [bytes([number]) * 1168 for number in range(5)]
    one_by_one, _ = server_keys(terms_of(), 100_000)
    at_once, _ = server_keys(terms_of(), 100_000)
    data = b"".join(one_by_one.seal(DATA, body, 7 + number) for number, body in enumerate(bodies))
    assert at_once.seal_blocks(range(7, 12), bodies) == data
    assert at_once.next_pn == one_by_one.next_pn == 6
    _, opener = client_keys(terms_of(), 100_000)
    assert opener.open_blocks(memoryview(data), 1200, 5, 1, 7) == bodies
    assert opener.open_blocks(memoryview(data), 1200, 3, 1, 7) == bodies[:3]
    assert opener.open_blocks(memoryview(data), 1200, 5, 1, 8) == []
    assert opener.open_blocks(memoryview(data), 1200, 5, 2, 7) == []


@pytest.mark.parametrize("at", [0, 1, 5, 11, 15, 16, 1199])
def test_blocks_are_opened_up_to_the_first_that_is_not_authentic(at: int) -> None:
    sealer, _ = server_keys(terms_of(), 100_000)
    _, opener = client_keys(terms_of(), 100_000)
    data = bytearray(sealer.seal_blocks(range(4), [bytes(1168)] * 4))
    data[2400 + at] ^= 1
    assert opener.open_blocks(memoryview(bytes(data)), 1200, 4, 1, 0) == [bytes(1168)] * 2


def test_no_pn_is_used_up_twice_by_many_at_once() -> None:
    sealer, _ = server_keys(terms_of(), 100_000)
    sealer.next_pn = PN_MAX
    with pytest.raises(KeyUsedUp):
        sealer.seal_blocks(range(2), [b"", b""])
