"""The store: events in, conversations out."""

import pytest

from mystic_client.model import store as module
from mystic_client.model.store import Store
from mystic_client.model.talk import GLOBAL
from mysticproto.model import (
    Broadcast,
    Conversation,
    Direct,
    Event,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupInfo,
    GroupJoined,
    GroupLeft,
    Message,
    ToUsers,
    UserInfo,
    UserJoined,
    UserLeft,
    UserRef,
    Welcome,
)

ZOE, ANA, BOB, EVA = UserRef(1, "zoe"), UserRef(2, "ana"), UserRef(3, "bob"), UserRef(4, "eva")
DEV = Group(7, "dev")
WITH_ANA = "direct:1,2"


def message(seq: int, where: Conversation, text: str = "hi", author: UserRef = ANA, cid: bytes = b"") -> Message:
    return Message(seq, seq, author, where, text, cid)


@pytest.fixture
def store() -> Store:
    store = Store("zoe")
    store.welcomed(Welcome(1, 5, ZOE, "guest", 0))
    store.listed([UserInfo(user) for user in (ZOE, ANA, BOB, EVA)], [])
    store.take_changes()
    return store


def texts(store: Store, key: str) -> list[str]:
    return [entry.text for entry in store.talks[key].timeline.entries]


def test_messages_go_to_their_conversations(store: Store) -> None:
    store.heard(message(1, Global(), "to all"))
    store.heard(message(2, Direct((ZOE, ANA)), "to me"))
    store.heard(message(3, Direct((ZOE, ANA, BOB)), "to us"))
    store.heard(message(4, DEV, "in the group"))
    assert list(store.talks) == [GLOBAL, WITH_ANA, "direct:1,2,3", "group:7"]
    assert [talk.title for talk in store.talks.values()] == ["Global", "ana", "ana and bob", "dev"]
    assert texts(store, WITH_ANA) == ["to me"]


def test_unread_counts_and_what_is_new(store: Store) -> None:
    store.heard(message(1, Global()))
    store.heard(message(2, Direct((ZOE, ANA))))
    store.heard(message(3, Direct((ZOE, ANA))))
    store.heard(message(4, Direct((ZOE, ANA)), author=ZOE))
    store.heard(message(5, DEV, "hello zoe"))
    store.heard(message(6, DEV))
    private, group = store.talks[WITH_ANA], store.talks["group:7"]
    assert (private.unread, private.mentioned, private.new_from) == (2, True, 2)
    assert (group.unread, group.mentioned) == (2, True)
    assert store.talks[GLOBAL].unread == 0
    store.look_at(WITH_ANA)
    assert (private.unread, private.new_from) == (0, 2)
    store.look_at(GLOBAL)
    assert private.new_from == 0, "what was new is old after leaving"


def test_the_same_message_twice_counts_once(store: Store) -> None:
    for _ in range(2):
        store.heard(message(2, Direct((ZOE, ANA))))
    assert store.talks[WITH_ANA].unread == 1


def test_a_broadcast_is_in_global_and_in_front(store: Store) -> None:
    store.look_at(store.open_direct([ANA]))
    store.heard(message(1, Broadcast(), "hear!"))
    assert texts(store, GLOBAL) == texts(store, WITH_ANA) == ["hear!"]
    assert store.talks[GLOBAL].unread == 1


def test_comings_and_goings_are_shown_where_they_matter(store: Store) -> None:
    store.open_direct([ANA])
    store.heard(UserLeft(1, 0, ANA, "lost"))
    store.heard(UserJoined(2, 0, ANA, returned=True))
    store.heard(UserLeft(3, 0, BOB, "left"))
    assert texts(store, GLOBAL) == ["ana lost the connection", "ana is back", "bob has left"]
    assert texts(store, WITH_ANA) == ["ana lost the connection", "ana is back"]
    assert store.talks[GLOBAL].unread == store.talks[WITH_ANA].unread == 0


def test_names_nobody_met_become_the_real_conversation(store: Store) -> None:
    key = store.open_named(["ghost"])
    store.look_at(key)
    assert store.talks[key].target == ToUsers(("ghost",))
    store.posted(key, b"c1", "boo", 0)
    store.posted(key, b"c2", "boo again", 0)
    store.heard(message(9, Direct((ZOE, UserRef(8, "ghost"))), "boo", ZOE, b"c1"))
    assert store.front == "direct:1,8"
    assert key not in store.talks
    store.sent(b"c2", 10, 0, (), {})
    assert texts(store, "direct:1,8") == ["boo", "boo again"]
    assert [entry.state for entry in store.front_talk.timeline.entries] == ["sent", "sent"]


def test_known_names_open_the_real_conversation_at_once(store: Store) -> None:
    assert store.open_named(["ANA"]) == WITH_ANA
    assert store.open_named(["bob", "ana"]) == "direct:1,2,3"
    assert store.open_direct([ZOE, ANA]) == WITH_ANA


def test_a_direct_conversation_of_more_people_is_another_one(store: Store) -> None:
    assert store.open_direct([ANA]) != store.open_direct([ANA, BOB])


def test_what_became_of_posts(store: Store) -> None:
    store.posted(GLOBAL, b"a", "one", 0)
    store.posted(GLOBAL, b"b", "two", 0)
    store.sent(b"a", 5, 5, ("nix",), {"bob": "away"})
    store.failed(b"b", "too long")
    states = [(entry.text, entry.state, entry.note) for entry in store.talks[GLOBAL].timeline.entries]
    assert states == [("two", "failed", "too long"), ("one", "sent", "nobody is called nix · bob is away")]
    assert store.again(b"b")
    assert store.talks[GLOBAL].timeline.entries[0].state == "pending"
    store.take_back(b"b")
    assert texts(store, GLOBAL) == ["one"]


def test_a_group_of_ones_own_gets_a_tab_and_focus_pauses_global(store: Store) -> None:
    store.heard(message(4, Global()))
    key = store.entered(GroupInfo(DEV, ANA, (ANA, ZOE)), focus=True)
    assert (key, store.focus) == ("group:7", DEV)
    assert store.roster.is_member(1, 7)
    store.heard(GroupLeft(9, 0, DEV, ZOE))
    assert store.focus is None
    assert not store.talks[key].member
    assert store.talks[GLOBAL].history == "hole"
    assert store.talks[GLOBAL].hole_after == 4


def test_what_was_said_while_global_was_paused_is_filled_in(store: Store) -> None:
    store.heard(message(4, Global(), "before"))
    store.focused(DEV)
    store.focused(None)
    store.heard(message(9, Global(), "after"))
    store.asking_history(GLOBAL)
    page: list[Event] = [message(n, Global(), f"m{n}") for n in (3, 4, 5, 6, 9)]
    store.history(GLOBAL, page, more=True)
    assert texts(store, GLOBAL) == ["m3", "before", "m5", "m6", "after"]
    assert store.talks[GLOBAL].history == "more"


def test_a_hole_larger_than_a_page_is_fetched_again_by_scrolling(store: Store) -> None:
    store.heard(message(4, Global(), "before"))
    store.focused(DEV)
    store.focused(None)
    store.asking_history(GLOBAL)
    store.history(GLOBAL, [message(n, Global(), f"m{n}") for n in (90, 91)], more=True)
    assert texts(store, GLOBAL) == ["m90", "m91"]
    assert store.talks[GLOBAL].before == 90


def test_a_page_that_did_not_come_can_be_asked_for_again(store: Store) -> None:
    store.asking_history(GLOBAL)
    store.no_history(GLOBAL)
    assert store.talks[GLOBAL].history == "failed"
    store.welcomed(Welcome(1, 5, ZOE, "guest", 0))
    assert store.talks[GLOBAL].wants_history
    store.focused(DEV)
    store.focused(None)
    store.asking_history(GLOBAL)
    store.no_history(GLOBAL)
    assert store.talks[GLOBAL].history == "hole"


def test_history_of_a_closed_conversation_is_dropped(store: Store) -> None:
    store.history("direct:1,9", [message(1, Global())], more=False)
    store.no_history("direct:1,9")
    assert list(store.talks) == [GLOBAL]


def test_tabs_close_and_step(store: Store) -> None:
    ana, bob = store.open_direct([ANA]), store.open_direct([BOB])
    store.look_at(bob)
    assert store.step(1) == GLOBAL
    assert store.step(-1) == ana
    store.close(bob)
    assert store.front == ana
    store.close(GLOBAL)
    assert list(store.talks) == [GLOBAL, ana]
    store.look_at("nothing")
    assert store.front == ana


def test_open_conversations_have_a_limit(store: Store) -> None:
    store.look_at(store.open_direct([ANA]))
    for number in range(100, 100 + module.MAX_TALKS):
        store.open_direct([UserRef(number, f"user{number}")])
    assert len(store.talks) == module.MAX_TALKS
    assert WITH_ANA in store.talks and GLOBAL in store.talks


def test_lists_say_which_groups_are_ones_own(store: Store) -> None:
    store.open_group(Group(8, "old"))
    store.listed([UserInfo(ZOE)], [GroupInfo(DEV, ANA, (ANA, ZOE))])
    assert store.talks["group:7"].member
    assert not store.talks["group:8"].member


def test_groups_made_and_gone_are_said_in_global(store: Store) -> None:
    store.heard(GroupCreated(1, 0, DEV, ANA))
    store.heard(GroupJoined(2, 0, DEV, BOB))
    store.heard(GroupLeft(3, 0, DEV, ANA))
    store.heard(GroupLeft(4, 0, DEV, BOB))
    store.heard(GroupDeleted(4, 0, DEV))
    assert texts(store, GLOBAL) == ["ana has created the group dev", "The group dev is gone: nobody was left in it"]
    assert "group:7" not in store.talks


def test_notes_drafts_and_clearing(store: Store) -> None:
    store.note("hello", 0)
    store.note("elsewhere", 0, "error", "no such tab")
    assert texts(store, GLOBAL) == ["hello", "elsewhere"]
    store.draft(GLOBAL, "half a")
    store.draft("gone", "x")
    assert store.talks[GLOBAL].draft == "half a"
    store.clear(GLOBAL)
    assert texts(store, GLOBAL) == []


def test_changes_are_told_once(store: Store) -> None:
    store.heard(message(1, Global()))
    changes = store.take_changes()
    assert (changes.roster, changes.talks) == (False, frozenset({GLOBAL}))
    again = store.take_changes()
    assert (again.roster, again.tabs, again.talks) == (False, False, frozenset())
    store.heard(UserJoined(2, 0, BOB))
    assert store.take_changes().roster


def test_what_only_the_client_knows_comes_after_the_past_that_is_fetched_later() -> None:
    store = Store("zoe")
    store.welcomed(Welcome(1, 5, ZOE, "guest", 40))
    store.note("welcome", 0)
    store.posted(GLOBAL, b"a", "mine", 0)
    store.asking_history(GLOBAL)
    store.history(GLOBAL, [message(30, Global(), "old"), message(40, Global(), "last")], more=False)
    assert texts(store, GLOBAL) == ["old", "last", "welcome", "mine"]
