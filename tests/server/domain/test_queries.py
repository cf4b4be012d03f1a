"""What is answered from the world, and what may be read of the past."""

from __future__ import annotations

import pytest

from mystic_server.domain import queries
from mystic_server.domain.decide import decide
from mystic_server.domain.events import NodeStarted, Posted
from mystic_server.domain.policy import LIST_PART
from mystic_server.domain.queries import (
    RecentScope,
    Scope,
    SearchScope,
    conversations,
    history_scope,
    last_here,
    list_groups,
    list_users,
    missed_scope,
    recent_scope,
    search_scope,
    waiting_scope,
)
from mystic_server.domain.retelling import retell
from mysticproto.model import GetHistory, Post, Refused, Search, ToGlobal, ToGroup, ToUsers, conversation_key
from tests.support.transcript import (
    Person,
    Room,
    add,
    create,
    delete_account,
    event_in_words,
    join,
    keep,
    leave,
    log_out,
    say_in,
    tell,
)

KEY = b"k" * 32


@pytest.fixture
def room() -> Room:
    return Room()


def scope(person: Person, of: ToGlobal | ToUsers | ToGroup) -> Scope | str:
    """What may be read, or the code of the refusal."""
    found = history_scope(person.room.world, person.here, GetHistory(3, of))
    if isinstance(found, Refused):
        assert found.n == 3
        return found.code
    return found


# Lists.


def test_an_empty_list_is_one_part(room: Room) -> None:
    assert [(part.n, part.users, part.more) for part in list_users(room.world, 4)] == [(4, (), False)]
    assert [(part.n, part.groups, part.more) for part in list_groups(room.world, 4)] == [(4, (), False)]


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3])])
def test_users_come_in_parts(room: Room, monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]) -> None:
    monkeypatch.setattr(queries, "LIST_PART", 3)
    for number in range(count):
        room.comes(f"ana{number}")
    parts = list(list_users(room.world, 1))
    assert [len(part.users) for part in parts] == sizes
    assert [part.more for part in parts] == [True] * (len(sizes) - 1) + [False]
    assert [info.user.name for part in parts for info in part.users] == [f"ana{number}" for number in range(count)]


def test_groups_come_in_parts_that_count_members(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "LIST_PART", 4)
    people = [room.comes(f"ana{number}") for number in range(5)]
    for name in ("one", "two", "large"):
        people[0] >> create(name, focus=False)
    for person in people[1:]:
        person >> join("large", focus=False)
    people[1] >> create("last", focus=False)
    parts = list(list_groups(room.world, 1))
    assert [[info.group.name for info in part.groups] for part in parts] == [["one", "two"], ["large"], ["last"]]
    assert [part.more for part in parts] == [True, True, False]
    assert [user.name for user in parts[1].groups[0].members] == [f"ana{number}" for number in range(5)]


def test_a_list_s_parts_are_made_when_they_are_asked_for(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is listed twice, and nobody who isn't there any more; who comes meanwhile is told as an event."""
    monkeypatch.setattr(queries, "LIST_PART", 1)
    people = [room.comes(f"ana{number}", bytes([number]) * 32 if number % 2 else b"") for number in range(6)]
    here, known = list_users(room.world, 1), list_users(room.world, 1, known=True)
    assert [[info.user.name for info in next(parts).users] for parts in (here, known)] == [["ana0"]] * 2
    for number in (0, 2, 3):
        people[number].ends("left")
    people[5] >> delete_account()
    room.comes("bob")
    room.comes("ana2")
    rest = [(info.user.name, info.here) for part in here for info in part.users]
    assert rest == [("ana1", True), ("ana2", True), ("ana4", True)]
    rest = [(info.user.name, info.here) for part in known for info in part.users]
    assert rest == [("ana1", True), ("ana2", True), ("ana3", False), ("ana4", True)]


def test_groups_that_come_and_go_while_they_are_listed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "LIST_PART", 2)
    ana = room.comes("ana")
    for name in ("one", "two", "three"):
        ana >> create(name, focus=False)
    parts = list_groups(room.world, 1)
    first = next(parts)
    assert ([info.group.name for info in first.groups], first.more) == (["one"], True)
    for name in ("one", "two"):
        ana >> leave(name)
    ana >> create("four", focus=False)
    assert [(info.group.name, part.more) for part in parts for info in part.groups] == [
        ("three", True),
        ("four", False),
    ]


def test_a_list_whose_rest_has_gone_ends(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "LIST_PART", 2)
    ana = room.comes("ana")
    for name in ("one", "two"):
        ana >> create(name, focus=False)
    parts = list_groups(room.world, 1)
    assert next(parts).more
    ana >> leave("two")
    assert [(part.groups, part.more) for part in parts] == [((), False)]


def test_a_part_is_not_too_long_for_a_frame() -> None:
    assert LIST_PART <= 500


def test_users_are_listed_with_what_they_like_to_be_called(room: Room) -> None:
    room.comes("ana_40_x", display="Ana <3\x1b[31m\n" + "x" * 100)
    room.comes("bob")
    ana, bob = (info for part in list_users(room.world, 1) for info in part.users)
    assert (ana.user.name, bob.user.name, bob.display) == ("ana_40_x", "bob", "")
    assert ana.display.startswith("Ana <3") and len(ana.display) <= 64 and ana.display.isprintable()


def test_the_next_holder_of_a_name_has_a_display_of_their_own(room: Room) -> None:
    room.comes("ana", display="Ana M.").ends("left")
    room.comes("ana")
    assert [info.display for part in list_users(room.world, 1) for info in part.users] == [""]


# What may be read.


def test_everybody_reads_global_and_broadcasts(room: Room) -> None:
    ana = room.comes("ana")
    ana >> create("team")
    assert scope(ana, ToGlobal()) == Scope(("global", "broadcast"))


def test_members_read_their_group(room: Room) -> None:
    ana, bob = room.comes("ana", b"a"), room.comes("bob", b"b")
    ana >> create("team")
    assert scope(ana, ToGroup("TEAM")) == scope(ana, ToGroup()) == Scope(("group:3",))
    assert scope(bob, ToGroup("team")) == "not_in_group"
    assert scope(bob, ToGroup("club")) == "unknown_group"
    assert scope(bob, ToGroup()) == "no_group"
    bob >> join("team", focus=False)
    assert scope(bob, ToGroup("team")) == Scope(("group:3",))
    bob >> leave("team")
    assert scope(bob, ToGroup("team")) == "not_in_group"


def test_a_new_group_of_the_same_name_has_a_past_of_its_own(room: Room) -> None:
    ana, bob = room.comes("ana", b"a"), room.comes("bob", b"b")
    ana >> create("team")
    ana >> leave()
    bob >> create("team")
    assert scope(bob, ToGroup("team")) == Scope(("group:5",))


def test_a_direct_conversation_is_read_by_those_in_it(room: Room) -> None:
    ana, bob = room.comes("ana"), room.comes("bob")
    assert scope(ana, ToUsers(("bob",))) == Scope(("direct:1,2",), 1)
    assert scope(bob, ToUsers(("ANA", "bob"))) == Scope(("direct:1,2",), 2)
    assert scope(ana, ToUsers(("zed",))) == "unknown_user"
    assert scope(ana, ToUsers(("ana",))) == "not_to_yourself"
    assert scope(ana, ToUsers(())) == "malformed"


def test_what_was_said_with_a_guest_who_has_gone_can_be_read(room: Room) -> None:
    ana, bob = room.comes("ana"), room.comes("bob")
    ana >> tell("bob", "psst")
    bob >> log_out()
    assert scope(ana, ToUsers(("bob",))) == Scope(("direct:1,2",), 1)


def test_the_next_holder_of_a_name_reads_nothing_of_the_last(room: Room) -> None:
    room.comes("ana").ends("left")
    room.comes("bob")
    ana = room.comes("ana")
    found = scope(ana, ToUsers(("bob",)))
    assert isinstance(found, Scope)
    assert found.since == 4
    assert missed_scope(room.world, ana.here).since == 4


def test_a_member_s_past_begins_with_the_claim(room: Room) -> None:
    room.comes("dora").ends("left")
    room.comes("dora", KEY).ends("left")
    dora = room.comes("dora", KEY)
    assert missed_scope(room.world, dora.here).since == 3


def test_what_was_missed_is_what_would_have_been_heard(room: Room) -> None:
    dora, ana = room.comes("dora", KEY), room.comes("ana")
    ana >> create("team", focus=False)
    ana >> create("other", focus=False)
    assert missed(dora) == {"global", "broadcast"}
    dora >> join("team", focus=False)
    assert missed(dora) == {"global", "broadcast", "group:3"}


def test_who_is_in_a_group_by_focus_misses_of_global_what_was_amended_there(room: Room) -> None:
    dora = room.comes("dora", KEY)
    dora >> create("team")
    found = missed_scope(room.world, dora.here).conversations
    assert set(found) == {"broadcast", "group:2", "global/edits", "broadcast/edits", "group:2/edits"}


def missed(person: Person) -> set[str]:
    """Conversations that somebody may catch up on, each with what was amended in it."""
    found = set(missed_scope(person.room.world, person.here).conversations)
    plain = {each for each in found if not each.endswith("/edits")}
    assert found == plain | {each + "/edits" for each in plain}
    return plain


def waited(room: Room, person: Person, waiting: str, after: int) -> Scope:
    return waiting_scope(room.world, person.here, waiting, after)


def test_what_waits_is_private_or_everything(room: Room) -> None:
    ana, bob = room.comes("ana"), room.comes("bob", b"b")
    ana >> keep("team", "bob")
    ana >> keep("other")
    bob.ends("lost")
    bob = room.comes("bob", b"b")
    assert waited(room, bob, "direct", 5) == Scope(("group:3", "group:3/edits"), 6)
    everything = ("group:3", "global", "broadcast", "group:3/edits", "global/edits", "broadcast/edits")
    assert waited(room, bob, "all", 5) == Scope(everything, 6)


def test_it_waits_from_the_last_going_on_whoever_holds_the_name(room: Room) -> None:
    room.comes("ana")
    room.comes("bob").ends("left")
    assert room.world.users[2].left_seq == 3
    room.comes("bob", watch=False).ends("left")
    assert room.world.users[2].left_seq == 3  # who only acts was never here
    room.comes("bob").ends("lost")
    assert room.world.users[2].left_seq == 7


def test_for_who_has_only_acted_it_waits_from_the_beginning(room: Room) -> None:
    room.comes("ana")
    room.comes("dora", KEY, watch=False).ends("left")
    room.comes("guest", watch=False).ends("left")
    assert [last_here(room.world.users[id]) for id in (1, 2, 4)] == [0, 2, 0]
    dora = room.comes("dora", KEY)
    assert last_here(room.world.users[2]) == 2
    dora.ends("left")
    assert last_here(room.world.users[2]) == 7


def test_of_several_devices_the_last_one_counts(room: Room) -> None:
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    one.ends("left")
    assert room.world.users[1].left_seq == 0
    two.ends("lost")
    assert room.world.users[1].left_seq == 4


def test_the_end_of_a_run_is_a_going_too(room: Room) -> None:
    room.comes("ana")
    room.commit(NodeStarted(1, 2))
    assert room.world.users[1].left_seq == 2


def test_a_decision_and_its_history_name_the_same_conversation(room: Room) -> None:
    ana, _ = room.comes("ana"), room.comes("bob")
    decision = decide(room.world, ana.here, Post(1, ToUsers(("bob",)), "x"))
    found = scope(ana, ToUsers(("bob",)))
    assert isinstance(decision, Posted) and isinstance(found, Scope)
    assert found.conversations == (decision.conversation,)


@pytest.mark.parametrize(
    "numbers", [{"before": 1, "after": 1}, {"after": 1, "around": 1}, {"before": 5, "after": 1, "around": 2}]
)
def test_a_page_is_before_or_after_or_around(room: Room, numbers: dict[str, int]) -> None:
    ana = room.comes("ana")
    refused = history_scope(room.world, ana.here, GetHistory(3, ToGlobal(), **numbers))
    assert isinstance(refused, Refused) and (refused.n, refused.code) == (3, "malformed")
    for one in numbers:
        page = GetHistory(3, ToGlobal(), **{one: 1})
        assert isinstance(history_scope(room.world, ana.here, page), Scope)


# What may be searched.


def searched(person: Person, of: ToGlobal | ToUsers | ToGroup | None = None, author: str = "") -> SearchScope | str:
    """Where a search looks, or the code of the refusal."""
    found = search_scope(person.room.world, person.here, Search(3, "words", of, author))
    if isinstance(found, Refused):
        assert found.n == 3
        return found.code
    return found


def test_everything_that_one_may_read_is_searched(room: Room) -> None:
    ana, bob = room.comes("ana", b"a"), room.comes("bob", b"b")
    ana >> keep("team")
    bob >> keep("other")
    assert searched(ana) == SearchScope(("global", "broadcast", "group:3"), 1, 1)
    assert searched(bob) == SearchScope(("global", "broadcast", "group:4"), 2, 2)


def test_one_conversation_is_searched(room: Room) -> None:
    ana, bob = room.comes("ana", b"a"), room.comes("bob", b"b")
    ana >> keep("team")
    assert searched(ana, ToGlobal()) == SearchScope(("global", "broadcast"))
    assert searched(ana, ToGroup("team")) == SearchScope(("group:3",))
    assert searched(ana, ToUsers(("bob",))) == SearchScope((), 1, 1, within="direct:1,2")
    assert searched(bob, ToGroup("team")) == "not_in_group"
    assert searched(bob, ToGroup("club")) == "unknown_group"
    assert searched(bob, ToUsers(("zed",))) == "unknown_user"


def test_one_author_s_words_are_searched(room: Room) -> None:
    ana, _ = room.comes("ana"), room.comes("bob")
    assert searched(ana, author="BOB") == SearchScope(("global", "broadcast"), 1, 1, author=2)
    assert searched(ana, ToGlobal(), "bob") == SearchScope(("global", "broadcast"), author=2)
    assert searched(ana, author="zed") == "unknown_user"


def test_the_next_holder_of_a_name_finds_nothing_of_the_last(room: Room) -> None:
    room.comes("ana").ends("left")
    ana = room.comes("ana")
    found = searched(ana)
    assert isinstance(found, SearchScope) and (found.user, found.since) == (1, 3)


def test_the_next_holder_of_a_name_reads_of_its_groups_only_what_is_said_from_then_on(room: Room) -> None:
    owner = room.comes("owner", b"o")
    room.comes("ana").ends("left")
    owner >> keep("team", "ana")
    ana = room.comes("ana")
    assert scope(ana, ToGroup("team")) == Scope(("group:4",), 5)
    assert searched(ana) == SearchScope(("global", "broadcast"), 2, 5)
    assert searched(ana, ToGroup("team")) == SearchScope(())


# One's conversations.


def test_what_one_takes_part_in(room: Room) -> None:
    ana, _ = room.comes("ana"), room.comes("bob")
    ana >> keep("team")
    ana >> keep("crew", "bob")
    assert recent_scope(room.world, ana.here) == RecentScope(1, 1, ("group:3", "group:4"))


def test_conversations_are_listed_with_what_was_read(room: Room) -> None:
    ana, _ = room.comes("ana"), room.comes("bob")
    ana >> keep("team")
    ana >> keep("crew", "bob")
    ana >> tell("bob", "psst")
    ana >> say_in("crew", "hi")
    ana.has_got("direct:1,2", read=5)
    last = [room.log[5], room.log[4]]
    listed = conversations(room.world, ana.here.user, 3, last, room.watermarks)
    assert listed.n == 3
    assert [(conversation_key(each.conversation), each.last, each.read) for each in listed.conversations] == [
        ("group:4", 6, 0),
        ("direct:1,2", 5, 5),
        ("group:3", 0, 0),
    ]
    assert listed.conversations[0].last_us == room.log[5].time_us


# What was missed while somebody was added.


def test_who_is_added_while_away_finds_it_in_the_group_s_past(room: Room) -> None:
    ana, bob = room.comes("ana"), room.comes("bob")
    ana >> keep("team")
    bob.ends("left")
    ana >> add("team", "bob")
    bob = room.comes("bob")
    assert "group:3" in missed(bob)
    assert "group:3" in waited(room, bob, "direct", 4).conversations
    again = retell(room.world, room.log[4])
    assert again and event_in_words(again) == "ana added bob to team"
