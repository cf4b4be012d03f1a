"""What every EventLog promises of searches."""

from __future__ import annotations

import pytest

from mystic_server.domain.events import GroupEntered
from mystic_server.log.base import Page, SearchQuery
from tests.contracts.logs import TIME_US, Opener, Rig, deleted, edited, said, shown, wanted


def found(rig: Rig, query: SearchQuery) -> list[int]:
    """The numbers of the hits, asked for until there are no more."""
    hits: list[int] = []
    page = Page((), more=True, before=query.before)
    while page.more:
        fields = {name: getattr(query, name) for name in query.__struct_fields__}
        page = rig.page(SearchQuery(**{**fields, "before": page.before}))
        assert not page.failed
        hits += [each.seq for each in page.events]
    return hits


def test_messages_are_found_by_their_words_the_newest_first(rig: Rig) -> None:
    rig.commit(said("Hello Anna"), said("hello world"), said("bye, Anna!"), GroupEntered(1, 3, 9))
    assert shown(rig.page(wanted("anna "))) == ["bye, Anna!", "Hello Anna"]
    assert found(rig, wanted("hello anna ")) == [1]
    assert found(rig, wanted("nobody")) == []


@pytest.mark.parametrize(
    ("typed", "hits"),
    [
        ("tomo", [1]),
        ("tomo ", []),
        ('"see you"', [1]),
        ('"you see"', []),
        ("you see ", [1]),
        ("cafe ", [2]),
        ("CAFÉ ", [2]),
        ("strasse ", [2]),
        ("e-mail ", [3]),
        ("mail e ", [3]),
        ('NEAR("see"', []),
        ("text:see ", []),
        ("a* OR b ", []),
        ("привет ", [4]),
        ("привёт ", [4]),
        ("日本", [4]),
        ("kglobal ", []),
        ("a3 ", []),
    ],
)
def test_what_is_typed_means_words_and_nothing_else(rig: Rig, typed: str, hits: list[int]) -> None:
    rig.commit(said("I'll see you tomorrow"), said("Das Café in der Straße"), said("my e-mail"), said("Привёт 日本語"))
    assert found(rig, wanted(typed)) == hits


def test_only_what_may_be_read_is_found(rig: Rig) -> None:
    rig.commit(
        said("word", conversation="global"),
        said("word", conversation="broadcast"),
        said("word", conversation="group:7"),
        said("word", conversation="group:77"),
        said("word", conversation="direct:3,4", users=(3, 4)),
        said("word", conversation="direct:4,5", users=(4, 5)),
        said("word", conversation="direct:3,5", users=(3, 5)),
    )
    assert found(rig, wanted("word")) == [1]
    assert found(rig, wanted("word", conversations=("global", "broadcast", "group:7"), user=3)) == [7, 5, 3, 2, 1]
    assert found(rig, wanted("word", conversations=("group:77",), user=4, since=6)) == [6, 4]
    assert found(rig, wanted("word", conversations=(), user=9)) == []
    assert found(rig, wanted("word", conversations=())) == []


def test_a_search_within_one_conversation_stays_in_it(rig: Rig) -> None:
    ours = "direct:3,4"
    rig.commit(
        said("word", conversation="global"),
        said("word", conversation="group:7"),
        said("word", conversation=ours, users=(3, 4)),
        said("word", conversation="direct:3,5", users=(3, 5)),
    )
    assert found(rig, wanted("word", conversations=("global", "group:7"), user=3, within="group:7")) == [2]
    assert found(rig, wanted("word", user=3, within=ours)) == [3]
    assert found(rig, wanted("word", user=5, within=ours)) == []
    assert found(rig, wanted("word", user=3, since=4, within=ours)) == []
    assert found(rig, wanted("word", within="group:7")) == []


def test_a_search_has_filters_of_author_and_time(rig: Rig) -> None:
    rig.commit(*(said("word", author=3 + number % 2) for number in range(1, 9)))
    assert found(rig, wanted("word", author=3)) == [8, 6, 4, 2]
    assert found(rig, wanted("word", author=33)) == []
    assert found(rig, wanted("word", since_us=TIME_US + 6)) == [8, 7, 6]
    assert found(rig, wanted("word", until_us=TIME_US + 3)) == [2, 1]
    assert found(rig, wanted("word", since_us=TIME_US + 3, until_us=TIME_US + 6, author=4)) == [5, 3]
    assert found(rig, wanted("word", since_us=TIME_US + 99)) == found(rig, wanted("word", until_us=1)) == []
    assert found(rig, wanted("", author=4, since_us=TIME_US + 6)) == [7]
    assert found(rig, wanted("word", before=2**64 - 1, until_us=2**64 - 1)) == found(rig, wanted("word"))
    assert found(rig, wanted("word", since_us=2**64 - 1)) == []


def test_pages_of_hits_join_to_all_of_them(rig: Rig) -> None:
    rig.commit(*(said("word" if number % 3 else "other") for number in range(1, 31)))
    page = rig.page(wanted("word", limit=4))
    assert ([each.seq for each in page.events], page.more) == ([29, 28, 26, 25], True)
    page = rig.page(wanted("word", limit=4, before=page.before))
    assert ([each.seq for each in page.events], page.more) == ([23, 22, 20, 19], True)
    assert found(rig, wanted("word", limit=3)) == [number for number in range(30, 0, -1) if number % 3]
    assert not rig.page(wanted("word", limit=20)).more


def test_a_page_of_long_hits_is_shorter(rig: Rig) -> None:
    rig.commit(*(said("word " + "x" * 32_000) for _ in range(40)))
    page = rig.page(wanted("word", limit=100))
    assert (len(page.events), page.more) == (32, True)
    assert found(rig, wanted("word", limit=100)) == list(range(40, 0, -1))


def test_messages_are_found_as_they_are_now(rig: Rig) -> None:
    rig.commit(said("one old"), said("two old"), said("three old"))
    assert found(rig, wanted("old")) == [3, 2, 1]
    rig.commit(edited(1, "one new"), deleted(2))
    assert found(rig, wanted("old")) == [3]
    assert shown(rig.page(wanted("new"))) == ["one new"]
    rig.commit(edited(1, "one newer"), edited(2, "late old"))
    assert found(rig, wanted("new ")) == found(rig, wanted("late")) == []
    rig.commit(deleted(1))
    assert found(rig, wanted("one")) == []


def test_messages_that_were_amended_at_once_are_found_as_they_are_now(rig: Rig) -> None:
    rig.commit(said("one old"), edited(1, "one new"), said("two old"), deleted(3))
    assert found(rig, wanted("old")) == []
    assert shown(rig.page(wanted("one"))) == ["one new"]


def test_what_was_said_before_a_restart_is_found(opener: Opener) -> None:
    with opener() as rig:
        rig.commit(said("old word"))
    with opener() as rig:
        rig.commit(said("new word"))
        assert found(rig, wanted("word")) == [2, 1]


def test_many_conversations_can_be_searched_at_once(rig: Rig) -> None:
    groups = tuple(f"group:{number}" for number in range(1, 1001))
    rig.commit(*(said("word", conversation=group) for group in groups[::100]))
    assert len(found(rig, wanted("word", conversations=groups, user=3))) == 10
