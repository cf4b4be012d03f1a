"""Plain sentences for what an older program has no words of its own for, and older words for what is newer than it."""

from typing import Final

from msgspec.structs import replace

from mysticproto.model import (
    FOR_EVER_US,
    AccountClaimed,
    AccountDeleted,
    Broadcast,
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
    Marked,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    Notice,
    Passing,
    StoppingIn,
    UserJoined,
    UserLeft,
)
from mysticproto.wire import Role

EDITED: Final = "(edited) "
ANNOUNCED: Final = "(announcement) "
GOES_ON: Final = "The server goes on after all."

_NEWER: Final = frozenset(
    {
        MessageEdited,
        MessageDeleted,
        GroupRenamed,
        GroupHandedOver,
        GroupKept,
        AccountClaimed,
        AccountDeleted,
        Moderated,
        Marked,
    }
)
_ACTS: Final = {
    "kick": "removed {} from the server",
    "ban": "banned {}",
    "unban": "ended the ban of {}",
    "mute": "muted {}",
    "unmute": "let {} speak again",
}


def in_older_words(said: Event | Passing, role: Role) -> Event | Passing | None:
    """The same in the words of programs that are older than edits, owners and operators; None: they need not know.

    What they know is returned as it is, the very object. An edited message is said once more, a deleted one is not
    said; of what is newer than a program only those are told whom it is for.
    """
    if isinstance(said, Message):
        if said.deleted:
            return None
        return replace(said, text=ANNOUNCED + said.text, announcement=False) if said.announcement else said
    if isinstance(said, StoppingIn) and not said.seconds:
        return Notice(GOES_ON)
    if type(said) not in _NEWER:
        return said
    return _older(said) if role is Role.OTHER else None


def _older(said: Event | Passing) -> Event | Passing | None:
    match said:
        case MessageEdited(seq, time_us, _, author, conversation, text):
            return Message(seq, time_us, author, conversation, EDITED + text) if text else None
        case GroupRenamed() | GroupHandedOver() | GroupKept() | Moderated():
            return Notice(sentence(said) + ".")
        case _:
            return None


def sentence(event: Event) -> str:
    """What happened, in one sentence; for a message who said it where, and the text."""
    match event:
        case Message(author=author, text=text):
            return f"{author.name}: {text_in_place(event)}" if text else author.name
        case UserJoined(user=user):
            return f"{user.name} has joined"
        case UserLeft(user=user):
            return f"{user.name} has left"
        case GroupCreated(group=group, by=by):
            return f"{by.name} has created the group {group.name}"
        case GroupJoined(group=group, user=user):
            return f"{user.name} has joined the group {group.name}"
        case GroupLeft(group=group, user=user):
            return f"{user.name} has left the group {group.name}"
        case GroupDeleted(group=group, by=by):
            return f"{by.name} has ended the group {group.name}" if by else f"The group {group.name} is gone"
        case GroupRenamed(group=group, by=by, old=old):
            return f"{by.name} has renamed the group {old} to {group.name}"
        case GroupHandedOver(group=group, by=by, owner=owner):
            return f"{by.name} has handed the group {group.name} over to {owner.name}"
        case GroupKept(group=group, kept=kept):
            return f"The group {group.name} {'stays' if kept else 'no longer stays'} when its members are away"
        case MessageEdited(author=author):
            return f"{author.name} has edited a message"
        case MessageDeleted(by=by):
            return f"{by.name} has deleted a message"
        case AccountClaimed(user=user, role=role):
            return f"{user.name} is {'an' if role == 'operator' else 'a'} {role} now"
        case AccountDeleted(user=user):
            return f"{user.name} has given up the name"
        case Moderated():
            return _moderated(event)


def _moderated(event: Moderated) -> str:
    what = _ACTS.get(event.act, event.act + " {}").format(event.target)
    why = f": {event.reason}" if event.reason else ""
    end = f" for {_span(event.until_us - event.time_us)}" if event.time_us < event.until_us < FOR_EVER_US else ""
    return f"{event.by.name} has {what}{end}{why}"


def _span(us: int) -> str:
    """About how long, in the largest unit that fits."""
    seconds = (us + 500_000) // 1_000_000
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def text_in_place(message: Message) -> str:
    """A message's text behind the name of its group, if it was said in one."""
    match message.conversation:
        case Group(name=name):
            return f"[{name}] {message.text}"
        case Global() | Broadcast() | Direct():
            return message.text


def stopping(passing: StoppingIn) -> str:
    """The countdown."""
    return f"The server stops in {passing.seconds} second{'' if passing.seconds == 1 else 's'}."
