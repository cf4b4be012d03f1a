from __future__ import annotations

import pytest

from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.reads import CUT_CHARACTER_S, Reads

EURO = "€".encode()


def test_each_read_is_a_message() -> None:
    reads = Reads(100)
    assert [reads.feed(data, 0.0) for data in (b"one", b"two\nthree", b"")] == ["one", "two\nthree", ""]
    assert reads.deadline is None


def test_a_read_that_ends_inside_a_character_goes_on_in_the_next() -> None:
    reads = Reads(100)
    assert reads.feed(b"a" + EURO[:1], 0.0) == ""
    assert reads.feed(EURO[1:2], 0.1) == ""
    assert reads.deadline == pytest.approx(0.1 + CUT_CHARACTER_S)
    assert reads.feed(EURO[2:] + b"b", 0.2) == "a€b"
    assert reads.deadline is None


def test_the_rest_of_a_character_is_not_waited_for_long() -> None:
    reads = Reads(100)
    reads.feed("café".encode("latin-1"), 0.0)
    assert reads.feed(b"", CUT_CHARACTER_S / 2) == ""
    assert reads.deadline == CUT_CHARACTER_S
    assert reads.feed(b"", CUT_CHARACTER_S) == "caf\ufffd"
    assert reads.feed(b"next", 9.0) == "next"


def test_what_is_no_utf8_is_replaced() -> None:
    assert Reads(100).feed(b"a\xff\xc0b", 0.0) == "a\ufffd\ufffdb"


def test_a_message_has_a_limit_however_it_is_cut() -> None:
    assert len(Reads(6).feed(b"123456", 0.0)) == 6
    with pytest.raises(ProtocolError) as raised:
        Reads(6).feed(b"1234567", 0.0)
    assert raised.value.code == Code.FRAME_TOO_LARGE
    reads = Reads(6)
    reads.feed(EURO + EURO[:1], 0.0)
    with pytest.raises(ProtocolError):
        reads.feed(EURO[1:] + EURO[:1], 0.0)
