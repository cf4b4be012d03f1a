"""What lasts: the events that the log orders and keeps, and that `apply` turns into the world.

An event is decided on one node and may be overtaken by another before the log has ordered it, so it says what its
asker wanted; whether it still holds is decided when it is applied. Events name users, groups and sessions by id. A
user's and a group's id is the number of the event that brought them into being, so every node gives the same ids.

These structs are stored for ever: fields are only appended, with defaults, and tags never change.
"""

from typing import TypeAlias

import msgspec
from msgspec import Struct

GLOBAL = "global"
BROADCAST = "broadcast"


class _Stored(Struct, array_like=True, frozen=True, gc=False):
    """What all stored events have in common."""


class NodeStarted(_Stored, frozen=True, tag="node_started"):
    """A server process began; sessions of its earlier runs (other epochs of the same node) have ended."""

    node: int
    epoch: int


class Joined(_Stored, frozen=True, tag="joined"):
    """A session took a name. `key` is the device's public key, empty for a guest; `resume` an earlier session's id.

    `user` is whom the asker took the name to belong to (0: nobody so far). `quiet`: nobody is told, since the user was
    here already. `lingers`: when the session is lost it keeps its room and focus for a minute. `by_password`: the name
    was proven by its password; a `key` proves it too from then on.
    """

    session: int
    name: str
    user: int = 0
    key: bytes = b""
    watch: bool = True
    quiet: bool = False
    resume: int = 0
    lingers: bool = False
    node: int = 0
    epoch: int = 0
    display: str = ""
    by_password: bool = False


class Left(_Stored, frozen=True, tag="left"):
    """A session ended. `cause`: "left", "lost", "kicked" or "stopped". `quiet`: the user is still here."""

    session: int
    cause: str
    user: int = 0
    watch: bool = True
    quiet: bool = False


class LingerEnded(_Stored, frozen=True, tag="linger_ended"):
    """A lost session did not come back in time; its room and focus are given up."""

    session: int


class SharedFile(_Stored, frozen=True):
    """A file that a message brings. `path`: in the shared folder, "" if it was sent to some people only; then `id` names
    what the upload area keeps."""

    name: str
    size: int
    blake3: bytes
    path: str = ""
    id: str = ""


class Posted(_Stored, frozen=True, tag="posted"):
    """A message. `conversation` is a key as `model.conversation_key` makes it; `users` are a direct conversation's.

    `addressed` keeps the names that were written to, whether anybody knows them or not. `receipt`: the author wants to
    know who has it.
    """

    session: int
    author: int
    conversation: str
    text: str
    cid: bytes = b""
    reply_to: int = 0
    users: tuple[int, ...] = ()
    addressed: tuple[str, ...] = ()
    receipt: bool = False
    announcement: bool = False
    file: SharedFile | None = None


class Edited(_Stored, frozen=True, tag="edited"):
    """A message's author replaced its text. `message` is its number, `conversation` and `users` are as it has them."""

    session: int
    author: int
    message: int
    conversation: str
    text: str
    users: tuple[int, ...] = ()


class Deleted(_Stored, frozen=True, tag="deleted"):
    """A message was taken away by its author or an operator; `conversation` and `users` are as it has them."""

    session: int
    author: int
    message: int
    conversation: str
    users: tuple[int, ...] = ()


class GroupCreated(_Stored, frozen=True, tag="group_created"):
    """A group was made by a user, who is its owner and first member; `members` are added at once."""

    session: int
    author: int
    name: str
    focus: bool = True
    kept: bool = False
    members: tuple[int, ...] = ()


class GroupEntered(_Stored, frozen=True, tag="group_entered"):
    """A user joined a group by hand."""

    session: int
    author: int
    group: int
    focus: bool = True


class GroupExited(_Stored, frozen=True, tag="group_exited"):
    """A user left a group by hand. `heir`: who was to own it from then on when this was asked for, 0 for no change."""

    session: int
    author: int
    group: int
    heir: int = 0


class MemberAdded(_Stored, frozen=True, tag="member_added"):
    """The owner added a user to a kept group."""

    session: int
    author: int
    group: int
    user: int


class MemberRemoved(_Stored, frozen=True, tag="member_removed"):
    """The owner removed a user from a group."""

    session: int
    author: int
    group: int
    user: int


class GroupRenamed(_Stored, frozen=True, tag="group_renamed"):
    """The owner gave a group another name than `old`."""

    session: int
    author: int
    group: int
    name: str
    old: str = ""


class GroupHandedOver(_Stored, frozen=True, tag="group_handed_over"):
    """The owner made another member the owner."""

    session: int
    author: int
    group: int
    user: int


class GroupKept(_Stored, frozen=True, tag="group_kept"):
    """The owner made a room a kept group, or the other way round."""

    session: int
    author: int
    group: int
    kept: bool


class GroupEnded(_Stored, frozen=True, tag="group_ended"):
    """The owner or an operator ended a group."""

    session: int
    author: int
    group: int


class PasswordSet(_Stored, frozen=True, tag="password_set"):
    """A user has a password from now on, of which this is the Argon2id hash in PHC form; claims an unclaimed name.

    `claims`: the name was nobody's when it was asked for.
    """

    session: int
    user: int
    hash: str
    claims: bool = False


class DeviceRemoved(_Stored, frozen=True, tag="device_removed"):
    """A device's key proves its user's name no longer."""

    session: int
    user: int
    key: bytes


class AccountDeleted(_Stored, frozen=True, tag="account_deleted"):
    """A user's name is free, and they are gone for ever; `author` is who did it, themselves or an operator."""

    session: int
    author: int
    user: int


class RoleSet(_Stored, frozen=True, tag="role_set"):
    """A claimed user is an "operator" or a "member". `author` 0: the command line said so."""

    session: int
    author: int
    user: int
    role: str


class Kicked(_Stored, frozen=True, tag="kicked"):
    """An operator ended all sessions of a user."""

    session: int
    author: int
    user: int
    reason: str = ""


class Banned(_Stored, frozen=True, tag="banned"):
    """An operator keeps a name (`user`: whose it is, 0 if nobody's) or an address or network out until then."""

    session: int
    author: int
    target: str
    user: int = 0
    reason: str = ""
    until_us: int = 0


class Unbanned(_Stored, frozen=True, tag="unbanned"):
    """An operator ended a ban."""

    session: int
    author: int
    target: str


class Muted(_Stored, frozen=True, tag="muted"):
    """An operator keeps a user from speaking until then; 0: they may speak again."""

    session: int
    author: int
    user: int
    until_us: int
    reason: str = ""


Event: TypeAlias = (
    NodeStarted
    | Joined
    | Left
    | LingerEnded
    | Posted
    | GroupCreated
    | GroupEntered
    | GroupExited
    | MemberAdded
    | MemberRemoved
    | Edited
    | Deleted
    | GroupRenamed
    | GroupHandedOver
    | GroupKept
    | GroupEnded
    | PasswordSet
    | DeviceRemoved
    | AccountDeleted
    | RoleSet
    | Kicked
    | Banned
    | Unbanned
    | Muted
)


class Amended(Struct, frozen=True, gc=False):
    """What has become of a message since it was said: another text, or none because it was deleted."""

    text: str
    time_us: int
    deleted: bool = False


class Committed(Struct, frozen=True, gc=False):
    """An event in its place in the log. Sequence numbers start at 1 and grow by one.

    `amended` is known when a message is read from the past.
    """

    seq: int
    time_us: int
    event: Event
    amended: Amended | None = None


class StateRow(Struct, array_like=True, frozen=True, gc=False):
    """One entity of the world as the log's tables keep it; `body` None: it is gone. `kind` and `id` name the entity."""

    kind: str
    id: int
    body: bytes | None


def body_bytes(event: Event) -> int:
    """About how long the event is for those who are told: its text as UTF-8, and a bit for all else."""
    text = event.text if type(event) is Posted or type(event) is Edited else ""
    return 128 + (len(text) if text.isascii() else len(text.encode()))


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode_event(event: Event) -> bytes:
    """The bytes that are stored."""
    return _encoder.encode(event)


def decode_event(data: bytes) -> Event:
    """The inverse of `encode_event`; raises `msgspec.ValidationError` for what no version ever stored."""
    return _decoder.decode(data)
