"""Conversations as tabs."""

from mystic_client.model.excerpt import Excerpt
from mystic_client.model.talk import GLOBAL, Talk, addressee
from mystic_client.model.timeline import Entry
from mysticproto.model import Group, ToEveryone, ToGlobal, ToGroup, ToUsers, UserRef, Watermark

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


def said(number: int, *, own: bool = False) -> Entry:
    return Entry(number, 0, "message", "hi", "ana", 2, own=own)


def test_what_is_not_seen_is_counted_until_it_is() -> None:
    talk = Talk("direct:1,2", "direct", people=(ANA,))
    for number in (5, 6, 7):
        talk.timeline.add(said(number))
        assert talk.came(said(number), seen=False, mention=number == 6)
    assert not talk.came(said(8, own=True), seen=False, mention=False)
    assert not talk.came(said(9), seen=True, mention=True)
    assert (talk.unread, talk.mentioned, talk.new_from) == (3, True, 5)
    assert talk.seen(6) and not talk.seen(6)
    assert (talk.unread, talk.mentioned, talk.new_from) == (1, True, 5)
    assert talk.seen(7)
    assert (talk.unread, talk.mentioned) == (0, False)
    assert not talk.came(said(4), seen=False, mention=False), "that was read long ago"
    talk.came(said(10), seen=False, mention=False)
    assert talk.new_from == 10, "the divider moves to what is new now"


def test_a_message_is_delivered_and_read_when_all_others_have_got_so_far() -> None:
    talk = Talk("direct:1,2,3", "direct", people=(ANA, BOB))
    assert (talk.delivered, talk.read) == (0, 0)
    assert talk.marked(Watermark(ANA, 9, 7))
    assert (talk.delivered, talk.read) == (0, 0)
    assert talk.marked(Watermark(BOB, 8, 0)) and talk.marked(Watermark(BOB, 0, 5))
    assert (talk.delivered, talk.read) == (8, 5)
    assert not talk.marked(Watermark(BOB, 3, 3)), "a watermark never goes back"
    assert Talk("group:7", "group", group=Group(7, "dev")).delivered == 0


def test_what_is_read_is_also_delivered() -> None:
    talk = Talk("direct:1,2", "direct", people=(ANA,))
    talk.marked(Watermark(ANA, 0, 7))
    assert talk.delivered == 7


def test_an_excerpt_is_shown_once_it_is_here() -> None:
    talk = Talk(GLOBAL, "global", excerpt=Excerpt(5))
    shown = [talk.shown]
    assert talk.excerpt is not None
    talk.excerpt.first([said(5)], more=False, newer=True)
    assert [*shown, talk.shown] == [talk.timeline, talk.excerpt.timeline]
    assert talk.in_past


def test_what_is_deleted_is_neither_answered_nor_edited() -> None:
    talk = Talk(GLOBAL, "global", answering=said(5), editing=said(6))
    talk.gone(5)
    talk.gone(7)
    assert talk.answering is None and talk.editing is not None
    talk.gone(6)
    assert talk.editing is None


def test_the_server_keeps_receipts_of_what_it_has_a_key_for() -> None:
    assert not Talk(GLOBAL, "global").has_receipts
    assert not Talk("to:ghost", "direct").has_receipts
    assert Talk("direct:1,2", "direct").has_receipts and Talk("group:7", "group").has_receipts
