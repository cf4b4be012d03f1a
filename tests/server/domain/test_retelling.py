"""In which words the past is told again."""

from __future__ import annotations

import pytest

from mystic_server.domain.events import (
    AccountDeleted,
    Amended,
    Banned,
    Committed,
    Deleted,
    Edited,
    Event,
    GroupCreated,
    GroupEntered,
    GroupExited,
    GroupHandedOver,
    GroupKept,
    GroupRenamed,
    Joined,
    Kicked,
    Left,
    LingerEnded,
    MemberAdded,
    MemberRemoved,
    Muted,
    NodeStarted,
    PasswordSet,
    Posted,
    RoleSet,
    Unbanned,
)
from mystic_server.domain.retelling import retell
from mysticproto.model import FOR_EVER_US, Message, UserJoined
from tests.support.transcript import (
    Room,
    add,
    announce,
    ban,
    create,
    delete,
    delete_account,
    edit,
    event_in_words,
    hand_over,
    join,
    keep,
    keep_on,
    kick,
    leave,
    mute,
    remove,
    rename,
    say,
    say_in,
    set_role,
    shout,
    tell,
    unban,
    unmute,
)

KEY = b"k" * 32


@pytest.fixture
def room() -> Room:
    return Room()


def told_again(room: Room) -> list[str]:
    said = [retell(room.world, committed) for committed in room.log]
    assert all(event is None or event.seq == each.seq for event, each in zip(said, room.log, strict=True))
    return [event_in_words(event) for event in said if event]


def test_the_past_is_told_in_the_words_of_the_time(room: Room) -> None:
    ana = room.comes("ana")
    bob = room.comes("bob")
    ana >> say("hi")
    ana >> tell("bob", "psst")
    ana >> create("team")
    bob >> join("team")
    bob >> say_in("team", "here")
    bob >> shout("all")
    bob >> leave()
    bob.ends("lost")
    assert told_again(room) == [
        "ana joined",
        "bob joined",
        "[GLOBAL] ana: hi",
        "[PM ana bob] ana: psst",
        "ana created team",
        "bob joined team",
        "[team] bob: here",
        "[BROADCAST] bob: all",
        "bob left team: left",
        "bob left: lost",
    ]


def test_who_was_added_and_removed_is_told_again(room: Room) -> None:
    ana, _ = room.comes("ana"), room.comes("bob")
    room.comes("carl")
    ana >> keep("team", "bob nobody")
    ana >> add("team", "carl")
    ana >> remove("team", "bob")
    assert told_again(room)[3:] == [
        "ana created team with ana bob",
        "ana added carl to team",
        "bob left team: removed",
    ]


def test_a_message_is_told_again_with_all_it_had(room: Room) -> None:
    ana = room.comes("ana")
    ana >> say("hi", cid=b"0123456789abcdef", reply_to=1)
    again = retell(room.world, room.log[-1])
    assert isinstance(again, Message)
    assert (again.cid, again.reply_to, again.time_us) == (b"0123456789abcdef", 1, room.log[-1].time_us)


def test_what_nobody_was_told_is_not_told_again(room: Room) -> None:
    room.comes("dora", KEY)
    second = room.comes("dora", KEY)
    room.comes("bot", watch=False)
    second.ends("lost")
    room.commit(NodeStarted(1, 2))
    room.commit(LingerEnded(second.session))
    assert told_again(room) == ["dora joined"]


def test_a_member_joined_as_one(room: Room) -> None:
    room.comes("dora", KEY)
    assert retell(room.world, room.log[0]) == UserJoined(1, room.log[0].time_us, room.world.users[1].ref, "member")


def test_who_lost_a_race_is_not_told_of(room: Room) -> None:
    with room.at_once():
        ana = room.comes("ana")
        room.comes("ANA")
    with room.at_once():
        ana >> create("team")
        ana >> create("Team")
    assert told_again(room) == ["ana joined", "ana created team"]


def test_a_group_that_is_gone_is_not_told_of(room: Room) -> None:
    ana = room.comes("ana")
    ana >> create("team")
    ana >> say_in("team", "hi")
    ana >> leave()
    assert told_again(room) == ["ana joined"]


@pytest.mark.parametrize(
    "event",
    [
        Posted(1, 1, "group:99", "x"),
        Posted(1, 1, "nonsense", "x"),
        Joined(1, "zed", user=99),
        Joined(1, "zed"),
        Left(1, "lost", user=99),
        GroupCreated(1, 99, "club"),
        GroupEntered(1, 99, 2),
        GroupEntered(1, 1, 99),
        GroupExited(1, 99, 2),
        GroupExited(1, 1, 99),
        MemberAdded(1, 1, 99, 1),
        MemberAdded(1, 99, 2, 1),
        MemberAdded(1, 1, 2, 99),
        MemberRemoved(1, 1, 99, 1),
        MemberRemoved(1, 1, 2, 99),
        Edited(1, 1, 1, "group:99", "x"),
        Deleted(1, 1, 1, "nonsense"),
        GroupRenamed(1, 99, 2, "x"),
        GroupRenamed(1, 1, 99, "x"),
        GroupHandedOver(1, 1, 2, 99),
        GroupKept(1, 1, 99, True),
        PasswordSet(1, 99, "$1", True),
        PasswordSet(1, 1, "$1"),
        RoleSet(1, 1, 99, "operator"),
        AccountDeleted(1, 1, 99),
        Kicked(1, 1, 99),
        Kicked(1, 99, 1),
        Banned(1, 99, "zed"),
        Banned(1, 1, "10.0.0.0/8"),
        Unbanned(1, 1, "10.0.0.0/8"),
        Muted(1, 1, 99, 5),
    ],
)
def test_events_of_nobody_and_nothing_are_not_told(room: Room, event: Event) -> None:
    room.comes("ana") >> create("team")
    assert retell(room.world, Committed(50, 1, event)) is None


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Posted(1, 1, "direct:1,99", "x", users=(1, 99)), "[PM ana (forgotten)] ana: x"),
        (Posted(1, 99, "global", "x"), "[GLOBAL] (forgotten): x"),
        (Edited(1, 99, 1, "global", "x"), "[GLOBAL] (forgotten) edited 1: x"),
        (Deleted(1, 99, 1, "global"), "[GLOBAL] (forgotten) deleted 1"),
    ],
)
def test_who_is_not_remembered_is_told_without_a_name(room: Room, event: Event, words: str) -> None:
    room.comes("ana")
    again = retell(room.world, Committed(50, 1, event))
    assert again and event_in_words(again) == words


# Messages as they are now.


def now(room: Room, number: int) -> str:
    """A message, read from the log as it is now."""
    committed = room.message(number)
    assert committed
    said = retell(room.world, committed)
    assert said
    return event_in_words(said)


def test_an_edited_message_is_told_as_it_is_now_and_its_edits_too(room: Room) -> None:
    ana = room.comes("ana")
    ana >> say("helo", cid=b"c" * 16, reply_to=1)
    ana >> edit(2, "hell")
    ana >> edit(2, "hello")
    assert now(room, 2) == "[GLOBAL] ana: hello (edited)"
    assert told_again(room)[2:] == ["[GLOBAL] ana edited 2: hell", "[GLOBAL] ana edited 2: hello"]
    committed = room.message(2)
    again = retell(room.world, committed) if committed else None
    assert isinstance(again, Message)
    assert (again.cid, again.reply_to, again.edited_us) == (b"c" * 16, 1, room.log[3].time_us)


def test_what_a_deleted_message_said_is_told_in_no_way(room: Room) -> None:
    ana = room.comes("ana")
    ana >> say("secret")
    ana >> edit(2, "secret too")
    ana >> delete(2)
    room.world.recently_deleted.clear()
    assert now(room, 2) == "[GLOBAL] ana: (deleted)"
    deleted = Committed(2, 1, room.log[1].event, Amended("secret", 5, deleted=True))
    assert "secret" not in str(retell(room.world, deleted))
    edit_since_deleted = Committed(3, 1, room.log[2].event, Amended("", 5, deleted=True))
    assert retell(room.world, edit_since_deleted) is None
    assert retell(room.world, Committed(3, 1, Edited(1, 1, 2, "global", ""))) is None


def test_a_page_that_was_read_before_the_deletion_doesn_t_tell_it_either(room: Room) -> None:
    ana = room.comes("ana")
    ana >> say("secret")
    ana >> edit(2, "secret too")
    page = room.log[:3]
    ana >> delete(2)
    assert [said and event_in_words(said) for said in (retell(room.world, each) for each in page)] == [
        "ana joined",
        "[GLOBAL] ana: (deleted)",
        None,
    ]
    assert told_again(room)[-1] == "[GLOBAL] ana deleted 2"


def test_an_announcement_is_told_as_one(room: Room) -> None:
    olga = room.operator("olga", KEY)
    olga >> announce("closing")
    assert told_again(room)[-1] == "[BROADCAST!] olga: closing"


# Groups and people.


def test_what_owners_did_is_told_with_the_names_of_the_time(room: Room) -> None:
    ana, bob = room.comes("ana"), room.comes("bob")
    ana >> keep("team", "bob")
    ana >> rename("team", "crew")
    ana >> keep_on("crew", False)
    ana >> hand_over("crew", "bob")
    bob >> say_in("crew", "hi")
    ana >> leave("crew")
    assert told_again(room)[2:] == [
        "ana created team with ana bob",
        "ana renamed team to crew",
        "ana made crew a room",
        "ana handed crew over to bob",
        "[crew] bob: hi",
        "ana left crew: left",
    ]


def test_who_owns_what_an_owner_left_is_told_again(room: Room) -> None:
    ana, _ = room.comes("ana"), room.comes("bob")
    ana >> keep("team", "bob")
    ana >> leave("team")
    assert told_again(room)[-1] == "ana left team: left, bob owns it"


def test_what_happened_to_names_is_told_again(room: Room) -> None:
    olga = room.operator("olga", KEY)
    ana = room.comes("ana")
    ana.sets_password()
    ana.sets_password("$argon2id$2")
    olga >> set_role("ana")
    olga >> set_role("ana", "member")
    olga >> delete_account("ana")
    assert told_again(room)[1:] == [
        "olga is operator",
        "ana joined",
        "ana is member",
        "ana is operator by olga",
        "ana is member by olga",
        "ana is no more, says olga",
    ]


def test_what_operators_did_is_told_again_but_not_of_addresses(room: Room) -> None:
    olga = room.operator("olga", KEY)
    room.comes("ana")
    olga >> mute("ana", 10, "shouting")
    olga >> unmute("ana")
    olga >> ban("10.0.0.0/8")
    olga >> unban("10.0.0.0/8")
    olga >> ban("zed", reason="spam")
    olga >> unban("zed")
    olga >> kick("ana", "enough")
    live = [line.partition(" is echoed ")[2] for line in room.lines if line.startswith("olga is echoed")]
    again = told_again(room)[3:]
    assert again == [each for each in live if "10.0" not in each]
    assert again[0].startswith("olga: mute ana until ") and again[-1] == "olga: kick ana, enough"
    assert str(FOR_EVER_US) not in "".join(again)
