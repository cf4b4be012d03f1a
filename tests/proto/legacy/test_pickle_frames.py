"""Frames of the relay client: headers, words, and pickles whose hash must fit."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy import pickle_data, pickle_frames
from mysticproto.legacy.pickle_frames import MAX_BODY_BYTES, Command, FrameReader, Pickled, Senseless
from tests.support import old_pickle_relay

words = st.text(st.characters(codec="utf-8", exclude_characters="\x1f"), max_size=20)


def frames(data: bytes) -> list[Command | Pickled | Senseless]:
    reader, found = FrameReader(), []
    reader.feed(data)
    while (frame := reader.maybe_frame()) is not None:
        found.append(frame)
    return found


def test_the_bytes_of_a_command() -> None:
    assert pickle_frames.command("ok") == b"cmd:2           ok"
    assert pickle_frames.command("username_taken", "ann") == b"cmd:18          username_taken\x1fann"


@given(st.lists(words, min_size=1, max_size=4))
def test_commands_are_read_as_they_were_written(said: list[str]) -> None:
    assert frames(pickle_frames.command(*said)) == frames(old_pickle_relay.command(*said)) == [Command(tuple(said))]


@given(st.lists(st.tuples(st.floats(0, 1e10), words, words), max_size=5), st.integers(0, 5))
def test_pickles_are_read_as_they_were_written(rows: list[tuple[float, str, str]], protocol: int) -> None:
    ours = pickle_frames.message(pickle_data.listing(pickle_data.row(*row) for row in rows))
    assert frames(old_pickle_relay.message(rows, protocol)) == frames(ours) == [Pickled([*rows])]
    assert pickle.loads(ours[16:-65]) == rows


def test_a_hash_may_be_in_capitals() -> None:
    data = pickle_frames.message(b"\x8c\x02hi.")
    assert frames(data[:-64] + data[-64:].upper()) == [Pickled("hi")]


@pytest.mark.parametrize(
    "data",
    [
        b"msg:0           ",
        b"msg:3           abc",
        pickle_frames.message(b"\x8c\x02hi.")[:-1] + b"g",
        pickle_frames.message(b"\x8c\x02hi.").replace(b"\x1f", b" "),
        pickle_frames.message(b"cos\nsystem\n."),
        pickle_frames.message(b""),
        b"cmd:2           \xff\xfe",
    ],
)
def test_senseless_frames_leave_the_next_one_alone(data: bytes) -> None:
    assert frames(data + pickle_frames.command("ok")) == [Senseless(), Command(("ok",))]


@pytest.mark.parametrize(
    "header",
    [b"cmd:            ", b"cmd:-1          ", b"cmd:01          ", b"cmd:2 2         ", b"CMD:2           ",
     b"xyz:2           ", b"cmd 2           ", b" cmd:2          ", b"cmd:0x2         ", "cmd:٣          ".encode()],
)  # fmt: skip
def test_other_headers_are_none(header: bytes) -> None:
    with pytest.raises(ProtocolError) as raised:
        frames(header + b"ok")
    assert raised.value.code == Code.MALFORMED


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, 99_999_999_999])
def test_a_claimed_length_is_compared_with_the_limit_at_once(length: int) -> None:
    with pytest.raises(ProtocolError) as raised:
        frames(f"msg:{length}".ljust(16).encode())
    assert raised.value.code == Code.FRAME_TOO_LARGE
