"""What every EventLog promises of messages that are edited and deleted."""

from __future__ import annotations

from mystic_server.domain.events import Amended, Committed, Edited, GroupEntered, Posted
from mystic_server.log.base import Duplicate, HistoryQuery, MissedQuery, Page, Rejected
from mystic_server.log.records import edits_of
from tests.contracts.logs import TIME_US, Opener, Rig, deleted, edited, numbers, said, shown

CID = b"0123456789abcdef"
HISTORY = HistoryQuery(("global",), 0, 0, 99)
MISSED = MissedQuery(("global",), 0, 0, 0, 99, 99)


def told(page: Page) -> list[str]:
    """Of a catch-up, the texts that are told: of messages as they are now ("" if deleted), and of edits."""
    return [
        each.event.text if isinstance(each.event, Edited) else shown(Page((each,)))[0] or ""
        for each in page.events
        if isinstance(each.event, Posted | Edited)
    ]


def test_an_edited_message_shows_its_new_text_and_keeps_its_own(rig: Rig) -> None:
    rig.commit(said("one"), said("two"))
    assert numbers(rig.commit(edited(1, "uno"))) == [3]
    first, second = rig.page(HISTORY).events
    assert first == Committed(1, TIME_US + 1, said("one"), Amended("uno", TIME_US + 3))
    assert second.amended is None
    assert numbers(rig.commit(edited(1, "un"))) == [4]
    assert shown(rig.page(HISTORY)) == ["un", "two"]


def test_a_deleted_message_has_no_text_any_more(rig: Rig) -> None:
    rig.commit(said("one"), said("two"), edited(1, "uno"))
    rig.commit(deleted(1))
    first, _ = rig.page(HISTORY).events
    assert first == Committed(1, TIME_US + 1, said(""), Amended("", TIME_US + 4, deleted=True))


def test_what_is_deleted_stays_deleted(rig: Rig) -> None:
    rig.commit(said("one"), deleted(1))
    assert numbers(rig.commit(edited(1, "again"), deleted(1))) == [3, 4]
    (first,) = rig.page(HISTORY).events
    assert first.amended == Amended("", TIME_US + 2, deleted=True)
    assert told(rig.page(MISSED)) == ["", ""]


def test_what_is_no_message_can_t_be_amended(rig: Rig) -> None:
    rig.commit(GroupEntered(1, 3, 9))
    assert numbers(rig.commit(edited(1, "x"), edited(77, "x"), edited(4, "itself"), deleted(1), deleted(88))) == [
        2, 3, 4, 5, 6,
    ]  # fmt: skip
    rig.commit(said("seven"))
    assert shown(rig.page(HISTORY)) == ["seven"]
    assert not rig.page(1).events


def test_posted_edited_and_deleted_in_one_batch(rig: Rig) -> None:
    events = said("one", cid=CID), edited(1, "uno"), edited(1, "un"), deleted(1), edited(1, "late"), said("six")
    assert numbers(rig.commit(*events)) == [1, 2, 3, 4, 5, 6]
    assert shown(rig.page(HISTORY)) == [None, "six"]
    assert told(rig.page(MISSED)) == ["", "", "", "", "six"]
    assert rig.commit(said("one", cid=CID)) == [Duplicate(7, 1, TIME_US + 1)]


def test_amendments_survive_a_restart(opener: Opener) -> None:
    with opener() as rig:
        rig.commit(said("one"), said("two"), edited(1, "uno"), deleted(2))
    with opener() as rig:
        assert shown(rig.page(HISTORY)) == ["uno", None]
        rig.commit(edited(2, "late"), edited(1, "un"))
        assert shown(rig.page(HISTORY)) == ["un", None]


def test_a_message_that_is_sent_again_is_answered_as_the_first_time(rig: Rig) -> None:
    rig.commit(said("one", cid=CID))
    rig.commit(edited(1, "uno"))
    again, other = rig.commit(said("one", cid=CID), said("uno", cid=CID))
    assert again == Duplicate(3, 1, TIME_US + 1)
    assert isinstance(other, Rejected)
    rig.commit(deleted(1))
    assert rig.commit(said("one", cid=CID)) == [Duplicate(6, 1, TIME_US + 1)]


def test_one_message_is_answered_as_it_is_now(rig: Rig) -> None:
    rig.commit(said("one"), said("two"), said("three"), edited(2, "dos"), deleted(3))
    assert rig.page(1) == Page((Committed(1, TIME_US + 1, said("one")),))
    assert rig.page(2) == Page((Committed(2, TIME_US + 2, said("two"), Amended("dos", TIME_US + 4)),))
    assert shown(rig.page(3)) == [None]
    assert rig.page(4) == rig.page(0) == rig.page(99) == rig.page(2**64 - 1) == Page(())


def test_amendments_are_missed_and_not_in_the_history(rig: Rig) -> None:
    rig.commit(said("one"), said("x", conversation="group:7"), edited(1, "uno"), edited(2, "y", "group:7"))
    page = rig.page(MissedQuery(("global",), 0, 0, 1, 99, 99))
    assert [each.event for each in page.events] == [edited(1, "uno")]
    page = rig.page(MissedQuery(("global", edits_of("global"), "group:7"), 0, 0, 2, 99, 99))
    assert [each.seq for each in page.events] == [3, 4]
    assert [each.seq for each in rig.page(HISTORY).events] == [1]


def test_amendments_of_direct_conversations_are_missed_by_those_in_them(rig: Rig) -> None:
    ours = "direct:3,4"
    rig.commit(said("one", conversation=ours, users=(3, 4)), edited(1, "uno", ours, (3, 4)), deleted(1, ours, (3, 4)))
    for user in (3, 4):
        assert [each.seq for each in rig.page(MissedQuery((), user, 1, 1, 99, 99)).events] == [2, 3]
    assert not rig.page(MissedQuery((), 5, 0, 0, 99, 99)).events
    assert [each.seq for each in rig.page(MissedQuery((), 3, 3, 0, 99, 99)).events] == [3]


def test_the_text_of_what_was_deleted_is_told_to_nobody(rig: Rig) -> None:
    rig.commit(said("one"), edited(1, "uno"), said("two"), edited(3, "dos"))
    rig.commit(deleted(1))
    assert told(rig.page(MISSED)) == ["", "", "dos", "dos"]
