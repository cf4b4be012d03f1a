"""Conversations with Mystic CLI's wire, line by line: what is typed, what is asked of the server, what is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import model
from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.mystic_cli import MAX_COMMAND_BYTES, MAX_HELD, MAX_MESSAGE_BYTES, MysticCliWire
from mysticproto.legacy.mystic_cli_words import FILE_END_MARKER
from mysticproto.legacy.reads import CUT_CHARACTER_S
from mysticproto.model import Request
from mysticproto.wire import Alone, Chunks, Item, Local, Raw, Role
from tests.proto.vocabulary import ANA, BOB, FILE, FOLDER, MESSAGE, ROOM, T
from tests.support.old_mystic_cli import MysticCliDisplay

ROOM_INFO = model.GroupInfo(ROOM, ANA, (ANA, BOB))
LONE_INFO = model.GroupInfo(model.Group(18, "x"), ANA, (ANA,))


def logged_in(name: str = "ana") -> MysticCliWire:
    wire = MysticCliWire()
    assert wire.opened(0.0) == []
    login = said(wire, name)
    wire.answer(login, model.Welcome(login.n, 77, model.UserRef(3, name), "guest", 41))
    return wire


def items_of(wire: MysticCliWire, line: str) -> list[Item]:
    return wire.feed(line.encode(), 0.0)


def said(wire: MysticCliWire, line: str) -> Request:
    """The one request that a line makes."""
    (item,) = items_of(wire, line)
    assert not isinstance(item, Local | Raw | ProtocolError)
    return item


def told(chunks: Chunks) -> str:
    """What these chunks are, as text."""
    return b"".join(chunk.data if isinstance(chunk, Alone) else chunk for chunk in chunks).decode()


def told_at_once(wire: MysticCliWire, line: str) -> str:
    """What the wire answers by itself."""
    (item,) = items_of(wire, line)
    assert isinstance(item, Local)
    return told(item.chunks)


def refused(wire: MysticCliWire, line: str, code: Code, about: str = "", text: str = "Because.") -> str:
    request = said(wire, line)
    return told(wire.answer(request, model.Refused(request.n, code, text, about)))


def focused(group: model.GroupInfo = ROOM_INFO) -> MysticCliWire:
    wire = logged_in()
    request = said(wire, f"mystic join group {group.group.name}")
    wire.answer(request, model.Entered(request.n, 47, group, True))
    return wire


# Coming and going.


def test_the_first_read_is_the_name() -> None:
    wire = MysticCliWire()
    login = said(wire, "ana")
    assert login == model.Login(1, "ana", client="mystic_cli", waiting="direct")
    welcome = wire.answer(login, model.Welcome(1, 77, ANA, "guest", 41))
    assert told(welcome) == ("[SERVER] Welcome to the Mystic chat room, ana! Type 'mystic help' for commands.\n")
    assert not wire.is_over


@pytest.mark.parametrize("code", [Code.NAME_IN_USE, Code.NAME_CLAIMED])
def test_a_name_in_use_is_refused_in_its_words_and_ends_it(code: Code) -> None:
    wire = MysticCliWire()
    assert refused(wire, "ana", code) == (
        "[SERVER] Username 'ana' is already taken. Please reconnect with a different name.\n"
    )
    assert wire.is_over
    assert wire.feed(b"hello", 0.0) == []


def test_a_name_that_cannot_be_says_why() -> None:
    shown = refused(MysticCliWire(), "[SERVER] x", Code.NAME_INVALID, text="A space is not allowed.")
    assert shown.startswith("[SERVER] Username '[ SERVER] x' can't be used: A space is not allowed.")


def test_an_empty_name_is_refused_by_the_server() -> None:
    login = said(MysticCliWire(), "  \r\n")
    assert isinstance(login, model.Login)
    assert login.name == ""


@pytest.mark.parametrize(
    ("typed", "name"),
    [("ana\n", "ana"), ("ann@hku.hk", "ann_40_hku.hk"), ("ann_40_x", "ann_40_x"), ("a b", "a b"), ("mystic", "mystic")],
)
def test_names_that_are_not_allowed_have_stand_ins(typed: str, name: str) -> None:
    login = said(MysticCliWire(), typed)
    assert isinstance(login, model.Login)
    assert login.name == name


def test_disconnect_says_goodbye_and_hears_no_more() -> None:
    wire = logged_in()
    logout = said(wire, "mystic disconnect")
    assert isinstance(logout, model.Logout)
    assert wire.answer(logout, model.Ok(logout.n, 50, T)) == ()
    assert told(wire.answer(None, model.Bye("left", "Goodbye."))) == "[SERVER] You have left the chat. Goodbye!\n"
    assert items_of(wire, "hello?") == []


def test_a_last_word_of_the_server_is_shown() -> None:
    assert told(logged_in().answer(None, model.Bye("stopping", "The server stops."))) == "[SERVER] The server stops.\n"


# Talking.


def test_plain_text_is_global_until_a_group_is_joined() -> None:
    wire = logged_in()
    assert said(wire, "hello there") == model.Post(2, model.ToGlobal(), "hello there")
    assert said(focused(), "hello") == model.Post(3, model.ToGroup(), "hello")


@pytest.mark.parametrize("blank", ["", " ", "\r\n", "\t\u3000"])
def test_white_space_is_ignored(blank: str) -> None:
    wire = logged_in()
    assert items_of(wire, blank) == []
    assert said(wire, "hello").n == 2


@pytest.mark.parametrize("text", ["this is so mystic", "mystical", "Mystic users", "mystic_users"])
def test_only_the_first_word_makes_a_command(text: str) -> None:
    assert said(logged_in(), text) == model.Post(2, model.ToGlobal(), text)


def test_a_message_that_was_stored_shows_nothing_to_its_author() -> None:
    wire = logged_in()
    for line in ("hello", "mystic broadcast hello"):
        post = said(wire, line)
        assert wire.answer(post, model.Ok(post.n, 41, T)) == ()


def test_a_message_that_was_not_stored_says_why() -> None:
    assert refused(logged_in(), "hi", Code.STORAGE_FULL, text="The disk is full.") == "[SERVER] The disk is full.\n"


def test_pm() -> None:
    wire = logged_in()
    post = said(wire, "mystic pm  bob   hi   there")
    assert post == model.Post(2, model.ToUsers(("bob",)), "hi there")
    assert told(wire.answer(post, model.Ok(2, 41, T))) == "[SERVER] PM sent to bob.\n"
    away = told(wire.answer(post, model.Ok(2, 41, T, away=("bob",))))
    assert away == "[SERVER] PM sent to bob, who is away and will find it later.\n"


def test_a_pm_finds_who_goes_by_a_stand_in() -> None:
    for name in ("ann@hku.hk", "ann_40_hku.hk"):
        post = said(logged_in(), f"mystic pm {name} hi")
        assert isinstance(post, model.Post)
        assert post.to == model.ToUsers(("ann_40_hku.hk",))


def test_pm_refusals() -> None:
    wire = logged_in()
    assert refused(wire, "mystic pm ana hi", Code.NOT_TO_YOURSELF) == "[SERVER] You can't send a PM to yourself!\n"
    assert refused(wire, "mystic pm U hi", Code.UNKNOWN_USER, "U") == (
        "[SERVER] User 'U' not found. Use 'mystic users' to see online users.\n"
    )
    assert refused(wire, "mystic pm U hi", Code.STORAGE_FULL).startswith("[SERVER] Failed to send PM to U.")


def test_broadcast() -> None:
    assert said(logged_in(), "mystic broadcast a  b") == model.Post(2, model.ToEveryone(), "a b")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("mystic", 'Did you mean to enter a command? Type "mystic help" for commands.'),
        ("mystic dance", 'Command not recognized. Type "mystic help" for commands.'),
        ("mystic help me", 'Command not recognized. Type "mystic help" for commands.'),
        ("mystic create", 'Command not recognized. Type "mystic help" for commands.'),
        ("mystic USERS", 'Command not recognized. Type "mystic help" for commands.'),
        ("mystic pm", "Usage: mystic pm <user> <message>"),
        ("mystic pm bob", "Usage: mystic pm <user> <message>"),
        ("mystic broadcast", "Usage: mystic broadcast <message>"),
        ("mystic create group", "Usage: mystic create group <name>"),
        ("mystic join group", "Usage: mystic join group <name>"),
        ("mystic create group a b", "Group name cannot contain spaces."),
        ("mystic join group a b", "Group name cannot contain spaces."),
        ("mystic leave group a b", "Group name cannot contain spaces."),
        ("mystic download", "Usage: mystic download <filename> [tcp|udp]"),
    ],
)
def test_what_is_answered_at_once(line: str, shown: str) -> None:
    assert told_at_once(logged_in(), line) == f"[SERVER] {shown}\n"


def test_help_is_one_text_with_a_line_for_each_command() -> None:
    lines = told_at_once(logged_in(), "mystic help").splitlines()
    assert lines[0] == "[SERVER] --- Mystic Commands ---"
    assert len(lines) == 12
    assert all(line.startswith("mystic ") for line in lines[1:])


# Lists.


def test_users_come_in_parts_and_are_shown_at_once() -> None:
    wire = logged_in()
    asked = said(wire, "mystic users")
    assert wire.answer(asked, model.Users(asked.n, (model.UserInfo(ANA),), True)) == ()
    rest = model.Users(asked.n, (model.UserInfo(BOB), model.UserInfo(model.UserRef(9, "c"))))
    assert told(wire.answer(asked, rest)) == "[SERVER] Online users: ana, Боб, c\n"


def test_groups() -> None:
    wire = logged_in()
    asked = said(wire, "mystic groups")
    assert told(wire.answer(asked, model.Groups(asked.n, ()))) == "[SERVER] No groups exist yet.\n"
    both = told(wire.answer(asked, model.Groups(asked.n, (ROOM_INFO, LONE_INFO))))
    assert both == "[SERVER] Groups: crew (2 members), x (1 members)\n"


def test_files_are_those_at_the_top() -> None:
    wire = logged_in()
    asked = said(wire, "mystic files")
    assert asked == model.ListFolder(asked.n, "")
    empty = told(wire.answer(asked, model.Folder(asked.n, "", (FOLDER,), 1)))
    assert empty == "[SERVER] Successfully accessed SharedFiles folder. 0 files available.\n"
    other = model.FolderEntry("[FILE_START]x|5", "file", 5)
    assert wire.answer(asked, model.Folder(asked.n, "", (FOLDER, FILE), 3, True)) == ()
    assert told(wire.answer(asked, model.Folder(asked.n, "", (other,), 3))) == (
        "[SERVER] Successfully accessed SharedFiles folder. 2 file(s) available:\n"
        "  1. a b.txt (1024 bytes)\n"
        "  2. [ FILE_START]x|5 (5 bytes)\n"
    )


def test_a_long_list_comes_in_chunks_that_each_are_whole_text() -> None:
    wire, display = logged_in(), MysticCliDisplay()
    asked = said(wire, "mystic files")
    entries = tuple(model.FolderEntry(f"Лицо {number}", "file", 1) for number in range(1000))
    for chunk in wire.answer(asked, model.Folder(asked.n, "", entries, 1000)):
        assert isinstance(chunk, Alone)
        display.read(chunk.data)
        assert len(chunk.data) < 8192
    assert display.dropped == []
    assert all(f". Лицо {number} (1 bytes)" in "\n".join(display.shown) for number in range(1000))


# Groups.


def test_create_group() -> None:
    wire = logged_in()
    create = said(wire, "mystic create group crew")
    assert create == model.CreateGroup(2, "crew")
    shown = wire.answer(create, model.Entered(2, 47, ROOM_INFO, True))
    assert shown == (Alone(b"[SERVER] You are now chatting in crew. Use 'mystic leave group' to leave.\n"),)


def test_create_group_refusals() -> None:
    wire = logged_in()
    assert refused(wire, "mystic create group G", Code.GROUP_EXISTS, "G") == (
        "[SERVER] Group already exists! Try a new group name.\n"
    )
    for verb in ("create", "join"):
        assert refused(wire, f"mystic {verb} group G", Code.IN_ANOTHER_GROUP, "X") == (
            "[SERVER] You're already in 'X'. Leave it first with 'mystic leave group'.\n"
        )
    assert refused(wire, "mystic create group G!", Code.GROUP_NAME_INVALID, "G!", "Not so.") == "[SERVER] Not so.\n"
    assert refused(wire, "mystic join group G", Code.ALREADY_IN_GROUP, "G") == "[SERVER] You're already in G!\n"


def test_joining_a_group_that_does_not_exist_creates_it() -> None:
    wire = logged_in()
    assert refused(wire, "mystic join group dev", Code.UNKNOWN_GROUP, "dev") == (
        "[SERVER] 'dev' doesn't exist! Creating it now...\n"
    )
    assert items_of(wire, "hello") == []
    (create,) = wire.take_follow_ups()
    assert create == model.CreateGroup(3, "dev")
    assert wire.take_follow_ups() == []
    info = model.GroupInfo(model.Group(18, "dev"), ANA, (ANA,))
    assert "You are now chatting in dev." in told(wire.answer(create, model.Entered(3, 47, info, True)))
    assert wire.take_follow_ups() == [model.Post(4, model.ToGroup(), "hello")]


def test_leave_group() -> None:
    for line in ("mystic leave group", "mystic leave group CREW"):
        wire = focused()
        leave = said(wire, line)
        assert isinstance(leave, model.LeaveGroup)
        assert wire.answer(leave, model.Ok(leave.n, 50, T)) == (
            Alone(b"[SERVER] You have left crew. You're now in global chat.\n"),
        )
        assert said(wire, "hello") == model.Post(leave.n + 1, model.ToGlobal(), "hello")


def test_leaving_another_group_keeps_the_prompt() -> None:
    wire = focused()
    leave = said(wire, "mystic leave group other")
    assert told(wire.answer(leave, model.Ok(leave.n, 50, T))) == "[SERVER] You have left other.\n"
    assert said(wire, "hello") == model.Post(leave.n + 1, model.ToGroup(), "hello")


def test_leave_group_refusals() -> None:
    wire = logged_in()
    assert refused(wire, "mystic leave group", Code.NO_GROUP) == "[SERVER] You're not in any group!\n"
    assert refused(wire, "mystic leave group G", Code.UNKNOWN_GROUP, "G") == "[SERVER] Group 'G' doesn't exist!\n"
    assert refused(wire, "mystic leave group G", Code.NOT_IN_GROUP, "G") == "[SERVER] You're not in 'G'!\n"


def test_who_was_removed_from_the_group_finds_out_at_the_next_message() -> None:
    wire = focused()
    shown = refused(wire, "hello", Code.NO_GROUP)
    assert shown == "[SERVER] You have left crew. You're now in global chat. Your message was not sent.\n"
    assert isinstance(said(wire, "hello"), model.Post)
    assert said(wire, "hello") == model.Post(5, model.ToGlobal(), "hello")


def test_what_comes_before_a_join_is_answered_waits_for_it() -> None:
    wire = logged_in()
    join = said(wire, "mystic join group crew")
    for line in ("one", "mystic leave group", "two", "mystic users"):
        assert items_of(wire, line) == []
    wire.answer(join, model.Entered(join.n, 47, ROOM_INFO, True))
    one, leave = wire.take_follow_ups()
    assert (one, leave) == (model.Post(3, model.ToGroup(), "one"), model.LeaveGroup(4, ""))
    assert not isinstance(leave, Local | Raw | ProtocolError)
    assert items_of(wire, "three") == []
    wire.answer(leave, model.Ok(4, 50, T))
    two, users, three = wire.take_follow_ups()
    assert (two, users) == (model.Post(5, model.ToGlobal(), "two"), model.ListUsers(6))
    assert three == model.Post(7, model.ToGlobal(), "three")


def test_what_waits_has_a_limit() -> None:
    wire = logged_in()
    join = said(wire, "mystic join group crew")
    assert [items_of(wire, f"line {number}") for number in range(MAX_HELD)] == [[]] * MAX_HELD
    assert "not taken" in told_at_once(wire, "one more")
    wire.answer(join, model.Entered(join.n, 47, ROOM_INFO, True))
    assert len(wire.take_follow_ups()) == MAX_HELD


def test_nothing_is_heard_behind_a_disconnect_that_waited() -> None:
    wire = logged_in()
    join = said(wire, "mystic join group crew")
    for line in ("mystic disconnect", "too late"):
        items_of(wire, line)
    wire.answer(join, model.Entered(join.n, 47, ROOM_INFO, True))
    assert wire.take_follow_ups() == [model.Logout(3)]


# Files.


@pytest.mark.parametrize(
    ("typed", "name", "over"),
    [
        ("a.txt", "a.txt", "tcp"),
        ("a.txt udp", "a.txt", "udp"),
        ("my  file.txt TCP", "my file.txt", "tcp"),
        ("udp", "udp", "tcp"),
        ("..", "..", "tcp"),
    ],
)
def test_download(typed: str, name: str, over: str) -> None:
    sent = said(logged_in(), f"mystic download {typed}")
    assert sent == model.SendFile(2, name, over, FILE_END_MARKER, True)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "photos/a.jpg"])
def test_only_names_at_the_top_can_be_downloaded(path: str) -> None:
    assert told_at_once(logged_in(), f"mystic download {path}") == (
        f"[SERVER] File '{path}' not found in SharedFiles.\n"
    )


def test_a_file_goes_between_its_marks() -> None:
    wire = logged_in()
    request = said(wire, "mystic download a|b.txt")
    display = MysticCliDisplay()
    display.read(told(wire.answer(request, model.FileStart(2, 3, 0))).encode() + b"a\n")
    display.read(b"b" + told(wire.answer(request, model.FileEnd(2, 3))).encode() + b"[GLOBAL] bob: hi\n")
    assert display.saved == [("a_b.txt", b"a\nb")]
    assert display.shown == ["[GLOBAL] bob: hi"]
    assert display.not_saved == []


def test_a_file_waits_on_a_udp_port() -> None:
    wire = logged_in()
    request = said(wire, "mystic download a.txt udp")
    shown = told(wire.answer(request, model.UdpOffer(2, 3, 40000)))
    assert shown == "[UDP_FILE_START]a.txt|3|40000[UDP_FILE_START_END]"
    assert wire.answer(request, model.FileEnd(2, 3)) == (), "the client would show it as text"


def test_one_file_at_a_time_is_asked_for() -> None:
    wire = logged_in()
    first = said(wire, "mystic download a")
    assert items_of(wire, "mystic download b") == []
    assert wire.take_follow_ups() == []
    wire.answer(first, model.FileStart(2, 3, 0))
    assert wire.take_follow_ups() == [model.SendFile(3, "b", "tcp", FILE_END_MARKER, True)]


@pytest.mark.parametrize(
    ("over", "code", "shown"),
    [
        ("tcp", Code.FILE_NOT_FOUND, "File 'F' not found in SharedFiles."),
        ("tcp", Code.NOT_A_FOLDER, "File 'F' not found in SharedFiles."),
        ("tcp", Code.LIMIT_REACHED, "Error sending file: Because."),
        ("udp", Code.TOO_SLOW, "Error sending file via UDP: Because."),
        ("udp", Code.IDLE, "UDP transfer timed out. Client did not respond."),
        ("udp", Code.MALFORMED, "UDP handshake failed."),
    ],
)
def test_download_refusals(over: str, code: Code, shown: str) -> None:
    assert refused(logged_in(), f"mystic download F {over}", code, "F") == f"[SERVER] {shown}\n"


# What others do.


def test_events_are_lines_that_end() -> None:
    wire = logged_in()
    assert wire.encode(model.UserJoined(1, T, BOB), Role.OTHER) == ("[SERVER] Боб has joined\n".encode(),)
    assert wire.tell(MESSAGE, Role.OTHER, 0.0) == ("[GLOBAL] ana: hi ☺\n".encode(),)
    assert wire.encode(MESSAGE, Role.AUTHOR) == ()


def test_what_was_missed_is_told_without_ones_own_words() -> None:
    wire = logged_in()
    mine = model.Message(43, T, ANA, model.Direct((ANA, BOB)), "psst")
    theirs = model.Message(44, T, BOB, model.Direct((ANA, BOB)), "psst yourself")
    assert told(wire.answer(None, model.CatchUp((mine, theirs), 44))) == "[PM] Боб: psst yourself\n"


def test_the_servers_own_words() -> None:
    wire = logged_in()
    assert told(wire.answer(None, model.Notice("tea time"))) == "[SERVER] tea time\n"
    assert told(wire.answer(None, model.StoppingIn(30))) == "[SERVER] Server shutting down in 30 seconds...\n"
    assert wire.answer(None, model.Seen(BOB)) == ()
    assert wire.answer(None, model.Hello(b"n", b"i", "Mystic", "1")) == ()


# Limits and bad bytes.


def test_a_long_text_is_one_message() -> None:
    text = "é" * (MAX_MESSAGE_BYTES // 2)
    assert said(logged_in(), text) == model.Post(2, model.ToGlobal(), text)


def test_an_over_long_command_is_not_done() -> None:
    wire = logged_in()
    line = "mystic pm bob " + "x" * MAX_COMMAND_BYTES
    assert "at most 1024 bytes" in told_at_once(wire, line)
    assert isinstance(said(wire, line[:MAX_COMMAND_BYTES]), model.Post)


def test_an_over_long_message_ends_it() -> None:
    wire = logged_in()
    (fault,) = items_of(wire, "mystic users " + "x" * MAX_MESSAGE_BYTES)
    assert isinstance(fault, ProtocolError)
    assert fault.code == Code.FRAME_TOO_LARGE
    assert told(wire.answer(None, model.Bye(fault.code, fault.text))).startswith("[SERVER] ")
    assert items_of(wire, "mystic users") == []


def test_a_character_cut_in_two_is_waited_for() -> None:
    wire = logged_in()
    assert wire.feed(b"caf\xc3", 0.0) == []
    assert wire.next_deadline() == CUT_CHARACTER_S
    assert wire.feed(b"\xa9", 0.1) == [model.Post(2, model.ToGlobal(), "café")]
    wire.feed(b"caf\xe9", 1.0)
    assert wire.feed(b"", 1.0 + CUT_CHARACTER_S) == [model.Post(3, model.ToGlobal(), "caf\ufffd")]
    assert wire.next_deadline() is None


PIECES = st.sampled_from(
    [
        *("[FILE_START]", "../../x|5", "[FILE_START_END]", "[FILE_END]5[FILE_END_END]"),
        *("[UDP_FILE_START]", "x|5|4000", "[UDP_FILE_START_END]", "[FILE_", "[UDP_F", "FILE_START]", "["),
        *("[SERVER] ", "[PM]", "[GROUP:x] ", "You are now chatting in x.", "You have left. You're now in global chat."),
        *("\n", "é"),
    ]
)


@given(texts=st.lists(st.lists(PIECES, max_size=6).map("".join), max_size=4), cut=st.integers(1, 400))
def test_nobodys_text_is_taken_for_structure(texts: list[str], cut: int) -> None:
    """However the client's reads fall, it saves no file, fetches none, and keeps its prompt."""
    wire, display = logged_in(), MysticCliDisplay()
    where: list[model.Conversation] = [model.Global(), model.Broadcast(), model.Direct((ANA, BOB)), ROOM]
    stream = b"[SERVER] bob has joined\n"
    for text, conversation in zip(texts, where, strict=False):
        stream += told(wire.encode(model.Message(1, T, BOB, conversation, text), Role.OTHER)).encode()
        stream += told_at_once(wire, f"mystic download /{text}").encode()
    for at in range(0, len(stream), cut):
        display.read(stream[at : at + cut])
    assert display.saved == []
    assert display.offers == []
    assert display.prompt == "[GLOBAL]"
    whole = MysticCliDisplay()
    whole.read(stream)
    assert len(whole.shown) == 1


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"mystic", b"mystic pm \xff x", b"mystic join group"])))
)
def test_any_bytes_are_heard(reads: list[bytes]) -> None:
    wire = MysticCliWire()
    for data in reads:
        items = wire.feed(data, 0.0)
        assert len(items) <= 1
        for item in items:
            if not isinstance(item, Local | Raw | ProtocolError):
                wire.answer(item, model.Refused(item.n, Code.LIMIT_REACHED, "No."))
        wire.take_follow_ups()
