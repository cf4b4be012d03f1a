"""The vocabulary: everything that a client and a server can say, whatever bytes carry it.

    requests    client -> server   each has the client's own number `n`, which the answer repeats
    replies     server -> client   the answer to one request
    events      server -> client   what happened, with the log's sequence number; the same for everybody who may see it
    passing     server -> client   what is said once and not kept, so it has no number

Structs are encoded as arrays with a tag in front: fields are only ever appended, with defaults, so versions may differ.
Times are whole microseconds since 1970 UTC (`..._us`), sizes bytes, ids and sequence numbers positive 63-bit integers.
Names and texts in events and replies come from people: they are cleaned by the server, and must be cleaned again by
whoever draws them on a terminal (`names.clean_text`).
"""

from typing import TypeAlias

from msgspec import Struct

# Limits that both sides must know.

MAX_TEXT_BYTES = 32 * 1024
"""A message's text, as UTF-8."""
MAX_HISTORY_PAGE = 500
"""Events in one history page; larger demands are cut to it."""
MAX_ADDRESSED = 64
"""Names that one message may be addressed to."""
CLIENT_ID_BYTES = 16
"""A message's client id: a UUID's bytes, chosen by the sender, the same again when it is sent again."""


class _Said(Struct, array_like=True, frozen=True, gc=False):
    """What all of the vocabulary has in common on the wire."""


# Who and where.


class UserRef(_Said, frozen=True):
    """A user as events name them: the id is theirs for ever, the name is as it was then."""

    id: int
    name: str


class Global(_Said, frozen=True, tag="global"):
    """The conversation that everybody hears who has not put themselves into a group."""


class Broadcast(_Said, frozen=True, tag="broadcast"):
    """What reaches everybody, wherever they are."""


class Direct(_Said, frozen=True, tag="direct"):
    """The conversation of two or more users, the author among them, in order of their ids."""

    users: tuple[UserRef, ...]


class Group(_Said, frozen=True, tag="group"):
    """A named group's conversation."""

    id: int
    name: str


Conversation: TypeAlias = Global | Broadcast | Direct | Group


class UserInfo(_Said, frozen=True):
    """One line of the user list. `role`: "guest" (the name is nobody's), "member" or "operator".

    `display` is what the user likes to be called, if that is not the name.
    """

    user: UserRef
    role: str = "guest"
    display: str = ""


class GroupInfo(_Said, frozen=True):
    """One line of the group list; `members` in the order of their joining."""

    group: Group
    owner: UserRef
    members: tuple[UserRef, ...]
    kept: bool = False


class FolderEntry(_Said, frozen=True):
    """One line of a folder listing. `kind`: "file" or "folder"; `entries` counts what is in a folder, `size` a file."""

    name: str
    kind: str
    size: int = 0
    modified_us: int = 0
    entries: int = 0


# Whom a message is for.


class ToGlobal(_Said, frozen=True, tag="to_global"):
    """Everybody who hears the global conversation."""


class ToUsers(_Said, frozen=True, tag="to_users"):
    """The direct conversation with these users; the asker need not be named."""

    names: tuple[str, ...]


class ToGroup(_Said, frozen=True, tag="to_group"):
    """The members of one group; an empty name means the group that the session is in."""

    name: str = ""


class ToEveryone(_Said, frozen=True, tag="to_everyone"):
    """Everybody: a broadcast."""


Target: TypeAlias = ToGlobal | ToUsers | ToGroup | ToEveryone


# Requests.


class Login(_Said, frozen=True, tag="login"):
    """Takes a name.

    `key` is the device's Ed25519 public key and `signature` its signature of `auth.login_challenge(...)`; both empty
    for a guest. `watch`: a session that is announced and hears what happens; False for one-shot commands, which only
    act. `resume` names the session that this device had before (0: none). `after` is the last sequence number that
    the device has seen; everything later that it may see is sent again (-1: nothing, the device starts afresh).

    Older wires have no such number. They say with `waiting` what to send of the time since the name was last here:
    "direct" for private conversations and groups, "all" for global messages too, "" for nothing. `display` is what the
    user likes to be called. `pair`: if this name is logged in from the same host on one connection of this wire, be its
    second one instead of being refused.
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


class Logout(_Said, frozen=True, tag="logout"):
    """Leaves; the server answers and closes."""

    n: int


class Post(_Said, frozen=True, tag="post"):
    """Says `text`. Sending the same client id again, at any later time, posts once and answers as the first time.

    `receipt`: keep it for whoever is known and away, guests too, and say in `Ok` who has it and who is away since when.
    """

    n: int
    to: Target
    text: str
    cid: bytes = b""
    reply_to: int = 0
    receipt: bool = False


class CreateGroup(_Said, frozen=True, tag="create_group"):
    """Makes a group and joins it. `focus`: hear this group instead of global until leaving.

    A `kept` group stays when its members are away; `members` are added to it, unknown names among them are left out.
    """

    n: int
    name: str
    focus: bool = True
    kept: bool = False
    members: tuple[str, ...] = ()


class JoinGroup(_Said, frozen=True, tag="join_group"):
    """Joins a group that exists. `focus` as for `CreateGroup`."""

    n: int
    name: str
    focus: bool = True


class LeaveGroup(_Said, frozen=True, tag="leave_group"):
    """Leaves a group; an empty name means the one that the session is in."""

    n: int
    name: str = ""


class AddMember(_Said, frozen=True, tag="add_member"):
    """The owner adds a known user to a kept group."""

    n: int
    group: str
    name: str


class RemoveMember(_Said, frozen=True, tag="remove_member"):
    """The owner removes a member from a group."""

    n: int
    group: str
    name: str


class ListUsers(_Said, frozen=True, tag="list_users"):
    """Asks who is here."""

    n: int


class ListGroups(_Said, frozen=True, tag="list_groups"):
    """Asks which groups there are, and who is in them."""

    n: int


class GetHistory(_Said, frozen=True, tag="get_history"):
    """Asks for at most `limit` events of one conversation, the newest before sequence number `before` (0: of all)."""

    n: int
    of: ToGlobal | ToUsers | ToGroup
    before: int = 0
    limit: int = 100


class ListFolder(_Said, frozen=True, tag="list_folder"):
    """Asks for the contents of a shared folder; `path` uses `/`, relative to the shared root, "" for the root."""

    n: int
    path: str = ""


class OpenDownload(_Said, frozen=True, tag="open_download"):
    """Asks for a one-time ticket to fetch a shared file over a connection of its own."""

    n: int
    path: str


class Fetch(_Said, frozen=True, tag="fetch"):
    """First request of a file connection: send the ticket's file from `offset` on."""

    n: int
    ticket: bytes
    offset: int = 0


class SendFile(_Said, frozen=True, tag="send_file"):
    """Asks for a shared file on this very connection, as older wires have it; refused on the native wire.

    `over`: "tcp" or "udp". `avoid`: bytes that the wire could not tell from its own; a file that has them goes over UDP
    if `can_udp`, else it is refused.
    """

    n: int
    path: str
    over: str = "tcp"
    avoid: bytes = b""
    can_udp: bool = False


class Shutdown(_Said, frozen=True, tag="shutdown"):
    """Asks the server to count down and stop."""

    n: int


class Ping(_Said, frozen=True, tag="ping"):
    """Asks for a `Pong`."""

    n: int


Request: TypeAlias = (
    Login
    | Logout
    | Post
    | CreateGroup
    | JoinGroup
    | LeaveGroup
    | AddMember
    | RemoveMember
    | ListUsers
    | ListGroups
    | GetHistory
    | ListFolder
    | OpenDownload
    | Fetch
    | SendFile
    | Shutdown
    | Ping
)


# Events: what happened.


class Message(_Said, frozen=True, tag="message"):
    """Somebody said something. `cid` lets the author's devices recognise their own."""

    seq: int
    time_us: int
    author: UserRef
    conversation: Conversation
    text: str
    cid: bytes = b""
    reply_to: int = 0


class UserJoined(_Said, frozen=True, tag="user_joined"):
    """A user came (their first watching session); `returned`: within a minute of having been lost."""

    seq: int
    time_us: int
    user: UserRef
    role: str = "guest"
    returned: bool = False


class UserLeft(_Said, frozen=True, tag="user_left"):
    """A user's last watching session ended. `cause`: "left", "lost", "kicked" or "stopped" (the server ended)."""

    seq: int
    time_us: int
    user: UserRef
    cause: str


class GroupCreated(_Said, frozen=True, tag="group_created"):
    """A group was made; its creator is its owner and first member, `members` are all of them if there are others."""

    seq: int
    time_us: int
    group: Group
    by: UserRef
    members: tuple[UserRef, ...] = ()


class GroupJoined(_Said, frozen=True, tag="group_joined"):
    """A user became a member; `by` is who added them if they did not join by themselves."""

    seq: int
    time_us: int
    group: Group
    user: UserRef
    by: UserRef | None = None


class GroupLeft(_Said, frozen=True, tag="group_left"):
    """A user is a member no longer. `cause`: "left", "removed" (by the owner), or why their session ended."""

    seq: int
    time_us: int
    group: Group
    user: UserRef
    cause: str = "left"


class GroupDeleted(_Said, frozen=True, tag="group_deleted"):
    """A group lost its last member and is gone; follows the `GroupLeft` with the same number."""

    seq: int
    time_us: int
    group: Group


Event: TypeAlias = Message | UserJoined | UserLeft | GroupCreated | GroupJoined | GroupLeft | GroupDeleted


# Passing: said once, kept nowhere.


class Hello(_Said, frozen=True, tag="hello"):
    """The server's first words on the native wire: what a login must sign, and who is speaking."""

    nonce: bytes
    server_id: bytes
    server_name: str
    version: str


class FileHashed(_Said, frozen=True, tag="file_hashed"):
    """The BLAKE3 hash (32 bytes) of a file that this session asked a ticket for, once the server has computed it."""

    path: str
    size: int
    modified_us: int
    blake3: bytes


class Notice(_Said, frozen=True, tag="notice"):
    """The server's own words to everybody."""

    text: str


class Seen(_Said, frozen=True, tag="seen"):
    """A user who was away has now got something that this session's user had said with `Post.receipt`."""

    by: UserRef


class Roster(_Said, frozen=True, tag="roster"):
    """Everybody who is here, said anew at every change to wires that keep no list of their own."""

    users: tuple[UserInfo, ...]


class StoppingIn(_Said, frozen=True, tag="stopping_in"):
    """The server will stop after so many seconds."""

    seconds: int


class Bye(_Said, frozen=True, tag="bye"):
    """The last words on a connection, with the reason for its end."""

    code: str
    text: str


Passing: TypeAlias = Hello | FileHashed | Notice | Seen | Roster | StoppingIn | Bye


# Replies.


class Ok(_Said, frozen=True, tag="ok"):
    """Done, and on disk. `seq` and `time_us` are those of the event that it became (0: none).

    For a message: `unknown` names nobody knows, `away` are users who are not here and will find it when they return. If
    a receipt was asked for, `away_since_us` says when each of these was last here, and `reached` who has it already.
    """

    n: int
    seq: int = 0
    time_us: int = 0
    unknown: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    away_since_us: tuple[int, ...] = ()
    reached: tuple[str, ...] = ()


class Refused(_Said, frozen=True, tag="refused"):
    """Not done: `code` is an `errors.Code`, `text` a sentence for people, `about` the name or path it is about."""

    n: int
    code: str
    text: str
    about: str = ""


class Welcome(_Said, frozen=True, tag="welcome"):
    """Logged in. `session` is what `Login.resume` takes later; `focus` the group that the session is (still) in.

    `upto`: the log's number at this moment. If `catching_up`, `CatchUp` parts follow, and perhaps live events between.
    """

    n: int
    session: int
    user: UserRef
    role: str
    upto: int
    focus: Group | None = None
    catching_up: bool = False
    text: str = ""


class Entered(_Said, frozen=True, tag="entered"):
    """Created or joined a group; `focus`: the session now hears it instead of global."""

    n: int
    seq: int
    group: GroupInfo
    focus: bool


class Users(_Said, frozen=True, tag="users"):
    """Who is here, in the order of their coming; `more`: another part of the answer follows."""

    n: int
    users: tuple[UserInfo, ...]
    more: bool = False


class Groups(_Said, frozen=True, tag="groups"):
    """Which groups there are, oldest first; `more`: another part of the answer follows."""

    n: int
    groups: tuple[GroupInfo, ...]
    more: bool = False


class History(_Said, frozen=True, tag="history"):
    """A page of one conversation, oldest first; `more`: there is something before it."""

    n: int
    events: tuple[Event, ...]
    more: bool = False


class CatchUp(_Said, frozen=True, tag="catch_up"):
    """What a device missed, oldest first; with `more` False the device now has everything up to `upto`."""

    events: tuple[Event, ...]
    upto: int
    more: bool = False


class Folder(_Said, frozen=True, tag="folder"):
    """A part of a folder's contents, folders first, by name; `total` counts all entries."""

    n: int
    path: str
    entries: tuple[FolderEntry, ...]
    total: int
    more: bool = False


class Ticket(_Said, frozen=True, tag="ticket"):
    """Leave to fetch one file once, within a minute. `blake3` is empty until the server knows it (`FileHashed`)."""

    n: int
    ticket: bytes
    path: str
    size: int
    modified_us: int
    blake3: bytes = b""


class FileStart(_Said, frozen=True, tag="file_start"):
    """On a file connection: after this frame `size` - `offset` raw bytes follow, then the connection ends."""

    n: int
    size: int
    offset: int


class FileEnd(_Said, frozen=True, tag="file_end"):
    """After the bytes of a `SendFile` on the same connection."""

    n: int
    size: int


class UdpOffer(_Said, frozen=True, tag="udp_offer"):
    """Instead of `FileStart`: the file waits on a UDP port of the server."""

    n: int
    size: int
    port: int


class Pong(_Said, frozen=True, tag="pong"):
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
    | CatchUp
    | Folder
    | Ticket
    | FileStart
    | FileEnd
    | UdpOffer
    | Pong
)

FromServer: TypeAlias = Event | Passing | Reply


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
