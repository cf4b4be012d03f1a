"""What a typed line means.

A line is a command if its first word is `mystic` or if it begins with `/`; everything else is said. `//` says a line
that begins with a slash. Both spellings share one table, which also feeds the help text and the completion list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct

from mystic_client.model.keeping import SPELLINGS, Keeping
from mystic_client.model.spelling import CommandError as CommandError
from mystic_client.model.spelling import Make, Spelling, first_word, usage_error


class Help(Struct, frozen=True):
    """Show what can be typed."""


class Disconnect(Struct, frozen=True):
    """Leave the server."""


class ShowUsers(Struct, frozen=True):
    """Show who is here."""


class ShowGroups(Struct, frozen=True):
    """Show which groups there are."""


class Clear(Struct, frozen=True):
    """Empty the view of this conversation; nothing is deleted anywhere."""


class Say(Struct, frozen=True):
    """Say something where the user is."""

    text: str


class Direct(Struct, frozen=True):
    """Say something to these users only. Names as typed, without repetitions."""

    names: tuple[str, ...]
    text: str


class Broadcast(Struct, frozen=True):
    """Say something to everybody, wherever they are."""

    text: str


class Create(Struct, frozen=True):
    """Make a group and go into it."""

    name: str


class Join(Struct, frozen=True):
    """Go into a group."""

    name: str


class Leave(Struct, frozen=True):
    """Leave a group; an empty name means the one that the user is in."""

    name: str = ""


class Files(Struct, frozen=True):
    """Show a shared folder; "" is the root."""

    folder: str = ""


class Download(Struct, frozen=True):
    """Fetch a shared file. `protocol`: "tcp", "udp", "auto", or "" for the user's usual one."""

    path: str
    protocol: str = ""


class Put(Struct, frozen=True):
    """Send a file of the user's to where they are; no path asks for one."""

    path: str = ""


class Account(Struct, frozen=True):
    """Show one's account: password, devices, giving the name up."""


class Search(Struct, frozen=True):
    """Look for messages with these words; none opens the search as it was left."""

    words: str = ""


class Edit(Struct, frozen=True):
    """Put another text in the place of the last message of one's own here."""

    text: str


class Delete(Struct, frozen=True):
    """Take the last message of one's own here away."""


class WhoRead(Struct, frozen=True):
    """Show who has read the last message of one's own here."""


Command: TypeAlias = (
    Help
    | Disconnect
    | ShowUsers
    | ShowGroups
    | Clear
    | Say
    | Direct
    | Broadcast
    | Create
    | Join
    | Leave
    | Files
    | Download
    | Put
    | Account
    | Search
    | Edit
    | Delete
    | WhoRead
    | Keeping
)

BARE: Final = 'Did you mean to enter a command? Type "mystic help" for commands.'
UNKNOWN: Final = 'Command not recognized. Type "mystic help" for commands.'
UNKNOWN_SLASH: Final = (
    'Command not recognized. Type "/help" for commands, or "//" to say something that begins with "/".'
)
TRANSPORTS: Final = ("tcp", "udp", "auto")
SPACES: Final = "Group name cannot contain spaces."


def _nothing(command: Command, unknown: str = UNKNOWN) -> Make:
    return lambda rest, usage: CommandError(unknown) if rest else command


def _broadcast(rest: str, usage: str) -> Command | CommandError:
    return Broadcast(rest) if rest else usage_error(usage)


def _pm(rest: str, usage: str) -> Command | CommandError:
    name, text = first_word(rest)
    return Direct((name,), text) if text else usage_error(usage)


_ADDRESSED = re.compile(r"([^\s,]+(?:\s*,\s*[^\s,]+)*)\s+(\S.*)", re.DOTALL)


def _to(rest: str, usage: str) -> Command | CommandError:
    found = _ADDRESSED.fullmatch(rest)
    if not found:
        return usage_error(usage)
    names = dict.fromkeys(name.strip() for name in found[1].split(","))
    return Direct(tuple(names), found[2])


def _group(make: Callable[[str], Command], *, may_be_empty: bool = False) -> Make:
    def parse_name(rest: str, usage: str) -> Command | CommandError:
        if len(rest.split()) > 1:
            return CommandError(SPACES)
        return make(rest) if rest or may_be_empty else usage_error(usage)

    return parse_name


def _search(rest: str, usage: str) -> Command | CommandError:
    return Search(rest)


def _edit(rest: str, usage: str) -> Command | CommandError:
    return Edit(rest) if rest else usage_error(usage)


def _files(rest: str, usage: str) -> Command | CommandError:
    return Files(rest.strip("/"))


def _put(rest: str, usage: str) -> Command | CommandError:
    return Put(rest)


def _download(rest: str, usage: str) -> Command | CommandError:
    words = rest.rsplit(maxsplit=1)
    if len(words) == 2 and words[1].lower() in TRANSPORTS:
        return Download(words[0].rstrip(), words[1].lower())
    return Download(rest) if rest and rest.lower() not in TRANSPORTS else usage_error(usage)


SLASH: Final = (
    Spelling("/to", "<user>, <user> <message>", "write to one person or several", _to),
    Spelling("/pm", "<user> <message>", "write to one person", _pm),
    Spelling("/msg", "<user> <message>", "write to one person", _pm),
    Spelling("/broadcast", "<message>", "write to everybody, whatever group they are in", _broadcast),
    Spelling("/search", "[<words>]", "look for messages", _search),
    Spelling("/edit", "<message>", "put another text in the place of your last message here", _edit),
    Spelling("/delete", "", "take your last message here away", _nothing(Delete(), UNKNOWN_SLASH)),
    Spelling("/whoread", "", "show who has read your last message here", _nothing(WhoRead(), UNKNOWN_SLASH)),
    Spelling("/join", "<group>", "go into a group", _group(Join)),
    Spelling("/leave", "[<group>]", "leave a group", _group(Leave, may_be_empty=True)),
    Spelling("/create", "<group>", "make a group and go into it", _group(Create)),
    Spelling("/users", "", "show who is here", _nothing(ShowUsers(), UNKNOWN_SLASH)),
    Spelling("/groups", "", "show the groups", _nothing(ShowGroups(), UNKNOWN_SLASH)),
    Spelling("/files", "[<folder>]", "show the shared files", _files),
    Spelling("/download", "<file> [tcp|udp|auto]", "fetch a shared file", _download),
    Spelling("/get", "<file> [tcp|udp|auto]", "fetch a shared file", _download),
    Spelling("/put", "[<file>]", "send a file of yours to this conversation", _put),
    Spelling("/password", "", "set or change your password, see your devices", _nothing(Account(), UNKNOWN_SLASH)),
    Spelling("/clear", "", "empty this view", _nothing(Clear(), UNKNOWN_SLASH)),
    Spelling("/help", "", "show what can be typed", _nothing(Help(), UNKNOWN_SLASH)),
    Spelling("/disconnect", "", "leave the server", _nothing(Disconnect(), UNKNOWN_SLASH)),
    Spelling("/quit", "", "leave the server", _nothing(Disconnect(), UNKNOWN_SLASH)),
    *SPELLINGS,
)
"""The `/` commands, the most useful first."""

MYSTIC: Final = (
    Spelling("mystic help", "", "show what can be typed", _nothing(Help())),
    Spelling("mystic disconnect", "", "leave the server", _nothing(Disconnect())),
    Spelling("mystic users", "", "show who is here", _nothing(ShowUsers())),
    Spelling("mystic groups", "", "show the groups", _nothing(ShowGroups())),
    Spelling("mystic pm", "<user> <message>", "write to one person", _pm),
    Spelling("mystic broadcast", "<message>", "write to everybody, whatever group they are in", _broadcast),
    Spelling("mystic create group", "<name>", "make a group and go into it", _group(Create)),
    Spelling("mystic join group", "<name>", "go into a group", _group(Join)),
    Spelling("mystic leave group", "[<name>]", "leave a group", _group(Leave, may_be_empty=True)),
    Spelling("mystic files", "", "show the shared files", _nothing(Files())),
    Spelling("mystic download", "<filename> [tcp|udp]", "fetch a shared file", _download),
)
"""The commands in words, in the order of the help text."""


def parse(line: str) -> Command | CommandError:
    """What `line` asks for. Texts keep their inner spaces and line breaks; the ends are trimmed."""
    line = line.strip()
    if line.startswith("//"):
        return Say(line[1:])
    if line.startswith("/"):
        return _parse(line, SLASH, 1, UNKNOWN_SLASH)
    if line.split(maxsplit=1)[:1] == ["mystic"]:
        return _parse(line, MYSTIC, 3, UNKNOWN) if line != "mystic" else CommandError(BARE)
    return Say(line)


def _parse(line: str, spellings: tuple[Spelling, ...], most_words: int, unknown: str) -> Command | CommandError:
    """Tries the line's first words, the longest run first, so that "create group" is found before a shorter command."""
    table = {spelling.words: spelling for spelling in spellings}
    for count in range(most_words, 0, -1):
        words = line.split(maxsplit=count)
        spelling = table.get(" ".join(words[:count]))
        if spelling:
            made: Command | CommandError = spelling.make(words[count] if len(words) > count else "", spelling.usage)
            return made
    return CommandError(unknown)


def help_text() -> str:
    """What can be typed, for a client that shows lines: one line per command."""
    width = max(len(spelling.usage) for spelling in MYSTIC)
    lines = [f"{spelling.usage:<{width}}  {spelling.meaning}" for spelling in MYSTIC]
    return "\n".join(
        ["--- Mystic Commands ---", *lines, f"{'/to ana, bob <message>':<{width}}  write to several people"]
    )
