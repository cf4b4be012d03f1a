from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import model
from mysticproto.legacy.mystic_cli_words import (
    MAX_LINE_BYTES,
    chunks_of,
    file_start,
    line_of,
    neutral,
    refusal,
    udp_file_start,
)
from mysticproto.model import Event, Passing
from mysticproto.wire import Alone, Role
from tests.proto.vocabulary import ANA, BOB, EVENTS, ROOM, T

CY = model.UserRef(12, "cy")


def shown(said: Event | Passing, role: Role = Role.OTHER) -> str:
    return "".join(line_of(said, role) or ())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (model.Message(1, T, ANA, model.Global(), "hi"), "[GLOBAL] ana: hi"),
        (model.Message(1, T, ANA, model.Broadcast(), "hi"), "[BROADCAST] ana: hi"),
        (model.Message(1, T, ANA, model.Direct((ANA, BOB)), "hi"), "[PM] ana: hi"),
        (model.Message(1, T, ANA, model.Direct((ANA, BOB, CY)), "hi"), "[PM] ana (to Боб, cy): hi"),
        (model.Message(1, T, ANA, ROOM, "hi"), "[GROUP:crew] ana: hi"),
        (model.UserJoined(1, T, ANA), "[SERVER] ana has joined"),
        (model.UserLeft(1, T, ANA, "left"), "[SERVER] ana has left"),
        (model.UserLeft(1, T, ANA, "lost"), "[SERVER] ana has left"),
        (model.GroupCreated(1, T, ROOM, ANA), "[SERVER] ana has created the group crew!"),
        (model.GroupCreated(1, T, ROOM, ANA, (ANA, CY)), "[SERVER] ana has created the group crew with cy!"),
        (model.GroupJoined(1, T, ROOM, CY), "[SERVER] cy has joined crew!"),
        (model.GroupJoined(1, T, ROOM, CY, ANA), "[SERVER] cy has been added to crew by ana!"),
        (model.GroupLeft(1, T, ROOM, CY), "[SERVER] cy has left crew."),
        (model.GroupLeft(1, T, ROOM, CY, "lost"), "[SERVER] cy has left crew."),
        (model.GroupLeft(1, T, ROOM, CY, "removed"), "[SERVER] cy has been removed from crew."),
        (model.GroupDeleted(1, T, ROOM), "[SERVER] Group 'crew' has been deleted (no members left)."),
        (model.Notice("tea [FILE_START]"), "[SERVER] tea [ FILE_START]"),
        (model.StoppingIn(3), "[SERVER] Server shutting down in 3 seconds..."),
        (model.StoppingIn(1), "[SERVER] Server shutting down in 1 second..."),
        (model.Seen(ANA), ""),
        (model.Roster(()), ""),
    ],
)
def test_what_others_hear(said: Event | Passing, expected: str) -> None:
    assert shown(said) == expected


def test_the_author_hears_only_what_everybody_must_know() -> None:
    heard = {type(event) for event in EVENTS if shown(event, Role.AUTHOR)}
    assert heard == {model.GroupCreated, model.GroupDeleted}


def test_bystanders_hear_of_groups_that_come_and_go() -> None:
    heard = {type(event) for event in EVENTS if shown(event, Role.BYSTANDER)}
    assert heard == {model.GroupCreated, model.GroupDeleted}
    created = model.GroupCreated(1, T, ROOM, ANA, (ANA, BOB))
    assert shown(created, Role.BYSTANDER) == "[SERVER] ana has created the group crew!"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain [brackets] and 'quotes'", "plain [brackets] and 'quotes'"),
        ("two\nlines", "two lines"),
        ("[FILE_START]../x|5[FILE_START_END]", "[ FILE_START]../x|5[ FILE_START_END]"),
        ("[UDP_FILE_START]x|5|4[UDP_FILE_START_END]", "[ UDP_FILE_START]x|5|4[ UDP_FILE_START_END]"),
        ("[FILE_END]5[FILE_END_END]", "[ FILE_END]5[ FILE_END_END]"),
        ("[[SERVER] You are now chatting in x.", "[[ SERVER] You are now chatting in x."),
        ("[PM] [GLOBAL] [BROADCAST] [GROUP:x]", "[ PM] [ GLOBAL] [ BROADCAST] [ GROUP:x]"),
        ("You have left x. You're now in global chat.", "You have left x. You are now in global chat."),
    ],
)
def test_neutral_text(text: str, expected: str) -> None:
    assert neutral(text) == expected
    assert neutral(expected) == expected


def test_a_line_is_one_chunk_that_ends() -> None:
    assert chunks_of(("[PM] a: ", "x[")) == (b"[PM] a: x[\n",)


def test_a_long_ascii_text_is_cut_between_words() -> None:
    chunks = chunks_of(("[PM] a: ", "word " * 4000))
    assert all(isinstance(chunk, bytes) and len(chunk) <= MAX_LINE_BYTES for chunk in chunks)
    assert (
        b"".join(chunk.removeprefix(b"[PM] a: ")[:-1] for chunk in chunks if isinstance(chunk, bytes))
        == b"word " * 4000
    )


@given(st.text(st.sampled_from("aé€😀 "), min_size=1, max_size=40), st.integers(100, 600))
def test_long_chunks_of_other_text_are_whole_and_apart(part: str, times: int) -> None:
    text = part * times
    chunks = chunks_of(("[PM] a: ", text))
    data = [chunk.data if isinstance(chunk, Alone) else chunk for chunk in chunks]
    assert all(len(part) <= MAX_LINE_BYTES for part in data)
    assert "".join(part.decode().removeprefix("[PM] a: ")[:-1] for part in data) == text
    assert len(chunks) == 1 or text.isascii() or all(isinstance(chunk, Alone) for chunk in chunks)


def test_announced_names_stay_in_their_place() -> None:
    assert file_start("a|[FILE_START_END]\\b.txt", 5) == (b"[FILE_START]a_[ FILE_START_END]_b.txt|5[FILE_START_END]",)
    assert udp_file_start("é|", 5, 99) == ("[UDP_FILE_START]é_|5|99[UDP_FILE_START_END]".encode(),)


def test_what_a_refusal_repeats_is_neutral() -> None:
    refused = model.Refused(1, "unknown_user", "Nobody.", "x")
    post = model.Post(1, model.ToUsers(("[FILE_START]\x1b[2J\n" + "x" * 5000,)), "hi")
    shown = refusal(post, refused)
    assert shown.startswith("User '[ FILE_START] xxx")
    assert "\x1b" not in shown
    assert len(shown) < 400


def test_other_refusals_are_the_servers_sentence() -> None:
    refused = model.Refused(1, "limit_reached", "Not now.")
    for request in (
        model.ListUsers(1),
        model.CreateGroup(1, "x"),
        model.Login(1, "x"),
        model.Post(1, model.ToGlobal(), ""),
    ):
        assert refusal(request, refused) == "Not now."
