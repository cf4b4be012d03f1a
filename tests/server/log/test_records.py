"""What the two sides of the store say, as the other side reads it, and the columns of an event."""

from __future__ import annotations

import pytest
from msgspec import Raw, ValidationError

from mystic_server.domain.events import (
    Amended,
    Committed,
    Deleted,
    Edited,
    Event,
    GroupCreated,
    GroupEntered,
    GroupExited,
    Joined,
    Left,
    LingerEnded,
    NodeStarted,
    Posted,
    StateRow,
    encode_event,
)
from mystic_server.log import records
from mystic_server.log.base import Draft, HistoryQuery, MissedQuery, PostedQuery, RecentQuery, SearchQuery, Word
from mystic_server.log.records import (
    Answer,
    Ask,
    AskHistory,
    AskMessage,
    AskMissed,
    AskPosted,
    AskRecent,
    AskSearch,
    Commit,
    Failed,
    Load,
    NotStored,
    Opened,
    PagePart,
    ReceivedCommit,
    SentPage,
    SentStartPart,
    StartPart,
    StoredEvent,
)

HI = Posted(1, 3, "direct:3,4", "hi", b"c" * 16, 7, (3, 4), ("ana",))


@pytest.mark.parametrize(
    ("event", "conversation"),
    [
        (HI, "direct:3,4"),
        (Joined(1, "ana"), "global"),
        (Joined(1, "ana", watch=False), None),
        (Joined(1, "ana", quiet=True), None),
        (Left(1, "lost"), "global"),
        (Left(1, "lost", watch=False), None),
        (Left(1, "lost", quiet=True), None),
        (GroupCreated(1, 3, "team"), "group:17"),
        (GroupEntered(1, 3, 5), "group:5"),
        (GroupExited(1, 3, 5), "group:5"),
        (Edited(1, 3, 9, "global", "x"), "global/edits"),
        (Deleted(1, 3, 9, "direct:3,4", (3, 4)), "direct:3,4/edits"),
        (NodeStarted(1, 2), None),
        (LingerEnded(1), None),
    ],
)
def test_an_event_belongs_to_the_conversation_whose_history_shows_it(event: Event, conversation: str | None) -> None:
    assert records.timeline(17, event) == conversation


def test_a_message_s_columns() -> None:
    body = Raw(encode_event(HI))
    assert records.columns(17, 99, HI, body) == (17, 99, "direct:3,4", 3, b"c" * 16, body)


def test_a_message_without_a_client_id_has_none_to_be_unique() -> None:
    event = Posted(1, 3, "global", "hi")
    assert records.columns(17, 99, event, Raw(b""))[4] is None


def test_other_events_have_neither_author_nor_client_id() -> None:
    assert records.columns(17, 99, Left(1, "left", 3), Raw(b"x")) == (17, 99, "global", 0, None, Raw(b"x"))


def test_the_child_keeps_exactly_the_bytes_that_the_loop_encoded() -> None:
    rows = (StateRow("user", 3, b"x"), StateRow("user", 4, None))
    received = records.decode_to_child(records.encode(Commit((Draft(5, 99, HI),), rows, 12, 40)))
    assert isinstance(received, ReceivedCommit)
    (draft,) = received.drafts
    assert (draft.token, draft.time_us, bytes(draft.event)) == (5, 99, encode_event(HI))
    assert (received.rows, received.applied, received.after) == (rows, 12, 40)


@pytest.mark.parametrize(
    "message",
    [
        Load(),
        AskHistory(HistoryQuery(("global",), 9, 2, 50)),
        AskMissed(MissedQuery(("global", "group:3"), 4, 1, 9, 12, 50)),
        AskMessage(7),
        AskPosted(PostedQuery(4, b"0123456789abcdef")),
        AskSearch(SearchQuery((Word("a", True), Word("b c")), ("global",), 4, 1, 9, 12, 13, 0, 50, "group:3")),
        AskRecent(RecentQuery(4, 1, ("group:3",), 50)),
    ],
)
def test_what_the_loop_says_arrives(message: Load | Ask) -> None:
    assert records.decode_to_child(records.encode(message)) == message


@pytest.mark.parametrize(
    "message", [Opened(7), Failed("No."), Answer(8, (NotStored(1, 3, 99), NotStored(2, 0, 0))), Answer(0, (), "x", "y")]
)
def test_what_the_child_says_arrives(message: Opened | Failed | Answer) -> None:
    assert records.decode_from_child(records.encode(message)) == message


def test_stored_bytes_arrive_as_events() -> None:
    amended = Amended("ho", 199)
    stored = StoredEvent(17, 99, Raw(encode_event(HI))), StoredEvent(18, 99, Raw(encode_event(HI)), amended)
    committed = Committed(17, 99, HI), Committed(18, 99, HI, amended)
    assert records.decode_from_child(records.encode(SentPage(stored, True))) == PagePart(committed, True)
    sent = SentStartPart((StateRow("user", 3, b"x"),), 12, stored, 17, True)
    part = StartPart((StateRow("user", 3, b"x"),), 12, committed, 17, True)
    assert records.decode_from_child(records.encode(sent)) == part


def test_nonsense_is_not_a_message() -> None:
    with pytest.raises(ValidationError):
        records.decode_from_child(records.encode(Load()))
