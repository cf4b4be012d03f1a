"""What a client asks for; every request has the client's own number `n`, which the answer repeats."""

from typing import TypeAlias

from mysticproto.model.base import Said

__all__ = [
    "AddMember",
    "Announce",
    "Ban",
    "CancelUpload",
    "CreateGroup",
    "Delete",
    "DeleteAccount",
    "DeleteGroup",
    "Edit",
    "Fetch",
    "GetHistory",
    "GetReceipts",
    "HandOver",
    "JoinGroup",
    "KeepGroup",
    "Kick",
    "LeaveGroup",
    "ListBans",
    "ListConversations",
    "ListDevices",
    "ListFolder",
    "ListGroups",
    "ListUsers",
    "Login",
    "Logout",
    "Mark",
    "Mute",
    "OpenDownload",
    "OpenUpload",
    "Ping",
    "Post",
    "RemoveDevice",
    "RemoveMember",
    "RenameGroup",
    "Request",
    "Search",
    "SendFile",
    "SetPassword",
    "SetRole",
    "Shutdown",
    "Store",
    "Target",
    "ToEveryone",
    "ToGlobal",
    "ToGroup",
    "ToUsers",
    "Unban",
    "Unmute",
    "WatchFolder",
]


class ToGlobal(Said, frozen=True, tag="to_global"):
    """Everybody who hears the global conversation."""


class ToUsers(Said, frozen=True, tag="to_users"):
    """The direct conversation with these users; the asker need not be named."""

    names: tuple[str, ...]


class ToGroup(Said, frozen=True, tag="to_group"):
    """The members of one group; an empty name means the group that the session is in."""

    name: str = ""


class ToEveryone(Said, frozen=True, tag="to_everyone"):
    """Everybody: a broadcast."""


Target: TypeAlias = ToGlobal | ToUsers | ToGroup | ToEveryone


# Requests.


class Login(Said, frozen=True, tag="login"):
    """Takes a name.

    `key` is the device's Ed25519 public key and `signature` its signature of `auth.login_challenge(...)`; both empty
    for a guest. `watch`: a session that is announced and hears what happens; False for one-shot commands, which only
    act. `resume` names the session that this device had before (0: none). `after` is the last sequence number that
    the device has seen; everything later that it may see is sent again (-1: nothing, the device starts afresh).

    Older wires have no such number. They say with `waiting` what to send of the time since the name was last here:
    "direct" for private conversations and groups, "all" for global messages too, "" for nothing. `display` is what the
    user likes to be called. `pair`: if this name is logged in from the same host on one connection of this wire, be its
    second one instead of being refused.

    `password` proves a claimed name on a device that it doesn't know; a key that is proven as well belongs to the name
    from then on. `shares_read`: others learn what this session's user has read; who keeps that to themselves doesn't
    learn it of others either.
    """

    n: int
    name: str
    key: bytes = b""
    signature: bytes = b""
    watch: bool = True
    resume: int = 0
    after: int = -1
    client: str = ""
    display: str = ""
    waiting: str = ""
    pair: bool = False
    password: str = ""
    shares_read: bool = True

    def __repr__(self) -> str:
        """Without secrets."""
        return f"<Login {self.n} {self.name!r}>"


class Logout(Said, frozen=True, tag="logout"):
    """Leaves; the server answers and closes."""

    n: int


class Post(Said, frozen=True, tag="post"):
    """Says `text`. Sending the same client id again, at any later time, posts once and answers as the first time.

    `receipt`: keep it for whoever is known and away, guests too, and say in `Ok` who has it and who is away since when.
    """

    n: int
    to: Target
    text: str
    cid: bytes = b""
    reply_to: int = 0
    receipt: bool = False


class Edit(Said, frozen=True, tag="edit"):
    """Puts another text in the place of a message of one's own, named by its number."""

    n: int
    message: int
    text: str


class Delete(Said, frozen=True, tag="delete"):
    """Takes a message away, named by its number: one's own, or as an operator anybody's."""

    n: int
    message: int


class Announce(Said, frozen=True, tag="announce"):
    """As an operator: says something to everybody, as a broadcast that is marked as an announcement."""

    n: int
    text: str
    cid: bytes = b""


class Mark(Said, frozen=True, tag="mark"):
    """Moves the asker's watermarks in a direct or group conversation (a `conversation_key`) up to these numbers.

    A watermark never goes back, and 0 leaves it. `private`: what was read is kept for the asker's own devices alone.
    """

    n: int
    conversation: str
    delivered: int = 0
    read: int = 0
    private: bool = False


class GetReceipts(Said, frozen=True, tag="get_receipts"):
    """Asks how far the members of a direct or group conversation (a `conversation_key`) have got."""

    n: int
    conversation: str


class CreateGroup(Said, frozen=True, tag="create_group"):
    """Makes a group and joins it. `focus`: hear this group instead of global until leaving.

    A `kept` group stays when its members are away; `members` are added to it, unknown names among them are left out.
    """

    n: int
    name: str
    focus: bool = True
    kept: bool = False
    members: tuple[str, ...] = ()


class JoinGroup(Said, frozen=True, tag="join_group"):
    """Joins a group that exists. `focus` as for `CreateGroup`."""

    n: int
    name: str
    focus: bool = True


class LeaveGroup(Said, frozen=True, tag="leave_group"):
    """Leaves a group; an empty name means the one that the session is in."""

    n: int
    name: str = ""


class AddMember(Said, frozen=True, tag="add_member"):
    """The owner adds a known user to a kept group."""

    n: int
    group: str
    name: str


class RemoveMember(Said, frozen=True, tag="remove_member"):
    """The owner removes a member from a group."""

    n: int
    group: str
    name: str


class RenameGroup(Said, frozen=True, tag="rename_group"):
    """The owner gives a group another name."""

    n: int
    group: str
    name: str


class HandOver(Said, frozen=True, tag="hand_over"):
    """The owner makes another member the owner."""

    n: int
    group: str
    name: str


class KeepGroup(Said, frozen=True, tag="keep_group"):
    """The owner makes a room a kept group, or a kept group a room (those who are away then leave it)."""

    n: int
    group: str
    kept: bool = True


class DeleteGroup(Said, frozen=True, tag="delete_group"):
    """The owner ends a group, or an operator does."""

    n: int
    group: str


class SetPassword(Said, frozen=True, tag="set_password"):
    """Sets or changes the password of the asker's name; claims the name if it was nobody's."""

    n: int
    password: str

    def __repr__(self) -> str:
        """Without secrets."""
        return f"<SetPassword {self.n}>"


class DeleteAccount(Said, frozen=True, tag="delete_account"):
    """Gives the asker's name up for ever (an operator may name somebody else): it is free, what they said stays."""

    n: int
    name: str = ""


class ListDevices(Said, frozen=True, tag="list_devices"):
    """Asks which devices may log in as the asker by their key."""

    n: int


class RemoveDevice(Said, frozen=True, tag="remove_device"):
    """Takes that right from a device of the asker's, such as one that was lost; its sessions end."""

    n: int
    key: bytes


class SetRole(Said, frozen=True, tag="set_role"):
    """An operator makes a claimed name an "operator" or a "member" again."""

    n: int
    name: str
    role: str


class Kick(Said, frozen=True, tag="kick"):
    """An operator ends all sessions of a user."""

    n: int
    name: str
    reason: str = ""


class Ban(Said, frozen=True, tag="ban"):
    """An operator keeps a name, an address or a network (such as 10.1.0.0/16) out, for `seconds` or for ever (0)."""

    n: int
    target: str
    seconds: int = 0
    reason: str = ""


class Unban(Said, frozen=True, tag="unban"):
    """An operator ends a ban."""

    n: int
    target: str


class ListBans(Said, frozen=True, tag="list_bans"):
    """An operator asks who is banned."""

    n: int


class Mute(Said, frozen=True, tag="mute"):
    """An operator keeps a user from saying anything, for `seconds` or until it is ended (0)."""

    n: int
    name: str
    seconds: int = 0
    reason: str = ""


class Unmute(Said, frozen=True, tag="unmute"):
    """An operator lets a user speak again."""

    n: int
    name: str


class ListUsers(Said, frozen=True, tag="list_users"):
    """Asks who is here; with `known` also which claimed names are away, after them and the last seen first."""

    n: int
    known: bool = False


class ListGroups(Said, frozen=True, tag="list_groups"):
    """Asks which groups there are, and who is in them."""

    n: int


class GetHistory(Said, frozen=True, tag="get_history"):
    """Asks for at most `limit` events of one conversation, the newest before sequence number `before` (0: of all).

    With `after` instead: the oldest after that number. With `around`: those about that number, itself included.
    """

    n: int
    of: ToGlobal | ToUsers | ToGroup
    before: int = 0
    limit: int = 100
    after: int = 0
    around: int = 0


class ListConversations(Said, frozen=True, tag="list_conversations"):
    """Asks which direct conversations and groups the asker has, the last used first, and how far they have read."""

    n: int


class Search(Said, frozen=True, tag="search"):
    """Asks for at most `limit` messages with all these words, the newest before number `before` (0: of all).

    The last word may be the beginning of one; words in "quotation marks" must stand together. `of` looks in one
    conversation, else in all that the asker may read. `author`: only this name's. `since_us`, `until_us`: said then.
    """

    n: int
    words: str
    of: ToGlobal | ToUsers | ToGroup | None = None
    author: str = ""
    since_us: int = 0
    until_us: int = 0
    before: int = 0
    limit: int = 50


class ListFolder(Said, frozen=True, tag="list_folder"):
    """Asks for the contents of a shared folder; `path` uses `/`, relative to the shared root, "" for the root."""

    n: int
    path: str = ""


class OpenDownload(Said, frozen=True, tag="open_download"):
    """Asks for a one-time ticket to fetch a file over a connection of its own, or `over` "udp" in datagrams.

    The file is a shared one, or the one that the message of number `message` brought (then `path` is "").
    """

    n: int
    path: str
    over: str = "tcp"
    message: int = 0


class Fetch(Said, frozen=True, tag="fetch"):
    """First request of a file connection: send the ticket's file from `offset` on."""

    n: int
    ticket: bytes
    offset: int = 0


class OpenUpload(Said, frozen=True, tag="open_upload"):
    """Asks for a one-time ticket to send a file of `size` bytes, whose BLAKE3 is known already.

    Without `to` it goes into the shared folder `folder`; with `to` it is sent to that conversation, and a message under
    the client id `cid` announces it once it is whole; without `text` it says the file's name. With both it lies in the
    folder, which the message names. An upload of the same user, name, size and hash that broke off is
    gone on with: `UploadTicket.offset` says from where.
    """

    n: int
    name: str
    size: int
    blake3: bytes
    folder: str = ""
    to: ToGlobal | ToUsers | ToGroup | None = None
    text: str = ""
    cid: bytes = b""


class Store(Said, frozen=True, tag="store"):
    """First request of a connection that brings a file: raw bytes from the ticket's offset on follow to its end."""

    n: int
    ticket: bytes


class CancelUpload(Said, frozen=True, tag="cancel_upload"):
    """Gives up an upload that was begun, by its ticket's name and hash; what came of it is removed."""

    n: int
    name: str
    blake3: bytes


class WatchFolder(Said, frozen=True, tag="watch_folder"):
    """Asks to be told (`FolderChanged`) when something changes in one shared folder; another one takes its place.

    With `on` False nothing is told any more.
    """

    n: int
    path: str = ""
    on: bool = True


class SendFile(Said, frozen=True, tag="send_file"):
    """Asks for a shared file on this very connection, as older wires have it; refused on the native wire.

    `over`: "tcp" or "udp". `avoid`: bytes that the wire could not tell from its own; a file that has them goes over UDP
    if `can_udp`, else it is refused.
    """

    n: int
    path: str
    over: str = "tcp"
    avoid: bytes = b""
    can_udp: bool = False


class Shutdown(Said, frozen=True, tag="shutdown"):
    """Asks the server to count down and stop, or with `cancel` not to after all."""

    n: int
    cancel: bool = False


class Ping(Said, frozen=True, tag="ping"):
    """Asks for a `Pong`."""

    n: int


Request: TypeAlias = (
    Login
    | Logout
    | Post
    | Edit
    | Delete
    | Announce
    | Mark
    | GetReceipts
    | CreateGroup
    | JoinGroup
    | LeaveGroup
    | AddMember
    | RemoveMember
    | RenameGroup
    | HandOver
    | KeepGroup
    | DeleteGroup
    | SetPassword
    | DeleteAccount
    | ListDevices
    | RemoveDevice
    | SetRole
    | Kick
    | Ban
    | Unban
    | ListBans
    | Mute
    | Unmute
    | ListUsers
    | ListGroups
    | GetHistory
    | ListConversations
    | Search
    | ListFolder
    | OpenDownload
    | Fetch
    | OpenUpload
    | Store
    | CancelUpload
    | WatchFolder
    | SendFile
    | Shutdown
    | Ping
)
