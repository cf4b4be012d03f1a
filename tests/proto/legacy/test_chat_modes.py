"""The modes client's dialogue, line by line, and everything that its client must be spared."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import model
from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.chat_modes import MAX_LINE_BYTES, MAX_UNBOUNDED_BYTES, ChatModesWire
from mysticproto.legacy.chat_modes_words import (
    DIRECT_HELP,
    DIRECT_WRONG,
    GENERAL_HELP,
    GROUP_COMMANDS,
    GROUP_ENTERED,
    GROUP_MEMBERS,
    GROUP_NAME,
    GROUP_OFFER,
    GROUP_UNSET,
    GROUP_WRONG,
)
from mysticproto.model import (
    AddMember,
    Bye,
    CatchUp,
    CreateGroup,
    Direct,
    Entered,
    Event,
    Global,
    GroupCreated,
    GroupInfo,
    GroupLeft,
    Groups,
    ListGroups,
    ListUsers,
    Login,
    Logout,
    Message,
    Notice,
    Ok,
    Post,
    Refused,
    RemoveMember,
    Reply,
    Request,
    Seen,
    ToGlobal,
    ToGroup,
    ToUsers,
    UserInfo,
    UserJoined,
    UserRef,
    Users,
    Welcome,
)
from mysticproto.wire import Alone, Chunks, Item, Local, Raw, Role
from tests.support.old_chat_modes import READ_BYTES, ModesScreen

ANN = UserRef(1, "ann")
BOB = UserRef(2, "bob")
CAT = UserRef(3, "cat")
CREW = model.Group(4, "crew")
CREW_INFO = GroupInfo(CREW, ANN, (ANN, BOB, CAT), True)
OTHERS = GroupInfo(model.Group(5, "others"), BOB, (BOB, CAT), True)
T = 1_800_000_000_123_456
AT = time.strftime("%d/%m/%y %H:%M:%S", time.localtime(T / 1e6))


def text_of(chunks: Chunks) -> str:
    return b"".join(chunk.data if isinstance(chunk, Alone) else chunk for chunk in chunks).decode()


def login_of(wire: ChatModesWire, name: str) -> Login:
    (login,) = wire.feed(name.encode(), 0.0)
    assert isinstance(login, Login)
    return login


class Dialogue:
    """A wire whose ann is logged in."""

    def __init__(self) -> None:
        self.wire = ChatModesWire()
        assert self.answer(login_of(self.wire, "ann"), Welcome(1, 7, ANN, "guest", 1)) == (
            f"[SERVER] ann has joined the server.\n{GENERAL_HELP}"
        )

    def feed(self, line: str) -> list[Item]:
        return self.wire.feed(line.encode(), 0.0)

    def read(self, line: str) -> str:
        """What the wire answers to a line by itself."""
        (item,) = self.feed(line)
        assert isinstance(item, Local), item
        return text_of(item.chunks)

    def ask(self, line: str, reply: Reply) -> str:
        """What is answered to a line when the server says this to its request."""
        (item,) = self.feed(line)
        assert not isinstance(item, Local | Raw | ProtocolError), item
        return self.answer(item, reply)

    def answer(self, request: Item, reply: Reply) -> str:
        assert not isinstance(request, Local | Raw | ProtocolError)
        return text_of(self.wire.answer(request, reply))

    def tell(self, event: Event | model.Passing, role: Role = Role.OTHER) -> str:
        return text_of(self.wire.tell(event, role, 0.0))

    def enter_groups(self) -> None:
        self.ask("/group", Groups(2, ()))
        self.ask("n", Groups(3, ()))


# Coming and going.


def test_the_first_line_is_a_name() -> None:
    wire = ChatModesWire()
    assert wire.opened(0.0) == []
    assert wire.feed(b"", 0.0) == wire.feed(b"  ", 0.0) == wire.feed(b"\n", 0.0) == []
    assert wire.feed(b"ann\r\n", 0.0) == [Login(1, "ann", client="chat_modes", waiting="all")]


def test_names_that_mystic_has_not_get_a_stand_in() -> None:
    assert login_of(ChatModesWire(), "ann smith").name == "ann_20_smith"
    assert login_of(ChatModesWire(), "x" * 500).name == "x" * 500, "the server says what is wrong with it"


def test_a_newcomer_reads_of_the_coming_then_the_help_then_what_was_kept() -> None:
    wire = ChatModesWire()
    login = login_of(wire, "ann")
    screen = ModesScreen()
    for chunks in (
        wire.answer(login, Welcome(1, 7, ANN, "guest", 9)),
        wire.answer(
            None,
            CatchUp(
                (
                    Message(5, T, BOB, Direct((ANN, BOB)), "hi"),
                    Message(6, T, BOB, Global(), "all"),
                    UserJoined(7, T, CAT),
                ),
                9,
            ),
        ),
    ):
        screen.hear(text_of(chunks).encode())
    assert screen.printed == (
        "[SERVER] ann has joined the server.\n"
        "[GENERAL] Send message to everyone by just typing :)\n"
        "Enter direct message mode using: '/direct'\n"
        "Enter group chat mode using: '/group'\n"
        "Disconnect from the app using: '/leave'\n"
        f"[DIRECT] [{AT}] bob sent you: hi \n"
        f"[GENERAL] [{AT}] bob: all \n"
        "[SERVER] cat has joined the server. \n"
    )


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (Refused(1, Code.NAME_IN_USE, "The name ann is in use."), True),
        (Refused(1, Code.NAME_CLAIMED, "The name ann belongs to another device."), True),
        (Refused(1, Code.NAME_INVALID, "A name needs at least one letter or digit."), True),
        (Refused(1, Code.STORE_UNAVAILABLE, "Not now."), False),
    ],
)
def test_a_refused_login_ends_with_leave(refused: Refused, told: bool) -> None:
    wire = ChatModesWire()
    login = login_of(wire, "ann")
    why, leave = wire.answer(login, refused)
    advice = " Please connect again with another name." if told else ""
    assert why == f"[SERVER] {refused.text}{advice}\n".encode()
    assert leave == Alone(b"/leave")
    assert wire.is_over
    assert wire.feed(b"hello", 0.0) == []


def test_leaving() -> None:
    dialogue = Dialogue()
    (logout,) = dialogue.feed("/leave")
    assert isinstance(logout, Logout)
    assert dialogue.feed("hello") == []
    assert dialogue.wire.answer(logout, Ok(logout.n)) == (Alone(b"/leave"),)
    assert dialogue.wire.is_over
    assert dialogue.wire.answer(None, Bye("left", "Goodbye.")) == ()


def test_last_words() -> None:
    wire = Dialogue().wire
    assert wire.answer(None, Bye(Code.STOPPING, "The server stops.")) == (
        b"[SERVER] The server stops.\n",
        Alone(b"/leave"),
    )
    assert wire.is_over


def test_leave_is_for_the_general_mode_alone() -> None:
    dialogue = Dialogue()
    dialogue.read("/direct")
    assert dialogue.read("/leave") == DIRECT_WRONG


# The general mode.


def test_general_text_is_for_everybody() -> None:
    dialogue = Dialogue()
    (post,) = dialogue.feed("hello ~ /direct")
    assert post == Post(2, ToGlobal(), "hello ~ /direct", receipt=True)
    assert dialogue.tell(Message(5, T, ANN, Global(), "hello"), Role.AUTHOR) == f"[GENERAL] [{AT}] ann: hello\n"
    assert dialogue.answer(post, Ok(2, 5, T)) == GENERAL_HELP


def test_the_receipt_of_a_general_text() -> None:
    dialogue = Dialogue()
    ok = Ok(2, 5, T, away=("cat",), away_since_us=(T,), reached=("bob", "dan"))
    assert dialogue.ask("hello", ok) == (
        f"[*sent*]\n[cat offline. Last online {AT}]\n[*sent*]\n[seen by ['bob', 'dan']]\n{GENERAL_HELP}"
    )


def test_a_general_text_that_is_refused() -> None:
    said = Dialogue().ask("hello", Refused(2, Code.STORAGE_FULL, "The disk is full."))
    assert said == f"[SERVER] Not sent: The disk is full.\n{GENERAL_HELP}"


def test_those_who_were_away_have_seen_it() -> None:
    dialogue = Dialogue()
    assert dialogue.tell(Seen(BOB)) == text_of(dialogue.wire.answer(None, Seen(BOB))) == "[seen by bob]\n"
    assert text_of(dialogue.wire.answer(None, Notice("hear, hear"))) == "[SERVER] hear, hear\n"


# The direct mode.


def test_direct_messages() -> None:
    dialogue = Dialogue()
    assert dialogue.read("/direct") == DIRECT_HELP
    (post,) = dialogue.feed("bob~hi ~ there")
    assert post == Post(2, ToUsers(("bob",)), "hi ~ there", receipt=True)
    assert dialogue.answer(post, Ok(2, 5, T, reached=("bob",))) == "[*sent*]\n[seen by bob]\n"
    assert dialogue.ask("cat~hi", Ok(3, 6, T, away=("cat",), away_since_us=(T,))) == (
        f"[*sent*]\n[cat offline. Last online {AT}]\n"
    )
    assert dialogue.read("/exit") == GENERAL_HELP


@pytest.mark.parametrize("line", ["hi", "~hi", " ~hi", "/direct", "/group"])
def test_what_is_no_direct_message(line: str) -> None:
    dialogue = Dialogue()
    dialogue.read("/direct")
    assert dialogue.read(line) == DIRECT_WRONG
    assert DIRECT_WRONG.startswith("[DIRECT] Incorrect format, direct message not sent\n Direct message to a user by ")


def test_a_direct_message_that_is_not_delivered_is_never_called_sent() -> None:
    dialogue = Dialogue()
    dialogue.read("/direct")
    assert dialogue.ask("eve~hi", Refused(2, Code.UNKNOWN_USER, "Nobody here is called eve.", "eve")) == (
        "[DIRECT] Not sent: Nobody here is called eve.\n"
    )
    assert dialogue.ask("eve~hi", Ok(3, unknown=("eve",))) == "[DIRECT] Not sent: there is nobody called eve.\n"


def test_names_of_other_programs_are_typed_as_they_are_shown() -> None:
    dialogue = Dialogue()
    dialogue.read("/direct")
    (post,) = dialogue.feed("bob@hku.hk~hi")
    assert isinstance(post, Post)
    assert post.to == ToUsers(("bob_40_hku.hk",))
    assert dialogue.answer(post, Ok(2, 5, T, reached=("bob_40_hku.hk",))) == "[*sent*]\n[seen by bob@hku.hk]\n"


# The group mode.


def test_entering_the_group_mode_lists_ones_own_groups() -> None:
    dialogue = Dialogue()
    (listing,) = dialogue.feed("/group")
    assert isinstance(listing, ListGroups)
    assert dialogue.answer(listing, Groups(2, (OTHERS,), more=True)) == ""
    assert dialogue.answer(listing, Groups(2, (CREW_INFO,))) == (
        f"{GROUP_ENTERED}[GROUP] You are a member of groups: ['crew']\n{GROUP_OFFER}"
    )


def test_no_new_group() -> None:
    dialogue = Dialogue()
    dialogue.ask("/group", Groups(2, ()))
    assert dialogue.ask("/exit", Groups(3, (CREW_INFO,))) == (
        f"[GROUP] You are a member of groups: ['crew']\n{GROUP_COMMANDS}"
    )
    assert dialogue.read("hi") == GROUP_WRONG + GROUP_COMMANDS
    assert dialogue.read("/exit") == GENERAL_HELP


def make_group(dialogue: Dialogue, members: str) -> list[Request]:
    dialogue.ask("/group", Groups(2, ()))
    assert dialogue.read("y") == GROUP_NAME
    assert dialogue.read("crew") == GROUP_MEMBERS
    return [item for item in dialogue.feed(members) if not isinstance(item, Local | Raw | ProtocolError)]


def test_a_new_group() -> None:
    dialogue = Dialogue()
    create, users, groups = make_group(dialogue, "bob~ cat ~~eve")
    assert create == CreateGroup(3, "crew", focus=False, kept=True, members=("bob", "cat", "eve"))
    assert isinstance(users, ListUsers)
    assert isinstance(groups, ListGroups)
    made = GroupCreated(8, T, CREW, ANN, (ANN, BOB, CAT))
    assert dialogue.tell(made, Role.AUTHOR) == "[GROUP] You have been added to group crew!\n"
    assert (
        dialogue.answer(create, Entered(3, 8, CREW_INFO, False)) == "[GROUP] Not added, since nobody knows them: eve\n"
    )
    assert dialogue.answer(users, Users(4, (UserInfo(ANN), UserInfo(BOB)), more=True)) == ""
    assert dialogue.answer(users, Users(4, (UserInfo(UserRef(9, "dan")),))) == "[*sent*]\n[seen by ['bob']]\n"
    assert dialogue.answer(groups, Groups(5, (CREW_INFO,))).startswith("[GROUP] You are a member of groups: ['crew']\n")
    assert dialogue.feed("/add dan") == [AddMember(6, "crew", "dan")]


def test_a_group_that_exists_is_not_made_again() -> None:
    dialogue = Dialogue()
    create, users, _ = make_group(dialogue, "bob")
    assert dialogue.answer(create, Refused(3, Code.GROUP_EXISTS, "There is a group crew already.")) == (
        "[GROUP] There is a group crew already.\n"
    )
    assert dialogue.answer(users, Users(4, (UserInfo(ANN), UserInfo(BOB)))) == ""


def test_group_messages() -> None:
    dialogue = Dialogue()
    dialogue.enter_groups()
    (post,) = dialogue.feed("crew~hi ~ there")
    assert post == Post(4, ToGroup("crew"), "hi ~ there", receipt=True)
    said = Message(5, T, ANN, CREW, "hi")
    assert dialogue.tell(said, Role.AUTHOR) == f"[GROUP] [{AT}] ann sent to group crew: hi\n"
    assert dialogue.answer(post, Ok(4, 5, T, away=("cat",), away_since_us=(T,))) == (
        f"[*sent*]\n[cat offline. Last online {AT}]\n[*sent*]\n[seen by []]\n{GROUP_COMMANDS}"
    )
    assert dialogue.ask("crew~hi", Refused(5, Code.NOT_IN_GROUP, "You are not in crew.")) == (
        f"[GROUP] Not sent: You are not in crew.\n{GROUP_COMMANDS}"
    )


def test_members_are_added_to_and_taken_from_the_group_written_to_last() -> None:
    dialogue = Dialogue()
    dialogue.enter_groups()
    assert dialogue.read("/add bob") == GROUP_UNSET + GROUP_COMMANDS
    dialogue.feed("crew~hi")
    assert dialogue.read("/add") == dialogue.read("/kick ") == GROUP_WRONG + GROUP_COMMANDS
    assert dialogue.ask("/add bob", Ok(5)) == GROUP_COMMANDS
    assert dialogue.ask("/add bob", Refused(6, Code.ALREADY_IN_GROUP, "He is.")) == (
        f"[GROUP] User already in group\n{GROUP_COMMANDS}"
    )
    (kick,) = dialogue.feed("/kick bob@hku.hk")
    assert kick == RemoveMember(7, "crew", "bob_40_hku.hk")
    assert dialogue.answer(kick, Refused(7, Code.NOT_ALLOWED, "Only the owner of crew can do that.")) == (
        f"[GROUP] Only the owner of crew can do that.\n{GROUP_COMMANDS}"
    )


def test_who_is_removed_is_spoken_to() -> None:
    dialogue = Dialogue()
    assert dialogue.tell(GroupLeft(9, T, CREW, ANN, "removed")) == "[GROUP] You have been removed from group crew!\n"
    assert dialogue.tell(GroupLeft(9, T, CREW, BOB, "removed")) == "[GROUP] bob has been removed from group crew!\n"


def test_a_new_visit_of_the_group_mode_means_no_group_yet() -> None:
    dialogue = Dialogue()
    dialogue.enter_groups()
    dialogue.feed("crew~hi")
    dialogue.read("/exit")
    dialogue.ask("/group", Groups(5, ()))
    dialogue.ask("n", Groups(6, ()))
    assert dialogue.read("/kick bob") == GROUP_UNSET + GROUP_COMMANDS


# Reads.


def test_each_read_is_a_line_and_newlines_make_several() -> None:
    dialogue = Dialogue()
    assert [item.text for item in dialogue.feed("one\ntwo\r\n\nthree") if isinstance(item, Post)] == [
        "one",
        "two",
        "three",
    ]


def test_a_long_line_is_refused_whole() -> None:
    dialogue = Dialogue()
    (post,) = dialogue.feed("x" * MAX_LINE_BYTES)
    assert isinstance(post, Post)
    assert dialogue.read("x" * (MAX_LINE_BYTES + 1)) == "[SERVER] Not sent: a message has at most 2048 bytes.\n"
    assert dialogue.read("/leave" + " " * MAX_LINE_BYTES).startswith("[SERVER] Not sent")


def test_a_read_that_ends_inside_a_character_waits_for_the_rest() -> None:
    dialogue = Dialogue()
    text = "caf\u00e9 \U0001f600"
    for cut in range(1, len(text.encode())):
        parts = text.encode()[:cut], text.encode()[cut:]
        posts = [item for part in parts for item in dialogue.wire.feed(part, 0.0)]
        assert "".join(post.text for post in posts if isinstance(post, Post)).replace(" ", "") == text.replace(" ", "")


def test_what_never_completes_a_character_comes_to_an_end() -> None:
    wire = Dialogue().wire
    items: list[Item] = []
    for _ in range(MAX_UNBOUNDED_BYTES):
        items += wire.feed(b"x\xc3", 0.0)
        if items:
            break
    (fault,) = items
    assert isinstance(fault, ProtocolError)
    assert wire.feed(b"hello", 0.0) == []


# What others say can't hurt the client.


@given(
    st.lists(
        st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("/leav\n é€😀")), min_size=1), max_size=20
    ),
    st.sampled_from([Global(), Direct((ANN, BOB)), CREW]),
)
def test_no_text_stops_or_kills_the_client(texts: list[str], where: model.Conversation) -> None:
    """What may merge is read as one piece here, at most `READ_BYTES` at a time; what is alone is a read of its own."""
    wire, screen, merged = Dialogue().wire, ModesScreen(), b""
    for text in ["/leave", *texts, "\n/leave\n"]:
        for chunk in wire.tell(Message(5, T, BOB, where, text), Role.OTHER, 0.0):
            if isinstance(chunk, bytes):
                merged += chunk
                continue
            for start in range(0, len(merged), READ_BYTES):
                screen.hear(merged[start : start + READ_BYTES])
            screen.hear(chunk.data)
            merged = b""
    assert not screen.has_left


@pytest.mark.parametrize("event", [UserJoined(9, T, BOB), Message(5, T, ANN, Global(), "hi"), Seen(BOB)])
def test_every_text_ends_with_a_newline(event: Event | model.Passing) -> None:
    assert Dialogue().tell(event).endswith("\n")
