"""Edits and deletions that were heard, for messages that come later."""

from mystic_client.model.amendments import MAX_KEPT, Amendments
from mysticproto.model import Global, Message, MessageDeleted, MessageEdited, UserJoined, UserRef

ZOE, ANA = UserRef(1, "zoe"), UserRef(2, "ana")


def said(seq: int = 5, text: str = "frist", edited_us: int = 0, deleted: bool = False) -> Message:
    return Message(seq, 10, ANA, Global(), text, edited_us=edited_us, deleted=deleted)


def edit(text: str, time_us: int = 20, message: int = 5) -> MessageEdited:
    return MessageEdited(90, time_us, message, ANA, Global(), text)


DELETE = MessageDeleted(91, 30, 5, ANA, Global())


def test_a_page_that_is_older_than_an_edit_shows_the_edit() -> None:
    amendments = Amendments()
    amendments.heard(edit("first, @zoe"))
    entry = amendments.entry(said(), ZOE)
    assert (entry.text, entry.edited, entry.mention) == ("first, @zoe", True, True)


def test_a_page_that_is_newer_stays_as_it_is() -> None:
    amendments = Amendments()
    amendments.heard(edit("first", 20))
    assert amendments.entry(said(text="FIRST", edited_us=25), ZOE).text == "FIRST"


def test_deleted_stays_deleted_whatever_comes() -> None:
    amendments = Amendments()
    amendments.heard(DELETE)
    amendments.heard(edit("back?", 40))
    entry = amendments.entry(said(edited_us=50), ZOE)
    assert entry.deleted and entry.text == ""
    assert amendments.amended(entry, ZOE).deleted


def test_others_are_left_alone_and_the_oldest_forgotten() -> None:
    amendments = Amendments()
    for number in range(MAX_KEPT + 1):
        amendments.heard(edit("new", message=number + 1))
    assert amendments.entry(said(1), ZOE).text == "frist"
    assert amendments.entry(said(2), ZOE).text == "new"
    assert amendments.entry(UserJoined(2, 1, ANA), ZOE).text == "ana has joined"
