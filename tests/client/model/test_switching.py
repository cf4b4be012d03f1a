"""Where one can go, and what fits what was typed."""

import pytest

from mystic_client.model.store import Store
from mystic_client.model.switching import NO_FIT, destinations, fitting, score
from mysticproto.model import (
    ConversationInfo,
    Direct,
    Group,
    GroupInfo,
    Message,
    UserInfo,
    UserRef,
    Welcome,
)

ZOE, ANA, BOB, EVA = (UserRef(n, name) for n, name in enumerate(("zoe", "ana", "bob", "eva"), 1))
DEV, OPS = Group(7, "dev"), Group(8, "dev-ops")
HOUR_US = 3_600_000_000


@pytest.fixture
def store() -> Store:
    store = Store("zoe")
    store.welcomed(Welcome(1, 1, ZOE, "member", 0))
    store.roster.asked()
    people = (UserInfo(ZOE), UserInfo(ANA), UserInfo(BOB, "member", "", False, HOUR_US))
    store.listed(people, (GroupInfo(DEV, ANA, (ANA,)), GroupInfo(OPS, ZOE, (ZOE, ANA))))
    return store


def listed(store: Store, typed: str = "") -> list[tuple[str, str, str]]:
    places = destinations(store, 3 * HOUR_US)
    return [(place.kind, place.title, place.hint) for place in (fitting(typed, places) if typed else places)]


def test_all_are_there_once(store: Store) -> None:
    store.open_direct([ANA])
    store.converses([ConversationInfo(Direct((ZOE, EVA)), 9, 2 * HOUR_US), ConversationInfo(Direct((ZOE, ANA)), 8, 1)])
    assert listed(store) == [
        ("global", "Global", "open"),
        ("group", "dev-ops", "open"),
        ("direct", "ana", "open"),
        ("direct", "eva", "1 h"),
        ("group", "dev", "1 member"),
        ("direct", "bob", "away 2 h"),
    ]


def test_what_is_unread_comes_first(store: Store) -> None:
    store.heard(Message(5, 0, ANA, Direct((ZOE, ANA)), "psst"))
    store.converses([ConversationInfo(Direct((ZOE, EVA)), 9, 2 * HOUR_US, read=7)])
    assert [place[1:] for place in listed(store)][:2] == [("ana", "1 new"), ("eva", "1 h")]


def test_what_is_typed_chooses(store: Store) -> None:
    assert [title for _, title, _ in listed(store, "#dev")] == ["dev", "dev-ops"]
    assert [title for _, title, _ in listed(store, "OPS")] == ["dev-ops", "OPS"]
    assert listed(store, "mallory")[-1] == ("name", "mallory", "write to this name")
    assert listed(store, "no such name!") == []


def test_scores() -> None:
    places = ["dev", "old dev", "redevelop", "d-e-v"]
    assert sorted(places, key=lambda title: score("dev", title)) == places
    assert score("dev", "ved") == NO_FIT
