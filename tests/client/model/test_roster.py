"""Who is here and which groups there are."""

from mystic_client.model import roster as module
from mystic_client.model.roster import Roster
from mysticproto.model import (
    AccountClaimed,
    AccountDeleted,
    Event,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupHandedOver,
    GroupInfo,
    GroupJoined,
    GroupKept,
    GroupLeft,
    GroupRenamed,
    Moderated,
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


def test_claimed_names_stay_known_when_they_go() -> None:
    roster = Roster()
    roster.listed(
        [UserInfo(ZOE), UserInfo(BOB, "member", here=False, last_seen_us=9), UserInfo(ANA, "operator", here=False)], []
    )
    assert list(roster.users) == [1]
    assert list(roster.away) == [2, 3], "the last seen last"
    assert roster.named("bob") == BOB
    roster.heard(UserJoined(1, 0, BOB, "member"))
    assert roster.is_here(3) and 3 not in roster.away
    roster.heard(UserLeft(2, 77, BOB, "left"))
    roster.heard(UserLeft(3, 78, ZOE, "left"))
    assert list(roster.away) == [2, 3], "a guest's name is nobody's"
    assert roster.away[3].last_seen_us == 77 and not roster.away[3].here
    assert roster.info(3) == roster.away[3] and roster.info(1) is None


def test_roles_and_mutes_follow_the_events() -> None:
    roster = Roster()
    roster.listed([UserInfo(ZOE), UserInfo(ANA, "member", here=False)], [])
    roster.heard(AccountClaimed(1, 0, ZOE, "member"))
    roster.heard(AccountClaimed(2, 0, ANA, "operator", ZOE))
    assert (roster.role_of(1), roster.role_of(2), roster.role_of(9)) == ("member", "operator", "guest")
    assert roster.is_operator(2)
    roster.heard(Moderated(3, 0, "mute", ANA, "Zoe", until_us=50))
    assert roster.users[1].muted_until_us == 50
    roster.heard(Moderated(4, 0, "kick", ANA, "nobody"))
    roster.heard(UserJoined(5, 0, ZOE, "member"))
    assert roster.users[1].muted_until_us == 50, "coming on another device changes nothing"
    roster.heard(Moderated(6, 0, "unmute", ANA, "zoe"))
    assert roster.users[1].muted_until_us == 0


def test_a_group_follows_its_owner_name_and_kind() -> None:
    roster = Roster()
    roster.heard(GroupCreated(1, 0, DEV, ANA, (ANA, BOB, ZOE)))
    assert roster.is_owner(2, 7)
    roster.heard(GroupRenamed(2, 0, Group(7, "ops"), ANA, "dev"))
    assert roster.group_named("dev") is None and roster.group_named("ops") is not None
    roster.heard(GroupHandedOver(3, 0, Group(7, "ops"), ANA, ZOE))
    assert roster.is_owner(1, 7)
    roster.heard(GroupKept(4, 0, Group(7, "ops"), ZOE, False))
    assert not roster.groups[7].kept
    roster.heard(GroupLeft(5, 0, Group(7, "ops"), ZOE, "left", ANA))
    assert roster.is_owner(2, 7) and roster.groups[7].members == (ANA, BOB)


def test_an_account_that_is_deleted_leaves_everything() -> None:
    roster = Roster()
    roster.listed([UserInfo(ANA, "member"), UserInfo(BOB)], [GroupInfo(DEV, ANA, (ANA, BOB), kept=True)])
    roster.heard(AccountDeleted(9, 0, ANA))
    assert roster.info(2) is None and roster.named("ana") is None
    assert roster.groups[7] == GroupInfo(DEV, BOB, (BOB,), kept=True)


def test_those_who_are_away_have_a_limit() -> None:
    roster = Roster()
    for number in range(1, module.MAX_KNOWN + 3):
        user = UserRef(number, f"user{number}")
        roster.heard(UserJoined(number * 2, 0, user, "member"))
        roster.heard(UserLeft(number * 2 + 1, 0, user, "left"))
    assert len(roster.away) == module.MAX_KNOWN and 1 not in roster.away
