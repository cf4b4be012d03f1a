"""What every EventLog promises."""

from __future__ import annotations

import pytest

from mystic_server.domain.events import (
    Committed,
    Event,
    GroupCreated,
    GroupEntered,
    GroupExited,
    Joined,
    Left,
    LingerEnded,
    NodeStarted,
    StateRow,
)
from mystic_server.log.base import Duplicate, HistoryQuery, MissedQuery, PostedQuery, RecentQuery, Rejected, Stored
from mysticproto.errors import Code
from tests.contracts.logs import TIME_US, Opener, Rig, deleted, edited, numbers, said, shown, texts, wanted

CID = b"0123456789abcdef"
OTHER_CID = b"0123456789abcdeX"


def test_a_new_log_is_empty(rig: Rig) -> None:
    assert (rig.start.rows, rig.start.applied, rig.start.tail, rig.start.last) == ((), 0, (), 0)


def test_numbers_start_at_one_and_have_no_gaps(rig: Rig) -> None:
    assert numbers(rig.commit(said("a"))) == [1]
    assert numbers(rig.commit(said("b"), said("c"), said("d"))) == [2, 3, 4]


def test_a_result_brings_token_time_and_event_back(rig: Rig) -> None:
    event = said("hi", cid=CID)
    assert rig.commit(event) == [Stored(1, Committed(1, TIME_US + 1, event))]


def test_nothing_is_answered_in_the_call_itself(rig: Rig) -> None:
    rig.append(said("a"))
    assert rig.results == []
    assert rig.log.backlog() == 1
    rig.until(lambda: len(rig.results) == 1)
    assert rig.log.backlog() == 0


def test_results_come_in_the_order_of_appending(rig: Rig) -> None:
    for index in range(300):
        rig.append(said(str(index)))
        if index % 7 == 0:
            rig.log.flush()
    rig.until(lambda: len(rig.results) == 300)
    assert [result.token for result in rig.results] == list(range(1, 301))
    assert numbers(rig.results) == list(range(1, 301))


def test_every_kind_of_event_survives(opener: Opener) -> None:
    events: list[Event] = [
        NodeStarted(1, 2),
        Joined(4, "ana", key=b"k" * 32, lingers=True),
        said("hi", users=(2, 5), conversation="direct:2,5"),
        GroupCreated(4, 2, "team"),
        GroupEntered(4, 5, 4),
        GroupExited(4, 5, 4),
        Left(4, "lost", 2),
        LingerEnded(4),
    ]
    with opener() as rig:
        rig.commit(*events)
    with opener() as rig:
        assert [each.event for each in rig.start.tail] == events
        assert rig.start.last == len(events)


# Client ids.


def test_a_repeated_client_id_is_a_duplicate_and_takes_no_number(rig: Rig) -> None:
    rig.commit(said("a"), said("b", cid=CID))
    assert rig.commit(said("b", cid=CID), said("c")) == [
        Duplicate(3, 2, TIME_US + 2),
        Stored(4, Committed(3, TIME_US + 4, said("c"))),
    ]


def test_a_repeat_within_one_batch_is_a_duplicate(rig: Rig) -> None:
    results = rig.commit(said("a"), said("b", cid=CID), said("b", cid=CID), said("c"))
    assert [type(each) for each in results] == [Stored, Stored, Duplicate, Stored]
    assert results[2] == Duplicate(3, 2, TIME_US + 2)
    assert numbers([results[3]]) == [3]


def test_a_repeat_from_another_session_is_a_duplicate(opener: Opener) -> None:
    with opener() as rig:
        rig.commit(said("b", cid=CID))
    with opener() as rig:
        event = said("b", cid=CID)
        assert rig.commit(type(event)(99, event.author, event.conversation, event.text, CID)) == [
            Duplicate(1, 1, TIME_US + 1)
        ]


@pytest.mark.parametrize("together", [True, False])
def test_a_client_id_with_other_words_is_rejected(rig: Rig, together: bool) -> None:
    events = [said("b", cid=CID), said("other", cid=CID)]
    results = rig.commit(*events) if together else rig.commit(events[0]) + rig.commit(events[1])
    assert isinstance(results[1], Rejected)
    assert (results[1].token, results[1].code) == (2, Code.CLIENT_ID_REUSED)
    assert results[1].text
    assert numbers(rig.commit(said("next"))) == [2]


def test_client_ids_are_each_author_s_own(rig: Rig) -> None:
    results = rig.commit(said("a", 3, CID), said("a", 4, CID), said("a", 3, OTHER_CID), said("a", 3), said("a", 3))
    assert numbers(results) == [1, 2, 3, 4, 5]


def test_a_message_is_found_by_its_client_id(rig: Rig) -> None:
    rig.commit(said("a", 3, CID), said("b", 4, CID), said("c", 3))
    assert [(each.seq, each.time_us) for each in rig.page(PostedQuery(4, CID)).events] == [(2, TIME_US + 2)]
    rig.commit(edited(1, "new"))
    (found,) = rig.page(PostedQuery(3, CID)).events
    assert found.event == said("a", 3, CID) and found.amended and found.amended.text == "new"
    rig.commit(deleted(1))
    assert shown(rig.page(PostedQuery(3, CID))) == [None]


@pytest.mark.parametrize("author", [0, 4, 2**62])
def test_nobody_has_said_anything_with_that_client_id(rig: Rig, author: int) -> None:
    rig.commit(said("a", 3, CID), said("b", author))
    for cid in (CID, OTHER_CID, b""):
        page = rig.page(PostedQuery(author, cid))
        assert (page.events, page.failed) == ((), "")


def test_what_is_void_is_on_no_page_and_its_client_id_is_free(opener: Opener) -> None:
    group = "group:1"
    with opener() as rig:
        results = rig.commit(said("a", 3, conversation=group), said("lost", 3, CID, group), GroupEntered(1, 3, 1))
        for each in results[1:]:
            assert isinstance(each, Stored)
            rig.log.void(each.committed)
        assert numbers(rig.commit(said("b", conversation=group))) == [4]
        check_void(rig, group)
    with opener() as rig:
        check_void(rig, group)
        assert rig.start.last == 4
        assert numbers(rig.commit(said("other", 3, CID, group))) == [5]
        assert rig.page(PostedQuery(3, CID)).events


def check_void(rig: Rig, group: str) -> None:
    """Nothing shows the second event and the third."""
    assert texts(rig.page(HistoryQuery((group,), 0, 0, 9))) == ["a", "b"]
    assert texts(rig.page(MissedQuery((group,), 9, 0, 0, 4, 9))) == ["a", "b"]
    assert texts(rig.page(RecentQuery(9, 0, (group,), 9))) == ["b"]
    for query in (PostedQuery(3, CID), 2, wanted("lost", conversations=(group,))):
        assert rig.page(query).events == ()


def test_a_client_id_that_has_just_become_free_can_be_used(rig: Rig) -> None:
    (stored,) = rig.commit(said("lost", 3, CID))
    assert isinstance(stored, Stored)
    rig.log.void(stored.committed)
    assert numbers(rig.commit(said("a", 3, CID))) == [2]


# World state.


def test_state_is_found_at_the_next_start(opener: Opener) -> None:
    with opener() as rig:
        rig.commit(said("a"), said("b"))
        rig.log.save([StateRow("user", 1, b"one"), StateRow("user", 2, b"two"), StateRow("group", 1, b"g")], 2)
    with opener() as rig:
        assert rig.start.applied == 2
        assert len(rig.start.rows) == 3
        rig.commit(said("c"), said("d"))
        rig.log.save([StateRow("user", 2, b"new"), StateRow("group", 1, None)], 3)
    with opener() as rig:
        rows = {(row.kind, row.id): row.body for row in rig.start.rows}
        assert rows == {("user", 1): b"one", ("user", 2): b"new"}
        assert (rig.start.applied, rig.start.last) == (3, 4)
        assert [each.seq for each in rig.start.tail] == [4]


def test_of_two_saves_the_later_holds(opener: Opener) -> None:
    with opener() as rig:
        rig.commit(said("a"), said("b"))
        rig.log.save([StateRow("user", 1, b"one"), StateRow("user", 2, b"two")], 1)
        rig.log.save([StateRow("user", 1, b"new")], 2)
    with opener() as rig:
        assert sorted((row.id, row.body) for row in rig.start.rows) == [(1, b"new"), (2, b"two")]
        assert (rig.start.applied, rig.start.tail) == (2, ())


def test_what_was_saved_and_appended_last_is_kept_when_it_stops(opener: Opener) -> None:
    with opener() as rig:
        rig.append(said("a"))
        rig.log.save([StateRow("user", 1, b"one")], 0)
        rig.log.save([StateRow("user", 2, b"two")], 0)
    with opener() as rig:
        assert sorted(row.id for row in rig.start.rows) == [1, 2]
        assert rig.start.last == 1


def test_state_is_saved_without_events_too(opener: Opener) -> None:
    with opener() as rig:
        rig.commit(said("a"))
        rig.log.save([StateRow("user", 1, b"one")], 1)
    with opener() as rig:
        assert (rig.start.rows, rig.start.applied, rig.start.tail) == ((StateRow("user", 1, b"one"),), 1, ())


# History.


def test_history_is_one_conversation_oldest_first(rig: Rig) -> None:
    rig.commit(
        said("a"), said("x", conversation="group:7"), said("b"), said("y", conversation="direct:3,4", users=(3, 4))
    )
    assert texts(rig.page(HistoryQuery(("global",), 0, 0, 10))) == ["a", "b"]
    assert texts(rig.page(HistoryQuery(("group:7",), 0, 0, 10))) == ["x"]
    assert texts(rig.page(HistoryQuery(("direct:3,4",), 0, 0, 10))) == ["y"]
    assert texts(rig.page(HistoryQuery(("group:8",), 0, 0, 10))) == []
    assert texts(rig.page(HistoryQuery((), 0, 0, 10))) == []


def test_history_of_several_conversations_is_in_log_order(rig: Rig) -> None:
    rig.commit(said("a"), said("b", conversation="broadcast"), said("x", conversation="group:7"), said("c"))
    page = rig.page(HistoryQuery(("global", "broadcast", "global"), 0, 0, 10))
    assert texts(page) == ["a", "b", "c"]
    assert [each.seq for each in page.events] == [1, 2, 4]
    assert page.events[0] == Committed(1, TIME_US + 1, said("a"))


def test_history_pages_go_back_from_the_newest(rig: Rig) -> None:
    rig.commit(*(said(str(number)) for number in range(1, 11)))
    page = rig.page(HistoryQuery(("global",), 0, 0, 4))
    assert (texts(page), page.more) == (["7", "8", "9", "10"], True)
    page = rig.page(HistoryQuery(("global",), page.events[0].seq, 0, 4))
    assert (texts(page), page.more) == (["3", "4", "5", "6"], True)
    page = rig.page(HistoryQuery(("global",), page.events[0].seq, 0, 4))
    assert (texts(page), page.more) == (["1", "2"], False)


def test_history_ends_where_the_reader_may_not_look(rig: Rig) -> None:
    rig.commit(*(said(str(number)) for number in range(1, 11)))
    page = rig.page(HistoryQuery(("global",), 9, 6, 3))
    assert (texts(page), page.more) == (["6", "7", "8"], False)


def test_an_exactly_full_page_has_no_more(rig: Rig) -> None:
    rig.commit(said("a"), said("b"))
    assert not rig.page(HistoryQuery(("global",), 0, 0, 2)).more


def test_a_page_has_five_hundred_events_at_most(rig: Rig) -> None:
    rig.commit(*(said(str(number)) for number in range(600)))
    page = rig.page(HistoryQuery(("global",), 0, 0, 10_000))
    assert (len(page.events), page.more) == (500, True)
    page = rig.page(MissedQuery(("global",), 0, 0, 0, 600, 10_000))
    assert (len(page.events), page.more) == (500, True)


def test_a_page_of_long_messages_is_shorter(rig: Rig) -> None:
    rig.commit(*(said("x" * 32_000) for _ in range(40)))
    page = rig.page(HistoryQuery(("global",), 0, 0, 100))
    assert (len(page.events), page.more) == (32, True)
    assert page.events[-1].seq == 40


def test_comings_and_goings_are_in_the_global_history(rig: Rig) -> None:
    rig.commit(
        NodeStarted(1, 1),
        Joined(1, "ana"),
        Joined(2, "cli", watch=False),
        Joined(3, "ana", quiet=True),
        Left(3, "left", 2, quiet=True),
        Left(2, "left", 3, watch=False),
        Left(1, "lost", 2),
        LingerEnded(1),
    )
    page = rig.page(HistoryQuery(("global",), 0, 0, 10))
    assert [each.seq for each in page.events] == [2, 7]


def test_a_group_s_history_is_its_own_events(rig: Rig) -> None:
    rig.commit(
        said("first"),
        GroupCreated(1, 3, "team"),
        GroupEntered(2, 4, 2),
        said("hello", conversation="group:2"),
        GroupEntered(2, 4, 9),
        GroupExited(2, 4, 2),
    )
    page = rig.page(HistoryQuery(("group:2",), 0, 0, 10))
    assert texts(page) == ["GroupCreated", "GroupEntered", "hello", "GroupExited"]


# What a device has not seen.


def test_missed_is_the_oldest_after_a_number(rig: Rig) -> None:
    rig.commit(*(said(str(number)) for number in range(1, 11)))
    page = rig.page(MissedQuery(("global",), 0, 0, 3, 9, 4))
    assert (texts(page), page.more) == (["4", "5", "6", "7"], True)
    page = rig.page(MissedQuery(("global",), 0, 0, 7, 9, 4))
    assert (texts(page), page.more) == (["8", "9"], False)


def test_missed_holds_the_user_s_direct_messages_and_nobody_else_s(rig: Rig) -> None:
    rig.commit(
        said("to us", conversation="direct:3,4", users=(3, 4)),
        said("not to us", conversation="direct:4,5", users=(4, 5)),
        said("all three", conversation="direct:3,4,5", users=(3, 4, 5)),
        said("global"),
        said("group", conversation="group:9"),
    )
    assert texts(rig.page(MissedQuery(("global",), 3, 1, 0, 5, 10))) == ["to us", "all three", "global"]
    assert texts(rig.page(MissedQuery(("group:9",), 5, 1, 0, 5, 10))) == ["not to us", "all three", "group"]
    assert texts(rig.page(MissedQuery((), 8, 1, 0, 5, 10))) == []


def test_direct_messages_from_before_the_user_s_time_are_not_missed(rig: Rig) -> None:
    rig.commit(*(said(str(number), conversation="direct:3,4", users=(3, 4)) for number in range(1, 6)))
    assert texts(rig.page(MissedQuery((), 3, 4, 0, 5, 10))) == ["4", "5"]
    assert texts(rig.page(MissedQuery((), 3, 2, 3, 5, 10))) == ["4", "5"]


def test_a_conversation_that_is_named_and_the_user_s_own_comes_once(rig: Rig) -> None:
    rig.commit(said("a", conversation="direct:3,4", users=(3, 4)))
    assert texts(rig.page(MissedQuery(("direct:3,4",), 3, 1, 0, 1, 10))) == ["a"]


def test_queries_are_answered_in_the_order_of_asking(rig: Rig) -> None:
    rig.commit(said("a"), said("b"))
    answered: list[str] = []
    rig.log.history(HistoryQuery(("global",), 0, 0, 1), lambda page: answered.append("history"))
    rig.log.missed(MissedQuery(("global",), 0, 0, 0, 2, 1), lambda page: answered.append("missed"))
    rig.log.history(HistoryQuery(("global",), 0, 0, 1), lambda page: answered.append("again"))
    assert answered == []
    rig.until(lambda: len(answered) == 3)
    assert answered == ["history", "missed", "again"]


# About a number.


def test_history_after_a_number_is_the_oldest_that_follows(rig: Rig) -> None:
    rig.commit(*(said(str(number)) for number in range(1, 11)))
    page = rig.page(HistoryQuery(("global",), 0, 0, 4, after=3))
    assert (texts(page), page.more, page.newer) == (["4", "5", "6", "7"], True, True)
    page = rig.page(HistoryQuery(("global",), 0, 0, 4, after=7))
    assert (texts(page), page.more, page.newer) == (["8", "9", "10"], True, False)
    page = rig.page(HistoryQuery(("global",), 0, 6, 4, after=2))
    assert (texts(page), page.more, page.newer) == (["6", "7", "8", "9"], False, True)
    page = rig.page(HistoryQuery(("global",), 0, 0, 4, after=10))
    assert (texts(page), page.more, page.newer) == ([], True, False)


def test_history_around_a_number_has_it_in_the_middle(rig: Rig) -> None:
    rig.commit(*(said(str(number)) for number in range(1, 11)))
    page = rig.page(HistoryQuery(("global",), 0, 0, 4, around=5))
    assert (texts(page), page.more, page.newer) == (["4", "5", "6", "7"], True, True)
    page = rig.page(HistoryQuery(("global",), 0, 0, 5, around=1))
    assert (texts(page), page.more, page.newer) == (["1", "2", "3", "4", "5"], False, True)
    page = rig.page(HistoryQuery(("global",), 0, 0, 4, around=10))
    assert (texts(page), page.more, page.newer) == (["9", "10"], True, False)
    page = rig.page(HistoryQuery(("global",), 0, 0, 1, around=10))
    assert (texts(page), page.more, page.newer) == (["10"], True, False)
    for beyond in (99, 2**63 - 1, 2**64 - 1):
        page = rig.page(HistoryQuery(("global",), 0, 0, 4, around=beyond))
        assert (texts(page), page.more, page.newer) == (["9", "10"], True, False)
        page = rig.page(HistoryQuery(("global",), 0, 0, 4, after=beyond))
        assert (texts(page), page.more, page.newer) == ([], True, False)


def test_history_around_a_number_keeps_to_what_may_be_read(rig: Rig) -> None:
    rig.commit(*(said(str(number), conversation=("global", "group:7")[number % 2]) for number in range(1, 11)))
    page = rig.page(HistoryQuery(("global",), 0, 4, 4, around=5))
    assert (texts(page), page.more, page.newer) == (["4", "6", "8", "10"], False, False)


def test_a_page_around_a_number_has_room_for_both_sides(rig: Rig) -> None:
    rig.commit(*(said("x" * 32_000) for _ in range(80)))
    page = rig.page(HistoryQuery(("global",), 0, 0, 100, around=40))
    numbers = [each.seq for each in page.events]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] < 40 < numbers[-1]
    assert (page.more, page.newer) == (True, True)


def test_a_history_page_says_whether_there_is_something_newer(rig: Rig) -> None:
    rig.commit(*(said(str(number)) for number in range(1, 11)))
    assert not rig.page(HistoryQuery(("global",), 0, 0, 4)).newer
    assert rig.page(HistoryQuery(("global",), 8, 0, 4)).newer
    assert rig.page(HistoryQuery(("global",), 1, 0, 4)).newer
    assert not rig.page(HistoryQuery(("global",), 11, 0, 4)).newer
    assert not rig.page(HistoryQuery(("group:7",), 8, 0, 4)).newer


# Recent conversations.


def test_the_recent_are_the_last_messages_of_one_s_conversations(rig: Rig) -> None:
    ours, others = "direct:3,4", "direct:4,5"
    rig.commit(
        said("old", conversation=ours, users=(3, 4)),
        said("x", conversation=others, users=(4, 5)),
        said("team", conversation="group:7"),
        said("new", conversation=ours, users=(3, 4)),
        GroupEntered(2, 4, 7),
        said("global"),
    )
    page = rig.page(RecentQuery(3, 0, ("group:7", "group:8", "group:7"), 10))
    assert (texts(page), page.more) == (["new", "team"], False)
    page = rig.page(RecentQuery(4, 3, ("group:7",), 10))
    assert (texts(page), page.more) == (["new", "team"], False)
    page = rig.page(RecentQuery(4, 0, ("group:7",), 2))
    assert (texts(page), page.more) == (["new", "team"], True)
    assert texts(rig.page(RecentQuery(9, 0, (), 10))) == []


def test_the_last_message_is_the_last_even_if_another_was_edited_since(rig: Rig) -> None:
    ours = "direct:3,4"
    rig.commit(
        said("one", conversation=ours, users=(3, 4)),
        said("two", conversation=ours, users=(3, 4)),
        edited(1, "new", ours, (3, 4)),
        deleted(2, ours, (3, 4)),
    )
    assert shown(rig.page(RecentQuery(3, 0, (), 10))) == [None]
