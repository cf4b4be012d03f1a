"""One person at each program, all seen alike: what they do in their program's own way, and what they must read then.

A `Said` is somebody's text in a place of Mystic's. `Person.hears` waits until it stands on the person's screen exactly
as that program shows it, and `Person.has_heard` looks whether it does. The people know each other by `name`, as Mystic
has it, or by `typed`, which is what an older program calls them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mysticproto.model import (
    Broadcast,
    Conversation,
    Direct,
    Global,
    Group,
    Message,
    ToEveryone,
    ToGlobal,
    ToUsers,
    UserJoined,
    UserLeft,
)
from tests.support.native_peer import NativePeer
from tests.support.old_chat_modes import OldModes
from tests.support.old_muca_json import OldMuca
from tests.support.old_mystic_cli import OldMysticCli
from tests.support.old_pickle_relay import OldRelay
from tests.support.old_unicast_base64 import OldBase64

Place = Literal["global", "broadcast", "direct", "group"]
Address = tuple[str, int]
Addresses = dict[str, list[Address]]
"""Where each wire is spoken."""

_TIME = re.compile(r"\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d\] ")


@dataclass
class Said:
    """What was said, where, and by whom."""

    place: Place
    author: Person
    text: str
    group: str = ""

    @property
    def in_group(self) -> str:
        """With the group's name in front, for programs that have no other place for it."""
        return f"[{self.group}] {self.text}" if self.group else self.text

    def with_lines(self, join: str) -> str:
        """`in_group` with something else between its lines."""
        return self.in_group.replace("\n", join)


class Person:
    """Somebody at some program."""

    wire: str
    ways: frozenset[Place] = frozenset()
    """How this program can speak by itself; the other `say_*` must not be called."""
    name: str
    typed: str

    def say_global(self, text: str) -> None:
        raise AssertionError(f"{self.wire} has no word for that")

    def say_to_all(self, text: str) -> None:
        raise AssertionError(f"{self.wire} has no word for that")

    def say_directly(self, to: Person, text: str) -> None:
        raise AssertionError(f"{self.wire} has no word for that")

    def hears(self, said: Said) -> None:
        """Waits for it."""
        raise AssertionError

    def has_heard(self, said: Said) -> bool:
        """Whether it has been shown; of the author's own words, whether the program shows those."""
        raise AssertionError

    def sees_come(self, other: Person) -> None:
        """Waits until told that somebody has come, where the program is told."""
        raise AssertionError

    def sees_leave(self, other: Person) -> None:
        """The same for leaving."""
        raise AssertionError

    def check(self) -> None:
        """That nothing has happened to the program but text."""
        raise AssertionError

    def close(self) -> None:
        """Leaves without a word."""
        raise AssertionError


class CliPerson(Person):
    """At Mystic CLI."""

    wire = "mystic_cli"
    ways: frozenset[Place] = frozenset({"global", "broadcast", "direct"})

    def __init__(self, where: Addresses, name: str) -> None:
        self.name = self.typed = name
        self._seen = ""
        self.program = OldMysticCli(*where[self.wire][0], name)
        self.wait(f"[SERVER] Welcome to the Mystic chat room, {name}!")

    def wait(self, words: str) -> None:
        """Until this was shown, before or now."""
        if words not in self._seen:
            self._seen += self.program.wait_for(words) + "\n"

    def say_global(self, text: str) -> None:
        self.program.type(text)

    def say_to_all(self, text: str) -> None:
        self.program.type(f"mystic broadcast {text}")

    def say_directly(self, to: Person, text: str) -> None:
        self.program.type(f"mystic pm {to.typed} {text}")

    def hears(self, said: Said) -> None:
        self.wait(self._shown(said))

    def has_heard(self, said: Said) -> bool:
        return self._shown(said) in self._seen + self.program.text

    def _shown(self, said: Said) -> str:
        tag = {"direct": "PM", "group": f"GROUP:{said.group}"}.get(said.place, said.place.upper())
        return f"[{tag}] {said.author.name}: {' '.join(said.text.splitlines())}"

    def sees_come(self, other: Person) -> None:
        self.wait(f"[SERVER] {other.name} has joined")

    def sees_leave(self, other: Person) -> None:
        self.wait(f"[SERVER] {other.name} has left")

    def check(self) -> None:
        display = self.program.display
        assert (display.started, display.saved, display.not_saved, display.dropped) == ([], [], [], [])
        assert not self.program.is_over

    def close(self) -> None:
        self.program.close()


class Base64Person(Person):
    """At the UNICAST:: client."""

    wire = "unicast_base64"
    ways: frozenset[Place] = frozenset({"broadcast", "direct"})

    def __init__(self, where: Addresses, name: str) -> None:
        self.name = self.typed = name
        self.program = OldBase64(where[self.wire][0], name)
        self.program.wait_for("SERVER: welcome to the server")

    def say_to_all(self, text: str) -> None:
        self.program.say(f"BROADCAST::{text}")

    def say_directly(self, to: Person, text: str) -> None:
        self.program.say(f"UNICAST::{to.typed}:{text}")

    def hears(self, said: Said) -> None:
        self.program.wait_for(self._shown(said))

    def has_heard(self, said: Said) -> bool:
        return self._shown(said) in self.program.screen.shown

    def _shown(self, said: Said) -> str:
        return f"{said.author.name}: {said.with_lines(chr(10) + '    ')}"

    def sees_come(self, other: Person) -> None:
        self.program.wait_for(f"SERVER: {other.name} has joined the server")

    def sees_leave(self, other: Person) -> None:
        self.program.wait_for(f"SERVER: {other.name} has left the server")

    def check(self) -> None:
        assert not self.program.screen.files
        assert not self.program.screen.has_exited

    def close(self) -> None:
        self.program.close()


class MucaPerson(Person):
    """At MUCA, with an e-mail address as the id that it wants."""

    wire = "muca_json"
    ways: frozenset[Place] = frozenset({"broadcast", "direct"})

    def __init__(self, where: Addresses, name: str) -> None:
        self.typed, self.name = f"{name}@hku.hk", f"{name}_40_hku.hk"
        self.program = OldMuca(where[self.wire][0], name, self.typed)
        assert self.program.join() == "OKAY"

    def say_to_all(self, text: str) -> None:
        self.program.send(text)

    def say_directly(self, to: Person, text: str) -> None:
        nickname = self._nickname(to)
        self.program.wait(lambda: nickname in self.program.screen.uid_of)
        self.program.send(text, nickname)

    def hears(self, said: Said) -> None:
        self.program.wait(lambda: self.has_heard(said))

    def has_heard(self, said: Said) -> bool:
        """Long texts come in parts, each with a newline at its end."""
        kind = {"direct": "PRIVATE", "group": "GROUP"}.get(said.place, "ALL")
        by = [self._nickname(said.author)]
        parts = [text for shown, nicknames, text in self.program.screen.shown if (shown, nicknames) == (kind, by)]
        return f"{said.in_group}\n" in parts or said.in_group in "".join(part.removesuffix("\n") for part in parts)

    def _nickname(self, other: Person) -> str:
        return other.program.nickname if isinstance(other, MucaPerson) else other.typed

    def sees_come(self, other: Person) -> None:
        self.program.wait(lambda: self._nickname(other) in self.program.screen.listed)

    def sees_leave(self, other: Person) -> None:
        self.program.wait(lambda: self._nickname(other) not in self.program.screen.listed)

    def check(self) -> None:
        assert not self.program.is_closed

    def close(self) -> None:
        self.program.close()


class ModesPerson(Person):
    """At the modes client, in its general mode except for a moment."""

    wire = "chat_modes"
    ways: frozenset[Place] = frozenset({"global", "direct"})
    _GENERAL = "Disconnect from the app using: '/leave'"

    def __init__(self, where: Addresses, name: str) -> None:
        self.name = self.typed = name
        self.program = OldModes(where[self.wire][0])
        self.program.say(name, self._GENERAL)

    def say_global(self, text: str) -> None:
        self.program.say(text, self._GENERAL)

    def say_directly(self, to: Person, text: str) -> None:
        self.program.say("/direct", "'/exit' to return to general")
        self.program.say(f"{to.typed}~{text}", f"[*sent*]\n[seen by {to.typed}]\n")
        self.program.say("/exit", self._GENERAL)

    def make_group(self, name: str, *members: Person) -> None:
        """A kept one, and back to the general mode."""
        for line, then in [
            ("/group", "Would you like to create a new group? y/n"),
            ("y", "[GROUP] Group name:"),
            (name, "Add users to group"),
            ("~".join(member.typed for member in members), "'/exit'\n"),
            ("/exit", self._GENERAL),
        ]:
            self.program.say(line, then)

    def say_in_group(self, name: str, text: str) -> None:
        self.program.say("/group", "Would you like to create a new group? y/n")
        self.program.say("n", "'/exit'\n")
        self.program.say(f"{name}~{text}", "'/exit'\n")
        self.program.say("/exit", self._GENERAL)

    def wait(self, words: str) -> None:
        """Until this was printed, before or now."""
        if words not in self.program.screen.printed:
            self.program.wait_for(words)

    def hears(self, said: Said) -> None:
        self.program.wait(lambda: self.has_heard(said), said.text)

    def has_heard(self, said: Said) -> bool:
        tag = {"global": "GENERAL"}.get(said.place, said.place.upper())
        return f"[{tag}] {self._line(said)}\n" in _TIME.sub("", self.program.screen.printed)

    def _line(self, said: Said) -> str:
        where = {"direct": " sent you", "group": f" sent to group {said.group}"}.get(said.place, "")
        text = "\n    ".join(f"'{line}'" if line.strip() == "/leave" else line for line in said.text.split("\n"))
        return f"{said.author.typed}{where}: {text}"

    def sees_come(self, other: Person) -> None:
        self.wait(f"[SERVER] {other.typed} has joined the server.")

    def sees_leave(self, other: Person) -> None:
        self.wait(f"[SERVER] {other.typed} has left the server.")

    def check(self) -> None:
        assert not self.program.screen.has_left

    def close(self) -> None:
        self.program.close()


class RelayPerson(Person):
    """At the relay client, which has one way of speaking and hears everything in one list."""

    wire = "pickle_relay"
    ways: frozenset[Place] = frozenset({"global"})

    def __init__(self, where: Addresses, name: str) -> None:
        self.name = self.typed = name
        push, submit = where[self.wire]
        self.program = OldRelay(name, push, submit)
        self.program.be_accepted()

    def say_global(self, text: str) -> None:
        self.program.say(text)

    def hears(self, said: Said) -> None:
        self.program.wait_for(*self._entry(said))

    def has_heard(self, said: Said) -> bool:
        return any(entry[1:] == self._entry(said) for entry in self.program.push.conversation)

    def _entry(self, said: Said) -> tuple[str, str]:
        private = "[private] " if said.place == "direct" else ""
        return said.author.typed, private + said.with_lines(" ")

    def sees_come(self, other: Person) -> None:
        """Nobody tells it."""

    def sees_leave(self, other: Person) -> None:
        self.program.wait_for_command("client_disconnected", other.typed)

    def check(self) -> None:
        assert not self.program.is_closed

    def close(self) -> None:
        self.program.close()


class NativePerson(Person):
    """At Mystic's own client."""

    wire = "native"
    ways: frozenset[Place] = frozenset({"global", "broadcast", "direct"})

    def __init__(self, where: Addresses, name: str) -> None:
        self.name = self.typed = name
        self.program = NativePeer(where[self.wire][0])
        self.program.log_in(name)

    def say_global(self, text: str) -> None:
        self.program.post(text, ToGlobal())

    def say_to_all(self, text: str) -> None:
        self.program.post(text, ToEveryone())

    def say_directly(self, to: Person, text: str) -> None:
        self.program.post(text, ToUsers((to.name,)))

    def hears(self, said: Said) -> None:
        if not self.has_heard(said):
            self.program.wait_for(Message, lambda message: _is(message, said))

    def has_heard(self, said: Said) -> bool:
        return any(isinstance(one, Message) and _is(one, said) for one in self.program.said)

    def sees_come(self, other: Person) -> None:
        self._wait_for_user(UserJoined, other)

    def sees_leave(self, other: Person) -> None:
        self._wait_for_user(UserLeft, other)

    def _wait_for_user(self, event: type[UserJoined | UserLeft], other: Person) -> None:
        def is_it(one: object) -> bool:
            return type(one) is event and one.user.name == other.name

        if not any(map(is_it, self.program.said)):
            self.program.wait_for(object, is_it)

    def check(self) -> None:
        """Nothing can."""

    def close(self) -> None:
        self.program.close()


def _is(message: Message, said: Said) -> bool:
    return message.text == said.text and message.author.name == said.author.name and _fits(message.conversation, said)


def _fits(conversation: Conversation, said: Said) -> bool:
    if isinstance(conversation, Group):
        return said.place == "group" and conversation.name == said.group
    return isinstance(conversation, {"global": Global, "broadcast": Broadcast, "direct": Direct}.get(said.place, Group))
