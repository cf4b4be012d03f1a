"""Searches, and history pages in other directions than back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.domain.events import Amended, Committed, Posted
from mystic_server.hub.past import PART_BYTES
from mystic_server.log.base import Page
from mysticproto.errors import Code
from mysticproto.model import (
    Delete,
    Edit,
    Found,
    GetHistory,
    History,
    ListConversations,
    Message,
    Ok,
    Post,
    Refused,
    Search,
    ToGlobal,
    ToUsers,
)
from tests.server.hub.rig import Client, Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def ana(rig: Rig) -> Client:
    return rig.comes("ana")


def says(rig: Rig, client: Client, *texts: str) -> list[int]:
    numbers = []
    for text in texts:
        client.asks(Post(90, ToGlobal(), text))
        rig.settle()
        numbers += [ok.seq for ok in client.takes(Ok)]
    client.heard.clear()
    return numbers


def page(rig: Rig, client: Client, request: GetHistory) -> History:
    client.asks(request)
    rig.settle()
    return client.takes(History)[0]


def numbers(history: History) -> list[int]:
    return [each.seq for each in history.events if isinstance(each, Message)]


def found(rig: Rig, client: Client, request: Search) -> Found:
    client.asks(request)
    rig.settle()
    return client.takes(Found)[0]


# History.


def test_pages_after_and_around_a_number(rig: Rig, ana: Client) -> None:
    seqs = says(rig, ana, *"abcdefgh")
    after = page(rig, ana, GetHistory(1, ToGlobal(), after=seqs[2], limit=3))
    assert (numbers(after), after.more, after.newer) == (seqs[3:6], True, True)
    around = page(rig, ana, GetHistory(2, ToGlobal(), around=seqs[4], limit=3))
    assert seqs[4] in numbers(around) and len(numbers(around)) == 3
    assert around.more and around.newer
    last = page(rig, ana, GetHistory(3, ToGlobal(), after=seqs[6], limit=3))
    assert (numbers(last), last.newer) == (seqs[7:], False)


def test_a_page_has_one_direction(rig: Rig, ana: Client) -> None:
    ana.asks(GetHistory(1, ToGlobal(), before=5, after=3))
    rig.settle()
    assert [each.code for each in ana.takes(Refused)] == [Code.MALFORMED]


def test_large_pages_are_cut_where_it_doesn_t_hurt(rig: Rig, ana: Client) -> None:
    size = PART_BYTES // 8
    seqs = says(rig, ana, *(letter * (size - 200) for letter in "abcdefghijklmnopqrst"))
    before = page(rig, ana, GetHistory(1, ToGlobal()))
    assert numbers(before) == seqs[-8:] and before.more and not before.newer
    after = page(rig, ana, GetHistory(2, ToGlobal(), after=seqs[1]))
    assert numbers(after) == seqs[2:10] and after.newer
    around = page(rig, ana, GetHistory(3, ToGlobal(), around=seqs[10], limit=20))
    assert len(numbers(around)) == 8 and seqs[10] in numbers(around)[2:6]
    assert around.more and around.newer


def test_an_edited_text_counts_for_the_size(rig: Rig, ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    long = Amended("x" * 30_000, 5)
    events = tuple(Committed(seq, 5, Posted(1, ana.peer.user, "global", "short"), long) for seq in range(1, 21))
    monkeypatch.setattr(rig.log, "history", lambda query, answered: answered(Page(events)))
    got = page(rig, ana, GetHistory(1, ToGlobal()))
    assert len(got.events) == 8 and got.more


# Searches.


def test_a_search_finds_messages_as_they_are_now(rig: Rig, ana: Client) -> None:
    seqs = says(rig, ana, "red apple", "green pear", "red pear", "red plum")
    ana.asks(Edit(2, seqs[1], "red again"), Delete(3, seqs[2]))
    rig.settle()
    hits = found(rig, ana, Search(4, "red")).hits
    assert [(each.seq, each.text) for each in hits] == [
        (seqs[3], "red plum"),
        (seqs[1], "red again"),
        (seqs[0], "red apple"),
    ]


def test_a_search_goes_on_where_it_ended(rig: Rig, ana: Client) -> None:
    seqs = says(rig, ana, *["red"] * 5)
    first = found(rig, ana, Search(1, "red", limit=3))
    assert [each.seq for each in first.hits] == seqs[:1:-1] and first.more
    rest = found(rig, ana, Search(2, "red", limit=3, before=first.before))
    assert [each.seq for each in rest.hits] == seqs[1::-1] and not rest.more and not rest.before


def test_what_doesn_t_fit_into_one_answer_is_found_by_the_next(rig: Rig, ana: Client) -> None:
    seqs = says(rig, ana, *["red " + "x" * 30_000] * 12)
    first = found(rig, ana, Search(1, "red"))
    assert [each.seq for each in first.hits] == seqs[:-9:-1] and first.more
    rest = found(rig, ana, Search(2, "red", before=first.before))
    assert [each.seq for each in rest.hits] == seqs[3::-1]


@pytest.mark.parametrize(
    ("searched", "before", "is_complete"), [(0, 0, True), (7, 0, False), (7, 8, False), (7, 7, True), (1, 5, False)]
)
def test_it_says_whether_all_was_looked_through(
    rig: Rig, ana: Client, monkeypatch: pytest.MonkeyPatch, searched: int, before: int, is_complete: bool
) -> None:
    event = Committed(3, 5, Posted(1, ana.peer.user, "global", "red"))
    pages = Page((event,), more=True, before=3, searched=searched)
    monkeypatch.setattr(rig.log, "search", lambda query, answered: answered(pages))
    got = found(rig, ana, Search(1, "red", before=before))
    assert ([each.seq for each in got.hits], got.more, got.before, got.complete) == ([3], True, 3, is_complete)


def test_nobody_finds_what_others_say_in_private(rig: Rig, ana: Client) -> None:
    bob, eve = rig.comes("bob"), rig.comes("eve")
    ana.asks(Post(1, ToUsers(("bob",)), "secret"))
    rig.settle()
    assert len(found(rig, bob, Search(1, "secret")).hits) == 1
    assert found(rig, eve, Search(1, "secret")).hits == ()


@pytest.mark.parametrize("words", ["", "  ", "...", "x" * 400, "a " * 40])
def test_what_can_t_be_searched_for(rig: Rig, ana: Client, words: str) -> None:
    ana.asks(Search(1, words))
    rig.settle()
    assert [each.code for each in ana.takes(Refused)] == [Code.BAD_SEARCH]


def test_when_the_store_can_t_be_asked_the_sentence_says_so(
    rig: Rig, ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for question in ("search", "recent", "history"):
        monkeypatch.setattr(rig.log, question, lambda query, answered: answered(Page((), failed="No.")))
    ana.asks(Search(1, "red"), ListConversations(2), GetHistory(3, ToGlobal()))
    rig.settle()
    assert [(each.n, each.code) for each in ana.takes(Refused)] == [(n, Code.STORE_UNAVAILABLE) for n in (1, 2, 3)]
