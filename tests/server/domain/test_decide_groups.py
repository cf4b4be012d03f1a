"""What owners may ask for, and what is refused before it gets anywhere."""

from __future__ import annotations

import pytest

from mystic_server.domain import policy
from mystic_server.domain.decide import Change
from mystic_server.domain.events import GroupCreated, GroupExited, GroupKept, GroupRenamed
from mysticproto.errors import Code
from mysticproto.model import Refused
from mysticproto.names import clean_line
from tests.support.transcript import (
    Person,
    Room,
    add,
    create,
    end_group,
    hand_over,
    join,
    keep,
    keep_on,
    leave,
    remove,
    rename,
)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def ana(room: Room) -> Person:
    """Owns the kept group team, with bob in it, and has the focus on it."""
    ana = room.comes("ana")
    room.comes("bob")
    room.comes("carl") >> create("club")
    ana >> keep("team", "bob", focus=True)
    room.forget()
    return ana


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (rename("team", ""), "group_name_invalid"),
        (rename("team", "two words"), "group_name_invalid"),
        (rename("team", "\x1b[31mred"), "group_name_invalid"),
        (rename("team", "CLUB"), "group_exists"),
        (rename("team", "team"), "group_exists"),
        (rename("nowhere", "crew"), "unknown_group"),
        (rename("club", "crew"), "not_in_group"),
        (hand_over("team", "carl"), "not_in_group"),
        (hand_over("team", "nobody"), "not_in_group"),
        (hand_over("team", "ana"), "not_to_yourself"),
        (hand_over("club", "ana"), "not_in_group"),
        (keep_on("team"), "not_allowed"),
        (keep_on("club", False), "not_in_group"),
        (keep_on("nowhere"), "unknown_group"),
        (end_group("club"), "not_in_group"),
        (end_group("nowhere"), "unknown_group"),
    ],
)
def test_what_is_refused(room: Room, ana: Person, request_: Change, code: str) -> None:
    refused = room.decides(ana, request_)
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert refused.text == clean_line(refused.text) and refused.text.endswith(".")


@pytest.mark.parametrize(
    "request_", [rename("team", "crew"), hand_over("team", "carl"), keep_on("team", False), end_group("team")]
)
def test_a_member_who_isn_t_the_owner_is_refused(room: Room, ana: Person, request_: Change) -> None:
    ana >> add("team", "carl")
    ana >> hand_over("team", "bob")
    refused = room.decides(ana, request_)
    assert refused == Refused(1, "not_allowed", "Only the owner of team can do that.", "team")


@pytest.mark.parametrize("request_", [rename("", "crew"), hand_over("", "bob"), keep_on("", False), end_group("")])
def test_the_group_that_one_is_in_needs_no_name(room: Room, ana: Person, request_: Change) -> None:
    assert not isinstance(room.decides(ana, request_), Refused)
    ana >> leave()
    refused = room.decides(ana, request_)
    assert isinstance(refused, Refused) and refused.code == "no_group"


def test_nobody_is_handed_more_groups_than_they_may_own(
    room: Room, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "MAX_GROUPS_OWNED", 1)
    ana >> add("team", "carl")
    refused = room.decides(ana, hand_over("team", "carl"))
    assert refused == Refused(1, "limit_reached", "carl owns 1 groups already.", "carl")


def test_what_was_so_at_the_time_is_kept_with_the_wish(room: Room, ana: Person) -> None:
    assert room.decides(ana, rename("TEAM", "crew")) == GroupRenamed(ana.session, 1, 5, "crew", "team")
    assert room.decides(ana, leave("team")) == GroupExited(ana.session, 1, 5, heir=2)
    ana >> remove("team", "bob")
    assert room.decides(ana, leave("team")) == GroupExited(ana.session, 1, 5)


def test_a_kept_group_says_whom_to_ask(room: Room, ana: Person) -> None:
    dora = room.comes("dora")
    refused = room.decides(dora, join("team"))
    text = "team takes nobody by itself: ask its owner ana to add you."
    assert refused == Refused(1, "not_allowed", text, "team")


# Kept groups of guests.


@pytest.fixture
def one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_GROUPS_OF_GUESTS", 1)


@pytest.mark.usefixtures("one_is_enough")
def test_guests_have_so_many_kept_groups_together_and_others_their_own() -> None:
    room = Room()
    ana, bob, carl = room.comes("ana"), room.comes("bob"), room.comes("carl", b"c" * 32)
    ana >> keep("team")
    bob >> create("crew")
    for request in (keep("club"), keep_on("crew")):
        refused = room.decides(bob, request)
        assert refused == Refused(
            1, Code.LIMIT_REACHED, "Guests have 1 kept groups already, and bob is a guest.", "bob"
        )
    carl >> keep("club", "bob")
    assert isinstance(room.decides(carl, hand_over("club", "bob")), Refused)
    assert isinstance(room.decides(carl, leave("club")), Refused)
    assert isinstance(room.decides(ana, leave("team")), GroupExited)
    ana.sets_password()
    assert isinstance(room.decides(bob, keep("one")), GroupCreated)


@pytest.mark.usefixtures("one_is_enough")
def test_there_is_room_again_when_a_guest_s_group_ends() -> None:
    room = Room()
    ana, bob = room.comes("ana"), room.comes("bob")
    ana >> keep("team")
    ana >> keep_on("team", False)
    bob >> keep("crew")
    assert isinstance(room.decides(ana, keep_on("team")), Refused)
    bob >> end_group("crew")
    assert isinstance(room.decides(ana, keep_on("team")), GroupKept)
