"""What the modes client's person reads, and that no chunk of it can hurt the client."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import model
from mysticproto.legacy.chat_modes_words import (
    MAX_DELICATE_BYTES,
    as_chunks,
    away,
    has_joined,
    local_time,
    quoted,
    seen_by,
    shown,
    standing,
    told,
)
from mysticproto.legacy.names import from_mystic
from mysticproto.model import Broadcast, Direct, Global, GroupCreated, GroupJoined, GroupLeft, Message, UserRef
from mysticproto.wire import Alone, Role

ANN = UserRef(1, "ann")
BOB = UserRef(2, "bob_40_hku.hk")
CREW = model.Group(4, "crew")
T = 1_800_000_000_123_456
AT = time.strftime("%d/%m/%y %H:%M:%S", time.localtime(T / 1e6))


@pytest.mark.parametrize(
    ("where", "others", "own"),
    [
        (Global(), f"[GENERAL] [{AT}] bob@hku.hk: hi", True),
        (Broadcast(), f"[BROADCAST] [{AT}] bob@hku.hk: hi", False),
        (Direct((ANN, BOB)), f"[DIRECT] [{AT}] bob@hku.hk sent you: hi", False),
        (CREW, f"[GROUP] [{AT}] bob@hku.hk sent to group crew: hi", True),
    ],
)
def test_messages(where: model.Conversation, others: str, own: bool) -> None:
    said = Message(5, T, BOB, where, "hi")
    assert told(said, Role.OTHER) == others
    assert told(said, Role.AUTHOR) == (others if own else "")
    assert told(said, Role.BYSTANDER) == ""


def test_coming_and_going() -> None:
    came, left = model.UserJoined(5, T, BOB), model.UserLeft(6, T, BOB, "lost")
    assert told(came, Role.OTHER) == has_joined(BOB) == "[SERVER] bob@hku.hk has joined the server."
    assert told(left, Role.OTHER) == "[SERVER] bob@hku.hk has left the server."
    assert told(came, Role.AUTHOR) == told(left, Role.AUTHOR) == ""


def test_membership() -> None:
    made = GroupCreated(5, T, CREW, ANN, (ANN, BOB))
    assert (
        told(made, Role.OTHER, BOB.id)
        == told(made, Role.AUTHOR, ANN.id)
        == "[GROUP] You have been added to group crew!"
    )
    assert told(GroupCreated(5, T, CREW, ANN), Role.AUTHOR, ANN.id) == "[GROUP] You have been added to group crew!"
    assert told(made, Role.OTHER, 77) == told(GroupCreated(5, T, CREW, ANN), Role.OTHER, BOB.id) == ""
    added = GroupJoined(6, T, CREW, BOB, ANN)
    assert told(added, Role.OTHER, BOB.id) == "[GROUP] bob@hku.hk has been added to group crew!"
    assert told(GroupJoined(6, T, CREW, BOB), Role.OTHER) == "[GROUP] bob@hku.hk has joined group crew!"
    removed = GroupLeft(7, T, CREW, BOB, "removed")
    assert told(removed, Role.AUTHOR, BOB.id) == "[GROUP] You have been removed from group crew!"
    assert told(removed, Role.OTHER, ANN.id) == "[GROUP] bob@hku.hk has been removed from group crew!"
    assert told(GroupLeft(7, T, CREW, BOB), Role.OTHER, ANN.id) == "[GROUP] bob@hku.hk has left group crew."


def test_what_is_said_in_passing() -> None:
    assert told(model.Seen(BOB), Role.OTHER) == "[seen by bob@hku.hk]"
    assert told(model.Notice("mind the gap"), Role.OTHER) == "[SERVER] mind the gap"
    assert told(model.StoppingIn(30), Role.OTHER) == "[SERVER] Server shutting down in 30 seconds..."
    assert told(model.Roster(()), Role.OTHER) == ""


def test_receipts() -> None:
    assert seen_by(["ann", "bob_40_hku.hk"]) == "[*sent*]\n[seen by ['ann', 'bob@hku.hk']]\n"
    assert away(model.Ok(1, away=("bob",), away_since_us=(T,))) == f"[*sent*]\n[bob offline. Last online {AT}]\n"
    assert away(model.Ok(1)) == ""


def test_of_the_absent_the_ten_last_seen_are_named() -> None:
    names = tuple(f"user{number}" for number in range(20))
    lines = away(model.Ok(1, away=names, away_since_us=tuple(T + number for number in range(20)))).splitlines()
    assert lines == ["[*sent*]", *(f"[user{number} offline. Last online {AT}]" for number in range(19, 9, -1))]


@given(st.integers(-(2**70), 2**70))
def test_any_number_is_a_time(time_us: int) -> None:
    assert len(local_time(time_us)) == len("dd/mm/yy HH:MM:SS")


@pytest.mark.parametrize("text", ["/leave", " /leave", "/leave\n/leave", "a\n/leave", "/leave\n"])
def test_a_line_that_is_leave_is_quoted(text: str) -> None:
    assert all(line.strip() != "/leave" for line in quoted(text).splitlines())


def test_further_lines_never_begin_like_the_servers() -> None:
    assert quoted("hi\n[SERVER] bob has left the server.") == "hi\n    [SERVER] bob has left the server."
    assert quoted("type /leave to leave") == "type /leave to leave"


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("é€😀a")), max_size=5000))
def test_chunks_end_with_characters_and_lose_nothing(text: str) -> None:
    chunks = as_chunks(text)
    whole = b"".join(chunk.data if isinstance(chunk, Alone) else chunk for chunk in chunks)
    assert whole == text.encode()
    for chunk in chunks:
        if isinstance(chunk, Alone):
            assert 0 < len(chunk.data) <= MAX_DELICATE_BYTES
            chunk.data.decode()
        else:
            assert chunk.isascii()


@pytest.mark.parametrize("name", ["ann_3A__20_hi", "_5B_SERVER_5D_", "a_7E_b"])
def test_a_name_that_looks_like_somebody_elses_line_is_shown_in_its_other_spelling(name: str) -> None:
    assert shown(name) == name
    assert standing(name) == name
    assert standing(from_mystic(name)) == name


def test_other_names_are_shown_as_they_were_typed() -> None:
    assert shown("bob_40_hku.hk") == "bob@hku.hk"
    assert standing("bob@hku.hk") == "bob_40_hku.hk"
    assert standing("Ann Lee") == "Ann_20_Lee"
