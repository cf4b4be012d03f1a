"""Posts that wait for their acknowledgement."""

from __future__ import annotations

import uuid

import pytest

from mystic_client.session.heard import OutboxFull
from mystic_client.session.outbox import MAX_UNDER_WAY, MAX_WAITING, Outbox, new_client_id
from mysticproto.model import MAX_TEXT_BYTES, Ok, Post, Refused, ToGlobal, ToGroup, ToUsers
from mysticproto.native import MAX_REQUEST_BYTES, encode_frame


def test_client_ids_are_uuids_in_the_order_of_time() -> None:
    ids = [new_client_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert [value[:6] for value in ids] == sorted(value[:6] for value in ids)
    known = uuid.UUID(bytes=ids[0])
    assert (known.version, known.variant) == (7, uuid.RFC_4122)


def test_an_answer_settles_its_post_once() -> None:
    outbox = Outbox()
    first, second = outbox.add(ToGlobal(), "one", 0), outbox.add(ToGlobal(), "two", 0)
    outbox.asked(5, first)
    outbox.asked(6, second)
    settled = outbox.maybe_settle(Ok(6, 40, 41, ("x",), ("y",)))
    assert settled is not None
    assert (settled.cid, settled.state, settled.seq, settled.unknown, settled.away) == (
        second.cid, "sent", 40, ("x",), ("y",),
    )  # fmt: skip
    assert outbox.maybe_settle(Ok(6, 40, 41)) is None
    assert outbox.maybe_settle(Ok(99)) is None
    assert outbox.waiting() == [first]


def test_numbers_of_a_broken_connection_mean_nothing() -> None:
    outbox = Outbox()
    entry = outbox.add(ToGlobal(), "one", 0)
    outbox.asked(5, entry)
    outbox.disconnected()
    assert outbox.maybe_settle(Ok(5, 1, 1)) is None
    assert outbox.waiting() == [entry]


def test_a_refusal_says_who_is_unknown() -> None:
    outbox = Outbox()
    outbox.asked(1, outbox.add(ToUsers(("no",)), "hi", 0))
    settled = outbox.maybe_settle(Refused(1, "unknown_user", "Nobody is called no.", "no"))
    assert settled is not None
    assert (settled.state, settled.error, settled.unknown) == ("failed", "Nobody is called no.", ("no",))


def test_the_outbox_is_bounded_and_gives_up() -> None:
    outbox = Outbox()
    for _ in range(MAX_WAITING):
        outbox.add(ToGlobal(), "hi", 0)
    with pytest.raises(OutboxFull):
        outbox.add(ToGlobal(), "hi", 0)
    given_up = outbox.give_up("over")
    assert (len(given_up), {state.error for state in given_up}) == (MAX_WAITING, {"over"})
    assert len(outbox) == 0


@pytest.mark.parametrize(
    ("to", "text", "fits"),
    [
        (ToGlobal(), "x" * MAX_TEXT_BYTES, True),
        (ToGlobal(), "x" * (MAX_TEXT_BYTES + 1), False),
        (ToGlobal(), "é" * MAX_TEXT_BYTES, False),
        (ToGroup("g" * 40_000), "x", True),
        (ToGroup("g" * 40_000), "x" * MAX_TEXT_BYTES, False),
        (ToUsers(("u" * 500,) * 64), "x" * 30_000, True),
        (ToUsers(("u" * 500,) * 64), "x" * MAX_TEXT_BYTES, False),
    ],
)
def test_what_fits_into_a_frame(to: ToGlobal | ToGroup | ToUsers, text: str, fits: bool) -> None:
    entry = Outbox().add(to, text, 2**60)
    assert entry.fits() is fits
    if fits:
        frame = encode_frame(Post(2**60, entry.to, entry.text, entry.cid, entry.reply_to))
        assert len(frame) <= MAX_REQUEST_BYTES


def test_what_was_never_sent_can_be_refused() -> None:
    outbox = Outbox()
    entry = outbox.add(ToGlobal(), "hi", 0)
    refused = outbox.maybe_refuse(entry.cid, "too long")
    assert refused is not None and refused.error == "too long"
    assert outbox.maybe_refuse(entry.cid, "too long") is None


def test_only_so_many_are_under_way_and_the_next_follow_in_order() -> None:
    outbox = Outbox()
    entries = [outbox.add(ToGlobal(), f"{number}", 0) for number in range(MAX_UNDER_WAY + 3)]
    outbox.add(ToGlobal(), "x" * (MAX_TEXT_BYTES + 1), 0)
    last = outbox.add(ToGlobal(), "last", 0)
    assert outbox.sendable() == entries[:MAX_UNDER_WAY]
    for n, entry in enumerate(outbox.sendable()):
        outbox.asked(n, entry)
    assert outbox.sendable() == []
    outbox.maybe_settle(Ok(0))
    outbox.maybe_settle(Refused(1, "muted", "No."))
    assert outbox.sendable() == entries[MAX_UNDER_WAY : MAX_UNDER_WAY + 2]
    outbox.discard(entries[MAX_UNDER_WAY].cid)
    assert outbox.sendable() == entries[MAX_UNDER_WAY + 1 :][:2]
    outbox.maybe_retry(entries[1].cid)
    outbox.disconnected()
    assert outbox.sendable() == [*entries[2:MAX_UNDER_WAY], *entries[MAX_UNDER_WAY + 1 :]][:MAX_UNDER_WAY]
    for n, entry in enumerate(outbox.sendable()):
        outbox.asked(n, entry)
        outbox.maybe_settle(Ok(n))
    assert outbox.sendable() == [last, entries[1]]
