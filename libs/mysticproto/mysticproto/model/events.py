"""What happened: kept in the log, with its sequence number, and the same for everybody who may see it."""

from typing import TypeAlias

from mysticproto.model.base import Said
from mysticproto.model.places import Conversation, FileRef, Group, UserRef

__all__ = [
    "AccountClaimed",
    "AccountDeleted",
    "Event",
    "GroupCreated",
    "GroupDeleted",
    "GroupHandedOver",
    "GroupJoined",
    "GroupKept",
    "GroupLeft",
    "GroupRenamed",
    "Message",
    "MessageDeleted",
    "MessageEdited",
    "Moderated",
    "UserJoined",
    "UserLeft",
]


class Message(Said, frozen=True, tag="message"):
    """Somebody said something. `cid` lets the author's devices recognise their own.

    `edited_us`: when its text was last replaced, 0 for never. `deleted`: it was taken away, and `text` is empty.
    """

    seq: int
    time_us: int
    author: UserRef
    conversation: Conversation
    text: str
    cid: bytes = b""
    reply_to: int = 0
    edited_us: int = 0
    deleted: bool = False
    announcement: bool = False
    file: FileRef | None = None


class MessageEdited(Said, frozen=True, tag="message_edited"):
    """The author has put `text` in the place of what the message of this number said."""

    seq: int
    time_us: int
    message: int
    author: UserRef
    conversation: Conversation
    text: str


class MessageDeleted(Said, frozen=True, tag="message_deleted"):
    """The message of this number was taken away, by its author or an operator."""

    seq: int
    time_us: int
    message: int
    by: UserRef
    conversation: Conversation


class UserJoined(Said, frozen=True, tag="user_joined"):
    """A user came (their first watching session); `returned`: within a minute of having been lost."""

    seq: int
    time_us: int
    user: UserRef
    role: str = "guest"
    returned: bool = False


class UserLeft(Said, frozen=True, tag="user_left"):
    """A user's last watching session ended. `cause`: "left", "lost", "kicked" or "stopped" (the server ended)."""

    seq: int
    time_us: int
    user: UserRef
    cause: str


class GroupCreated(Said, frozen=True, tag="group_created"):
    """A group was made; its creator is its owner and first member, `members` are all of them if there are others."""

    seq: int
    time_us: int
    group: Group
    by: UserRef
    members: tuple[UserRef, ...] = ()


class GroupJoined(Said, frozen=True, tag="group_joined"):
    """A user became a member; `by` is who added them if they did not join by themselves."""

    seq: int
    time_us: int
    group: Group
    user: UserRef
    by: UserRef | None = None


class GroupLeft(Said, frozen=True, tag="group_left"):
    """A user is a member no longer. `cause`: "left", "removed" (by the owner), or why their session ended.

    `owner`: who owns the group from now on, if that was the user.
    """

    seq: int
    time_us: int
    group: Group
    user: UserRef
    cause: str = "left"
    owner: UserRef | None = None


class GroupRenamed(Said, frozen=True, tag="group_renamed"):
    """A group has another name than `old`."""

    seq: int
    time_us: int
    group: Group
    by: UserRef
    old: str


class GroupHandedOver(Said, frozen=True, tag="group_handed_over"):
    """A group has another owner."""

    seq: int
    time_us: int
    group: Group
    by: UserRef
    owner: UserRef


class GroupKept(Said, frozen=True, tag="group_kept"):
    """A group stays when its members are away, or no longer does."""

    seq: int
    time_us: int
    group: Group
    by: UserRef
    kept: bool


class GroupDeleted(Said, frozen=True, tag="group_deleted"):
    """A group is gone: ended by its owner or an operator (`by`), or it lost its last member; then this follows the
    `GroupLeft` with the same number."""

    seq: int
    time_us: int
    group: Group
    by: UserRef | None = None


class AccountClaimed(Said, frozen=True, tag="account_claimed"):
    """A guest's name has become theirs, or a role has changed: from now on they are a "member" or an "operator"."""

    seq: int
    time_us: int
    user: UserRef
    role: str
    by: UserRef | None = None


class AccountDeleted(Said, frozen=True, tag="account_deleted"):
    """A name was given up; `by` is the operator who did it if it wasn't the user."""

    seq: int
    time_us: int
    user: UserRef
    by: UserRef | None = None


class Moderated(Said, frozen=True, tag="moderated"):
    """An operator did something to keep the peace. `act`: "kick", "ban", "unban", "mute" or "unmute".

    `target` is a name, or for operators alone an address or network; `until_us` the end of a ban or mute.
    """

    seq: int
    time_us: int
    act: str
    by: UserRef
    target: str
    reason: str = ""
    until_us: int = 0


Event: TypeAlias = (
    Message
    | MessageEdited
    | MessageDeleted
    | UserJoined
    | UserLeft
    | GroupCreated
    | GroupJoined
    | GroupLeft
    | GroupRenamed
    | GroupHandedOver
    | GroupKept
    | GroupDeleted
    | AccountClaimed
    | AccountDeleted
    | Moderated
)
