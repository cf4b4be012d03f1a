"""Who makes room for new names. That tables hold for every event is checked by `Room` at every step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given

from mystic_server.domain import policy
from mystic_server.domain import world as world_module
from mystic_server.domain.apply import apply
from mystic_server.domain.events import Committed
from mystic_server.domain.retelling import retell
from mystic_server.domain.world import World
from tests.server.domain.test_apply_any_log import check_whole, logs
from tests.support.transcript import Person, Room, Tables, assert_same, ban, event_in_words, keep, mute, say, tell

KEY = b"k" * 32


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> dict[str, Person]:
    """Of a server that knows as many names as it can: an operator's and three of guests, who are all here."""
    monkeypatch.setattr(policy, "MAX_USERS", 4)
    room = Room()
    return {"ana": room.operator("ana", KEY)} | {name: room.comes(name) for name in ("bob", "carl", "dora")}


@pytest.fixture
def room(people: dict[str, Person]) -> Room:
    return people["ana"].room


def known(room: Room) -> set[str]:
    return set(room.world.user_ids)


def test_who_has_been_away_for_longest_makes_room(room: Room, people: dict[str, Person]) -> None:
    people["carl"].ends("left")
    people["bob"].ends("left")
    people["dora"].ends("left")
    room.comes("emil")
    assert known(room) == {"ana", "bob", "dora", "emil"}
    room.comes("fritz")
    assert known(room) == {"ana", "dora", "emil", "fritz"}


def test_who_comes_again_has_been_away_for_less(room: Room, people: dict[str, Person]) -> None:
    people["bob"].ends("left")
    people["carl"].ends("left")
    people["dora"].ends("left")
    room.comes("bob")
    room.comes("emil")
    assert known(room) == {"ana", "bob", "dora", "emil"}


def test_who_is_here_or_lost_in_a_group_muted_or_claimed_stays(room: Room, people: dict[str, Person]) -> None:
    people["ana"] >> mute("bob")
    people["ana"] >> keep("team", "carl")
    people["bob"].ends("left")
    people["carl"].ends("left")
    room.comes("emil")
    assert known(room) == {"ana", "bob", "carl", "dora"}
    assert room.lines[-1] == "emil is refused: limit_reached"


def test_a_mute_that_is_over_keeps_nobody(room: Room, people: dict[str, Person]) -> None:
    people["ana"] >> mute("bob", 5)
    people["bob"].ends("left")
    room.wait(10)
    room.comes("emil")
    assert known(room) == {"ana", "carl", "dora", "emil"}


def test_for_whom_something_waits_goes_last(room: Room, people: dict[str, Person]) -> None:
    people["bob"].ends("left")
    people["carl"].ends("left")
    people["ana"] >> tell("bob", "psst")
    room.comes("emil")
    assert known(room) == {"ana", "bob", "dora", "emil"}
    room.comes("fritz")
    assert known(room) == {"ana", "dora", "emil", "fritz"}


def test_who_only_acted_makes_room_too(room: Room, people: dict[str, Person]) -> None:
    people["bob"].ends("left")
    room.comes("emil", watch=False).ends("left")
    assert known(room) == {"ana", "carl", "dora", "emil"}
    room.comes("fritz")
    assert known(room) == {"ana", "carl", "dora", "fritz"}


def test_what_the_forgotten_said_still_names_them_and_the_next_holder_is_another(
    room: Room, people: dict[str, Person]
) -> None:
    people["bob"] >> say("hi")
    said = room.log[-1]
    people["bob"].ends("left")
    people["carl"].ends("left")
    room.comes("emil")
    again = retell(room.world, said)
    assert again and event_in_words(again) == "[GLOBAL] bob: hi"
    room.comes("bob")
    user = room.world.user_named("bob")
    assert user and user.id == len(room.log)


def test_a_ban_outlives_the_name_it_is_on(room: Room, people: dict[str, Person]) -> None:
    people["ana"] >> ban("bob")
    room.comes("emil")
    people["carl"].ends("left")
    room.forget()
    room.comes("bob")
    assert room.lines == ["bob/2 is refused: banned"]


def test_of_too_many_who_are_no_more_the_first_are_not_remembered(
    room: Room, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world_module, "MAX_NO_MORE", 1)
    said: list[Committed] = []
    for name, request in (("bob", say("hi")), ("carl", say("ho")), ("ana", tell("bob", "psst"))):
        people[name] >> request
        said.append(room.log[-1])
    people["carl"].ends("left")
    people["bob"].ends("left")
    emil = room.comes("emil")
    room.comes("fritz")
    told = [event_in_words(each) for committed in said if (each := retell(room.world, committed))]
    assert told == ["[GLOBAL] bob: hi", "[GLOBAL] (forgotten): ho", "[PM ana bob] ana: psst"]
    emil.ends("left")
    room.comes("gerd")
    told = [event_in_words(each) for committed in said if (each := retell(room.world, committed))]
    assert told == ["[GLOBAL] (forgotten): hi", "[GLOBAL] (forgotten): ho", "[PM ana (forgotten)] ana: psst"]
    assert len(room.world.no_more) == 1


@pytest.fixture(scope="module")
def small_tables() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "MAX_USERS", 2)
        patch.setattr(world_module, "MAX_NO_MORE", 2)
        yield


@pytest.mark.usefixtures("small_tables")
@given(log=logs)
def test_every_node_forgets_the_same_and_tables_hold_all_of_it(log: list[Committed]) -> None:
    one, two, tables = World(), World(), Tables()
    for committed in log:
        apply(one, committed)
        apply(two, committed)
        tables.keep(one.take_dirty())
        assert_same(one, two)
        two = tables.loaded(committed.seq)
        two.recently_deleted.update(one.recently_deleted)
        assert_same(two, one)
        check_whole(one)
        assert len(one.no_more) <= 2
        assert one.users.keys() == set(one.user_ids.values()) | one.no_more.keys()
    for committed in log:
        assert retell(one, committed) == retell(two, committed)
