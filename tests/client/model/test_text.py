"""Events and numbers as people read them."""

from datetime import UTC

import pytest

from mystic_client.model import text
from mysticproto.model import (
    FOR_EVER_US,
    AccountClaimed,
    AccountDeleted,
    Broadcast,
    Bye,
    Conversation,
    Direct,
    Event,
    FileHashed,
    FileRef,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupHandedOver,
    GroupJoined,
    GroupKept,
    GroupLeft,
    GroupRenamed,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
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


ROOT = UserRef(9, "root")
HAPPENED: list[tuple[Event, str]] = [
    (MessageEdited(1, 0, 5, ANA, Global(), "x"), "ana has edited a message"),
    (MessageDeleted(1, 0, 5, ANA, Global()), "ana has deleted a message"),
    (GroupRenamed(1, 0, DEV, ANA, "old"), "ana has renamed the group old to dev"),
    (GroupHandedOver(1, 0, DEV, ANA, BOB), "ana has handed the group dev over to bob"),
    (GroupKept(1, 0, DEV, ANA, True), "ana keeps the group dev: its members stay when they are away"),
    (GroupKept(1, 0, DEV, ANA, False), "ana no longer keeps the group dev: who goes away leaves it"),
    (GroupDeleted(1, 0, DEV, ANA), "ana has ended the group dev"),
    (GroupLeft(1, 0, DEV, ANA, owner=BOB), "ana has left dev; bob owns it now"),
    (AccountClaimed(1, 0, ANA, "member"), "ana has claimed the name"),
    (AccountClaimed(1, 0, ANA, "operator"), "ana is an operator now"),
    (AccountClaimed(1, 0, ANA, "operator", ROOT), "root has made ana an operator"),
    (AccountClaimed(1, 0, ANA, "member", ROOT), "root has made ana a member, no longer an operator"),
    (AccountDeleted(1, 0, ANA), "ana has given the name up"),
    (AccountDeleted(1, 0, ANA, ROOT), "root has deleted the account of ana"),
    (Moderated(1, 0, "kick", ROOT, "ana", "[loud]"), "root has removed ana: [loud]"),
    (Moderated(1, 0, "ban", ROOT, "ana", "", 7_200_000_000), "root has banned ana for 2 h"),
    (Moderated(1, 0, "ban", ROOT, "ana", "", FOR_EVER_US), "root has banned ana"),
    (Moderated(1, 0, "unban", ROOT, "ana"), "root has ended the ban of ana"),
    (Moderated(1, 0, "mute", ROOT, "ana", "why", 600_000_000), "root has muted ana for 10 min: why"),
    (Moderated(1, 0, "unmute", ROOT, "ana"), "root lets speak again: ana"),
]


@pytest.mark.parametrize(("event", "sentence"), HAPPENED)
def test_events_are_sentences(event: Event, sentence: str) -> None:
    assert text.happened(event) == sentence


def test_an_edit_is_a_line_of_its_own_where_lines_are_shown() -> None:
    assert (
        text.format_line(MessageEdited(1, 0, 5, ANA, DEV, "new\nwords"), "bob") == "[dev] ana (edited): new\n    words"
    )


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (90, "2 min"), (7200, "2 h"), (259_200, "3 d")]
)
def test_rough_spans(seconds: float, words: str) -> None:
    assert text.roughly(seconds) == words


def test_a_file_that_a_message_brings_is_named() -> None:
    brought = Message(17, 0, ANA, Global(), "Look!", file=FileRef("a.jpg", 2_000_000, b"h" * 32))
    assert text.format_line(brought, "bob") == "[GLOBAL] ana: Look! [file a.jpg, 1.9 MiB, message 17]"
    bare = Message(17, 0, ANA, Global(), "", file=FileRef("a.jpg", 5, b"h" * 32))
    assert text.format_line(bare, "bob") == "[GLOBAL] ana: [file a.jpg, 5 bytes, message 17]"
