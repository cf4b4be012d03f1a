"""Commands of those who keep something: owners their groups, operators the peace.

The group that is meant is the one whose conversation the line was typed in.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct

from mystic_client.model.spelling import (
    CommandError,
    Make,
    Spelling,
    first_word,
    maybe_seconds,
    usage_error,
)


class Add(Struct, frozen=True):
    """Add somebody to this group."""

    name: str


class Remove(Struct, frozen=True):
    """Remove a member from this group."""

    name: str


class Rename(Struct, frozen=True):
    """Give this group another name."""

    name: str


class HandOver(Struct, frozen=True):
    """Make another member the owner of this group."""

    name: str


class Keep(Struct, frozen=True):
    """Keep this group while its members are away, or no longer."""

    kept: bool


class DeleteGroup(Struct, frozen=True):
    """End this group."""


class Kick(Struct, frozen=True):
    """Disconnect somebody."""

    name: str
    reason: str = ""


class Ban(Struct, frozen=True):
    """Keep a name, an address or a network out, for `seconds` or for ever (0)."""

    target: str
    seconds: int = 0
    reason: str = ""


class Unban(Struct, frozen=True):
    """Let a name, an address or a network in again."""

    target: str


class Bans(Struct, frozen=True):
    """Show who is banned."""


class Mute(Struct, frozen=True):
    """Keep somebody from saying anything, for `seconds` or until it is ended (0)."""

    name: str
    seconds: int = 0
    reason: str = ""


class Unmute(Struct, frozen=True):
    """Let somebody speak again."""

    name: str


class SetRole(Struct, frozen=True):
    """Make somebody an "operator", or a "member" again."""

    name: str
    role: str


class Announce(Struct, frozen=True):
    """Say something to everybody, as an operator."""

    text: str


class Shutdown(Struct, frozen=True):
    """Stop the server after a countdown, or not after all."""

    cancel: bool = False


OfGroup: TypeAlias = Add | Remove | Rename | HandOver | Keep | DeleteGroup
OfPeace: TypeAlias = Kick | Ban | Unban | Bans | Mute | Unmute | SetRole | Announce | Shutdown
Keeping: TypeAlias = OfGroup | OfPeace

ROLES: Final = ("operator", "member")


def _name(make: type[Add | Remove | Rename | HandOver | Unban | Unmute]) -> Make:
    def parse(rest: str, usage: str) -> Keeping | CommandError:
        return make(rest) if len(rest.split()) == 1 else usage_error(usage)

    return parse


def _word(commands: dict[str, Keeping]) -> Make:
    """What one of a few words means, "" among them if there may be none."""
    return lambda rest, usage: commands.get(rest.casefold()) or usage_error(usage)


def _kick(rest: str, usage: str) -> Keeping | CommandError:
    name, reason = first_word(rest)
    return Kick(name, reason) if name else usage_error(usage)


def _for_a_time(make: type[Ban | Mute]) -> Make:
    def parse(rest: str, usage: str) -> Keeping | CommandError:
        name, rest = first_word(rest)
        word, reason = first_word(rest)
        seconds = maybe_seconds(word)
        if not name:
            return usage_error(usage)
        return make(name, 0, rest) if seconds is None else make(name, seconds, reason)

    return parse


def _role(rest: str, usage: str) -> Keeping | CommandError:
    name, role = first_word(rest)
    return SetRole(name, role.lower()) if role.lower() in ROLES else usage_error(usage)


def _announce(rest: str, usage: str) -> Keeping | CommandError:
    return Announce(rest) if rest else usage_error(usage)


SPELLINGS: Final = (
    Spelling("/add", "<user>", "add somebody to this group", _name(Add), "owner"),
    Spelling("/remove", "<user>", "remove a member from this group", _name(Remove), "owner"),
    Spelling("/rename", "<name>", "give this group another name", _name(Rename), "owner"),
    Spelling("/handover", "<user>", "make another member the owner of this group", _name(HandOver), "owner"),
    Spelling(
        "/keep",
        "[off]",
        "keep this group while its members are away, or no longer",
        _word({"": Keep(True), "on": Keep(True), "off": Keep(False)}),
        "owner",
    ),
    Spelling("/delete-group", "", "end this group", _word({"": DeleteGroup()}), "owner"),
    Spelling("/kick", "<user> [<reason>]", "disconnect somebody", _kick, "operator"),
    Spelling("/ban", "<user|address> [10m|2h|3d] [<reason>]", "keep somebody out", _for_a_time(Ban), "operator"),
    Spelling("/unban", "<user|address>", "let somebody in again", _name(Unban), "operator"),
    Spelling("/bans", "", "show who is banned", _word({"": Bans()}), "operator"),
    Spelling("/mute", "<user> [10m|2h|3d] [<reason>]", "keep somebody from speaking", _for_a_time(Mute), "operator"),
    Spelling("/unmute", "<user>", "let somebody speak again", _name(Unmute), "operator"),
    Spelling("/role", "<user> operator|member", "make somebody an operator or a member", _role, "operator"),
    Spelling("/announce", "<message>", "say something to everybody, marked as an announcement", _announce, "operator"),
    Spelling(
        "/shutdown",
        "[cancel]",
        "stop the server after a countdown",
        _word({"": Shutdown(), "cancel": Shutdown(cancel=True)}),
        "operator",
    ),
)
"""The `/` commands of owners and operators."""
