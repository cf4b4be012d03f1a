"""Events as entries."""

import pytest

from mystic_client.model.entries import MAX_SHOWN_CHARS, entry_of, mentions, shown
from mysticproto.model import Broadcast, FileRef, Global, Group, GroupDeleted, Message, UserJoined, UserRef

ZOE, ANA = UserRef(1, "zoe"), UserRef(2, "ana")


def test_a_message_of_ones_own_is_known_by_its_author() -> None:
    mine = entry_of(Message(5, 9, ZOE, Global(), "hi zoe", b"cid"), ZOE)
    assert (mine.own, mine.state, mine.cid, mine.mention) == (True, "sent", b"cid", False)
    theirs = entry_of(Message(6, 9, ANA, Global(), "hi zoe", b"cid"), ZOE)
    assert (theirs.own, theirs.state, theirs.cid, theirs.mention) == (False, "", b"", True)


def test_broadcasts_and_events_have_kinds_of_their_own() -> None:
    assert entry_of(Message(5, 9, ANA, Broadcast(), "hear"), ZOE).kind == "broadcast"
    joined = entry_of(UserJoined(5, 9, ANA), ZOE)
    assert (joined.kind, joined.text, joined.place) == ("event", "ana has joined", 5)
    assert entry_of(GroupDeleted(5, 9, Group(7, "dev")), ZOE).last


def test_a_files_name_is_said_once() -> None:
    file = FileRef("plan.txt", 1, b"h" * 32)
    assert entry_of(Message(5, 9, ANA, Global(), "plan.txt", file=file), ZOE).text == ""
    assert entry_of(Message(5, 9, ANA, Global(), "the plan", file=file), ZOE).text == "the plan"
    assert entry_of(Message(5, 9, ANA, Global(), "plan.txt"), ZOE).text == "plan.txt"


def test_very_long_texts_are_cut_with_a_remark() -> None:
    assert shown("x" * MAX_SHOWN_CHARS) == "x" * MAX_SHOWN_CHARS
    assert shown("x" * (MAX_SHOWN_CHARS + 1200)).endswith("x… (1,200 more characters)")


@pytest.mark.parametrize(
    ("text", "name", "named"),
    [
        ("zoe, look", "zoe", True),
        ("@Zoe: look", "zoe", True),
        ("hi zoe.", "zoe", True),
        ("zoey", "zoe", False),
        ("a-zoe", "zoe", False),
        ("zoe.b", "zoe", False),
        ("mail zoe", "", False),
        ("is [zoe] here", "zoe", True),
        ("a.c", "abc", False),
    ],
)
def test_names_are_found_as_words(text: str, name: str, named: bool) -> None:
    assert mentions(text, name) is named
