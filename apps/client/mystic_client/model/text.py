"""Words for people: events as lines of text, and sizes, speeds and times as one reads them.

`format_line` serves the client that shows lines; the screens draw the same events in their own way, with the sentences
of `happened`. Texts and names must have been cleaned before: here they are only put together.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Final

from mysticproto.model import (
    FOR_EVER_US,
    AccountClaimed,
    AccountDeleted,
    Broadcast,
    Bye,
    Conversation,
    Direct,
    Event,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupHandedOver,
    GroupJoined,
    GroupKept,
    GroupLeft,
    GroupRenamed,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    Notice,
    UserJoined,
    UserLeft,
    UserRef,
)

_LEFT: Final = {
    "left": "has left",
    "lost": "lost the connection",
    "kicked": "was removed",
    "stopped": "was disconnected: the server stopped",
}
_LEFT_GROUP: Final = {
    "left": "has left {group}",
    "lost": "lost the connection and left {group}",
    "kicked": "was removed from {group}",
    "removed": "was removed from {group}",
    "stopped": "left {group}: the server stopped",
    "account_deleted": "has left {group}",
}
_ACTS: Final = {
    "kick": "has removed",
    "ban": "has banned",
    "unban": "has ended the ban of",
    "mute": "has muted",
    "unmute": "lets speak again:",
}
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def format_line(heard: object, own_name: str) -> str | None:
    """A line such as `[GLOBAL] ana: hi` for what was heard; None for what such a client doesn't show.

    `own_name` is left out of the people of a private conversation. Further lines of a text are indented.
    """
    match heard:
        case Message(author=author, conversation=conversation, text=text):
            tag = conversation_tag(conversation, author.name, own_name)
            return f"[{tag}] {author.name}: " + text.replace("\n", "\n    ") + _brought(heard)
        case Notice(text) | Bye(_, text):
            return f"[SERVER] {text}"
        case MessageEdited(author=author, conversation=conversation, text=text):
            tag = conversation_tag(conversation, author.name, own_name)
            return f"[{tag}] {author.name} (edited): " + text.replace("\n", "\n    ")
    return f"[SERVER] {happened(heard)}" if isinstance(heard, Event) else None


def _brought(message: Message) -> str:
    """ " [file plan.txt, 12 MiB, message 17]": the number is what it is fetched by."""
    file = message.file
    if file is None:
        return ""
    space = " " if message.text else ""
    return f"{space}[file {file.name}, {size_in_words(file.size)}, message {message.seq}]"


def conversation_tag(conversation: Conversation, author: str, own_name: str) -> str:
    """The word in brackets that says where something was said."""
    match conversation:
        case Global():
            return "GLOBAL"
        case Broadcast():
            return "BROADCAST"
        case Group(_, name):
            return name
        case Direct(users):
            others = other_names(users, own_name)
            if len(users) > 2:
                return "PM " + ", ".join(others)
            return "PM" if author != own_name else "PM to " + ", ".join(others)


def happened(event: Event) -> str:
    """The sentence for an event that isn't a message; a message is its own text."""
    match event:
        case Message(text=text):
            return text
        case MessageEdited(author=author):
            return f"{author.name} has edited a message"
        case MessageDeleted(by=by):
            return f"{by.name} has deleted a message"
        case UserJoined(user=user, returned=returned):
            return f"{user.name} is back" if returned else f"{user.name} has joined"
        case UserLeft(user=user, cause=cause):
            return f"{user.name} {_LEFT.get(cause, _LEFT['left'])}"
        case AccountClaimed() | AccountDeleted():
            return _of_account(event)
        case Moderated():
            return _of_peace(event)
    return _of_group(event)


def _of_group(
    event: GroupCreated | GroupJoined | GroupLeft | GroupRenamed | GroupHandedOver | GroupKept | GroupDeleted,
) -> str:
    name = event.group.name
    match event:
        case GroupCreated(by=by):
            return f"{by.name} has created the group {name}"
        case GroupJoined(user=user, by=by):
            return f"{by.name} has added {user.name} to {name}" if by else f"{user.name} has joined {name}"
        case GroupLeft(user=user, cause=cause, owner=owner):
            left = f"{user.name} {_LEFT_GROUP.get(cause, _LEFT_GROUP['left']).format(group=name)}"
            return f"{left}; {owner.name} owns it now" if owner else left
        case GroupRenamed(by=by, old=old):
            return f"{by.name} has renamed the group {old} to {name}"
        case GroupHandedOver(by=by, owner=owner):
            return f"{by.name} has handed the group {name} over to {owner.name}"
        case GroupKept(by=by, kept=True):
            return f"{by.name} keeps the group {name}: its members stay when they are away"
        case GroupKept(by=by):
            return f"{by.name} no longer keeps the group {name}: who goes away leaves it"
        case GroupDeleted(by=by):
            return f"{by.name} has ended the group {name}" if by else f"The group {name} is gone: nobody was left in it"


def _of_account(event: AccountClaimed | AccountDeleted) -> str:
    match event:
        case AccountDeleted(user=user, by=by):
            return f"{by.name} has deleted the account of {user.name}" if by else f"{user.name} has given the name up"
        case AccountClaimed(user=user, role=role, by=None):
            return f"{user.name} is an operator now" if role == "operator" else f"{user.name} has claimed the name"
        case AccountClaimed(user=user, role=role, by=by):
            what = "an operator" if role == "operator" else "a member, no longer an operator"
            return f"{by.name if by else ''} has made {user.name} {what}"


def _of_peace(event: Moderated) -> str:
    words = f"{event.by.name} {_ACTS.get(event.act, event.act)} {event.target}"
    if 0 < event.until_us < FOR_EVER_US:
        words += f" for {roughly((event.until_us - event.time_us) / 1e6)}"
    return f"{words}: {event.reason}" if event.reason else words


def other_names(users: Iterable[UserRef], own_name: str) -> list[str]:
    """The names of everybody but oneself; a conversation with oneself alone keeps the name."""
    names = [user.name for user in users]
    return [name for name in names if name != own_name] or names


def names_in_words(names: Iterable[str], most: int = 3) -> str:
    """ "ana", "ana and bob", "ana, bob and eva", "ana, bob and 4 others"."""
    listed = list(names)
    if len(listed) > most:
        listed = [*listed[: most - 1], f"{len(listed) - most + 1} others"]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}" if listed else "nobody"


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 file", "2 files", "1,200 entries"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size_in_words(size: float) -> str:
    """ "0 bytes", "1 byte", "999 bytes", "1.5 KiB", "12 MiB": three digits at most, in powers of 1024."""
    if size < 1000:
        return counted(int(size), "byte")
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.1f} {_UNITS[unit]}" if size < 10 else f"{size:.0f} {_UNITS[unit]}"


def speed_in_words(bytes_per_s: float) -> str:
    """ "3.2 MiB/s"."""
    return f"{size_in_words(bytes_per_s)}/s"


def duration_in_words(seconds: float) -> str:
    """ "5 s", "2 min 5 s", "3 h 20 min", "4 d 6 h": two units at most, rounded up so that it ends with "1 s"."""
    left = max(0, int(-(-seconds // 1)))
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60} min {left % 60} s"
    if left < 86400:
        return f"{left // 3600} h {left % 3600 // 60} min"
    return f"{left // 86400} d {left % 86400 // 3600} h"


def roughly(seconds: float) -> str:
    """ "45 s", "10 min", "2 h", "3 d": the largest unit alone, rounded."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if round(seconds) >= length:
            return f"{round(seconds / length):,} {unit}"
    return f"{max(0, round(seconds))} s"


def clock(time_us: int, zone: tzinfo | None = None, pattern: str = "%H:%M") -> str:
    """The time of day; in the local zone unless another is given."""
    return _when(time_us, zone).strftime(pattern)


def day(time_us: int, now_us: int, zone: tzinfo | None = None) -> str:
    """ "Today", "Yesterday" or "Saturday, 21 November 2026"."""
    then, today = _when(time_us, zone).date(), _when(now_us, zone).date()
    ago = (today - then).days
    if ago in (0, 1):
        return "Today" if ago == 0 else "Yesterday"
    return f"{then:%A}, {then.day} {then:%B %Y}"


def stamp(time_us: int, now_us: int, zone: tzinfo | None = None) -> str:
    """When a file was changed: "14:05" for today, otherwise "2026-11-21"."""
    then, now = _when(time_us, zone), _when(now_us, zone)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%Y-%m-%d}"


def _when(time_us: int, zone: tzinfo | None) -> datetime:
    try:
        return datetime.fromtimestamp(time_us / 1_000_000, zone)
    except (OverflowError, OSError, ValueError):  # a time that no calendar has
        return datetime.fromtimestamp(0, zone)
