"""Which wire a connection speaks, on the main port and on ports of their own."""

from __future__ import annotations

import pytest

from mystic_server.net.tls import NO_TLS
from mystic_server.wires import OWN_PORTS, SHARED, choices_of_ports, choose_wire
from mysticproto.legacy.mystic_cli import MysticCliWire
from mysticproto.legacy.pickle_relay import PickleRelayPush, PickleRelaySubmit
from mysticproto.native import PREAMBLE, NativeWire


def test_nothing_is_chosen_too_early() -> None:
    for first_bytes in (b"", PREAMBLE[:3], b"VVNF", b"cmd:", b"{"):
        assert choose_wire(first_bytes, False) is None


@pytest.mark.parametrize(
    ("first_bytes", "wire"),
    [
        (PREAMBLE, "native"),
        (b"VVNFUk5BTUU6OmFubg==<END>", "unicast_base64"),
        (b'{"CMD": "JOIN", "UN": "Ann", "UID": "a"}', "muca_json"),
        (b"cmd:11          connect", "pickle_relay"),
        (b"ann", "mystic_cli"),
    ],
)
def test_the_first_bytes_choose(first_bytes: bytes, wire: str) -> None:
    chosen = choose_wire(first_bytes, True)
    assert not isinstance(chosen, bytes) and chosen is not None
    assert chosen.name == wire


def test_who_waited_long_enough_has_a_name() -> None:
    assert isinstance(choose_wire(b"V", True), MysticCliWire)


@pytest.mark.parametrize("first_bytes", [PREAMBLE[:1], PREAMBLE[:4], PREAMBLE[:6], b"{", b'{"CM', "é".encode()[:1]])
def test_what_begins_a_wire_and_can_t_be_a_name_is_waited_for(first_bytes: bytes) -> None:
    assert choose_wire(first_bytes, True) is None


def test_others_are_told_so() -> None:
    answer = choose_wire(b"GET / HTTP/1.1\r\n", False)
    assert isinstance(answer, bytes) and answer.endswith(b".\r\n") and len(answer) <= 200


def test_who_speaks_tls_where_it_is_off_hears_it_in_tls() -> None:
    assert choose_wire(b"\x16\x03\x01\x02\x00", False) == NO_TLS


def test_ports_of_their_own_speak_at_once_and_in_order() -> None:
    choices = choices_of_ports((("pickle_relay", 1), ("native", 2), ("pickle_relay", 3)))
    kinds = [type(choose(b"", True)) for choose in choices]
    assert kinds == [PickleRelayPush, NativeWire, PickleRelaySubmit]


def test_every_wire_goes_by_its_own_name() -> None:
    assert {name: make().name for name, make in SHARED.items()} == {name: name for name in SHARED}
    assert {name: {make().name for make in makes} for name, makes in OWN_PORTS.items()} == {
        name: {name} for name in OWN_PORTS
    }


def test_the_beginning_of_the_own_preamble_may_take_its_time() -> None:
    assert choose_wire(PREAMBLE[:4], True) is None
    assert isinstance(choose_wire(PREAMBLE, True), NativeWire)
