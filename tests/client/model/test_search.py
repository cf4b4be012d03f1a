"""A search as it is typed."""

import pytest

from mystic_client.model.search import PAGE, Query, Wish, marks, query_of, snippet
from mysticproto.model import Search, ToGlobal, ToUsers

NOW_US = 1_790_000_000_000_000


def test_what_is_typed_becomes_a_request() -> None:
    query = query_of(Wish("  old  disks ", "@ana", "2026-09-01", "2026-09-02", here=True), ToUsers(("ana",)), NOW_US)
    assert (query.words, query.author, query.of) == ("old disks", "ana", ToUsers(("ana",)))
    assert query.until_us - query.since_us == 2 * 86_400_000_000 - 1, "both days are in it"
    assert query.request(3, 99) == Search(3, *(query.words, query.of, "ana", query.since_us, query.until_us), 99, PAGE)
    assert query_of(Wish("x"), ToGlobal(), NOW_US) == Query("x")


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        (Wish("  "), "Type a word"),
        (Wish("x", since="soon"), "'soon' is not a date"),
        (Wish("x", until="31.12."), "is not a date"),
        (Wish("x", since="2026-09-02", until="2026-09-01"), "ends before it begins"),
    ],
)
def test_what_makes_no_sense_is_said(wish: Wish, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        query_of(wish, None, NOW_US)


def test_found_words_are_marked_at_their_beginnings() -> None:
    assert marks("The other theatre", "the") == [(0, 3), (10, 13)]
    assert marks("old disks", '"old disks"') == [(0, 9)]
    assert marks("a (b", "(b [") == [(2, 4)]
    assert marks("anything", "") == []


def test_a_long_text_is_shown_from_shortly_before_what_was_found() -> None:
    assert snippet("one\n two", "two") == "one two"
    assert snippet("x " * 100 + "needle here", "needle") == "…" + "x " * 12 + "needle here"
