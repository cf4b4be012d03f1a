"""Receipts in words."""

from mystic_client.model.receipts import readers
from mysticproto.model import UserRef, Watermark

ZOE, ANA, BOB, EVA = (UserRef(n, name) for n, name in enumerate(("zoe", "ana", "bob", "eva"), 1))
MARKS = (Watermark(ZOE, 9, 9), Watermark(ANA, 9, 7), Watermark(BOB, 6, 6), Watermark(EVA))


def test_who_has_read_and_who_has_got_a_message() -> None:
    assert readers(MARKS, 5, ZOE.id) == "Read by 2 of 3: ana and bob."
    assert readers(MARKS, 7, ZOE.id) == "Read by 1 of 3: ana."
    assert readers(MARKS, 8, ZOE.id) == "Read by 0 of 3. Delivered to ana."
    assert readers((), 8, ZOE.id) == "Read by 0 of 0."
