"""MUCA's dialogue, object by object, and everything that its client must be spared."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import model
from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.muca_json import MAX_OBJECT_BYTES, MucaJsonWire
from mysticproto.model import (
    Broadcast,
    Bye,
    Direct,
    Global,
    Login,
    Logout,
    Message,
    Notice,
    Ok,
    Post,
    Refused,
    Roster,
    ToEveryone,
    ToUsers,
    UserInfo,
    UserRef,
    Welcome,
)
from mysticproto.wire import Alone, Chunks, Item, Local, Role
from tests.support.old_muca_json import READ_BYTES, MucaScreen

ANN = UserRef(1, "ann_40_hku.hk")
BOB = UserRef(2, "bob")
CAT = UserRef(3, "cat_40_hku.hk")
ROOM = model.Group(4, "dev")
WELCOME = Welcome(1, 7, ANN, "guest", 1)
texts = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from('}{"\\\n☺')), max_size=400)


def obj(**fields: object) -> bytes:
    return json.dumps(fields).encode("ascii")


JOIN = obj(CMD="JOIN", UN="Ann", UID="ann@hku.hk")


def send(text: str, *to: str) -> bytes:
    return obj(CMD="SEND", MSG=text, TO=to, FROM="ann@hku.hk")


def one(data: bytes) -> Item:
    (item,) = MucaJsonWire().feed(data, 0.0)
    return item


def said(chunks: Chunks) -> list[dict[str, object]]:
    """The objects, after checking that each of them is fit for the client."""
    assert all(isinstance(chunk, Alone) and len(chunk.data) <= MAX_OBJECT_BYTES for chunk in chunks)
    return [json.loads(chunk.data.decode("ascii")) for chunk in chunks if isinstance(chunk, Alone)]


def shown(chunks: Chunks) -> list[tuple[str, list[str], str]]:
    """What the client shows of it, which knows everybody; each chunk comes in a read of its own."""
    screen = MucaScreen()
    screen.uid_of = {"Ann": "ann@hku.hk", "Bob": "bob", "Cat": "cat@hku.hk"}
    for chunk in chunks:
        assert isinstance(chunk, Alone)
        assert len(chunk.data) <= READ_BYTES
        screen.hear(chunk.data)
    return screen.shown


def encoded(event: model.Event | model.Passing, role: Role = Role.OTHER) -> Chunks:
    return MucaJsonWire().encode(event, role)


def message(conversation: model.Conversation, text: str = "hi", author: UserRef = ANN) -> Message:
    return Message(9, 0, author, conversation, text)


# JOIN.


def test_join_logs_in_under_a_name_that_stands_for_the_uid() -> None:
    assert one(JOIN) == Login(1, "ann_40_hku.hk", client="muca_json", display="Ann", waiting="direct")


def test_join_is_acknowledged() -> None:
    wire = MucaJsonWire()
    (login,) = wire.feed(JOIN, 0.0)
    assert isinstance(login, Login)
    assert said(wire.answer(login, WELCOME)) == [{"CMD": "ACK", "TYPE": "OKAY"}]


@pytest.mark.parametrize("code", [Code.NAME_IN_USE, Code.NAME_CLAIMED, Code.NAME_INVALID, Code.ALREADY_LOGGED_IN])
def test_a_refused_join_fails_and_may_be_tried_again(code: Code) -> None:
    wire = MucaJsonWire()
    (login,) = wire.feed(JOIN, 0.0)
    assert isinstance(login, Login)
    assert said(wire.answer(login, Refused(1, code, "no"))) == [{"CMD": "ACK", "TYPE": "FAIL"}]
    assert not wire.is_over
    (again,) = wire.feed(JOIN, 0.0)
    assert isinstance(again, Login)


@pytest.mark.parametrize(
    "join",
    [
        obj(CMD="JOIN", UN="Ann"),
        obj(CMD="JOIN", UID="ann"),
        obj(CMD="JOIN", UN=1, UID="ann"),
        obj(CMD="JOIN", UN="Ann", UID=["ann"]),
        obj(CMD="JOIN", UN="Ann", UID=""),
        obj(CMD="JOIN", UN="Ann", UID="server"),
        obj(CMD="JOIN", UN="Ann", UID="x" * 33),
        obj(CMD="JOIN", UN="Ann", UID="\ud800"),
        obj(CMD="JOIN", UN="Ann", UID="a\nb"),
    ],
)
def test_what_can_be_nobodys_uid_fails(join: bytes) -> None:
    item = one(join)
    assert isinstance(item, Local)
    assert said(item.chunks) == [{"CMD": "ACK", "TYPE": "FAIL"}]


def test_a_nickname_is_one_clean_short_line() -> None:
    login = one(obj(CMD="JOIN", UN="\x1b[2J\n" + "x" * 5000, UID="ann"))
    assert isinstance(login, Login)
    assert login.display == "x" * 39 + "…"


def test_hanging_up_is_leaving() -> None:
    wire = MucaJsonWire()
    assert wire.eof(0.0) == []
    (login,) = wire.feed(JOIN, 0.0)
    assert isinstance(login, Login)
    wire.answer(login, WELCOME)
    assert wire.eof(0.0) == [Logout(2)]


# SEND.


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (send("hi\n"), Post(1, ToEveryone(), "hi")),
        (send("hi\n\n"), Post(1, ToEveryone(), "hi\n")),
        (send("hi"), Post(1, ToEveryone(), "hi")),
        (send("}{\n", "cat@hku.hk"), Post(1, ToUsers(("cat_40_hku.hk",)), "}{")),
        (send("hi\n", "bob", "cat@hku.hk"), Post(1, ToUsers(("bob", "cat_40_hku.hk")), "hi")),
        (send("hi\n", "server"), Post(1, ToUsers(("server",)), "hi")),
    ],
)
def test_send_posts_to_all_or_to_those_who_are_named(sent: bytes, expected: Post) -> None:
    assert one(sent) == expected


@pytest.mark.parametrize("forged", [{}, {"FROM": "bob"}, {"FROM": None}, {"FROM": {"a": 1}}])
def test_who_it_claims_to_be_from_does_not_matter(forged: dict[str, object]) -> None:
    assert one(obj(CMD="SEND", MSG="hi", TO=[], **forged)) == Post(1, ToEveryone(), "hi")


def test_no_more_are_addressed_than_the_hub_needs_to_refuse() -> None:
    post = one(send("hi", *(f"u{number}" for number in range(1000))))
    assert isinstance(post, Post)
    assert isinstance(post.to, ToUsers)
    assert len(post.to.names) == model.MAX_ADDRESSED + 1


@pytest.mark.parametrize(
    "sent",
    [
        obj(CMD="SEND", MSG="hi"),
        obj(CMD="SEND", TO=[]),
        obj(CMD="SEND", MSG="hi", TO="bob"),
        obj(CMD="SEND", MSG="hi", TO={"bob": 1}),
        obj(CMD="SEND", MSG="hi", TO=["bob", 1]),
        obj(CMD="SEND", MSG="hi", TO=["\ud800"]),
        obj(CMD="SEND", MSG=["hi"], TO=[]),
        obj(CMD="SEND", MSG="\ud800", TO=[]),
    ],
)
def test_a_malformed_send_is_said_to_be_one(sent: bytes) -> None:
    item = one(sent)
    assert isinstance(item, Local)
    assert shown(item.chunks) == [("PRIVATE", [], "This message is malformed.\n")]


def test_the_sender_is_told_nothing_but_what_went_wrong() -> None:
    wire = MucaJsonWire()
    post = Post(2, ToUsers(("bob",)), "hi")
    assert wire.answer(post, Ok(2, 9)) == ()
    assert wire.answer(post, Refused(2, Code.NOT_TO_YOURSELF, "You can't.")) == ()
    assert wire.answer(post, Refused(2, Code.TEXT_EMPTY, "Nothing.")) == ()
    assert wire.answer(post, Refused(2, Code.NOT_LOGGED_IN, "Log in first.")) == ()
    too_long = wire.answer(post, Refused(2, Code.TEXT_TOO_LONG, "Too long."))
    assert shown(too_long) == [("PRIVATE", [], "Too long.\n")]
    unknown = wire.answer(post, Ok(2, 9, 0, ("dan_40_x.y", "eve")))
    assert shown(unknown) == [("PRIVATE", [], "Nobody here is called dan@x.y, eve.\n")]


# What others say.


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (message(Broadcast()), ("ALL", ["Ann"], "hi\n")),
        (message(Global(), author=BOB), ("ALL", ["Bob"], "hi\n")),
        (message(Direct((ANN, BOB))), ("PRIVATE", ["Ann"], "hi\n")),
        (message(Direct((ANN, BOB, CAT))), ("GROUP", ["Ann"], "hi\n")),
        (message(ROOM), ("GROUP", ["Ann"], "[dev] hi\n")),
        (message(Global(), "}{"), ("ALL", ["Ann"], "}{\n")),
        (message(Global(), "a\nb"), ("ALL", ["Ann"], "a\nb\n")),
        (message(Global(), "жж ☺ \U0001f600"), ("ALL", ["Ann"], "жж ☺ \U0001f600\n")),
        (Notice("soon"), ("PRIVATE", [], "soon\n")),
        (model.StoppingIn(3), ("PRIVATE", [], "The server stops in 3 seconds.\n")),
        (model.GroupJoined(9, 0, ROOM, BOB), ("PRIVATE", [], "bob has joined the group dev.\n")),
        (model.GroupLeft(9, 0, ROOM, BOB), ("PRIVATE", [], "bob has left the group dev.\n")),
    ],
)
def test_what_others_hear(heard: model.Event | model.Passing, expected: tuple[str, list[str], str]) -> None:
    assert shown(encoded(heard)) == [expected]


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.BYSTANDER])
def test_authors_and_bystanders_hear_nothing(role: Role) -> None:
    for event in (message(Broadcast()), message(ROOM), model.GroupJoined(9, 0, ROOM, BOB)):
        assert encoded(event, role) == ()


def test_comings_and_goings_are_in_the_list_alone() -> None:
    assert encoded(model.UserJoined(9, 0, BOB)) == ()
    assert encoded(model.UserLeft(9, 0, BOB, "lost")) == ()


def test_what_was_missed_says_who_it_is_from() -> None:
    missed = (model.UserLeft(8, 0, BOB, "lost"), message(Direct((ANN, BOB))), message(ROOM))
    assert shown(MucaJsonWire().answer(None, model.CatchUp(missed, 9))) == [
        ("PRIVATE", ["Ann"], "(while you were away) ann_40_hku.hk: hi\n"),
        ("GROUP", ["Ann"], "(while you were away) ann_40_hku.hk: [dev] hi\n"),
    ]


def test_last_words() -> None:
    wire = MucaJsonWire()
    assert shown(wire.answer(None, Bye("stopping", "The server stops."))) == [("PRIVATE", [], "The server stops.\n")]
    assert wire.answer(None, Bye("left", "Goodbye.")) == ()


# The list of users.


def roster(*users: UserInfo) -> MucaScreen:
    """What the client makes of it."""
    screen = MucaScreen()
    for chunk in encoded(Roster(users)):
        assert isinstance(chunk, Alone)
        assert len(chunk.data) <= READ_BYTES
        screen.hear(chunk.data)
    return screen


def test_the_list_has_nicknames_and_uids() -> None:
    chunks = encoded(Roster((UserInfo(ANN, display="Ann"), UserInfo(BOB))))
    entries = [{"UN": "Ann", "UID": "ann@hku.hk"}, {"UN": "bob", "UID": "bob"}]
    assert said(chunks) == [{"CMD": "LIST", "DATA": entries}]


def test_a_long_list_comes_in_parts_which_the_client_adds_up() -> None:
    users = [UserInfo(UserRef(number, f"user{number}_40_example.org"), display="☺" * 40) for number in range(200)]
    screen = roster(*users)
    assert screen.lists > 10
    assert set(screen.uid_of.values()) == {f"user{number}@example.org" for number in range(200)}


def test_an_empty_list_which_would_end_the_client_is_not_sent() -> None:
    assert encoded(Roster(())) == ()


def test_nobody_takes_anothers_nickname() -> None:
    users = (UserInfo(ANN, display="Ann"), UserInfo(BOB, display="ann"), UserInfo(CAT, display="Ann"))
    assert roster(*users).uid_of == {"Ann": "ann@hku.hk", "ann (bob)": "bob", "Ann (cat@hku.hk)": "cat@hku.hk"}


@given(st.lists(st.tuples(texts, st.text(max_size=16)), max_size=20))
def test_any_list_is_fit_for_the_client(people: list[tuple[str, str]]) -> None:
    users = tuple(UserInfo(UserRef(n, name), display=display) for n, (display, name) in enumerate(people))
    said(encoded(Roster(users)))
    assert roster(*users).lists or not users


# What the client must be spared.


@given(texts)
def test_any_text_arrives_whole_and_shows_one_message(text: str) -> None:
    chunks = encoded(message(Global(), text))
    said(chunks)
    parts = shown(chunks)
    assert "".join(part.removesuffix("\n") for _, _, part in parts) == text
    assert {(kind, *nicknames) for kind, nicknames, _ in parts} == {("ALL", "Ann")}


@given(st.lists(texts, min_size=1, max_size=5), st.integers(0, 10_000))
def test_touching_objects_can_be_told_apart(several: list[str], cut: int) -> None:
    """The client may find several in one read, though never half of one."""
    chunks = [chunk for text in several for chunk in encoded(message(Global(), text))]
    data = [chunk.data for chunk in chunks if isinstance(chunk, Alone)]
    cut %= len(data)
    screen = MucaScreen()
    for piece in (b"".join(data[:cut]), b"".join(data[cut:])):
        if piece:
            screen.hear(piece)
    assert len(screen.shown) == len(data)


def test_a_text_of_the_longest_kind_is_cut_at_characters() -> None:
    parts = shown(encoded(message(Global(), "\U0001f600" * 8192)))
    assert "".join(part.removesuffix("\n") for _, _, part in parts) == "\U0001f600" * 8192


# What the server must be spared.


def test_pretty_printed_objects_and_blanks_between_them() -> None:
    pretty = json.dumps({"CMD": "SEND", "MSG": "hi", "TO": []}, indent=4).encode()
    assert MucaJsonWire().feed(b"\n" + pretty + b"\r\n\t" + pretty, 0.0) == [
        Post(1, ToEveryone(), "hi"),
        Post(2, ToEveryone(), "hi"),
    ]


def test_commands_of_another_version_are_passed_over() -> None:
    assert MucaJsonWire().feed(obj(CMD="PING") * 100 + send("hi"), 0.0) == [Post(1, ToEveryone(), "hi")]


@pytest.mark.parametrize("garbage", [b"hello", b"{'CMD': 1}", b"{}", b'{"CMD":1}', b'{"CMD":"SEND","CMD":"JOIN"}'])
def test_garbage_is_answered_and_ends_it_the_third_time(garbage: bytes) -> None:
    items = MucaJsonWire().feed((garbage + send("hi")) * 5, 0.0)
    assert [type(item) for item in items] == [Local, Post, Local, Post, ProtocolError]
    assert isinstance(items[0], Local)
    assert shown(items[0].chunks) == [("PRIVATE", [], "This is not understood.\n")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{" + b"[" * 100_000, Code.MALFORMED),
        (b'{"a":' * 100_000, Code.MALFORMED),
        (b'{"CMD":"SEND","MSG":"' + b"x" * 70_000, Code.FRAME_TOO_LARGE),
    ],
)
def test_what_is_too_deep_or_too_long_ends_it(data: bytes, code: Code) -> None:
    wire = MucaJsonWire()
    (fault,) = wire.feed(data, 0.0)
    assert isinstance(fault, ProtocolError)
    assert fault.code == code
    assert wire.feed(JOIN, 0.0) == []
