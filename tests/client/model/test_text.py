"""Events and numbers as people read them."""

from datetime import UTC

import pytest

from mystic_client.model import text
from mysticproto.model import (
    Broadcast,
    Bye,
    Conversation,
    Direct,
    Event,
    FileHashed,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    Message,
    Notice,
    UserJoined,
    UserLeft,
    UserRef,
)

ANA, BOB, EVA = UserRef(1, "ana"), UserRef(2, "bob"), UserRef(3, "eva")
DEV = Group(7, "dev")


def message(conversation: Conversation, words: str = "hi", author: UserRef = ANA) -> Message:
    return Message(5, 0, author, conversation, words)


@pytest.mark.parametrize(
    ("heard", "line"),
    [
        (message(Global()), "[GLOBAL] ana: hi"),
        (message(Broadcast()), "[BROADCAST] ana: hi"),
        (message(DEV), "[dev] ana: hi"),
        (message(Direct((ANA, BOB))), "[PM] ana: hi"),
        (message(Direct((ANA, BOB)), author=BOB), "[PM to ana] bob: hi"),
        (message(Direct((ANA, BOB, EVA))), "[PM ana, eva] ana: hi"),
        (message(Global(), "a\nb"), "[GLOBAL] ana: a\n    b"),
        (message(Global(), "[/b] [red]"), "[GLOBAL] ana: [/b] [red]"),
        (UserJoined(1, 0, ANA), "[SERVER] ana has joined"),
        (UserJoined(1, 0, ANA, returned=True), "[SERVER] ana is back"),
        (UserLeft(1, 0, ANA, "left"), "[SERVER] ana has left"),
        (UserLeft(1, 0, ANA, "lost"), "[SERVER] ana lost the connection"),
        (UserLeft(1, 0, ANA, "stopped"), "[SERVER] ana was disconnected: the server stopped"),
        (UserLeft(1, 0, ANA, "some later cause"), "[SERVER] ana has left"),
        (GroupCreated(1, 0, DEV, ANA), "[SERVER] ana has created the group dev"),
        (GroupJoined(1, 0, DEV, ANA), "[SERVER] ana has joined dev"),
        (GroupLeft(1, 0, DEV, ANA), "[SERVER] ana has left dev"),
        (GroupJoined(1, 0, DEV, ANA, BOB), "[SERVER] bob has added ana to dev"),
        (GroupLeft(1, 0, DEV, ANA, "removed"), "[SERVER] ana was removed from dev"),
        (GroupLeft(1, 0, DEV, ANA, "lost"), "[SERVER] ana lost the connection and left dev"),
        (GroupDeleted(1, 0, DEV), "[SERVER] The group dev is gone: nobody was left in it"),
        (Notice("back soon"), "[SERVER] back soon"),
        (Bye("stopping", "the server stops"), "[SERVER] the server stops"),
        (FileHashed("a", 1, 1, b""), None),
    ],
)
def test_what_was_heard_becomes_a_line(heard: Event | Notice | Bye | FileHashed, line: str | None) -> None:
    assert text.format_line(heard, "bob") == line


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (999 * 1024, "999 KiB"),
        (1000 * 1024, "1.0 MiB"),
        (12 * 1024**2, "12 MiB"),
        (1024**3, "1.0 GiB"),
        (2**63, "8.0 EiB"),
    ],
)
def test_sizes(size: int, words: str) -> None:
    assert text.size_in_words(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.1, "1 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (125, "2 min 5 s"),
        (12_000, "3 h 20 min"),
        (367_200, "4 d 6 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert text.duration_in_words(seconds) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "nobody"),
        (["ana"], "ana"),
        (["ana", "bob"], "ana and bob"),
        (["ana", "bob", "eva"], "ana, bob and eva"),
        (["ana", "bob", "eva", "max"], "ana, bob and 2 others"),
    ],
)
def test_lists_of_names(names: list[str], words: str) -> None:
    assert text.names_in_words(names) == words


def test_days_and_times() -> None:
    now = 1_790_000_000_000_000  # 2026-09-21 14:13:20 UTC, a Monday
    hour = 3_600_000_000
    assert text.clock(now, UTC) == "14:13"
    assert text.day(now, now, UTC) == "Today"
    assert text.day(now - 15 * hour, now, UTC) == "Yesterday"
    assert text.day(now - 48 * hour, now, UTC) == "Saturday, 19 September 2026"
    assert text.stamp(now - hour, now, UTC) == "13:13"
    assert text.stamp(now - 30 * hour, now, UTC) == "2026-09-20"


def test_a_time_that_no_calendar_has_is_still_shown() -> None:
    assert text.clock(2**62, UTC) == "00:00"


def test_counts() -> None:
    assert text.counted(1, "file") == "1 file"
    assert text.counted(1200, "entry", "entries") == "1,200 entries"
    assert text.speed_in_words(1536) == "1.5 KiB/s"
