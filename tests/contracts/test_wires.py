"""What every wire promises, whatever its bytes are: see `mysticproto.wire`."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mysticproto.errors import ProtocolError
from mysticproto.model import Bye, Reply
from mysticproto.wire import Alone, Item, Local, Role, Wire
from tests.contracts.wires import WIRES, WireCase
from tests.proto.vocabulary import EVENTS, PASSING, replies


def of_wires(cases: list[WireCase]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


every_wire = of_wires(list(WIRES))
every_framed_wire = of_wires([case for case in WIRES if case.is_framed])
every_unframed_wire = of_wires([case for case in WIRES if not case.is_framed])


def heard(wire: Wire, pieces: list[bytes]) -> list[Item]:
    """All items, up to the error that ends the conversation."""
    items: list[Item] = []
    for piece in pieces:
        items += wire.feed(piece, 0.0)
        if items and isinstance(items[-1], ProtocolError):
            break
    assert not any(isinstance(item, ProtocolError) for item in items[:-1]), "nothing may follow an error"
    return items


def as_values(items: list[Item]) -> list[object]:
    """Items that can be compared."""
    return [(item.code, item.text) if isinstance(item, ProtocolError) else item for item in items]


@every_wire
def test_each_piece_gives_one_item(case: WireCase) -> None:
    wire = case.make()
    assert heard(wire, [case.opening]) == []
    for piece in case.conversation:
        assert len(heard(wire, [piece])) == 1


@every_framed_wire
def test_coalesced_requests_come_in_order(case: WireCase) -> None:
    one_by_one = heard(case.make(), [case.opening, *case.conversation])
    assert as_values(heard(case.make(), [case.opening + b"".join(case.conversation)])) == as_values(one_by_one)


@every_framed_wire
def test_every_cut_gives_the_same_items(case: WireCase) -> None:
    stream = case.opening + b"".join(case.conversation)
    whole = as_values(heard(case.make(), [stream]))
    for cut in range(len(stream)):
        assert as_values(heard(case.make(), [stream[:cut], stream[cut:]])) == whole


@every_framed_wire
def test_single_bytes_give_the_same_items(case: WireCase) -> None:
    stream = case.opening + b"".join(case.conversation)
    assert as_values(heard(case.make(), [bytes([byte]) for byte in stream])) == as_values(heard(case.make(), [stream]))


@every_framed_wire
def test_a_long_piece_in_single_bytes_costs_linear_time(case: WireCase) -> None:
    """Quadratic work on so many bytes would meet the test's time limit."""
    wire = case.make()
    heard(wire, [case.opening])
    for _ in range(5):
        assert len(heard(wire, [bytes([byte]) for byte in case.long_piece])) == 1


@every_wire
def test_what_is_too_long_never_becomes_a_request_and_ends_it(case: WireCase) -> None:
    wire = case.make()
    endless = [case.endless + case.filler, *[case.filler * 100] * 1000]
    items = heard(wire, [case.opening, *case.conversation[:2], *endless])
    assert len(items) == 3
    assert isinstance(items[-1], ProtocolError)
    assert heard(wire, list(case.conversation)) == []


@every_framed_wire
def test_a_full_read_of_small_pieces_is_not_too_long(case: WireCase) -> None:
    wire = case.make()
    heard(wire, [case.opening])
    small = min(case.conversation[:-3], key=len)
    for _ in range(3):
        half = len(small) // 2
        assert len(heard(wire, [small[:half], small[half:] + small * (256 * 1024 // len(small))])) > 1000


@every_unframed_wire
def test_no_cut_breaks_a_character(case: WireCase) -> None:
    text = "aé€😀ب".encode()
    for cut in range(len(text)):
        wire = case.make()
        heard(wire, [case.opening])
        heard(wire, [case.conversation[0]])
        assert "\ufffd" not in repr(heard(wire, [text[:cut], text[cut:]]))


@every_wire
@given(data=st.lists(st.binary(max_size=50), max_size=5))
def test_arbitrary_bytes_never_raise(case: WireCase, data: list[bytes]) -> None:
    check_anything(case, data)
    check_anything(case, [case.opening, *data])


@every_wire
@settings(max_examples=max(200, settings().max_examples))
@given(data=st.data())
def test_mutated_conversations_never_raise(case: WireCase, data: st.DataObject) -> None:
    stream = bytearray(case.opening + b"".join(case.conversation))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(stream) - 1))
        gone = data.draw(st.integers(0, 5))
        stream[at : at + gone] = data.draw(st.binary(max_size=5))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=3)))
    check_anything(
        case, [bytes(stream[start:end]) for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    )


def check_anything(case: WireCase, pieces: list[bytes]) -> None:
    """It may end in an error or not, but it does so for any cut; and the wire can always answer."""
    whole = case.make()
    items = heard(whole, [b"".join(pieces)])
    in_pieces = as_values(heard(case.make(), pieces))
    assert not case.is_framed or in_pieces == as_values(items)
    for item in items:
        if isinstance(item, Local):
            check_chunks(item.chunks)
        if isinstance(item, ProtocolError):
            check_chunks(whole.answer(None, Bye(item.code, item.text)))
            assert heard(whole, [case.opening, *case.conversation]) == [], "nothing is heard after the end"
    whole.eof(0.0)


def check_chunks(chunks: object) -> None:
    assert isinstance(chunks, tuple)
    assert all(isinstance(chunk, bytes | Alone) for chunk in chunks)


@every_wire
def test_silence_needs_a_deadline(case: WireCase) -> None:
    wire = case.make()
    assert all(isinstance(item, Local) for item in wire.opened(0.0))
    heard(wire, [case.opening])
    if wire.next_deadline() is None:
        assert wire.feed(b"", 1.0) == []


@every_wire
@given(said=replies)
def test_everything_can_be_answered(case: WireCase, said: Reply) -> None:
    check_chunks(case.make().answer(None, said))


@every_wire
def test_roles_with_the_same_bytes_share_one_object(case: WireCase) -> None:
    wire, other = case.make(), case.make()
    for event in [*EVENTS, *PASSING]:
        by_role = [wire.encode(event, role) for role in Role]
        assert all(before != after or before is after for before, after in pairwise(by_role))
        assert [other.encode(event, role) for role in Role] == by_role


def test_wires_have_names_of_their_own() -> None:
    assert len({case.make().name for case in WIRES}) == len(WIRES)
    assert all(case.make().name == case.name for case in WIRES)
