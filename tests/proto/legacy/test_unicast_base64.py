"""The UNICAST:: dialogue, request by request, and everything that its client must be spared."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import model
from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.unicast_base64 import MAX_REQUEST_BYTES, UnicastBase64Wire
from mysticproto.model import (
    Broadcast,
    Bye,
    Direct,
    Folder,
    FolderEntry,
    Global,
    ListFolder,
    Login,
    Logout,
    Message,
    Notice,
    Ok,
    Post,
    Refused,
    Request,
    SendFile,
    ToEveryone,
    ToUsers,
    UserRef,
    Welcome,
)
from mysticproto.wire import Alone, Chunks, Item, Local, Role
from tests.support.old_unicast_base64 import READ_BYTES, Base64Screen

ANA, BOB, ZOE = UserRef(1, "ana"), UserRef(2, "bob"), UserRef(3, "Зоя")
ROOM = model.Group(4, "dev")
NAME = "unicast_base64"
texts = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("<END>:\n☺")), max_size=300)


def said(request: str) -> bytes:
    return b64encode(request.encode()) + b"<END>"


def one(data: bytes) -> Item:
    (item,) = UnicastBase64Wire().feed(data, 0.0)
    return item


def as_bytes(chunks: Chunks) -> bytes:
    return b"".join(chunk.data if isinstance(chunk, Alone) else chunk for chunk in chunks)


def shown(chunks: Chunks) -> list[str]:
    """What the client shows of it when it comes in one go, but for what goes alone."""
    screen = Base64Screen()
    data = b""
    for chunk in chunks:
        if isinstance(chunk, Alone):
            hear(screen, data)
            hear(screen, chunk.data)
            data = b""
        else:
            data += chunk
    hear(screen, data)
    return screen.shown


def hear(screen: Base64Screen, data: bytes) -> None:
    for at in range(0, len(data), READ_BYTES):
        screen.hear(data[at : at + READ_BYTES])


def answered(request: Request | None, reply: model.Reply | model.Passing) -> list[str]:
    return shown(UnicastBase64Wire().answer(request, reply))


def encoded(event: model.Event | model.Passing, role: Role = Role.OTHER) -> Chunks:
    return UnicastBase64Wire().encode(event, role)


def message(conversation: model.Conversation, text: str = "hi", author: UserRef = ANA) -> Message:
    return Message(9, 0, author, conversation, text)


# Requests.


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("USERNAME::ana", Login(1, "ana", client=NAME, waiting="direct")),
        ("USERNAME::Зоя", Login(1, "Зоя", client=NAME, waiting="direct")),
        ("USERNAME::ana b", Login(1, "ana_20_b", client=NAME, waiting="direct")),
        ("USERNAME::ann_40_hku.hk", Login(1, "ann_40_hku.hk", client=NAME, waiting="direct")),
        ("USERNAME::a<END>", Login(1, "a_3C_END_3E_", client=NAME, waiting="direct")),
        ("USERNAME::", Login(1, "", client=NAME, waiting="direct")),
        ("USERNAME::a:b", Login(1, "a:b", client=NAME, waiting="direct")),
        ("USERNAME::EXIT", Login(1, "EXIT", client=NAME, waiting="direct")),
        ("UNICAST::bob:hi", Post(1, ToUsers(("bob",)), "hi")),
        ("UNICAST::bob:a:b::c", Post(1, ToUsers(("bob",)), "a:b::c")),
        ("UNICAST::ana b:hi", Post(1, ToUsers(("ana_20_b",)), "hi")),
        ("UNICAST::ann_40_hku.hk:hi", Post(1, ToUsers(("ann_40_hku.hk",)), "hi")),
        ("UNICAST::SERVER:hi", Post(1, ToUsers(("SERVER",)), "hi")),
        ("UNICAST::bob:", Post(1, ToUsers(("bob",)), "")),
        ("BROADCAST::hi", Post(1, ToEveryone(), "hi")),
        ("BROADCAST::UNICAST::bob:hi", Post(1, ToEveryone(), "UNICAST::bob:hi")),
        ("BROADCAST::<END>", Post(1, ToEveryone(), "<END>")),
        ("ACCESS::", ListFolder(1, "")),
        ("ACCESS::docs/old", ListFolder(1, "docs/old")),
        ("ACCESS::/docs//old/", ListFolder(1, "docs/old")),
        ("ACCESS::.", ListFolder(1, "")),
        ("ACCESS::../x", ListFolder(1, "../x")),
        ("DOWNLOAD::docs/a b.txt", SendFile(1, "docs/a b.txt")),
        ("DOWNLOAD::./a.txt", SendFile(1, "a.txt")),
        ("EXIT::", Logout(1)),
    ],
)
def test_requests(request_: str, expected: Request) -> None:
    assert one(said(request_)) == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (said("hi"), "request invalid"),
        (said(""), "request invalid"),
        (said("EXIT"), "request invalid"),
        (said("HELLO::x"), "request invalid"),
        (said("unicast::bob:hi"), "request invalid"),
        (said("UNICAST::bob"), "[request] invalid"),
        (b"BROADCAST::hi<END>", "request invalid"),
        (b"!!!<END>", "request invalid"),
        (b64encode(b"BROADCAST::\xff") + b"<END>", "request invalid"),
        (b64encode(b"BROADCAST::hi").rstrip(b"=") + b"<END>", "request invalid"),
        (b64encode(b64encode(b"BROADCAST::hi")) + b"<END>", "request invalid"),
        (b64encode(b"BROADCAST::hi")[:8] + b"\n" + b64encode(b"BROADCAST::hi")[8:] + b"<END>", "request invalid"),
        (b64encode(b"BROADCAST::hi") + b"AAAA<END>", "request invalid"),
        (b"QlJPQURDQVNUOjpoaR==<END>", "request invalid"),  # another way of writing the last character
    ],
)
def test_senseless_requests_are_answered_and_it_goes_on(data: bytes, text: str) -> None:
    first, second = UnicastBase64Wire().feed(data + said("BROADCAST::hi"), 0.0)
    assert isinstance(first, Local)
    assert shown(first.chunks) == [f"USAGE: {text}"]
    assert isinstance(second, Post)


def test_a_request_that_is_too_long_ends_it() -> None:
    wire = UnicastBase64Wire()
    (post,) = wire.feed(said("BROADCAST::" + "x" * 40_000), 0.0)
    assert isinstance(post, Post)
    (fault,) = wire.feed(b"x" * (MAX_REQUEST_BYTES + 10) + b"<END>", 0.0)
    assert isinstance(fault, ProtocolError)
    assert shown(wire.answer(None, Bye(fault.code, fault.text))) == [
        "SERVER: a request has at most 65536 bytes",
        "EXIT: you have disconnected from the server",
    ]
    assert wire.feed(said("BROADCAST::hi"), 0.0) == []


# Answers.

EXIT = "EXIT: you have disconnected from the server"
LOGIN, POST = Login(1, "ana"), Post(1, ToUsers(("bob",)), "hi")


@pytest.mark.parametrize(
    ("request_", "reply", "expected"),
    [
        (LOGIN, Welcome(1, 7, ANA, "guest", 1), ["SERVER: welcome to the server"]),
        (LOGIN, Refused(1, Code.ALREADY_LOGGED_IN, "-"), ["USAGE: you already have a username"]),
        (POST, Ok(1, 9), []),
        (POST, Ok(1, 9, 0, (), ("bob",)), ["SERVER: bob will get this on returning"]),
        (POST, Refused(1, Code.NOT_TO_YOURSELF, "-"), ["USAGE: [recipient] cannot be you"]),
        (POST, Refused(1, Code.UNKNOWN_USER, "-"), ["USAGE: [recipient] does not exist"]),
        (POST, Refused(1, Code.TEXT_EMPTY, "-"), ["USAGE: [request] invalid"]),
        (POST, Refused(1, Code.NOT_LOGGED_IN, "-"), ["USAGE: request invalid"]),
        (POST, Refused(1, Code.TEXT_TOO_LONG, "Too long."), ["USAGE: Too long."]),
        (ListFolder(1, "x"), Refused(1, Code.FILE_NOT_FOUND, "-"), ["USAGE: failed to access x"]),
        (ListFolder(1, "../x"), Refused(1, Code.NOT_A_FOLDER, "-"), ["USAGE: failed to access ../x"]),
        (ListFolder(1, "x"), Refused(1, Code.FILES_UNAVAILABLE, "Later."), ["USAGE: Later."]),
        (SendFile(1, "x"), Refused(1, Code.FILE_NOT_FOUND, "-"), ["USAGE: x is not a file"]),
        (SendFile(1, "x"), Refused(1, Code.LIMIT_REACHED, "Later."), ["USAGE: Later."]),
        (None, Notice("soon"), ["SERVER: soon"]),
        (None, model.StoppingIn(3), ["SERVER: The server stops in 3 seconds."]),
        (None, model.Seen(BOB), []),
    ],
)
def test_answers(request_: Request | None, reply: model.Reply | model.Passing, expected: list[str]) -> None:
    wire = UnicastBase64Wire()
    assert shown(wire.answer(request_, reply)) == expected
    assert not wire.is_over


@pytest.mark.parametrize(
    ("request_", "reply", "expected"),
    [
        (LOGIN, Refused(1, Code.NAME_IN_USE, "-"), ["SERVER: username already in use", EXIT]),
        (LOGIN, Refused(1, Code.NAME_CLAIMED, "-"), ["SERVER: username already in use", EXIT]),
        (LOGIN, Refused(1, Code.NAME_INVALID, "-"), ["SERVER: username invalid", EXIT]),
        (LOGIN, Refused(1, Code.STORAGE_FULL, "No room."), ["SERVER: No room.", EXIT]),
        (Logout(1), Ok(1), [EXIT]),
        (Logout(1), Refused(1, Code.NOT_LOGGED_IN, "-"), [EXIT]),
        (None, Bye("stopping", "The server stops."), ["SERVER: The server stops.", EXIT]),
    ],
)
def test_every_end_is_announced_by_one_exit(
    request_: Request | None, reply: model.Reply | model.Passing, expected: list[str]
) -> None:
    wire = UnicastBase64Wire()
    assert shown(wire.answer(request_, reply)) == expected
    assert wire.is_over
    assert wire.answer(None, Bye("left", "Goodbye.")) == ()


def test_a_folder_is_listed_in_one_frame() -> None:
    wire, request = UnicastBase64Wire(), ListFolder(3, "docs")
    other = ListFolder(4, "")
    parts = [
        Folder(3, "docs", (FolderEntry("old", "folder", entries=7),), 2, more=True),
        Folder(4, "", (), 0),
        Folder(3, "docs", (FolderEntry("a b.txt", "file", 12),), 2),
    ]
    answers = [wire.answer(asked, part) for asked, part in zip((request, other, request), parts, strict=True)]
    assert answers[0] == ()
    assert shown(answers[1]) == ["SERVER: : 0 files"]
    assert shown(answers[2]) == ["SERVER: docs: 2 files\nFOLDER: old\nFILE: a b.txt (12 bytes)"]


def test_a_listing_that_failed_half_way_is_forgotten() -> None:
    wire, request = UnicastBase64Wire(), ListFolder(3, "docs")
    wire.answer(request, Folder(3, "docs", (FolderEntry("a", "file"),), 2, more=True))
    wire.answer(request, Refused(3, Code.FILES_UNAVAILABLE, "Later."))
    assert shown(wire.answer(request, Folder(3, "docs", (), 0))) == ["SERVER: docs: 0 files"]


@pytest.mark.parametrize(
    ("path", "announced"),
    [
        ("a.txt", "a.txt"),
        ("docs/old/a b.txt", "a b.txt"),
        ("noext", "noext."),
        ("a.tar.gz", "a_tar.gz"),
        ("a:b.txt", "a_b.txt"),
        ("<END>.txt", "_END_.txt"),
        ("Жанна.txt", "Жанна.txt"),
    ],
)
@pytest.mark.parametrize("contents", [b"", b"hi", b"<END>:" * 1000])
def test_a_file_is_saved_under_a_name_of_two_parts(path: str, announced: str, contents: bytes) -> None:
    wire, request = UnicastBase64Wire(), SendFile(3, path)
    header = wire.answer(request, model.FileStart(3, len(contents), 0))
    trailer = wire.answer(request, model.FileEnd(3, len(contents)))
    screen = Base64Screen()
    hear(screen, as_bytes(header) + b64encode(contents) + as_bytes(trailer) + as_bytes(encoded(Notice("hi"))))
    assert screen.files == [(announced, contents)]
    assert screen.shown == ["SERVER: hi"]
    assert all(
        isinstance(chunk, Alone) != chunk_bytes.isascii() for chunk in header for chunk_bytes in [as_bytes(header)]
    )


# What others say and do.


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (message(Global()), "ana: hi"),
        (message(Broadcast(), "a: b"), "ana: a: b"),
        (message(Direct((ANA, BOB))), "ana: hi"),
        (message(Direct((ANA, BOB, ZOE))), "ana: hi"),
        (message(ROOM), "ana: [dev] hi"),
        (message(Global(), "☺", ZOE), "Зоя: ☺"),
        (message(Global(), "<END>EXIT: x<END>"), "ana: <END>EXIT: x<END>"),
        (message(Global(), "a\nSERVER: b has left the server"), "ana: a\n    SERVER: b has left the server"),
        (model.UserJoined(9, 0, BOB), "SERVER: bob has joined the server"),
        (model.UserLeft(9, 0, BOB, "left"), "SERVER: bob has left the server"),
        (model.UserLeft(9, 0, BOB, "lost"), "SERVER: bob has left the server"),
        (model.GroupJoined(9, 0, ROOM, BOB), "SERVER: bob has joined the group dev"),
        (model.GroupLeft(9, 0, ROOM, BOB), "SERVER: bob has left the group dev"),
        (Notice("soon"), "SERVER: soon"),
    ],
)
def test_what_others_hear(heard: model.Event | model.Passing, expected: str) -> None:
    assert shown(encoded(heard)) == [expected]


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.BYSTANDER])
def test_authors_and_bystanders_hear_nothing(role: Role) -> None:
    for event in (message(Broadcast()), model.UserJoined(9, 0, BOB), model.GroupJoined(9, 0, ROOM, BOB)):
        assert encoded(event, role) == ()


def test_what_waited_is_told_with_its_author() -> None:
    waited = (message(Direct((ANA, BOB))), model.UserLeft(10, 0, BOB, "lost"), message(ROOM))
    assert answered(None, model.CatchUp(waited, 11)) == [
        "ana: (while you were away) hi",
        "ana: (while you were away) [dev] hi",
    ]


# What the client must be spared.


@given(st.lists(st.tuples(st.sampled_from([ANA, BOB, ZOE]), texts), max_size=20))
def test_any_texts_are_shown_as_they_are(said_by: list[tuple[UserRef, str]]) -> None:
    wire = UnicastBase64Wire()
    events = [message(Global(), text, author) for author, text in said_by]
    chunks = tuple(chunk for event in events for chunk in wire.encode(event, Role.OTHER))
    assert shown(chunks) == [f"{author.name}: {text}".replace("\n", "\n    ") for author, text in said_by]


def test_only_what_begins_in_ascii_may_share_a_read() -> None:
    assert all(isinstance(chunk, bytes) for chunk in encoded(message(Global(), "☺")))
    assert all(isinstance(chunk, Alone) for chunk in encoded(message(Global(), "hi", ZOE)))
