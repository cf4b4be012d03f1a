from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.errors import Code
from mysticproto.legacy.udp_send import (
    CHUNK_BYTES,
    END_AFTER_S,
    END_TEXT,
    MAX_WINDOW,
    OVER_AFTER_S,
    READY,
    READY_LIMIT_S,
    SILENCE_LIMIT_S,
    State,
    UdpFileSender,
)

ROUND_TRIP_S = 0.01


def sender_of(data: bytes) -> UdpFileSender:
    return UdpFileSender(len(data), lambda offset, count: data[offset : offset + count], 0.0)


class Receiver:
    """A client: keeps what comes, acknowledges it, stops at the end's text."""

    def __init__(self) -> None:
        self.packets: dict[int, bytes] = {}
        self.is_over = False

    def hear(self, datagram: bytes) -> bytes | None:
        """The acknowledgement, if it gives one."""
        if self.is_over:
            return None
        if datagram[4:] == END_TEXT:
            self.is_over = True
            return None
        self.packets[int.from_bytes(datagram[:4])] = datagram[4:]
        return datagram[:4]

    @property
    def file(self) -> bytes:
        return b"".join(self.packets[number] for number in sorted(self.packets))


def transferred(sender: UdpFileSender, arrives: Callable[[], bool] = lambda: True) -> tuple[Receiver, int]:
    """Lets a receiver have it all over a line of `ROUND_TRIP_S`; returns it, and the most that was on its way."""
    receiver, now, most = Receiver(), 0.0, 0
    on_the_way = sender.feed(READY, now)
    while sender.state is not State.OVER:
        most = max(most, len(on_the_way))
        heard = [receiver.hear(datagram) for datagram in on_the_way if arrives()]
        answers = [answer for answer in heard if answer is not None and arrives()]
        deadline = sender.next_deadline()
        assert deadline is not None
        now = now + ROUND_TRIP_S if answers else max(now, deadline)
        on_the_way = [datagram for answer in answers for datagram in sender.feed(answer, now)]
        on_the_way += [] if answers else sender.feed(b"", now)
    return receiver, most


@pytest.mark.parametrize("size", [0, 1, 13, 14, 1023, 1024, 1025, 1024 + 14, 300_000])
def test_a_file_arrives(size: int) -> None:
    data = random.Random(size).randbytes(size)
    sender = sender_of(data)
    receiver, most = transferred(sender)
    assert receiver.file == data
    assert receiver.is_over
    assert sender.ended and sender.ended.is_complete
    assert most <= MAX_WINDOW


@pytest.mark.parametrize("before", [b"", b"x" * CHUNK_BYTES, END_TEXT * 2, b"x" * (CHUNK_BYTES - len(END_TEXT))])
def test_a_file_that_ends_like_the_end_arrives(before: bytes) -> None:
    receiver, _ = transferred(sender_of(before + END_TEXT))
    assert receiver.file == before + END_TEXT


def test_datagrams_are_numbered_from_0_and_carry_a_kilobyte() -> None:
    sender = sender_of(b"a" * CHUNK_BYTES + b"b")
    assert sender.feed(READY, 0.0) == [b"\0\0\0\0" + b"a" * CHUNK_BYTES, b"\0\0\0\1b"]
    assert sender.feed(b"\0\0\0\0", 0.0) == []
    assert sender.feed(b"\0\0\0\1", 0.0) == [b"\0\0\0\2" + END_TEXT]


@given(seed=st.integers(0, 1000), loss=st.floats(0, 0.3))
def test_what_is_lost_is_sent_again(seed: int, loss: float) -> None:
    chance = random.Random(seed)
    data = chance.randbytes(20_000)
    sender = sender_of(data)
    receiver, _ = transferred(sender, lambda: chance.random() >= loss)
    assert sender.ended and sender.ended.is_complete
    assert receiver.file == data


def test_a_gap_is_filled_before_its_time_is_over() -> None:
    sender = sender_of(bytes(CHUNK_BYTES * 40))
    first = [datagram[:4] for datagram in sender.feed(READY, 0.0)]
    later = [datagram[:4] for number in first[1:] for datagram in sender.feed(number, 0.001)]
    assert first[0] in later


def test_an_acknowledgement_that_comes_late_counts() -> None:
    sender = sender_of(bytes(CHUNK_BYTES * 5))
    acks = [datagram[:4] for datagram in sender.feed(READY, 0.0)]
    again = sender.feed(b"", 0.5)
    assert [datagram[:4] for datagram in again] == acks[: len(again)]
    for ack in acks:
        end = sender.feed(ack, 0.6)
    assert end == [(5).to_bytes(4) + END_TEXT]


def test_nothing_is_sent_before_the_client_is_ready() -> None:
    sender = sender_of(b"data")
    assert sender.feed(b"\0\0\0\0", 0.0) == []
    assert sender.feed(b"", 1.0) == []
    assert sender.next_deadline() == READY_LIMIT_S


@pytest.mark.parametrize(("heard", "code"), [(b"", Code.IDLE), (b"HELLO", Code.MALFORMED)])
def test_a_client_that_is_not_ready_in_time_gets_nothing(heard: bytes, code: Code) -> None:
    sender = sender_of(b"data")
    sender.feed(heard, 1.0)
    assert sender.feed(b"", READY_LIMIT_S) == []
    assert sender.ended and sender.ended.code == code
    assert not sender.ended.is_complete
    assert sender.next_deadline() is None
    assert sender.feed(READY, READY_LIMIT_S) == []


def test_a_silent_client_is_given_up() -> None:
    sender = sender_of(bytes(100_000))
    sent = len(sender.feed(READY, 0.0))
    sender.feed(b"\0\0\0\0", 1.0)
    while (deadline := sender.next_deadline()) is not None:
        sent += len(sender.feed(b"", deadline))
        last = deadline
    assert last == 1.0 + SILENCE_LIMIT_S
    assert sender.ended and sender.ended.code == Code.TOO_SLOW
    assert sent < 200, "it must not pour into a void"


def test_acknowledgements_of_nothing_are_no_signs_of_life() -> None:
    sender = sender_of(bytes(100_000))
    sender.feed(READY, 0.0)
    for junk in (b"\xff\xff\xff\xff", b"\0", b"\0\0\0\0\0", READY):
        sender.feed(junk, 9.0)
    sender.feed(b"", SILENCE_LIMIT_S)
    assert sender.ended and sender.ended.code == Code.TOO_SLOW


def test_a_file_that_became_shorter_ends_it() -> None:
    data = bytearray(100_000)
    sender = UdpFileSender(len(data), lambda offset, count: bytes(data[offset : offset + count]), 0.0)
    acks = [datagram[:4] for datagram in sender.feed(READY, 0.0)]
    del data[5000:]
    assert sender.feed(acks[0], 0.1) == []
    assert sender.ended and sender.ended.code == Code.FILE_CHANGED


def test_the_end_is_said_several_times() -> None:
    sender = sender_of(b"")
    ends = [sender.feed(READY, 0.0)]
    times = [0.0]
    while (deadline := sender.next_deadline()) is not None:
        times.append(deadline)
        ends.append(sender.feed(b"", deadline))
    assert times == [*END_AFTER_S, OVER_AFTER_S]
    assert ends == [[b"\0\0\0\0" + END_TEXT]] * len(END_AFTER_S) + [[]]


def test_a_window_that_shrank_grows_again() -> None:
    """Everything is lost once; then nothing: the rate must recover."""
    data = bytes(CHUNK_BYTES * 3000)
    sender = sender_of(data)
    sender.feed(READY, 0.0)
    again = sender.feed(b"", 0.3)
    assert 0 < len(again) < 16
    most = 0
    now = 0.3
    while again:
        now += ROUND_TRIP_S
        again = [datagram for sent in again for datagram in sender.feed(sent[:4], now)]
        most = max(most, len(again))
    assert most >= MAX_WINDOW // 2
