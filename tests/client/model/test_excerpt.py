"""Pieces of the past."""

from mystic_client.model.excerpt import Excerpt
from mystic_client.model.timeline import Entry


def page(*places: int) -> list[Entry]:
    return [Entry(place, place, "message", f"text {place}", "ana", 2) for place in places]


def places(excerpt: Excerpt) -> list[int]:
    return [entry.place for entry in excerpt.timeline.entries]


def test_it_grows_on_both_sides_until_there_is_nothing_more() -> None:
    excerpt = Excerpt(50)
    assert excerpt.ask("older") is None and not excerpt.is_here
    assert excerpt.first(page(48, 50, 52), more=True, newer=True)
    assert excerpt.ask("older") == (48, 0)
    assert excerpt.ask("older") is None, "one page at a time"
    excerpt.came("older", page(40, 44), more=False)
    assert excerpt.ask("older") is None
    assert excerpt.ask("newer") == (0, 52)
    excerpt.came("newer", page(54), more=True)
    assert excerpt.ask("newer") == (0, 54)
    assert places(excerpt) == [40, 44, 48, 50, 52, 54]


def test_a_page_that_failed_can_be_asked_for_again() -> None:
    excerpt = Excerpt(50)
    excerpt.first(page(50), more=True, newer=False)
    assert excerpt.ask("older") and excerpt.newer == "all"
    excerpt.failed("older")
    assert excerpt.ask("older") == (50, 0)


def test_a_message_that_is_not_there_is_noticed() -> None:
    excerpt = Excerpt(50)
    assert not excerpt.first(page(48, 52), more=False, newer=False)
    assert not excerpt.is_here
