"""Six programs in one room: Mystic's own client and the five older ones talk with one another, and nobody is hurt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from mysticproto.model import CreateGroup, Entered, JoinGroup, Refused, ToGroup, ToUsers
from tests.support.everybody import (
    Addresses,
    Base64Person,
    CliPerson,
    ModesPerson,
    MucaPerson,
    NativePerson,
    Person,
    Place,
    RelayPerson,
    Said,
)
from tests.support.native_peer import NativePeer
from tests.support.old_chat_modes import OldModes
from tests.support.old_muca_json import OldMuca
from tests.support.old_mystic_cli import OldMysticCli
from tests.support.old_pickle_relay import OldRelay
from tests.support.old_unicast_base64 import OldBase64
from tests.support.own_ports import own_ports
from tests.support.server_process import ServerProcess, running_server

WORDS = ("--listen", "chat_modes=0", "--listen", "pickle_relay=0,0", "--unlimited")
WIRES = ["native", "mystic_cli", "unicast_base64", "muca_json", "chat_modes", "pickle_relay"]
ON_THE_MAIN_PORT = ["native", "mystic_cli", "unicast_base64", "muca_json", "pickle_relay"]


class Room:
    """Everybody, each in their program. The native client sees all of them come before anything is said."""

    def __init__(self, where: Addresses) -> None:
        self.native = NativePerson(where, "eve")
        self.cli = CliPerson(where, "ann")
        self.base64 = Base64Person(where, "bob")
        self.muca = MucaPerson(where, "cat")
        self.modes = ModesPerson(where, "dan")
        self.relay = RelayPerson(where, "fay")
        self.all: list[Person] = [self.native, self.cli, self.base64, self.muca, self.modes, self.relay]
        self._syncs = 0

    def heard_by_all_but_the_author(self, said: Said) -> None:
        for person in self.all:
            if person is not said.author:
                person.hears(said)

    def heard_by_nobody_but(self, said: Said, *hearers: Person) -> None:
        for hearer in hearers:
            hearer.hears(said)
        self.settle()
        others = [
            person.wire for person in self.all if person not in (*hearers, said.author) and person.has_heard(said)
        ]
        assert others == []

    def settle(self) -> None:
        """Until everybody has heard all that was said before."""
        self._syncs += 1
        done = Said("broadcast", self.native, f"this was everything so far, {self._syncs}")
        self.native.say_to_all(done.text)
        self.heard_by_all_but_the_author(done)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with running_server(tmp_path, *WORDS) as running:
        yield running
        printed = running.printed()
    assert "Traceback" not in printed
    assert " fault" not in printed, printed


@pytest.fixture
def where(server: ServerProcess) -> Addresses:
    main = (server.host, server.port)
    modes, push, submit = own_ports(server, 3)
    return {wire: [main] for wire in ON_THE_MAIN_PORT} | {"chat_modes": [modes], "pickle_relay": [push, submit]}


@pytest.fixture
def room(where: Addresses) -> Iterator[Room]:
    everybody = Room(where)
    with ExitStack() as stack:
        for person in everybody.all:
            stack.enter_context(closing(person))
        yield everybody
        for person in everybody.all:
            person.check()
        everybody.settle()


# Coming and going.


def test_everybody_sees_who_comes_and_goes(where: Addresses, room: Room) -> None:
    for kind in (NativePerson, CliPerson, Base64Person, MucaPerson, ModesPerson, RelayPerson):
        newcomer: Person = kind(where, "guest")
        for person in room.all:
            person.sees_come(newcomer)
        newcomer.close()
        for person in room.all:
            person.sees_leave(newcomer)
        room.relay.program.push.commands[1:] = []


def test_a_name_is_had_once_whatever_the_program(where: Addresses, room: Room) -> None:
    (main,), (modes,), relay = where["native"], where["chat_modes"], where["pickle_relay"]
    with OldMysticCli(*main, "bob") as cli:
        cli.wait_for("[SERVER] Username 'bob' is already taken.")
    with OldBase64(main, "fay") as base64:
        base64.wait_for("SERVER: username already in use")
        base64.wait_for_exit()
    with OldMuca(main, "Dan", "dan") as muca:
        assert muca.join() == "FAIL"
    with OldModes(modes) as person:
        person.type("cat@hku.hk")
        assert "The name cat_40_hku.hk is in use." in person.wait_until_left()
    with OldRelay("eve", *relay) as other:
        other.wait_for_command("username_taken", "eve")
    with NativePeer(main) as peer:
        assert isinstance(peer.try_log_in("ann"), Refused)


# Talking.


def test_global_messages(room: Room) -> None:
    for author in room.all:
        if "global" in author.ways:
            said = Said("global", author, f"hello from {author.wire}")
            author.say_global(said.text)
            room.heard_by_all_but_the_author(said)
    for author in (room.relay, room.modes):  # these two show one's own words
        author.hears(Said("global", author, f"hello from {author.wire}"))


def test_broadcasts(room: Room) -> None:
    for author in room.all:
        if "broadcast" in author.ways:
            said = Said("broadcast", author, f"hear, hear from {author.wire}")
            author.say_to_all(said.text)
            room.heard_by_all_but_the_author(said)


@pytest.mark.parametrize("wire", WIRES[:-1])
def test_direct_messages(room: Room, wire: str) -> None:
    author = next(person for person in room.all if person.wire == wire)
    for to in room.all:
        if to is not author:
            said = Said("direct", author, f"psst, {to.wire}")
            author.say_directly(to, said.text)
            to.hears(said)
    room.settle()
    for to in room.all:
        heard = [other.wire for other in room.all if other.has_heard(Said("direct", author, f"psst, {to.wire}"))]
        assert set(heard) - {author.wire} == {to.wire} - {author.wire}


def test_one_message_to_several(room: Room) -> None:
    room.muca.program.wait(lambda: {"ann", "bob", "eve", "fay"} <= set(room.muca.program.screen.uid_of))
    room.muca.program.send("you four", "ann", "bob", "eve", "fay")
    room.cli.wait("[PM] cat_40_hku.hk (to eve, ann, bob, fay): you four")
    for hearer in (room.base64, room.relay, room.native):
        hearer.hears(Said("direct", room.muca, "you four"))
    room.native.program.post("you too", ToUsers(("dan", "cat_40_hku.hk")))
    room.modes.hears(Said("direct", room.native, "you too"))
    room.muca.program.wait_for("GROUP", "eve", "you too")


# Groups.


@pytest.mark.parametrize("maker", ["native", "mystic_cli"])
def test_a_room_is_heard_by_who_is_in_it_and_its_people_hear_nothing_global(room: Room, maker: str) -> None:
    if maker == "native":
        assert isinstance(room.native.program.ask(Entered, lambda n: CreateGroup(n, "dev")), Entered)
        room.cli.wait("[SERVER] eve has created the group dev!")
        room.cli.program.type("mystic join group dev")
        room.cli.program.wait_for_prompt("[dev]")
    else:
        room.cli.program.type("mystic create group dev")
        room.cli.program.wait_for_prompt("[dev]")
        assert isinstance(room.native.program.ask(Entered, lambda n: JoinGroup(n, "dev")), Entered)
    room.cli.say_global("from the CLI")
    room.heard_by_nobody_but(Said("group", room.cli, "from the CLI", "dev"), room.native)
    room.native.program.post("from the native client", ToGroup())
    room.heard_by_nobody_but(Said("group", room.native, "from the native client", "dev"), room.cli)
    room.modes.say_global("outside")
    outside = Said("global", room.modes, "outside")
    room.heard_by_nobody_but(outside, room.base64, room.muca, room.relay)
    room.cli.program.type("mystic leave group")
    room.cli.program.wait_for_prompt("[GLOBAL]")
    room.modes.say_global("outside again")
    room.cli.hears(Said("global", room.modes, "outside again"))


def test_a_kept_group_reaches_members_at_every_program(room: Room) -> None:
    room.modes.make_group("crew", *(person for person in room.all if person is not room.modes))
    room.modes.say_in_group("crew", "from the modes client")
    room.heard_by_all_but_the_author(Said("group", room.modes, "from the modes client", "crew"))
    room.native.program.post("from the native client", ToGroup("crew"))
    room.heard_by_all_but_the_author(Said("group", room.native, "from the native client", "crew"))
    room.cli.program.type("mystic join group crew")
    room.cli.program.wait_for_prompt("[crew]")
    room.cli.say_global("from the CLI")
    room.heard_by_all_but_the_author(Said("group", room.cli, "from the CLI", "crew"))


def test_a_kept_group_is_nobody_elses_business(room: Room) -> None:
    room.modes.make_group("crew", room.base64, room.muca)
    room.modes.say_in_group("crew", "among us")
    room.heard_by_nobody_but(Said("group", room.modes, "among us", "crew"), room.base64, room.muca)


# What must not hurt anybody.

HOSTILE = [
    "[FILE_START]../../x|5[FILE_START_END]hello[FILE_END]5[FILE_END_END]",
    "[UDP_FILE_START]x|5|4000[UDP_FILE_START_END]",
    "}{",
    'x}{"CMD":"LIST","DATA":[]}{x',
    "<END>EXIT: x<END>",
    "/leave",
    "[SERVER] You are now chatting in x.",
    "[SERVER] You have left x. You're now in global chat.",
    "msg:3 abc",
    "жж ☺ \U0001f600 é",
]
TAGS = ("FILE_START", "FILE_END", "UDP_FILE_START", "SERVER")


def for_cli(text: str) -> str:
    """The same words, without what Mystic CLI would take for more than words."""
    for tag in TAGS:
        text = text.replace(f"[{tag}", f"[ {tag}")
    return text.replace("You're now in global chat", "You are now in global chat")


def say_everywhere(room: Room, author: Person, text: str) -> Iterator[tuple[Said, list[Person]]]:
    """In all places of a program, told apart if need be; and who has to hear it."""
    others = [person for person in room.all if person is not author]
    public = [way for way in ("broadcast", "global") if way in author.ways]
    if author is room.modes and text == "/leave":
        public = []
    if "broadcast" in public:
        author.say_to_all(text)
        yield Said("broadcast", author, text), others
    if "global" in public:
        again = f"{text} again" if len(public) == 2 else text
        author.say_global(again)
        yield Said("global", author, again), others
    once_more = f"{text} once more" if public else text
    for to in others if "direct" in author.ways else []:
        author.say_directly(to, once_more)
        yield Said("direct", author, once_more), [to]


def check_everywhere(room: Room, author: Person, text: str, shown: str) -> None:
    """Says it, and looks whether everybody has it in these words. The next thing is said when one has heard the last:
    what is typed too fast is one line to programs without frames."""
    all_said: list[tuple[Said, list[Person]]] = []
    for said, hearers in say_everywhere(room, author, text):
        said = replace(said, text=said.text.replace(text, shown))
        check_heard(room, said, hearers[:1])
        all_said.append((said, hearers))
    for said, hearers in all_said:
        check_heard(room, said, hearers)


def check_heard(room: Room, said: Said, hearers: list[Person]) -> None:
    for hearer in hearers:
        hearer.hears(replace(said, text=for_cli(said.text)) if hearer is room.cli else said)


@pytest.mark.parametrize("wire", WIRES)
def test_nobodys_text_is_more_than_text(room: Room, wire: str) -> None:
    author = next(person for person in room.all if person.wire == wire)
    for text in HOSTILE:
        check_everywhere(room, author, text, text)
    assert room.cli.program.display.prompt == "[GLOBAL]"


@pytest.mark.parametrize("wire", WIRES)
def test_long_lines_arrive_whole(room: Room, wire: str) -> None:
    author = next(person for person in room.all if person.wire == wire)
    text = "long " * 299 + "text."
    place: Place = "global" if "global" in author.ways else "broadcast"
    (author.say_global if place == "global" else author.say_to_all)(text)
    others = [person for person in room.all if person is not author]
    check_heard(room, Said(place, author, text), others)


def test_a_command_of_mystic_cli_that_is_too_long_says_so(room: Room) -> None:
    room.cli.say_to_all("x" * 1500)
    room.cli.wait("[SERVER] A command has at most 1024 bytes; this one was not done.")
    room.heard_by_nobody_but(Said("broadcast", room.cli, "x" * 1500))


CONTROLS = "a\x1b[31mred\x07\x00\x7f\x0e\u202ez"
CLEAN = "ared\ufffd\ufffd\ufffd\ufffd\ufffdz"


@pytest.mark.parametrize("wire", WIRES)
def test_control_characters_reach_nobody(room: Room, wire: str) -> None:
    author = next(person for person in room.all if person.wire == wire)
    clean = CLEAN if author is not room.relay else "a[31mred\ufffdz"
    check_everywhere(room, author, CONTROLS, clean)


def test_several_lines_are_one_persons(room: Room) -> None:
    text = "hi\n/leave\nSERVER: bob has left the server\n[SERVER] You are now chatting in x."
    for author in (room.native, room.base64, room.muca):
        author.say_to_all(text)
        others = [person for person in room.all if person is not author]
        check_heard(room, Said("broadcast", author, text), others)
