"""The store: what becomes of messages after they were said, and what was read."""

from __future__ import annotations

from mystic_client.model.store import Store
from mystic_client.model.talk import GLOBAL, Talk
from mystic_client.model.timeline import Entry
from mysticproto.model import (
    Broadcast,
    ConversationInfo,
    Direct,
    Global,
    Group,
    GroupDeleted,
    GroupInfo,
    GroupRenamed,
    History,
    Marked,
    Message,
    MessageDeleted,
    MessageEdited,
    ToEveryone,
    ToGroup,
    ToUsers,
    Watermark,
)
from tests.client.model.test_store import ANA, BOB, DEV, WITH_ANA, ZOE, message, store, texts

__all__ = ["store"]
PRIVATE = Direct((ZOE, ANA))


def entry_at(talk: Talk, index: int) -> Entry:
    return talk.timeline.entries[index]


def test_edits_and_deletions_change_what_is_loaded(store: Store) -> None:
    store.heard(message(5, PRIVATE, "frist"))
    store.heard(Message(6, 6, ANA, PRIVATE, "yes", reply_to=5))
    store.take_changes()
    store.heard(MessageEdited(7, 7, 5, ANA, PRIVATE, "first"))
    assert store.take_changes().talks == {WITH_ANA}
    assert [(e.text, e.edited, e.quote) for e in store.talks[WITH_ANA].timeline.entries] == [
        ("first", True, ""),
        ("yes", False, "ana: first"),
    ]
    store.answer(WITH_ANA, entry_at(store.talks[WITH_ANA], 0))
    store.heard(MessageDeleted(8, 8, 5, ANA, PRIVATE))
    store.heard(MessageEdited(9, 9, 5, ANA, PRIVATE, "late"))
    assert entry_at(store.talks[WITH_ANA], 0).deleted
    assert store.talks[WITH_ANA].answering is None


def test_edits_reach_what_comes_later_in_pages_and_what_is_in_excerpts(store: Store) -> None:
    store.heard(MessageEdited(50, 50, 5, ANA, Global(), "first"))
    store.history(GLOBAL, [message(5, Global(), "frist")], more=False)
    assert texts(store, GLOBAL) == ["first"]
    excerpt = store.excerpt(GLOBAL, 3)
    assert store.excerpt_page(GLOBAL, excerpt, History(1, (message(3, Global(), "old"),), True, True), "")
    store.heard(MessageDeleted(51, 51, 3, ANA, Global()))
    assert excerpt.timeline.entries[0].deleted


def test_a_broadcast_is_edited_wherever_it_is_shown(store: Store) -> None:
    store.look_at(store.open_direct([ANA]))
    store.heard(message(5, Broadcast(), "frie!"))
    store.heard(MessageEdited(6, 6, 5, ANA, Broadcast(), "fire!"))
    assert texts(store, GLOBAL) == texts(store, WITH_ANA) == ["fire!"]


def test_an_excerpt_leaves_the_live_timeline_alone(store: Store) -> None:
    store.heard(message(90, Global(), "now"))
    excerpt = store.excerpt(GLOBAL, 5)
    assert store.talks[GLOBAL].shown is store.talks[GLOBAL].timeline
    store.excerpt_page(GLOBAL, excerpt, History(1, (message(5, Global()), message(6, Global())), True, True), "")
    store.excerpt_page(GLOBAL, excerpt, History(1, (message(7, Global()),), True, False), "newer")
    assert (excerpt.older, excerpt.newer) == ("more", "all")
    store.heard(message(91, Global(), "more"))
    assert store.talks[GLOBAL].in_past and store.talks[GLOBAL].unread == 1, "one reads the past meanwhile"
    assert texts(store, GLOBAL) == ["now", "more"]
    store.back_to_now(GLOBAL)
    assert not store.excerpt_page(GLOBAL, excerpt, History(1, (), False, False), "older"), "it comes too late"


def test_what_is_in_front_counts_only_while_nobody_looks(store: Store) -> None:
    store.heard(message(5, Global()))
    assert store.front_talk.unread == 0
    store.attend(False)
    store.heard(message(6, Global()))
    assert (store.front_talk.unread, store.front_talk.new_from) == (1, 6)
    assert store.seen(GLOBAL, 6) and not store.seen(GLOBAL, 6) and not store.seen("group:99", 6)
    assert store.front_talk.unread == 0


def test_watermarks_of_others_and_of_ones_own_other_devices(store: Store) -> None:
    store.heard(message(5, PRIVATE))
    store.marked(Marked(WITH_ANA, ANA, 5, 3))
    talk = store.talks[WITH_ANA]
    assert (talk.delivered, talk.read, talk.unread) == (5, 3, 1)
    store.marked(Marked(WITH_ANA, ZOE, 0, 5))
    assert (talk.read_upto, talk.unread) == (5, 0)
    store.marked(Marked("group:99", ANA, 5))
    store.take_changes()
    store.receipts(WITH_ANA, [Watermark(ZOE, 9, 9), Watermark(ANA, 5, 5)])
    assert talk.read == 5
    assert store.take_changes().talks == {WITH_ANA}


def test_an_earlier_run_is_taken_up_again(store: Store) -> None:
    store.restore({GLOBAL: "half a", WITH_ANA: "psst"}, {WITH_ANA: 5, GLOBAL: 3})
    assert (store.talks[GLOBAL].draft, store.talks[GLOBAL].read_upto) == ("half a", 3)
    store.converses([ConversationInfo(PRIVATE, 9, 9, 6), ConversationInfo(DEV, 8, 8)])
    key = store.open_known(PRIVATE)
    assert (key, store.talks[key].draft, store.talks[key].read_upto) == (WITH_ANA, "psst", 6)
    store.history(key, [message(n, PRIVATE) for n in (5, 6, 7, 8)], more=True)
    assert (store.talks[key].unread, store.talks[key].new_from) == (2, 7)
    assert not store.talks[store.open_known(DEV)].member
    assert store.open_known(Global()) == GLOBAL


def test_where_something_was_said_is_opened(store: Store) -> None:
    store.listed([], [GroupInfo(DEV, ANA, (ANA, ZOE))])
    assert store.open_target(ToGroup("dev")) == "group:7"
    assert store.open_target(ToGroup("gone")) == GLOBAL
    assert store.open_target(ToUsers(("eva", "bob"))) == "direct:1,3,4"
    assert store.open_target(ToEveryone()) == GLOBAL


def test_a_group_has_another_name_or_is_gone(store: Store) -> None:
    store.entered(GroupInfo(DEV, ANA, (ANA, ZOE)), focus=True)
    store.heard(GroupRenamed(9, 9, Group(7, "ops"), ANA, "dev"))
    assert (store.talks["group:7"].title, store.focus) == ("ops", Group(7, "ops"))
    assert texts(store, "group:7") == ["ana has renamed the group dev to ops"]
    store.heard(GroupDeleted(10, 10, Group(7, "ops"), ANA))
    assert store.focus is None and not store.talks["group:7"].member


def test_answers_and_edits_that_were_begun_exclude_each_other(store: Store) -> None:
    store.heard(message(5, Global(), author=BOB))
    entry = store.front_talk.timeline.entries[0]
    store.answer(GLOBAL, entry)
    store.edit(GLOBAL, entry)
    assert (store.front_talk.answering, store.front_talk.editing) == (None, entry)
    store.answer(GLOBAL, entry)
    assert (store.front_talk.answering, store.front_talk.editing) == (entry, None)


def test_a_note_says_who_is_away(store: Store) -> None:
    for cid, away in ((b"a", {"eva": "away, last seen 2 h ago"}), (b"b", {"eva": "away", "bob": "away"}), (b"c", {})):
        store.posted(GLOBAL, cid, "hi", 0, reply_to=3)
        store.sent(cid, 5 + cid[0], 5, (), away)
    notes = [(entry.note, entry.away) for entry in store.front_talk.timeline.entries]
    assert notes == [("eva is away, last seen 2 h ago", True), ("eva and bob are away", True), ("", False)]
    assert store.front_talk.timeline.entries[0].reply_to == 3


def test_quotes_are_filled_in(store: Store) -> None:
    store.heard(Message(6, 6, ANA, Global(), "yes", reply_to=5))
    store.quoted(GLOBAL, 5, "bob: is it?")
    assert store.front_talk.timeline.entries[0].quote == "bob: is it?"
