"""Who and where: users, conversations, and the lines of lists."""

from typing import TypeAlias

from mysticproto.model.base import Said

__all__ = [
    "BanInfo",
    "Broadcast",
    "Conversation",
    "ConversationInfo",
    "DeviceInfo",
    "Direct",
    "FileRef",
    "FolderEntry",
    "Global",
    "Group",
    "GroupInfo",
    "UdpTerms",
    "UserInfo",
    "UserRef",
    "Watermark",
    "conversation_key",
]


class UserRef(Said, frozen=True):
    """A user as events name them: the id is theirs for ever, the name is as it was then."""

    id: int
    name: str


class Global(Said, frozen=True, tag="global"):
    """The conversation that everybody hears who has not put themselves into a group."""


class Broadcast(Said, frozen=True, tag="broadcast"):
    """What reaches everybody, wherever they are."""


class Direct(Said, frozen=True, tag="direct"):
    """The conversation of two or more users, the author among them, in order of their ids."""

    users: tuple[UserRef, ...]


class Group(Said, frozen=True, tag="group"):
    """A named group's conversation."""

    id: int
    name: str


Conversation: TypeAlias = Global | Broadcast | Direct | Group


class UserInfo(Said, frozen=True):
    """One line of the user list. `role`: "guest" (the name is nobody's), "member" or "operator".

    `display` is what the user likes to be called, if that is not the name. `last_seen_us`: of who is not `here`, when
    they last were; 0: never. `muted_until_us`: 0 for who may speak.
    """

    user: UserRef
    role: str = "guest"
    display: str = ""
    here: bool = True
    last_seen_us: int = 0
    muted_until_us: int = 0


class GroupInfo(Said, frozen=True):
    """One line of the group list; `members` in the order of their joining."""

    group: Group
    owner: UserRef
    members: tuple[UserRef, ...]
    kept: bool = False


class Watermark(Said, frozen=True):
    """How far a user has got in one conversation: everything up to these numbers has been delivered, and read."""

    user: UserRef
    delivered: int = 0
    read: int = 0


class ConversationInfo(Said, frozen=True):
    """One line of the list of somebody's conversations: its last message, and how far they have read it themselves."""

    conversation: Conversation
    last: int
    last_us: int
    read: int = 0


class DeviceInfo(Said, frozen=True):
    """A device that may log in with its key; `here`: it is the one that asks."""

    key: bytes
    added_us: int
    here: bool = False


class BanInfo(Said, frozen=True):
    """Who may not come in: a name, an address or a network, as text. `until_us`: `FOR_EVER_US` if it has no end."""

    target: str
    by: UserRef
    reason: str
    since_us: int
    until_us: int


class FileRef(Said, frozen=True):
    """A file that a message brings: fetched by the message's number, or by its `path` if it lies in the shared folder.

    `path` is "" for what was sent to some people only. `size` in bytes, `blake3` 32 bytes.
    """

    name: str
    size: int
    blake3: bytes
    path: str = ""


class UdpTerms(Said, frozen=True):
    """How a file is fetched in datagrams: see `mysticproto.udp.packets`.

    `secret` is 32 random bytes, new for each attempt, of which both directions' keys are made; `block` the bytes of the
    file in one datagram.
    """

    port: int
    cid: int
    secret: bytes
    block: int


class FolderEntry(Said, frozen=True):
    """One line of a folder listing. `kind`: "file" or "folder"; `entries` counts what is in a folder, `size` a file."""

    name: str
    kind: str
    size: int = 0
    modified_us: int = 0
    entries: int = 0


def conversation_key(conversation: Conversation) -> str:
    """A short text that names a conversation for ever: "global", "broadcast", "direct:3,9" or "group:17"."""
    match conversation:
        case Global():
            return "global"
        case Broadcast():
            return "broadcast"
        case Direct(users):
            return "direct:" + ",".join(str(user.id) for user in users)
        case Group(id):
            return f"group:{id}"
