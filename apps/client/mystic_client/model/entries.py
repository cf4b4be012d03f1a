"""Events as entries of a timeline."""

import re
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from mystic_client.model.text import happened
from mystic_client.model.timeline import Entry
from mysticproto.model import (
    Broadcast,
    Event,
    GroupDeleted,
    Message,
    UserRef,
)

MAX_SHOWN_CHARS: Final = 16 * 1024
"""Of a longer text only the beginning is shown, with a remark."""


def entry_of(event: Event, own: UserRef) -> Entry:
    """What a timeline shows for an event; `own` is who looks at it."""
    if not isinstance(event, Message):
        return Entry(event.seq, event.time_us, "event", happened(event), last=isinstance(event, GroupDeleted))
    mine = event.author.id == own.id
    return Entry(
        event.seq,
        event.time_us,
        "broadcast" if isinstance(event.conversation, Broadcast) else "message",
        _words(event),
        event.author.name,
        event.author.id,
        own=mine,
        mention=not mine and mentions(event.text, own.name),
        state="sent" if mine else "",
        cid=event.cid if mine else b"",
        edited=bool(event.edited_us),
        deleted=event.deleted,
        announcement=event.announcement,
        reply_to=event.reply_to,
        file=None if event.deleted else event.file,
    )


def edited(entry: Entry, text: str, own: UserRef) -> Entry:
    """A message with another text; one that was deleted stays so."""
    if entry.deleted:
        return entry
    mention = not entry.own and mentions(text, own.name)
    return replace(entry, text=shown(text), edited=True, mention=mention)


def deleted(entry: Entry) -> Entry:
    """A message that was taken away."""
    return replace(entry, text="", deleted=True, mention=False, note="", file=None)


def _words(message: Message) -> str:
    """What was said; nothing if that is only the name of the file, which its card says."""
    return "" if message.file and message.text == message.file.name else shown(message.text)


def shown(text: str) -> str:
    """The part of a text that is drawn."""
    if len(text) <= MAX_SHOWN_CHARS:
        return text
    return f"{text[:MAX_SHOWN_CHARS]}… ({len(text) - MAX_SHOWN_CHARS:,} more characters)"


def mentions(text: str, name: str) -> bool:
    """Whether a text names somebody, as a word of its own."""
    return bool(name) and mention_pattern(name).search(text) is not None


@lru_cache(maxsize=16)
def mention_pattern(name: str) -> re.Pattern[str]:
    """Finds a name as a word of its own, in any case."""
    return re.compile(rf"(?<![\w.-])@?{re.escape(name)}(?!\w|[.-]\w)", re.IGNORECASE)
