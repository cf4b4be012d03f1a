"""The wire of Mystic CLI: UTF-8 without frames, one read one message, answers with `[TAG]` prefixes.

What arrives in one read is one message: the name first, then what the user typed, a command if its first word is
`mystic`. A read that ends inside a character is the beginning of a message whose rest is still coming, and is waited
for a moment. A message above the limit ends the conversation; a command above its own is answered with a sentence.

What a plain text means depends on the group that the user is in. So after a request that may change this, and after one
for a file, the wire holds back what comes until the answer is there (`take_follow_ups`). Joining a group that doesn't
exist creates it, by a second request.

Names that Mystic doesn't allow are replaced by those that stand for them (`legacy.names`), and shown so; whoever types
either of them means the same user.
"""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy import mystic_cli_words as words
from mysticproto.legacy.mystic_cli_words import Line, chunks_of, neutral, say, say_alone
from mysticproto.legacy.names import to_mystic
from mysticproto.legacy.reads import Reads
from mysticproto.model import (
    Bye,
    CatchUp,
    CreateGroup,
    Entered,
    Event,
    FileEnd,
    FileStart,
    Folder,
    Groups,
    JoinGroup,
    LeaveGroup,
    ListFolder,
    ListGroups,
    ListUsers,
    Login,
    Logout,
    Message,
    Notice,
    Ok,
    Passing,
    Post,
    Refused,
    Reply,
    Request,
    SendFile,
    StoppingIn,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
    UdpOffer,
    Users,
    Welcome,
)
from mysticproto.names import NameRefused, check_user_name, name_key
from mysticproto.wire import Chunks, Item, Local, Role

MAX_MESSAGE_BYTES: Final = 8 * 1024
MAX_COMMAND_BYTES: Final = 1024
MAX_HELD: Final = 64
"""Messages that wait for the answer to an earlier one."""

_FOCUS_LOST = (Code.NO_GROUP, Code.NOT_IN_GROUP, Code.UNKNOWN_GROUP)


class MysticCliWire:
    """The server's end of one connection. See the module."""

    name = "mystic_cli"
    alone_gap_s = 0.03
    follows_roster = False
    is_personal = False
    file_coding = "raw"
    is_framed = False
    pings = False
    pairs = False

    def __init__(self) -> None:
        self.is_over = False
        self._incoming = Reads(MAX_MESSAGE_BYTES)
        self._is_deaf = False
        self._is_named = False
        self._n = 0
        self._focus = ""
        self._user = 0
        self._awaited = 0  # the number of the request whose answer must come first; 0: none
        self._held: deque[str] = deque()
        self._follow_ups: list[Item] = []
        self._listed: list[str] = []
        self._last_encoded: tuple[Line | None, Chunks] = (None, ())

    # From the peer.

    def opened(self, now: float) -> list[Item]:
        """Nothing: the client speaks first."""
        return []

    def feed(self, data: bytes, now: float) -> list[Item]:
        """One message at most, unless the end of a character is still missing."""
        if self._is_deaf:
            return []
        try:
            text = self._incoming.feed(data, now)
        except ProtocolError as fault:
            self._is_deaf = True
            return [fault]
        if not text:
            return []
        if not self._is_named:
            return [self._login(text)]
        if not self._awaited:
            return self._said(text)
        if len(self._held) >= MAX_HELD:
            return [Local(say("That was too much at once: your last line was not taken."))]
        self._held.append(text)
        return []

    def eof(self, now: float) -> list[Item]:
        """Nothing: the client has gone."""
        return []

    def next_deadline(self) -> float | None:
        """When the rest of a cut character is given up."""
        return self._incoming.deadline

    def _number(self) -> int:
        self._n += 1
        return self._n

    def _login(self, text: str) -> Item:
        self._is_named = True
        return Login(self._number(), _as_mystic_name(text.strip()), client=self.name, waiting="direct")

    def _said(self, text: str) -> list[Item]:
        text = text.strip("\r\n")
        typed = text.split()
        if not typed:
            return []
        item: Item
        if typed[0] != "mystic":
            item = Post(self._number(), ToGroup() if self._focus else ToGlobal(), text)
        elif len(text.encode()) > MAX_COMMAND_BYTES:
            item = Local(say(f"A command has at most {MAX_COMMAND_BYTES} bytes; this one was not done."))
        else:
            item = self._command(typed[1:])
        if isinstance(item, CreateGroup | JoinGroup | LeaveGroup | SendFile):
            self._awaited = item.n
        if isinstance(item, Logout):
            self._is_deaf = True
        return [item]

    def _command(self, typed: list[str]) -> Item:
        match typed:
            case []:
                return Local(say(words.DID_YOU_MEAN))
            case ["help"]:
                return Local(say(words.HELP))
            case ["users"]:
                return ListUsers(self._number())
            case ["groups"]:
                return ListGroups(self._number())
            case ["files"]:
                return ListFolder(self._number())
            case ["disconnect"]:
                return Logout(self._number())
            case ["pm", *rest]:
                return self._direct(rest)
            case ["broadcast", *rest]:
                return self._broadcast(rest)
            case [("create" | "join" | "leave") as verb, "group", *rest]:
                return self._group(verb, rest)
            case ["download", *rest]:
                return self._download(rest)
            case _:
                return Local(say(words.NOT_RECOGNIZED))

    def _direct(self, rest: list[str]) -> Item:
        if len(rest) < 2:
            return Local(say(words.USAGE_PM))
        return Post(self._number(), ToUsers((_as_mystic_name(rest[0]),)), " ".join(rest[1:]))

    def _broadcast(self, rest: list[str]) -> Item:
        if not rest:
            return Local(say(words.USAGE_BROADCAST))
        return Post(self._number(), ToEveryone(), " ".join(rest))

    def _group(self, verb: str, rest: list[str]) -> Item:
        if len(rest) > 1:
            return Local(say(words.NO_SPACES))
        name = rest[0] if rest else ""
        if verb == "leave":
            return LeaveGroup(self._number(), name)
        if not name:
            return Local(say(words.USAGE_CREATE if verb == "create" else words.USAGE_JOIN))
        return (CreateGroup if verb == "create" else JoinGroup)(self._number(), name)

    def _download(self, rest: list[str]) -> Item:
        over = "tcp"
        if len(rest) > 1 and rest[-1].lower() in ("tcp", "udp"):
            over, rest = rest[-1].lower(), rest[:-1]
        name = " ".join(rest)
        if not name:
            return Local(say(words.USAGE_DOWNLOAD))
        if "/" in name:
            return Local(say(words.file_not_found(name)))
        return SendFile(self._number(), name, over, words.FILE_END_MARKER, can_udp=True)

    # To the peer alone.

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """Sentences, lists, and what stands before and behind a file."""
        if request is None:
            return self._unasked(reply)
        chunks = self._refused(request, reply) if isinstance(reply, Refused) else self._granted(request, reply)
        if request.n == self._awaited:
            self._go_on()
        return chunks

    def take_follow_ups(self) -> Sequence[Item]:
        """What was held back, once its time has come; the creation of a group that somebody wanted to join."""
        taken, self._follow_ups = self._follow_ups, []
        return taken

    def _go_on(self) -> None:
        self._awaited = 0
        while self._held and not self._awaited and not self._is_deaf:
            self._follow_ups += self._said(self._held.popleft())

    def _unasked(self, said: Reply | Passing | Bye) -> Chunks:
        match said:
            case Bye(code="left"):
                return say(words.GOODBYE)
            case Bye(text=text):
                return say(neutral(text))
            case Notice() | StoppingIn():
                return self.encode(said, Role.OTHER)
            case CatchUp(events):
                missed = [
                    event for event in events if not (isinstance(event, Message) and event.author.id == self._user)
                ]
                return tuple(chunk for event in missed for chunk in self.encode(event, Role.OTHER))
            case _:
                return ()

    def _granted(self, request: Request, reply: Reply | Passing | Bye) -> Chunks:
        match request, reply:
            case Login(), Welcome(user=user, focus=focus):
                self._user, self._focus = user.id, focus.name if focus else ""
                return say(words.welcome(user.name))
            case Post(to=ToUsers(names)), Ok(away=away):
                sent = f"PM sent to {words.typed(names[0])}"
                return say(f"{sent}, who is away and will find it later." if away else f"{sent}.")
            case ((CreateGroup() | JoinGroup()), Entered(group=info)):
                self._focus = info.group.name
                return say_alone(words.now_chatting(self._focus))
            case LeaveGroup(name=name), Ok():
                return self._left(name)
            case _, (Users() | Groups() | Folder()):
                return self._list(reply)
            case SendFile(), _:
                return _file_mark(request, reply)
            case _:
                return ()

    def _left(self, name: str) -> Chunks:
        group = self._focus if not name or name_key(name) == name_key(self._focus) else words.typed(name)
        if self._focus and group != self._focus:
            return say(f"You have left {group}.")
        self._focus = ""
        return say_alone(words.has_left(group))

    def _list(self, part: Users | Groups | Folder) -> Chunks:
        """Nothing until the last part."""
        match part:
            case Users(users=users):
                self._listed += [info.user.name for info in users]
            case Groups(groups=groups):
                self._listed += [words.group_figure(info) for info in groups]
            case Folder(entries=entries):
                files = (entry for entry in entries if entry.kind == "file")
                self._listed += [f"{neutral(entry.name)} ({entry.size} bytes)" for entry in files]
        if part.more:
            return ()
        listed, self._listed = self._listed, []
        whole = {Users: words.online_users, Groups: words.groups, Folder: words.files}[type(part)]
        return say(whole(listed))

    def _refused(self, request: Request, refused: Refused) -> Chunks:
        if isinstance(request, Login):
            self.is_over = self._is_deaf = True
        if isinstance(request, Post) and isinstance(request.to, ToGroup) and refused.code in _FOCUS_LOST:
            return self._focus_lost()
        if isinstance(request, JoinGroup) and refused.code == Code.UNKNOWN_GROUP:
            self._awaited = self._number()
            self._follow_ups.append(CreateGroup(self._awaited, request.name))
        return say(words.refusal(request, refused))

    def _focus_lost(self) -> Chunks:
        """Somebody has removed this user from the group, which was told to nobody's wire in particular."""
        group, self._focus = self._focus, ""
        if not group:
            return say("You're not in any group! Your message was not sent.")
        return say_alone(f"{words.has_left(group)} Your message was not sent.")

    # To all peers of this wire.

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """A line with its tag; nothing for the author, who sees what they typed."""
        line = words.line_of(event, role)
        if line is None:
            return ()
        if self._last_encoded[0] != line:
            self._last_encoded = (line, chunks_of(line))
        return self._last_encoded[1]

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        """As `encode`: nothing depends on the peer."""
        return self.encode(event, role)


def _as_mystic_name(name: str) -> str:
    """`name` itself if Mystic allows it, else what stands for it; unchanged if nothing does: the server says why.

    White space is left to be refused: commands of this program could not address such a name.
    """
    for read_as in (check_user_name, to_mystic):
        with suppress(NameRefused):
            return name if " " in name else read_as(name)
    return name


def _file_mark(request: SendFile, reply: Reply | Passing | Bye) -> Chunks:
    match reply:
        case FileStart(size=size):
            return words.file_start(request.path, size)
        case FileEnd(size=size) if request.over == "tcp":
            return words.file_end(size)
        case UdpOffer(size=size, port=port):
            return words.udp_file_start(request.path, size, port)
        case _:
            return ()
