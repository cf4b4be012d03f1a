"""The wire of the UNICAST:: client: base64 requests that end in `<END>`, answered by a prefix and base64.

    peer     base64("VERB::rest") <END>
    server   prefix ": " base64(text) <END>                  prefix: a user's name, SERVER, USAGE or EXIT
             "DOWNLOAD:" name ":(" size " bytes):" base64 of the file <END>

The client splits at each `<END>` and then at the first colon; nothing may stand between two frames. A plain end of file
makes it spin, so the last frame before a close is always EXIT's. It decodes each read of 1,024 bytes by itself: a frame
that begins with something else than ASCII goes alone, so that it is not cut inside a character.
"""

import re
from base64 import b64decode, b64encode
from typing import Final

from mysticproto.buffer import BufferFull, ReceiveBuffer
from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.names import to_mystic
from mysticproto.legacy.plain import in_older_words, sentence, stopping, text_in_place
from mysticproto.model import (
    Bye,
    CatchUp,
    Event,
    FileEnd,
    FileStart,
    Folder,
    FolderEntry,
    GroupJoined,
    GroupLeft,
    ListFolder,
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
    ToUsers,
    UserJoined,
    UserLeft,
    Welcome,
)
from mysticproto.names import NameRefused, check_user_name, clean_line
from mysticproto.wire import Alone, Chunks, Item, Local, Role

MAX_REQUEST_BYTES: Final = 64 * 1024
"""As base64, without its end."""

_END = b"<END>"
_ECHO_CHARS = 200
_NOT_IN_FILE_NAMES = re.compile(r"[:<>]")
_WORDS: Final[dict[str, str]] = {
    Code.ALREADY_LOGGED_IN: "you already have a username",
    Code.NOT_LOGGED_IN: "request invalid",
    Code.NOT_TO_YOURSELF: "[recipient] cannot be you",
    Code.UNKNOWN_USER: "[recipient] does not exist",
    Code.TEXT_EMPTY: "[request] invalid",
}


class UnicastBase64Wire:
    """The server's end of one UNICAST:: client's connection."""

    name = "unicast_base64"
    alone_gap_s = 0.03
    follows_roster = False
    is_personal = False
    file_coding = "base64"
    is_framed = True
    pings = False
    pairs = False

    def __init__(self) -> None:
        self.is_over = False
        self._frames = ReceiveBuffer(MAX_REQUEST_BYTES)
        self._n = 0
        self._has_ended = False
        self._listings: dict[int, list[FolderEntry]] = {}
        self._last_encoded: tuple[Event | Passing | None, Chunks] = (None, ())

    def opened(self, now: float) -> list[Item]:
        """Nothing: the client speaks first."""
        return []

    def feed(self, data: bytes, now: float) -> list[Item]:
        """Requests, refusals of senseless ones, and perhaps the error that ends it all."""
        items: list[Item] = []
        if self._has_ended:
            return items
        self._frames.feed(data)
        try:
            while (frame := self._frames.maybe_take_until(_END)) is not None:
                items.append(self._request(frame))
        except BufferFull:
            self._has_ended = True
            items.append(ProtocolError(Code.FRAME_TOO_LARGE, f"a request has at most {MAX_REQUEST_BYTES} bytes"))
        return items

    def eof(self, now: float) -> list[Item]:
        """Nothing: who leaves says EXIT."""
        return []

    def next_deadline(self) -> float | None:
        """None: this wire never waits for anything but bytes."""
        return None

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """Frames; one for all parts of a folder, and one that begins with `FileStart` and ends with `FileEnd`."""
        match reply:
            case Welcome():
                return _frame("SERVER", "welcome to the server")
            case Refused():
                return self._refusal(request, reply)
            case Ok() if isinstance(request, Logout):
                return self._farewell()
            case Ok(away=away) if away:
                return _frame("SERVER", f"{', '.join(away)} will get this on returning")
            case Folder() if isinstance(request, ListFolder):
                return self._listing(request, reply)
            case FileStart(size=size) if isinstance(request, SendFile):
                return _chunk(f"DOWNLOAD:{_announced(request.path)}:({size} bytes):".encode())
            case FileEnd():
                return (_END,)
            case Bye(code=code, text=text):
                return self._farewell("" if code == "left" else text)
            case CatchUp(events=events):
                return tuple(chunk for event in events for chunk in _missed(event))
            case Notice() | StoppingIn():
                return self.encode(reply, Role.OTHER)
        return ()

    def take_follow_ups(self) -> list[Item]:
        """None: every request is the client's own."""
        return []

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """What others say and do, and the server's notices."""
        if isinstance(event, Event) and role is not Role.OTHER:
            return ()
        if self._last_encoded[0] is not event:
            self._last_encoded = (event, _encoded(event))
        return self._last_encoded[1]

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        """As `encode`: nothing depends on the peer."""
        return self.encode(event, role)

    # From the client.

    def _request(self, frame: bytes) -> Item:
        verb, colons, rest = (_decoded(frame) or "").partition("::")
        if colons and verb == "USERNAME":
            return Login(self._next_n(), _standing(rest), client=self.name, waiting="direct")
        if colons and verb == "UNICAST":
            return self._unicast(rest)
        if colons and verb == "BROADCAST":
            return Post(self._next_n(), ToEveryone(), rest)
        if colons and verb == "ACCESS":
            return ListFolder(self._next_n(), _path(rest))
        if colons and verb == "DOWNLOAD":
            return SendFile(self._next_n(), _path(rest))
        if colons and verb == "EXIT":
            return Logout(self._next_n())
        return Local(_frame("USAGE", "request invalid"))

    def _unicast(self, rest: str) -> Item:
        recipient, colon, text = rest.partition(":")
        if not colon:
            return Local(_frame("USAGE", "[request] invalid"))
        return Post(self._next_n(), ToUsers((_standing(recipient),)), text)

    def _next_n(self) -> int:
        self._n += 1
        return self._n

    # To the client.

    def _refusal(self, request: Request | None, refused: Refused) -> Chunks:
        code, text = refused.code, refused.text
        match request:
            case Login() if code != Code.ALREADY_LOGGED_IN:
                return self._farewell(_login_words(refused))
            case Logout():
                return self._farewell()
            case ListFolder(n=n, path=path):
                self._listings.pop(n, None)
                if code in (Code.FILE_NOT_FOUND, Code.NOT_A_FOLDER):
                    text = f"failed to access {clean_line(path, _ECHO_CHARS)}"
            case SendFile(path=path) if code == Code.FILE_NOT_FOUND:
                text = f"{clean_line(path, _ECHO_CHARS)} is not a file"
        return _frame("USAGE", _WORDS.get(code, text))

    def _farewell(self, reason: str = "") -> Chunks:
        """The last frames: the client stops reading at EXIT."""
        if self.is_over:
            return ()
        self.is_over = True
        said = _frame("SERVER", reason) if reason else ()
        return said + _frame("EXIT", "you have disconnected from the server")

    def _listing(self, request: ListFolder, part: Folder) -> Chunks:
        entries = self._listings.setdefault(request.n, [])
        entries.extend(part.entries)
        if part.more:
            return ()
        del self._listings[request.n]
        head = f"{clean_line(request.path, _ECHO_CHARS)}: {part.total} files"
        return _frame("SERVER", "\n".join([head, *map(_listed, entries)]))


def _decoded(frame: bytes) -> str | None:
    """The request, None if this isn't the one way of writing it in base64."""
    try:
        data = b64decode(frame, validate=True)
        return data.decode() if b64encode(data) == frame else None
    except ValueError:
        return None


def _standing(name: str) -> str:
    """The user's name for what this client typed; itself if it can't be anybody's, so that the server refuses it."""
    try:
        return check_user_name(name)
    except NameRefused:
        pass
    try:
        # A colon would end a prefix.
        return name if ":" in name else to_mystic(name)
    except NameRefused:
        return name


def _path(typed: str) -> str:
    """As the server spells paths: relative to the shared folder, whether or not a slash says so."""
    return "/".join(part for part in typed.split("/") if part not in ("", "."))


def _login_words(refused: Refused) -> str:
    if refused.code in (Code.NAME_IN_USE, Code.NAME_CLAIMED):
        return "username already in use"
    return "username invalid" if refused.code == Code.NAME_INVALID else refused.text


def _encoded(event: Event | Passing) -> Chunks:
    match in_older_words(event, Role.OTHER):
        case Message(author=author) as said:
            return _said(author.name, text_in_place(said))
        case UserJoined(user=user):
            return _frame("SERVER", f"{user.name} has joined the server")
        case UserLeft(user=user):
            return _frame("SERVER", f"{user.name} has left the server")
        case GroupJoined() | GroupLeft() as said:
            return _frame("SERVER", sentence(said))
        case Notice(text=text):
            return _frame("SERVER", text)
        case StoppingIn() as said:
            return _frame("SERVER", stopping(said))
    return ()


def _missed(event: Event) -> Chunks:
    """What waited for a user who was away."""
    said = in_older_words(event, Role.OTHER)
    if not isinstance(said, Message):
        return ()
    return _said(said.author.name, f"(while you were away) {text_in_place(said)}")


def _said(name: str, text: str) -> Chunks:
    """The client shows a text as it is: later lines are indented, so that none looks like somebody else's."""
    return _frame(name, text.replace("\n", "\n    "))


def _frame(prefix: str, text: str) -> Chunks:
    return _chunk(prefix.encode() + b": " + b64encode(text.encode()) + _END)


def _chunk(data: bytes) -> Chunks:
    return (data if data.isascii() else Alone(data),)


def _listed(entry: FolderEntry) -> str:
    name = clean_line(entry.name)
    return f"FOLDER: {name}" if entry.kind == "folder" else f"FILE: {name} ({entry.size} bytes)"


def _announced(path: str) -> str:
    """The name under which the client saves a file. It must have exactly two parts when it is split at dots."""
    name = _NOT_IN_FILE_NAMES.sub("_", clean_line(path.rpartition("/")[2]))
    stem, _, suffix = name.rpartition(".") if "." in name else (name, "", "")
    return f"{stem.replace('.', '_')}.{suffix}"
