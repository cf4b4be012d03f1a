"""What may be said: text, client ids, numbers, and how names stand in answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.domain import policy
from mystic_server.domain.decide import Newcomer, decide, decide_end, decide_login
from mystic_server.domain.events import Joined, Left, Posted
from mysticproto.errors import Code
from mysticproto.model import (
    CLIENT_ID_BYTES,
    MAX_ADDRESSED,
    MAX_TEXT_BYTES,
    CreateGroup,
    JoinGroup,
    LeaveGroup,
    Login,
    Post,
    Refused,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
)
from mysticproto.names import clean_line, clean_text
from tests.support.transcript import Person, Room, create, join, say

KEY = b"k" * 32


@pytest.fixture
def ana() -> Person:
    room = Room()
    ana = room.comes("ana")
    room.forget()
    return ana


def posted(ana: Person, text: str) -> str:
    """The text that goes into the log."""
    decision = decide(ana.room.world, ana.here, say(text))
    assert isinstance(decision, Posted)
    return decision.text


def refusal(ana: Person, post: Post) -> str:
    decision = decide(ana.room.world, ana.here, post)
    assert isinstance(decision, Refused)
    assert decision.n == post.n
    assert decision.text.endswith(".")
    return decision.code


@pytest.mark.parametrize("text", ["", " ", "\n", "\t \r\n", "\u00a0\u2003", "\x1b[2J", "\x1b]0;title\x07 "])
def test_a_message_without_anything_to_read_is_refused(ana: Person, text: str) -> None:
    assert refusal(ana, say(text)) == Code.TEXT_EMPTY


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("hi", "hi"),
        ("  hi  ", "  hi  "),
        ("two\nlines", "two\nlines"),
        ("two\r\nlines", "two\nlines"),
        ("red \x1b[31mhot", "red hot"),
        ("bell\x07", "bell\ufffd"),
        ("turned \u202eround", "turned \ufffdround"),
        ("[b]not markup[/b]", "[b]not markup[/b]"),
    ],
)
def test_text_is_cleaned_before_it_is_stored(ana: Person, text: str, kept: str) -> None:
    assert posted(ana, text) == kept


@given(text=st.text(max_size=200))
def test_what_is_stored_is_clean(text: str) -> None:
    room = Room()
    ana = room.comes("ana")
    decision = decide(room.world, ana.here, say(text))
    if isinstance(decision, Posted):
        assert decision.text == clean_text(decision.text)
        assert decision.text.strip()


@pytest.mark.parametrize("char", ["x", "é", "漢", "😀"])
def test_text_has_a_limit_in_bytes(ana: Person, char: str) -> None:
    size = len(char.encode())
    longest = MAX_TEXT_BYTES // size
    assert posted(ana, char * longest) == char * longest
    assert refusal(ana, say(char * (longest + 1))) == Code.TEXT_TOO_LONG


def test_the_limit_holds_for_the_text_as_it_is_stored(ana: Person) -> None:
    assert refusal(ana, say("a" + "\t" * (MAX_TEXT_BYTES // 4))) == Code.TEXT_TOO_LONG
    assert posted(ana, "a" + "\x1b[31m" * MAX_TEXT_BYTES) == "a"


@pytest.mark.parametrize("size", [1, CLIENT_ID_BYTES - 1, CLIENT_ID_BYTES + 1, 10_000])
def test_a_client_id_has_its_length_or_none(ana: Person, size: int) -> None:
    assert refusal(ana, say("hi", cid=b"x" * size)) == Code.MALFORMED
    assert posted(ana, "hi")
    assert isinstance(decide(ana.room.world, ana.here, say("hi", cid=b"x" * CLIENT_ID_BYTES)), Posted)


@pytest.mark.parametrize("number", [-1, 2**63, 2**64 - 1])
def test_a_reply_is_to_a_number_that_a_message_can_have(ana: Person, number: int) -> None:
    assert refusal(ana, say("hi", reply_to=number)) == Code.MALFORMED


@pytest.mark.parametrize("target", [ToGlobal(), ToEveryone(), ToGroup("team"), ToGroup(), ToUsers(("bob",))])
def test_text_rules_hold_for_every_target(ana: Person, target: ToGlobal) -> None:
    ana >> create("team")
    ana.room.comes("bob")
    assert refusal(ana, Post(7, target, " ")) == Code.TEXT_EMPTY
    assert isinstance(decide(ana.room.world, ana.here, Post(7, target, "x")), Posted)


def test_a_message_is_for_so_many_people_and_no_more(ana: Person) -> None:
    ana.room.comes("bob")
    assert refusal(ana, Post(1, ToUsers(()), "hi")) == Code.MALFORMED
    assert refusal(ana, Post(1, ToUsers(("bob",) * (MAX_ADDRESSED + 1)), "hi")) == Code.MALFORMED
    assert isinstance(decide(ana.room.world, ana.here, Post(1, ToUsers(("bob",) * MAX_ADDRESSED), "hi")), Posted)


HOSTILE = "\x1b]0;pwned\x07\u202e" + "x" * 10_000


@pytest.mark.parametrize(
    "request_",
    [
        Post(1, ToUsers((HOSTILE,) * 9), "hi"),
        Post(1, ToGroup(HOSTILE), "hi"),
        CreateGroup(1, HOSTILE),
        JoinGroup(1, HOSTILE),
        LeaveGroup(1, HOSTILE),
    ],
)
def test_names_come_back_clean_and_short(ana: Person, request_: Post) -> None:
    refused = decide(ana.room.world, ana.here, request_)
    assert isinstance(refused, Refused)
    assert refused.about == clean_line(refused.about)
    assert refused.text == clean_line(refused.text)
    assert len(refused.text) + len(refused.about) < 500


def test_names_that_nobody_knows_come_back_clean(ana: Person) -> None:
    room = ana.room
    room.comes("bob")
    room.forget()
    ana >> Post(1, ToUsers(("bob", "\x1b[2Jzed")), "hi")
    room.went("""
        bob hears [PM ana bob] ana: hi
        ana is echoed [PM ana bob] ana: hi
        ana gets ok 3, unknown zed
    """)


def test_a_login_is_refused_when_the_server_knows_enough_names(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    room = ana.room
    room.comes("bob", b"b" * 32).ends("left")
    monkeypatch.setattr(policy, "MAX_USERS", 2)
    room.forget()
    room.comes("carl")
    room.comes("bob", b"b" * 32, label="bob again")
    room.went("""
        carl is refused: limit_reached
        ana hears bob joined
        bob again is echoed bob joined
        bob again is welcome as bob, member
    """)


# Sessions whose end is on its way.


def login(room: Room, name: str, key: bytes, ending: set[int]) -> Joined | Refused:
    decision = decide_login(room.world, Login(1, name), Newcomer(5, key, True, 1, 1), ending)
    assert isinstance(decision, Joined | Refused)
    return decision


def test_a_guest_returns_while_their_end_is_being_stored(ana: Person) -> None:
    assert isinstance(login(ana.room, "ana", b"", set()), Refused)
    again = login(ana.room, "ana", b"", {ana.session})
    assert isinstance(again, Joined)
    assert not again.quiet


def test_a_second_session_is_quiet_unless_the_first_is_about_to_end() -> None:
    room = Room()
    dora = room.comes("dora", KEY)
    second, again = login(room, "dora", KEY, set()), login(room, "dora", KEY, {dora.session})
    assert isinstance(second, Joined) and second.quiet
    assert isinstance(again, Joined) and not again.quiet


def test_of_two_sessions_that_end_together_the_last_is_not_quiet() -> None:
    room = Room()
    one, two = room.comes("dora", KEY), room.comes("dora", KEY)
    assert decide_end(room.world, one.here, "lost").quiet
    assert decide_end(room.world, two.here, "lost", {one.session}) == Left(two.session, "lost", 1, True, quiet=False)


def test_sessions_that_end_are_not_counted(ana: Person) -> None:
    room = Room()
    sessions = [room.comes("dora", KEY) for _ in range(policy.MAX_SESSIONS_PER_USER)]
    assert isinstance(login(room, "dora", KEY, set()), Refused)
    assert isinstance(login(room, "dora", KEY, {sessions[3].session}), Joined)


def test_older_wires_and_guests_do_not_linger() -> None:
    room = Room()
    room.comes("dora", KEY)
    room.comes("bob")
    room.comes("emil", b"e" * 32, lingers=False)
    assert [session.lingers for session in room.world.sessions.values()] == [True, False, False]


def test_nothing_is_changed_by_deciding(ana: Person) -> None:
    room = ana.room
    room.comes("bob") >> create("team")
    room.world.take_dirty()
    before = room.tables.rows.copy()
    for request in (say("hi"), create("club"), join("team"), LeaveGroup(1)):
        decide(room.world, ana.here, request)
    assert room.world.take_dirty() == []
    assert room.tables.rows == before
