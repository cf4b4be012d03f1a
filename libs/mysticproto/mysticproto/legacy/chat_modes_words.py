"""What the person at the modes client reads, and how it becomes chunks that this client survives.

Names are shown as the older programs know them (`legacy.names`), times as dd/mm/yy HH:MM:SS in the server's local time:
an event's own time, converted, so that the same event always gives the same text in one time zone.

The client decodes every read by itself, at most 2,048 bytes of it, and dies of half a character. So what is not ASCII
goes in small chunks of their own that end with a character; the rest may merge, and be cut, as it likes. It stops
reading when a chunk is exactly `/leave`. Lines of people that are just that are put in quotes, and further lines of a
text are indented, so that nothing that a person says begins like what the server says.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from mysticproto.errors import Code
from mysticproto.legacy.names import from_mystic, to_mystic
from mysticproto.legacy.plain import in_older_words
from mysticproto.model import (
    Broadcast,
    Direct,
    Event,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    Message,
    Notice,
    Ok,
    Passing,
    Refused,
    Seen,
    StoppingIn,
    Target,
    ToGroup,
    ToUsers,
    UserJoined,
    UserLeft,
    UserRef,
)
from mysticproto.names import clean_line, name_key
from mysticproto.wire import Alone, Chunks, Role

LEAVE: Final = "/leave"

GENERAL_HELP: Final = """[GENERAL] Send message to everyone by just typing :)
Enter direct message mode using: '/direct'
Enter group chat mode using: '/group'
Disconnect from the app using: '/leave'
"""
_DIRECT_USAGE = "Direct message to a user by '[username]~[message]'\n'/exit' to return to general\n"
DIRECT_HELP: Final = f"[DIRECT] You have entered direct message mode!\n{_DIRECT_USAGE}"
DIRECT_WRONG: Final = f"[DIRECT] Incorrect format, direct message not sent\n {_DIRECT_USAGE}"
GROUP_ENTERED: Final = "[GROUP] You have entered group chat mode!\n"
GROUP_OFFER: Final = "[GROUP] Would you like to create a new group? y/n\n"
GROUP_NAME: Final = "[GROUP] Group name:\n"
GROUP_MEMBERS: Final = "[GROUP] Add users to group using format '[username]~[username]~...'\n"
GROUP_COMMANDS: Final = "[GROUP] Commands: '[group name]~[message]' '/kick [username]' '/add [username]' '/exit'\n"
GROUP_WRONG: Final = "[GROUP] Incorrect format, direct message not sent\n"
GROUP_UNSET: Final = "[GROUP] Write to a group first, to say which one is meant\n"
GROUP_HAS_USER: Final = "[GROUP] User already in group\n"
SENT: Final = "[*sent*]\n"

MAX_AWAY_SHOWN: Final = 10
"""Of those who are away, the last seen are named."""
MAX_DELICATE_BYTES: Final = 1024
"""A chunk with characters that a read could cut in two."""

_LEAVE_LINE = re.compile(r"^(\s*/leave\s*)$", re.MULTILINE)
_LINE_STRUCTURE = re.compile(r"[:~\[\]]")
"""With these in a name, one person's line could be another's, or the server's: `ann: hi` is a fine name elsewhere."""
_LAST_SECOND = 253_402_000_000
"""Near the end of the year 9999, where `datetime` ends."""


def shown(name: str) -> str:
    """A Mystic name as this program's people know it, or itself where that would look like somebody else's words."""
    original = from_mystic(name)
    return name if _LINE_STRUCTURE.search(original) else original


def standing(name: str) -> str:
    """The Mystic name for one that was typed as it was shown. Raises `NameRefused`."""
    return name if shown(name) == name != from_mystic(name) else to_mystic(name)


def local_time(time_us: int) -> str:
    """dd/mm/yy HH:MM:SS where the server is."""
    at = datetime.fromtimestamp(min(max(time_us // 1_000_000, 0), _LAST_SECOND))
    return f"{at.day:02}/{at.month:02}/{at.year % 100:02} {at.hour:02}:{at.minute:02}:{at.second:02}"


def quoted(text: str) -> str:
    """A person's text as it may stand in a line of the server's, and after it."""
    return _LEAVE_LINE.sub(r"'\1'", text).replace("\n", "\n    ")


def told(event: Event | Passing, role: Role, me: int = 0) -> str:
    """What somebody reads of an event, without the last newline; "" for nothing. `me` is the reader's id, if any."""
    if role is Role.BYSTANDER:
        return ""
    match in_older_words(event, role):
        case Message() as said:
            return _said(said, role)
        case UserJoined(user=user) if role is Role.OTHER:
            return has_joined(user)
        case UserLeft(user=user) if role is Role.OTHER:
            return f"[SERVER] {shown(user.name)} has left the server."
        case GroupCreated() | GroupJoined() | GroupLeft() as said:
            return _membership(said, me)
        case GroupDeleted(group=group, by=by) if by and role is Role.OTHER:
            return f"[GROUP] {shown(by.name)} has ended group {group.name}."
        case Notice(text):
            return f"[SERVER] {quoted(text)}"
        case StoppingIn(seconds):
            return f"[SERVER] Server shutting down in {seconds} seconds..."
        case Seen(by):
            return f"[seen by {shown(by.name)}]"
        case _:
            return ""


def has_joined(user: UserRef) -> str:
    """What everybody reads, the newcomer too, as the answer to the login."""
    return f"[SERVER] {shown(user.name)} has joined the server."


def _said(message: Message, role: Role) -> str:
    at, author, text = local_time(message.time_us), shown(message.author.name), quoted(message.text)
    match message.conversation:
        case Global():
            return f"[GENERAL] [{at}] {author}: {text}"
        case Group(name=name):
            return f"[GROUP] [{at}] {author} sent to group {name}: {text}"
        case Broadcast() if role is Role.OTHER:
            return f"[BROADCAST] [{at}] {author}: {text}"
        case Direct() if role is Role.OTHER:
            return f"[DIRECT] [{at}] {author} sent you: {text}"
        case _:
            return ""


def _membership(event: GroupCreated | GroupJoined | GroupLeft, me: int) -> str:
    group = event.group.name
    match event:
        case GroupCreated(by=by, members=members):
            is_mine = any(user.id == me for user in (by, *members))
            return f"[GROUP] You have been added to group {group}!" if is_mine else ""
        case GroupJoined(user=user, by=None):
            return f"[GROUP] {shown(user.name)} has joined group {group}!"
        case GroupJoined(user=user):
            return f"[GROUP] {shown(user.name)} has been added to group {group}!"
        case GroupLeft(user=user, cause="removed"):
            whom = "You have" if user.id == me else f"{shown(user.name)} has"
            return f"[GROUP] {whom} been removed from group {group}!"
        case _:
            return f"[GROUP] {shown(event.user.name)} has left group {group}."


# About one's own doings.


def membership_list(groups: Iterable[str]) -> str:
    """Which groups somebody is in."""
    return f"[GROUP] You are a member of groups: {list(groups)}\n"


def seen_by(names: Iterable[str]) -> str:
    """Who has got a message that went to several."""
    return f"{SENT}[seen by {[shown(name) for name in names]}]\n"


def _seen_by_one(name: str) -> str:
    """Who has got a direct message."""
    return f"{SENT}[seen by {shown(name)}]\n"


def away(ok: Ok) -> str:
    """For whom a message is kept, the last seen first; "" if for nobody."""
    last_seen = sorted(zip(ok.away, ok.away_since_us, strict=False), key=lambda entry: -entry[1])[:MAX_AWAY_SHOWN]
    lines = [f"[{shown(name)} offline. Last online {local_time(since)}]\n" for name, since in last_seen]
    return SENT + "".join(lines) if lines else ""


def why_not(refused: Refused) -> str:
    """Why a login is refused, and what to do about it."""
    is_about_name = refused.code in (Code.NAME_IN_USE, Code.NAME_CLAIMED, Code.NAME_INVALID)
    return f"{refused.text} Please connect again with another name." if is_about_name else refused.text


def posted(to: Target, reply: Ok | Refused) -> str:
    """The receipt for a message, or why there is none, and what the original says next."""
    match to:
        case ToUsers():
            return _posted_directly(reply)
        case ToGroup():
            text = f"[GROUP] Not sent: {reply.text}\n" if isinstance(reply, Refused) else _receipt(reply, always=True)
            return text + GROUP_COMMANDS
        case _:
            text = f"[SERVER] Not sent: {reply.text}\n" if isinstance(reply, Refused) else _receipt(reply)
            return text + GENERAL_HELP


def _receipt(ok: Ok, always: bool = False) -> str:
    return away(ok) + (seen_by(ok.reached) if ok.reached or always else "")


def _posted_directly(reply: Ok | Refused) -> str:
    if isinstance(reply, Refused):
        return f"[DIRECT] Not sent: {reply.text}\n"
    if reply.unknown:
        return f"[DIRECT] Not sent: there is nobody called {shown(reply.unknown[0])}.\n"
    if reply.reached:
        return _seen_by_one(reply.reached[0])
    return away(reply) or SENT


def left_out(asked: tuple[str, ...], members: tuple[UserRef, ...]) -> str:
    """Names that were to be members of a group, and that nobody has."""
    keys = {name_key(user.name) for user in members}
    unknown = [clean_line(shown(name), 64) for name in asked if name_key(name[:64]) not in keys]
    return f"[GROUP] Not added, since nobody knows them: {', '.join(unknown)}\n" if unknown else ""


# Chunks.


def as_chunks(text: str) -> Chunks:
    """`text`, cut only where the client can bear it."""
    data = text.encode(errors="replace")
    if data.isascii():
        return (data,) if data else ()
    return tuple(Alone(piece) for piece in _pieces(data))


def _pieces(data: bytes) -> Iterable[bytes]:
    start = 0
    while start < len(data):
        end = min(start + MAX_DELICATE_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        yield data[start:end]
        start = end
