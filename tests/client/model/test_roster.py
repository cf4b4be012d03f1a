"""Who is here and which groups there are."""

from mystic_client.model import roster as module
from mystic_client.model.roster import Roster
from mysticproto.model import (
    Event,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupInfo,
    GroupJoined,
    GroupLeft,
    UserInfo,
    UserJoined,
    UserLeft,
    UserRef,
)

ZOE, ANA, BOB = UserRef(1, "zoe"), UserRef(2, "ana"), UserRef(3, "bob")
DEV = Group(7, "dev")
HAPPENED: list[Event] = [
    UserJoined(1, 0, ANA),
    GroupCreated(2, 0, DEV, ANA),
    UserJoined(3, 0, BOB),
    GroupJoined(4, 0, DEV, BOB),
    GroupLeft(5, 0, DEV, ANA),
    UserLeft(6, 0, ANA, "lost"),
]


def test_events_keep_the_lists_true() -> None:
    roster = Roster()
    for event in HAPPENED:
        roster.heard(event)
    assert [info.user for info in roster.users.values()] == [BOB]
    assert roster.groups[7].members == (BOB,)
    assert roster.is_here(3) and not roster.is_here(2)
    assert roster.is_member(3, 7) and not roster.is_member(2, 7)
    roster.heard(GroupDeleted(7, 0, DEV))
    assert roster.groups == {} and roster.group_named("dev") is None


def test_joining_twice_is_joining_once() -> None:
    roster = Roster()
    roster.heard(GroupCreated(2, 0, DEV, ANA))
    roster.heard(GroupJoined(3, 0, DEV, ANA))
    assert roster.groups[7].members == (ANA,)


def test_an_answer_that_is_older_than_the_latest_events_takes_nothing_back() -> None:
    for asked_after in range(len(HAPPENED) + 1):
        roster = Roster()
        for event in HAPPENED[:asked_after]:
            roster.heard(event)
        roster.asked()
        for event in HAPPENED[asked_after:]:
            roster.heard(event)
        truth = Roster()
        for event in HAPPENED[:asked_after]:
            truth.heard(event)
        roster.listed(truth.users.values(), truth.groups.values())
        assert [info.user for info in roster.users.values()] == [BOB]
        assert roster.groups[7].members == (BOB,)


def test_names_are_remembered_with_their_ids() -> None:
    roster = Roster()
    roster.listed([UserInfo(ANA)], [GroupInfo(DEV, ANA, (ANA,))])
    assert roster.named("ANA") == ANA
    assert roster.named("nobody") is None
    roster.heard(UserLeft(9, 0, ANA, "left"))
    assert roster.named("ana") == ANA
    assert roster.group_named("Dev") is not None


def test_remembered_names_have_a_limit() -> None:
    roster = Roster()
    for number in range(1, module.MAX_KNOWN + 10):
        roster.remember(UserRef(number, f"user{number}"))
    assert roster.named("user1") is None
    assert roster.named(f"user{module.MAX_KNOWN}") is not None


def test_a_group_that_was_made_with_members_has_them() -> None:
    roster = Roster()
    roster.heard(GroupCreated(3, 0, DEV, ANA, (ANA, BOB)))
    assert roster.groups[DEV.id].members == (ANA, BOB)
    assert roster.groups[DEV.id].kept
