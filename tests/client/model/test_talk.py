"""Conversations as tabs."""

from mystic_client.model.talk import GLOBAL, Talk, addressee
from mystic_client.model.timeline import Entry
from mysticproto.model import Group, ToEveryone, ToGlobal, ToGroup, ToUsers, UserRef

ANA, BOB = UserRef(2, "ana"), UserRef(3, "bob")


def test_titles_and_targets() -> None:
    everybody = Talk(GLOBAL, "global")
    private = Talk("direct:1,2,3", "direct", people=(ANA, BOB))
    room = Talk("group:7", "group", group=Group(7, "dev"))
    assert [talk.title for talk in (everybody, private, room)] == ["Global", "ana and bob", "dev"]
    assert everybody.target == ToGlobal()
    assert private.target == ToUsers(("ana", "bob"))
    assert room.target == ToGroup("dev")


def test_the_past_is_fetched_from_the_oldest_entry_or_to_fill_a_hole() -> None:
    talk = Talk(GLOBAL, "global")
    assert talk.wants_history
    assert talk.before == 0
    talk.timeline.add(Entry(50, 0, "message", "hi"))
    assert talk.before == 50
    talk.history = "hole"
    assert talk.wants_history
    assert talk.before == 0
    talk.history = "cleared"
    assert talk.wants_history
    assert not talk.fetches_by_itself
    for settled in ("asked", "filling", "all"):
        talk.history = settled
        assert not talk.wants_history


def test_a_conversation_that_the_log_does_not_know_has_no_past() -> None:
    assert not Talk("to:ana", "direct", people=(UserRef(0, "ana"),)).wants_history


def test_addressees_in_words() -> None:
    assert addressee(ToUsers(("ana", "bob"))) == "ana and bob"
    assert addressee(ToGroup("dev")) == "dev"
    assert addressee(ToGlobal()) == addressee(ToEveryone()) == "everybody"
