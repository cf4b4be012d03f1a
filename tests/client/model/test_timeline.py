"""Timelines: order, overlaps, messages on their way, and what a view is told."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mystic_client.model.timeline import MAX_ENTRIES, Change, Entry, Timeline


def entry(place: int, text: str = "", **more: object) -> Entry:
    return Entry(place, place * 1000, "message", text or f"text {place}", "ana", 2, **more)  # type: ignore[arg-type]


def texts(timeline: Timeline) -> list[str]:
    return [shown.text for shown in timeline.entries]


def own(cid: bytes, reply_to: int = 0) -> Entry:
    return Entry(0, 0, "message", "mine", "zoe", cid=cid, reply_to=reply_to)


def test_entries_are_in_the_order_of_the_log_however_they_come() -> None:
    timeline = Timeline()
    for place in (5, 2, 9, 7):
        assert timeline.add(entry(place))
    assert [shown.place for shown in timeline.entries] == [2, 5, 7, 9]


def test_the_same_event_twice_is_shown_once() -> None:
    timeline = Timeline()
    assert timeline.add(entry(5))
    assert not timeline.add(entry(5))
    assert timeline.add_page([entry(4), entry(5)]) == 1
    assert len(timeline) == 2


def test_two_events_with_one_number_are_both_shown() -> None:
    timeline = Timeline()
    assert timeline.add(entry(5, "left"))
    assert timeline.add(entry(5, "gone", last=True))
    assert texts(timeline) == ["left", "gone"]


@given(st.lists(st.integers(1, 40), max_size=60), st.lists(st.integers(1, 40), max_size=40, unique=True))
def test_live_events_and_pages_overlap_in_any_way(live: list[int], page: list[int]) -> None:
    timeline = Timeline()
    for place in live:
        timeline.add(entry(place))
    timeline.add_page([entry(place) for place in sorted(page)])
    assert [shown.place for shown in timeline.entries] == sorted({*live, *page})


def test_words_of_the_client_stay_where_they_were_written() -> None:
    timeline = Timeline()
    timeline.add(entry(5))
    timeline.add_local("notice", "help", 0)
    timeline.add(entry(6))
    timeline.add_page([entry(1), entry(2)])
    assert texts(timeline) == ["text 1", "text 2", "text 5", "help", "text 6"]


def test_a_message_on_its_way_moves_to_its_place_when_the_log_has_it() -> None:
    timeline = Timeline()
    timeline.add(entry(5))
    timeline.pending(own(b"a"))
    timeline.add(entry(6))
    assert texts(timeline) == ["text 5", "mine", "text 6"]
    assert timeline.sent(b"a", 7, 99, "bob is away")
    assert texts(timeline) == ["text 5", "text 6", "mine"]
    mine = timeline.entries[-1]
    assert (mine.state, mine.time_us, mine.note, mine.local) == ("sent", 99, "bob is away", False)
    assert not timeline.add(entry(7, "mine", own=True, cid=b"a"))


def test_the_event_may_come_before_the_answer() -> None:
    timeline = Timeline()
    timeline.pending(own(b"a"))
    assert timeline.add(entry(7, "mine", own=True, cid=b"a", state="sent"))
    assert texts(timeline) == ["mine"]
    assert timeline.sent(b"a", 7, 99, "bob is away")
    assert [(shown.place, shown.note) for shown in timeline.entries] == [(7, "bob is away")]


def test_what_failed_can_be_taken_back() -> None:
    timeline = Timeline()
    timeline.pending(own(b"a"))
    assert timeline.failed(b"a", "too long")
    assert (timeline.entries[0].state, timeline.entries[0].note) == ("failed", "too long")
    taken = timeline.take_back(b"a")
    assert taken is not None and taken.text == "mine"
    assert len(timeline) == 0
    assert timeline.take_back(b"a") is None
    assert not timeline.failed(b"a", "again") and not timeline.sent(b"a", 1, 1)


def test_what_is_in_the_log_cannot_be_taken_back() -> None:
    timeline = Timeline()
    timeline.pending(own(b"a"))
    timeline.add(entry(7, "mine", own=True, cid=b"a"))
    assert timeline.take_back(b"a") is None
    assert len(timeline) == 1


def test_clearing_keeps_what_is_on_its_way() -> None:
    timeline = Timeline()
    timeline.add(entry(5))
    timeline.pending(own(b"a"))
    timeline.clear()
    assert texts(timeline) == ["mine"]
    assert timeline.sent(b"a", 6, 0)


def test_another_conversation_takes_over_what_is_on_its_way() -> None:
    old, new = Timeline(), Timeline()
    old.pending(own(b"a"))
    new.add(entry(9))
    assert old.has(b"a")
    new.adopt(old.on_the_way()[0])
    assert new.sent(b"a", 10, 0)
    assert texts(new) == ["text 9", "mine"]


def test_the_oldest_are_forgotten_when_there_are_too_many() -> None:
    timeline = Timeline()
    timeline.add_page([entry(place) for place in range(1, MAX_ENTRIES + 2)])
    assert len(timeline) <= MAX_ENTRIES
    assert timeline.entries[-1].place == MAX_ENTRIES + 1
    assert timeline.add(entry(1)), "what was forgotten can come back"


def test_a_hole_is_avoided_by_forgetting_what_is_before_it() -> None:
    timeline = Timeline()
    for place in (1, 2, 50):
        timeline.add(entry(place))
    timeline.forget_before(50)
    assert timeline.oldest_logged == 50
    assert timeline.add(entry(2))


def test_a_view_is_told_what_changed() -> None:
    timeline = Timeline()
    assert timeline.take_change() is None
    timeline.add(entry(5))
    assert timeline.take_change() == Change(0, 0)
    assert timeline.take_change() is None
    timeline.add(entry(6))
    assert timeline.take_change() == Change(0, 1)
    timeline.add_page([entry(1), entry(2)])
    timeline.add(entry(9))
    assert timeline.take_change() == Change(2, 4)
    timeline.add(entry(7))
    assert timeline.take_change() == Change(0, 4)
    timeline.forget_before(6)
    assert timeline.take_change() == Change(0, 0)


def test_removing_the_last_entry_is_a_change() -> None:
    timeline = Timeline()
    timeline.pending(own(b"a"))
    timeline.take_change()
    timeline.take_back(b"a")
    assert timeline.take_change() == Change(0, 0)


@given(st.lists(st.sampled_from(["append", "page", "middle", "pending", "sent", "drop"]), max_size=30))
def test_a_copy_that_follows_the_changes_stays_equal(steps: list[str]) -> None:
    timeline, copy, low, high, cids = Timeline(), list[Entry](), 1000, 1001, list[bytes]()
    for number, step in enumerate(steps):
        match step:
            case "append":
                high += 3
                timeline.add(entry(high))
            case "page":
                timeline.add_page([entry(low - 4), entry(low - 2)])
                low -= 5
            case "middle":
                timeline.add(entry(high - 1))
            case "pending":
                cids.append(number.to_bytes(2))
                timeline.pending(own(cids[-1]))
            case "sent" if cids:
                high += 2
                timeline.sent(cids.pop(0), high, 0)
            case "drop" if cids:
                timeline.take_back(cids.pop())
        if number % 2 and (change := timeline.take_change()):
            copy[0:0] = timeline.entries[: change.prepended]
            copy[change.since :] = timeline.entries[change.since :]
            assert copy == timeline.entries


def test_an_answer_quotes_what_it_answers_as_soon_as_that_is_here() -> None:
    timeline = Timeline()
    timeline.add(entry(9, "yes", reply_to=2))
    assert timeline.entries[0].quote == ""
    timeline.add_page([entry(1), entry(2, "are you\n there?"), entry(3, "hm", reply_to=2)])
    assert [e.quote for e in timeline.entries] == ["", "", "ana: are you there?", "ana: are you there?"]
    timeline.pending(own(b"a", reply_to=2))
    assert timeline.entries[-1].quote == "ana: are you there?"


def test_quotes_follow_edits_and_deletions() -> None:
    timeline = Timeline()
    timeline.add_page([entry(2, "frist"), entry(3, "yes", reply_to=2)])
    assert timeline.amend(2, lambda e: replace(e, text="first", edited=True))
    assert timeline.entries[1].quote == "ana: first"
    timeline.amend(2, lambda e: replace(e, text="", deleted=True))
    assert timeline.entries[1].quote == "message deleted"
    assert not timeline.amend(99, lambda e: e)


def test_a_quote_can_be_told_from_outside() -> None:
    timeline = Timeline()
    timeline.add(entry(9, "yes", reply_to=2))
    timeline.quote(2, "bob: who?")
    assert timeline.entries[0].quote == "bob: who?"
    timeline.quote(3, "nobody asked")


def test_what_is_replaced_in_its_place_is_told_apart_from_what_is_new() -> None:
    timeline = Timeline()
    timeline.add_page([entry(n) for n in range(1, 5)])
    timeline.take_change()
    timeline.amend(2, lambda e: replace(e, text="other"))
    assert timeline.take_change() == Change(0, 4, frozenset({4}))
    assert timeline.take_change() is None


def test_messages_are_found_by_their_number_and_events_are_not() -> None:
    timeline = Timeline()
    timeline.add(entry(4))
    timeline.add(Entry(5, 0, "event", "ana has joined"))
    timeline.add_local("notice", "hello", 0)
    found = timeline.find(4)
    assert found is not None and found.number == 4
    assert timeline.find(5) is None and timeline.find(6) is None
    assert timeline.newest_logged == 5


def test_a_failed_message_can_be_on_its_way_again() -> None:
    timeline = Timeline()
    timeline.pending(own(b"a"))
    timeline.failed(b"a", "no")
    assert timeline.again(b"a") and not timeline.again(b"b")
    assert (timeline.entries[0].state, timeline.entries[0].note) == ("pending", "")


def test_the_last_message_of_ones_own_is_one_that_the_log_has() -> None:
    timeline = Timeline()
    assert timeline.last_own() is None
    timeline.add_page([entry(1, own=True), entry(2, own=True, deleted=True), entry(3)])
    timeline.pending(own(b"a"))
    found = timeline.last_own()
    assert found is not None and found.number == 1
