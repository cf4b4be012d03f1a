"""Answers to one request."""

from typing import TypeAlias

from mysticproto.model.base import Said
from mysticproto.model.events import Event, Message
from mysticproto.model.places import (
    BanInfo,
    ConversationInfo,
    DeviceInfo,
    FolderEntry,
    Group,
    GroupInfo,
    UdpTerms,
    UserInfo,
    UserRef,
    Watermark,
)

__all__ = [
    "Bans",
    "CatchUp",
    "Conversations",
    "Devices",
    "Entered",
    "FileEnd",
    "FileStart",
    "Folder",
    "Found",
    "Groups",
    "History",
    "Ok",
    "Pong",
    "Receipts",
    "Refused",
    "Reply",
    "Stored",
    "Ticket",
    "UdpOffer",
    "UploadTicket",
    "Users",
    "Welcome",
]


class Ok(Said, frozen=True, tag="ok"):
    """Done, and on disk. `seq` and `time_us` are those of the event that it became (0: none).

    For a message: `unknown` names nobody knows, `away` are users who are not here and will find it when they return,
    `away_since_us` says when each of these was last here. If a receipt was asked for, `reached` is who has it already.
    """

    n: int
    seq: int = 0
    time_us: int = 0
    unknown: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    away_since_us: tuple[int, ...] = ()
    reached: tuple[str, ...] = ()


class Refused(Said, frozen=True, tag="refused"):
    """Not done: `code` is an `errors.Code`, `text` a sentence for people, `about` the name or path it is about."""

    n: int
    code: str
    text: str
    about: str = ""


class Welcome(Said, frozen=True, tag="welcome"):
    """Logged in. `session` is what `Login.resume` takes later; `focus` the group that the session is (still) in.

    `upto`: the log's number at this moment. If `catching_up`, `CatchUp` parts follow, and perhaps live events between.
    `has_password`: the name can be proven by one on further devices.
    """

    n: int
    session: int
    user: UserRef
    role: str
    upto: int
    focus: Group | None = None
    catching_up: bool = False
    text: str = ""
    has_password: bool = False


class Entered(Said, frozen=True, tag="entered"):
    """Created or joined a group; `focus`: the session now hears it instead of global."""

    n: int
    seq: int
    group: GroupInfo
    focus: bool


class Users(Said, frozen=True, tag="users"):
    """Who is here, in the order of their coming; `more`: another part of the answer follows."""

    n: int
    users: tuple[UserInfo, ...]
    more: bool = False


class Groups(Said, frozen=True, tag="groups"):
    """Which groups there are, oldest first; `more`: another part of the answer follows."""

    n: int
    groups: tuple[GroupInfo, ...]
    more: bool = False


class History(Said, frozen=True, tag="history"):
    """A page of one conversation, oldest first; `more`: there is something before it, `newer`: after it.

    Messages are as they are now: edits and deletions are in them.
    """

    n: int
    events: tuple[Event, ...]
    more: bool = False
    newer: bool = False


class Found(Said, frozen=True, tag="found"):
    """Messages that a search has found, the newest first. `more`: an older one may be found with this `before`.

    `complete`: all that was asked about was looked through. After an upgrade the server needs a while to learn the
    words of what was said before; until then the newest messages are not found.
    """

    n: int
    hits: tuple[Message, ...]
    more: bool = False
    before: int = 0
    complete: bool = True


class Receipts(Said, frozen=True, tag="receipts"):
    """How far those have got who are in a conversation, the asker among them. `read` is 0 where it isn't shared."""

    n: int
    conversation: str
    marks: tuple[Watermark, ...]


class Conversations(Said, frozen=True, tag="conversations"):
    """What somebody takes part in, the last used first."""

    n: int
    conversations: tuple[ConversationInfo, ...]


class Devices(Said, frozen=True, tag="devices"):
    """The devices of a name, the first first."""

    n: int
    devices: tuple[DeviceInfo, ...]
    has_password: bool = False


class Bans(Said, frozen=True, tag="bans"):
    """Who is banned, the oldest ban first; `more`: another part of the answer follows."""

    n: int
    bans: tuple[BanInfo, ...]
    more: bool = False


class CatchUp(Said, frozen=True, tag="catch_up"):
    """What a device missed, oldest first; with `more` False the device now has everything up to `upto`."""

    events: tuple[Event, ...]
    upto: int
    more: bool = False


class Folder(Said, frozen=True, tag="folder"):
    """A part of a folder's contents, folders first, by name; `total` counts all entries."""

    n: int
    path: str
    entries: tuple[FolderEntry, ...]
    total: int
    more: bool = False


class Ticket(Said, frozen=True, tag="ticket"):
    """Leave to fetch one file once, within a minute. `blake3` is empty until the server knows it (`FileHashed`).

    `udp`: where it waits, if that was asked for and the server can.
    """

    n: int
    ticket: bytes
    path: str
    size: int
    modified_us: int
    blake3: bytes = b""
    udp: UdpTerms | None = None


class UploadTicket(Said, frozen=True, tag="upload_ticket"):
    """Leave to bring one file once, within a minute: its bytes from `offset` on.

    With `offset` at the file's size there is nothing to bring any more; the connection is made all the same.
    """

    n: int
    ticket: bytes
    offset: int


class Stored(Said, frozen=True, tag="stored"):
    """On the connection that brought a file: it is whole, verified and on disk.

    `path`: where it lies in the shared folder, perhaps under another name than was asked for; "" if it was sent to some
    people only. `seq`: the message that announces it, 0 for none.
    """

    n: int
    path: str
    seq: int = 0


class FileStart(Said, frozen=True, tag="file_start"):
    """On a file connection: after this frame `size` - `offset` raw bytes follow, then the connection ends."""

    n: int
    size: int
    offset: int


class FileEnd(Said, frozen=True, tag="file_end"):
    """After the bytes of a `SendFile` on the same connection."""

    n: int
    size: int


class UdpOffer(Said, frozen=True, tag="udp_offer"):
    """Instead of `FileStart`: the file waits on a UDP port of the server."""

    n: int
    size: int
    port: int


class Pong(Said, frozen=True, tag="pong"):
    """The answer to `Ping`, with the server's clock."""

    n: int
    time_us: int


Reply: TypeAlias = (
    Ok
    | Refused
    | Welcome
    | Entered
    | Users
    | Groups
    | History
    | Found
    | Receipts
    | Conversations
    | Devices
    | Bans
    | CatchUp
    | Folder
    | Ticket
    | UploadTicket
    | Stored
    | FileStart
    | FileEnd
    | UdpOffer
    | Pong
)
