"""What the two sides of the store say to each other, and what of an event becomes a column.

    loop -> child    Load, Commit, Ask
    child -> loop    Opened (or Failed) first; then StartPart, Answer, PagePart, each in the order of what they answer

The child keeps an event as the bytes that the loop encoded: it decodes a draft's event only to read the columns, and
the loop gets stored bytes back as they are. `ReceivedCommit` and `StoredEvent` are `Commit` and `Committed` seen that
way.
"""

from typing import TypeAlias

import msgspec
from msgspec import Raw, Struct

from mystic_server.domain.events import (
    GLOBAL,
    AccountDeleted,
    Amended,
    Banned,
    Committed,
    Deleted,
    Edited,
    Event,
    GroupCreated,
    GroupEnded,
    GroupEntered,
    GroupExited,
    GroupHandedOver,
    GroupKept,
    GroupRenamed,
    Joined,
    Kicked,
    Left,
    MemberAdded,
    MemberRemoved,
    Muted,
    PasswordSet,
    Posted,
    RoleSet,
    StateRow,
    Unbanned,
)
from mystic_server.log.base import Draft, HistoryQuery, MissedQuery, PostedQuery, RecentQuery, SearchQuery

CLIENT_ID_REUSED = "This message's id was used before, for another text; it was not sent."

# Loop to child.


class Load(Struct, array_like=True, frozen=True, tag="load"):
    """Asks for the whole world, as `StartPart`s."""


class Commit(Struct, array_like=True, frozen=True, tag="commit"):
    """Events and world state for one transaction. `applied` -1: no state to save. `void`: numbers of earlier events.

    `after` -1: sent for the first time. Otherwise it may have been committed before, by a child that could not say so
    any more; `after` is the last number before it.
    """

    drafts: tuple[Draft, ...]
    rows: tuple[StateRow, ...]
    applied: int
    after: int = -1
    void: tuple[int, ...] = ()


class ReceivedDraft(Struct, array_like=True, frozen=True, gc=False):
    """A `Draft` whose event is still bytes."""

    token: int
    time_us: int
    event: Raw


class ReceivedCommit(Struct, array_like=True, frozen=True, tag="commit"):
    """A `Commit` as the child reads it."""

    drafts: tuple[ReceivedDraft, ...]
    rows: tuple[StateRow, ...]
    applied: int
    after: int = -1
    void: tuple[int, ...] = ()


class AskHistory(Struct, array_like=True, frozen=True, tag="history"):
    """Asks for a `PagePart`."""

    query: HistoryQuery


class AskMissed(Struct, array_like=True, frozen=True, tag="missed"):
    """Asks for a `PagePart`."""

    query: MissedQuery


class AskMessage(Struct, array_like=True, frozen=True, tag="message"):
    """Asks for a `PagePart`."""

    seq: int


class AskPosted(Struct, array_like=True, frozen=True, tag="posted"):
    """Asks for a `PagePart`."""

    query: PostedQuery


class AskSearch(Struct, array_like=True, frozen=True, tag="search"):
    """Asks for a `PagePart`."""

    query: SearchQuery


class AskRecent(Struct, array_like=True, frozen=True, tag="recent"):
    """Asks for a `PagePart`."""

    query: RecentQuery


# Child to loop.


class Opened(Struct, array_like=True, frozen=True, tag="opened"):
    """The child's first words: the database is open and `last` is its last event's number."""

    last: int


class Failed(Struct, array_like=True, frozen=True, tag="failed"):
    """The child's last words: why it can't go on, in a sentence for the operator."""

    text: str


class StoredEvent(Struct, frozen=True, gc=False, omit_defaults=True):
    """A `Committed` whose event is still bytes; a map on the wire, as `Committed` is."""

    seq: int
    time_us: int
    event: Raw
    amended: Amended | None = None


class SentStartPart(Struct, array_like=True, frozen=True, tag="start"):
    """A `StartPart` as the child writes it."""

    rows: tuple[StateRow, ...]
    applied: int
    tail: tuple[StoredEvent, ...]
    last: int
    more: bool


class StartPart(Struct, array_like=True, frozen=True, tag="start"):
    """A part of `base.Start`; `more`: another follows."""

    rows: tuple[StateRow, ...]
    applied: int
    tail: tuple[Committed, ...]
    last: int
    more: bool


class NotStored(Struct, array_like=True, frozen=True, gc=False):
    """A draft of a batch that was not stored, by its place. `seq` 0: its client id belongs to other words; else the
    number and time of the message that it repeats."""

    index: int
    seq: int
    time_us: int


class Answer(Struct, array_like=True, frozen=True, tag="answer"):
    """A `Commit` is on disk: its drafts have the numbers from `first` on, in order, those in `not_stored` left out.

    With a `code` nothing of it is, and the code and the sentence go to every asker.
    """

    first: int
    not_stored: tuple[NotStored, ...] = ()
    code: str = ""
    text: str = ""


class SentPage(Struct, array_like=True, frozen=True, tag="page"):
    """A `PagePart` as the child writes it."""

    events: tuple[StoredEvent, ...]
    more: bool = False
    failed: str = ""
    newer: bool = False
    before: int = 0
    searched: int = 0


class PagePart(Struct, array_like=True, frozen=True, tag="page"):
    """The answer to one query; see `base.Page`."""

    events: tuple[Committed, ...]
    more: bool = False
    failed: str = ""
    newer: bool = False
    before: int = 0
    searched: int = 0


Ask: TypeAlias = AskHistory | AskMissed | AskMessage | AskPosted | AskSearch | AskRecent
ToChild: TypeAlias = Load | ReceivedCommit | Ask
FromChild: TypeAlias = Opened | Failed | StartPart | Answer | PagePart

encode = msgspec.msgpack.Encoder().encode
decode_to_child = msgspec.msgpack.Decoder[ToChild](ToChild).decode
decode_from_child = msgspec.msgpack.Decoder[FromChild](FromChild).decode

Columns: TypeAlias = tuple[int, int, str | None, int, bytes | None, Raw]


def columns(seq: int, time_us: int, event: Event, body: Raw) -> Columns:
    """The row of an event: number, time, conversation, author, client id, bytes."""
    if type(event) is Posted:
        return seq, time_us, event.conversation, event.author, event.cid or None, body
    return seq, time_us, timeline(seq, event), 0, None, body


def edits_of(conversation: str) -> str:
    """The timeline of what was edited and deleted in a conversation."""
    return conversation + "/edits"


def timeline(seq: int, event: Event) -> str | None:
    """The key of the conversation in whose history an event is shown; None: in nobody's."""
    match event:
        case Posted():
            return event.conversation
        case Edited() | Deleted():
            return edits_of(event.conversation)
        case Joined() | Left():
            return GLOBAL if event.watch and not event.quiet else None
        case GroupCreated():
            return f"group:{seq}"
        case (
            GroupEntered()
            | GroupExited()
            | MemberAdded()
            | MemberRemoved()
            | GroupRenamed()
            | GroupHandedOver()
            | GroupKept()
            | GroupEnded()
        ):
            return f"group:{event.group}"
        case Kicked() | Muted() | AccountDeleted() | RoleSet():
            return GLOBAL
        case Banned(target=target) | Unbanned(target=target):
            return None if "/" in target else GLOBAL  # of networks only operators hear
        case PasswordSet(claims=True):
            return GLOBAL
    return None
