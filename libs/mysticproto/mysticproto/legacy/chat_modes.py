"""The wire of the modes client: bare text both ways, no framing, and a mode that says what a line means.

    (no name yet)   the first line is the name
    general         text for everybody; /direct, /group, /leave
    direct          user~text; /exit
    group           y/n, a new group's name, its members; then group~text, /add user, /kick user, /exit

One read is one line, as its client sends them; what has newlines, because it comes from another program, is several. A
read that ends inside a character is kept until the character is whole. Modes change as lines come, since they are the
peer's own affair; what needs the server is a request. `/add` and `/kick` name no group: they mean the one that was last
made or written to in this visit. The client must be told to stop by a chunk that is exactly `/leave` before the
connection is closed, or it prints empty lines for ever. Texts and chunks: `chat_modes_words`.
"""

import codecs
from enum import Enum
from typing import Final

from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy import chat_modes_words as words
from mysticproto.model import (
    AddMember,
    Bye,
    CatchUp,
    CreateGroup,
    Entered,
    Event,
    GroupInfo,
    Groups,
    ListGroups,
    ListUsers,
    Login,
    Logout,
    Notice,
    Ok,
    Passing,
    Post,
    Refused,
    RemoveMember,
    Reply,
    Request,
    Seen,
    StoppingIn,
    ToGlobal,
    ToGroup,
    ToUsers,
    UserRef,
    Users,
    Welcome,
)
from mysticproto.names import NameRefused
from mysticproto.wire import Alone, Chunks, Item, Local, Role

MAX_LINE_BYTES: Final = 2048
"""A line; what the original server read at once. A longer one is refused."""
MAX_UNBOUNDED_BYTES: Final = 8 * 1024
"""More than this without an end closes the connection."""


class Mode(Enum):
    """What the next line means."""

    NAMELESS = "a name"
    GENERAL = "a text for everybody"
    DIRECT = "a direct message"
    OFFERED = "whether to make a group"
    NAMING = "the new group's name"
    CHOOSING = "the new group's members"
    GROUP = "a group message"
    GONE = "nothing any more"


class ChatModesWire:
    """One connection of a modes client."""

    name = "chat_modes"
    alone_gap_s = 0.15
    follows_roster = False
    is_personal = True  # who is told of having been added or removed is spoken to as "you"
    file_coding = ""
    is_framed = False
    pings = False
    pairs = False

    def __init__(self) -> None:
        self.is_over = False
        self._mode = Mode.NAMELESS
        self._me = 0
        self._n = 0
        self._unfinished = b""
        self._group = ""
        self._entering: set[int] = set()
        """List requests that were made on entering the group mode."""
        self._own_groups: list[str] = []
        self._created: tuple[UserRef, ...] = ()
        """Members of a group just made, until it is known which of them are here."""
        self._here: list[int] = []
        self._last_encoded: tuple[Event | Passing | None, str, Chunks] = (None, "", ())

    # What the peer says.

    def opened(self, now: float) -> list[Item]:
        """Nothing: its client asks for a name by itself."""
        return []

    def feed(self, data: bytes, now: float) -> list[Item]:
        """One read is one line or, where it has newlines, several. Not framed: other cuts may give other items."""
        items: list[Item] = []
        for line in self._take_lines(data):
            if self._mode is Mode.GONE:
                break
            items += self._hear(line)
        if len(self._unfinished) > MAX_UNBOUNDED_BYTES and self._mode is not Mode.GONE:
            items.append(self._too_long())
        return items

    def eof(self, now: float) -> list[Item]:
        """Nothing: half a character is no message."""
        return []

    def next_deadline(self) -> float | None:
        """None: this wire waits for nothing but bytes."""
        return None

    def _take_lines(self, data: bytes) -> list[bytes]:
        lines = (self._unfinished + data).split(b"\n")
        self._unfinished = lines.pop() if _ends_within_character(lines[-1]) else b""
        return lines

    def _hear(self, line: bytes) -> list[Item]:
        if len(line) > MAX_UNBOUNDED_BYTES:
            return [self._too_long()]
        text = line.decode(errors="replace").strip()
        if len(line) > MAX_LINE_BYTES:
            return [_local(f"[SERVER] Not sent: a message has at most {MAX_LINE_BYTES} bytes.\n")]
        return self._act_on(text) if text else []

    def _too_long(self) -> ProtocolError:
        self._mode = Mode.GONE
        return ProtocolError(Code.FRAME_TOO_LARGE, f"a line is longer than {MAX_UNBOUNDED_BYTES} bytes")

    def _act_on(self, text: str) -> list[Item]:
        match self._mode:
            case Mode.NAMELESS:
                self._mode = Mode.GENERAL
                return [Login(self._number(), _mystic(text), client=self.name, waiting="all")]
            case Mode.GENERAL:
                return self._in_general(text)
            case Mode.DIRECT:
                return self._in_direct(text)
            case Mode.OFFERED | Mode.NAMING | Mode.CHOOSING:
                return self._in_making(text)
            case _:
                return self._in_group(text)

    def _in_general(self, text: str) -> list[Item]:
        match text:
            case "/direct":
                self._mode = Mode.DIRECT
                return [_local(words.DIRECT_HELP)]
            case "/group":
                self._mode = Mode.OFFERED
                self._group = ""
                listing = ListGroups(self._number())
                self._entering.add(listing.n)
                return [listing]
            case words.LEAVE:
                self._mode = Mode.GONE
                return [Logout(self._number())]
            case _:
                return [Post(self._number(), ToGlobal(), text, receipt=True)]

    def _in_direct(self, text: str) -> list[Item]:
        if text == "/exit":
            return self._exit()
        name, tilde, message = text.partition("~")
        if not tilde or not name.strip():
            return [_local(words.DIRECT_WRONG)]
        return [Post(self._number(), ToUsers((_mystic(name.strip()),)), message, receipt=True)]

    def _in_making(self, text: str) -> list[Item]:
        if self._mode is Mode.OFFERED and text == "y":
            self._mode = Mode.NAMING
            return [_local(words.GROUP_NAME)]
        if self._mode is Mode.NAMING:
            self._mode, self._group = Mode.CHOOSING, text
            return [_local(words.GROUP_MEMBERS)]
        is_offer = self._mode is Mode.OFFERED
        self._mode = Mode.GROUP
        return [ListGroups(self._number())] if is_offer else self._create(text)

    def _create(self, text: str) -> list[Item]:
        members = tuple(_mystic(name.strip()) for name in text.split("~") if name.strip())
        n = self._number()
        create = CreateGroup(n, self._group, focus=False, kept=True, members=members)
        # Who is here is asked to say who knows of the group already.
        return [create, ListUsers(self._number()), ListGroups(self._number())]

    def _in_group(self, text: str) -> list[Item]:
        if text == "/exit":
            return self._exit()
        command, _, about = text.partition(" ")
        if command in ("/add", "/kick"):
            return [self._change_members(command, about.strip())]
        group, tilde, message = text.partition("~")
        if not tilde or not group.strip():
            return [_local(words.GROUP_WRONG + words.GROUP_COMMANDS)]
        self._group = group.strip()
        return [Post(self._number(), ToGroup(self._group), message, receipt=True)]

    def _change_members(self, command: str, name: str) -> Item:
        if not name or not self._group:
            return _local((words.GROUP_UNSET if name else words.GROUP_WRONG) + words.GROUP_COMMANDS)
        kind = AddMember if command == "/add" else RemoveMember
        return kind(self._number(), self._group, _mystic(name))

    def _exit(self) -> list[Item]:
        self._mode = Mode.GENERAL
        return [_local(words.GENERAL_HELP)]

    def _number(self) -> int:
        self._n += 1
        return self._n

    # What the server answers.

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """The reply in the mode's own words; a refused login and a logout end the conversation."""
        match reply:
            case Bye(text=text):
                return self._farewell(text)
            case CatchUp(events=events):
                return words.as_chunks("".join(self._kept(event) for event in events))
            case Notice() | Seen() | StoppingIn():
                return self.tell(reply, Role.OTHER, 0.0)
            case _:
                return self._answer(request, reply)

    def take_follow_ups(self) -> list[Request]:
        """None: what must follow a request is asked for with it."""
        return []

    def _answer(self, request: Request | None, reply: Reply | Passing) -> Chunks:
        match request, reply:
            case Login(), Welcome(user=user):
                self._me = user.id
                return words.as_chunks(f"{words.has_joined(user)}\n{words.GENERAL_HELP}")
            case Login(), Refused():
                return self._farewell(words.why_not(reply))
            case Logout(), _:
                return self._farewell("")
            case Post(to=to), Ok() | Refused():
                return words.as_chunks(words.posted(to, reply))
            case _:
                return words.as_chunks(self._answer_of_groups(request, reply))

    def _farewell(self, text: str) -> Chunks:
        if self.is_over:
            return ()
        self.is_over, self._mode = True, Mode.GONE
        return (*words.as_chunks(f"[SERVER] {text}\n" if text else ""), Alone(words.LEAVE.encode()))

    def _kept(self, event: Event) -> str:
        text = words.told(event, Role.OTHER, self._me)
        return f"{text} \n" if text else ""

    def _answer_of_groups(self, request: Request | None, reply: Reply | Passing) -> str:
        match request, reply:
            case ListGroups(n), Groups(groups=groups, more=more):
                return self._list_groups(n, groups, more)
            case ListUsers(), Users(users=users, more=more):
                return self._tell_created([info.user for info in users], more)
            case CreateGroup(), Entered(group=group):
                self._created = group.members
                return words.left_out(request.members, group.members)
            case CreateGroup(), Refused(text=text):
                return f"[GROUP] {text}\n"
            case AddMember() | RemoveMember(), Ok():
                return words.GROUP_COMMANDS
            case AddMember() | RemoveMember(), Refused(code=code, text=text):
                return (words.GROUP_HAS_USER if code == Code.ALREADY_IN_GROUP else f"[GROUP] {text}\n") + (
                    words.GROUP_COMMANDS
                )
            case _, Refused(text=text):
                return f"[SERVER] {text}\n"
            case _:
                return ""

    def _list_groups(self, n: int, groups: tuple[GroupInfo, ...], more: bool) -> str:
        """The groups that the peer is in, when the last part has come."""
        mine = [info.group.name for info in groups if any(user.id == self._me for user in info.members)]
        self._own_groups += mine
        if more:
            return ""
        listed, self._own_groups = words.membership_list(self._own_groups), []
        if n not in self._entering:
            return listed + words.GROUP_COMMANDS
        self._entering.discard(n)
        return words.GROUP_ENTERED + listed + words.GROUP_OFFER

    def _tell_created(self, here: list[UserRef], more: bool) -> str:
        """Which members of the new group are here, when the last part has come."""
        self._here += [user.id for user in here]
        if more:
            return ""
        created, ids = self._created, set(self._here)
        self._created, self._here = (), []
        others = [user.name for user in created if user.id in ids and user.id != self._me]
        return words.seen_by(others) if created else ""

    # What happens.

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """What anybody reads of it; `tell` is for somebody."""
        return self._encoded(event, words.told(event, role))

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        """At once; `now` doesn't matter."""
        return self._encoded(event, words.told(event, role, self._me))

    def _encoded(self, event: Event | Passing, text: str) -> Chunks:
        if self._last_encoded[0] is not event or self._last_encoded[1] != text:
            self._last_encoded = (event, text, words.as_chunks(f"{text}\n") if text else ())
        return self._last_encoded[2]


def _local(text: str) -> Local:
    return Local(words.as_chunks(text))


def _mystic(name: str) -> str:
    """The name that stands for it, or itself where there is none: then it is refused like any other."""
    try:
        return words.standing(name)
    except NameRefused:
        return name


def _ends_within_character(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data[-3:])
    return decoder.getstate()[0] != b""
