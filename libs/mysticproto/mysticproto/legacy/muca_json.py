"""The wire of MUCA, a multi-user chat with a window: bare JSON objects, one after the other.

Its client reads at most 1,000 bytes, takes them for ASCII, splits them at every `}{` and stops listening for good if a
piece is no JSON. So each object goes alone and is at most 1,000 bytes of ASCII, braces inside strings are written as
`\\u007b` and `\\u007d`, and long texts and lists become several objects. Its users are known by an id of their choice,
often an e-mail address, which `legacy.names` maps, and called by a nickname. One leaves by hanging up.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeGuard

from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.names import from_mystic, to_mystic
from mysticproto.legacy.objects import ObjectReader, read_object
from mysticproto.legacy.plain import in_older_words, sentence, stopping, text_in_place
from mysticproto.model import (
    MAX_ADDRESSED,
    Broadcast,
    Bye,
    CatchUp,
    Direct,
    Event,
    Global,
    Group,
    GroupJoined,
    GroupLeft,
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
    Roster,
    StoppingIn,
    ToEveryone,
    ToUsers,
    UserInfo,
    Welcome,
)
from mysticproto.names import NameRefused, clean_line
from mysticproto.wire import Alone, Chunks, Item, Local, Role

MAX_REQUEST_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16
MAX_FAULTS: Final = 3
"""What is no JSON object ends the conversation the third time."""
MAX_OBJECT_BYTES: Final = 1000
"""What the client reads at once."""

_SERVER = "server"
_NICKNAME_CHARS = 40
_SILENT = (Code.NOT_LOGGED_IN, Code.TEXT_EMPTY, Code.NOT_TO_YOURSELF)
"""Refusals of what the program's own server passes over."""


class MucaJsonWire:
    """The server's end of one MUCA client's connection."""

    name = "muca_json"
    alone_gap_s = 0.03
    follows_roster = True
    is_personal = False
    file_coding = ""
    is_framed = True
    pings = False
    pairs = False
    is_over = False

    def __init__(self) -> None:
        self._objects = ObjectReader(MAX_REQUEST_BYTES, MAX_DEPTH)
        self._n = 0
        self._faults = 0
        self._has_ended = False
        self._is_logged_in = False
        self._last_encoded: tuple[Event | Passing | None, Chunks] = (None, ())

    def opened(self, now: float) -> list[Item]:
        """Nothing: the client speaks first."""
        return []

    def feed(self, data: bytes, now: float) -> list[Item]:
        """Requests, refusals of senseless objects, and perhaps the error that ends it all."""
        items: list[Item] = []
        if self._has_ended:
            return items
        self._objects.feed(data)
        try:
            while (raw := self._objects.maybe_take()) is not None:
                items += self._requests(raw)
        except ProtocolError as fault:
            self._has_ended = True
            items.append(fault)
        return items

    def eof(self, now: float) -> list[Item]:
        """Hanging up is how one leaves."""
        return [Logout(self._next_n())] if self._is_logged_in else []

    def next_deadline(self) -> float | None:
        """None: this wire never waits for anything but bytes."""
        return None

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """Acknowledgements of JOIN; otherwise only what went wrong, as a message of the server's."""
        match reply:
            case Welcome():
                self._is_logged_in = True
                return _ack("OKAY")
            case Refused() if isinstance(request, Login):
                return _ack("FAIL")
            case Refused(code=code, text=text):
                return () if code in _SILENT else _notice(text)
            case Ok(unknown=unknown) if unknown:
                return _notice(f"Nobody here is called {', '.join(map(from_mystic, unknown))}.")
            case Bye(code=code, text=text):
                return () if code == "left" else _notice(text)
            case CatchUp(events=events):
                return tuple(chunk for event in events for chunk in _missed(event))
            case Notice() | StoppingIn():
                return self.encode(reply, Role.OTHER)
        return ()

    def take_follow_ups(self) -> list[Request]:
        """None: every request is the client's own."""
        return []

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """Messages to everybody but their author, the list of users, and the server's notices."""
        if isinstance(event, Event) and role is not Role.OTHER:
            return ()
        if self._last_encoded[0] is not event:
            self._last_encoded = (event, _encoded(event))
        return self._last_encoded[1]

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        """As `encode`: nothing depends on the peer."""
        return self.encode(event, role)

    def _requests(self, raw: bytes) -> list[Item]:
        said = read_object(raw)
        command = said.get("CMD") if said else None
        if said is None or not isinstance(command, str):
            return [self._fault()]
        if command == "JOIN":
            return [self._join(said)]
        return [self._send(said)] if command == "SEND" else []

    def _fault(self) -> Item:
        self._faults += 1
        if self._faults == MAX_FAULTS:
            raise ProtocolError(Code.MALFORMED, "too much that is no JSON object")
        return Local(_notice("This is not understood."))

    def _join(self, said: dict[str, Any]) -> Item:
        nickname, uid = said.get("UN"), said.get("UID")
        if not isinstance(nickname, str) or not isinstance(uid, str):
            return Local(_ack("FAIL"))
        try:
            name = to_mystic(uid)
        except NameRefused:
            return Local(_ack("FAIL"))
        return Login(self._next_n(), name, client=self.name, display=_nickname(nickname), waiting="direct")

    def _send(self, said: dict[str, Any]) -> Item:
        text, uids = said.get("MSG"), said.get("TO")
        if not _is_text(text) or not isinstance(uids, list) or not all(map(_is_text, uids)):
            return Local(_notice("This message is malformed."))
        # The client's text widget ends every text in a newline; other programs' texts have none.
        text = text.removesuffix("\n")
        # One too many is enough to be refused.
        names = tuple(map(_standing, uids[: MAX_ADDRESSED + 1]))
        return Post(self._next_n(), ToUsers(names) if names else ToEveryone(), text)

    def _next_n(self) -> int:
        self._n += 1
        return self._n


def _is_text(value: object) -> TypeGuard[str]:
    """Whether this is a string without lone surrogates."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _nickname(text: str) -> str:
    return clean_line(clean_line(text).strip(), _NICKNAME_CHARS)


def _standing(uid: str) -> str:
    """The name for an id, or the id if it can't be anybody's, so that the sender hears that nobody has it."""
    try:
        return to_mystic(uid)
    except NameRefused:
        return uid[:MAX_OBJECT_BYTES]


def _encoded(event: Event | Passing) -> Chunks:
    match in_older_words(event, Role.OTHER):
        case Message() as said:
            return _message(said, text_in_place(said))
        case Roster(users=users):
            return tuple(_lists(users))
        case Notice(text=text):
            return _notice(text)
        case StoppingIn() as said:
            return _notice(stopping(said))
        case GroupJoined() | GroupLeft() as said:
            return _notice(sentence(said) + ".")
    return ()


def _missed(event: Event) -> Chunks:
    """What a user finds at the next JOIN. The client may not know who it is from, so the text says it."""
    said = in_older_words(event, Role.OTHER)
    if not isinstance(said, Message):
        return ()
    return _message(said, f"(while you were away) {said.author.name}: {text_in_place(said)}")


def _message(message: Message, text: str) -> Chunks:
    match message.conversation:
        case Global() | Broadcast():
            kind = "ALL"
        case Direct(users=users):
            kind = "PRIVATE" if len(users) <= 2 else "GROUP"
        case Group():
            kind = "GROUP"
    return _texts(kind, text, from_mystic(message.author.name))


def _notice(text: str) -> Chunks:
    """The client knows no such sender and shows an empty name."""
    return _texts("PRIVATE", text, _SERVER)


def _texts(kind: str, text: str, uid: str) -> Chunks:
    """One object or more; every part ends in a newline, as what the client's own text widget gives."""
    head, tail = f'{{"CMD":"MSG","TYPE":"{kind}","MSG":"', f'\\n","FROM":{_string(uid)}}}'
    room = MAX_OBJECT_BYTES - len(head) - len(tail)
    return tuple(Alone((head + part + tail).encode("ascii")) for part in _cut(text, room))


def _cut(text: str, room: int) -> Iterator[str]:
    """Parts of `text` as they stand between quotation marks, each of at most `room` characters."""
    start = 0
    while start < max(len(text), 1):
        count = room
        while len(written := _string(text[start : start + count])[1:-1]) > room:
            count = count * room // len(written)
        yield written
        start += count


def _string(text: str) -> str:
    return json.dumps(text).replace("{", "\\u007b").replace("}", "\\u007d")


def _ack(kind: str) -> Chunks:
    return (Alone(f'{{"CMD":"ACK","TYPE":"{kind}"}}'.encode("ascii")),)


def _lists(users: Iterable[UserInfo]) -> Iterator[Alone]:
    """The client adds up the parts; an empty one would end it."""
    part: list[str] = []
    size = len(_list([]))
    for entry in _entries(users):
        if part and size + len(entry) + 1 > MAX_OBJECT_BYTES:
            yield Alone(_list(part))
            part, size = [], len(_list([]))
        part.append(entry)
        size += len(entry) + 1
    if part:
        yield Alone(_list(part))


def _entries(users: Iterable[UserInfo]) -> Iterator[str]:
    """The client finds an id by its nickname, so whoever comes second with one is told apart."""
    taken: set[str] = set()
    for info in users:
        uid = from_mystic(info.user.name)
        nickname = _nickname(info.display) or uid
        if nickname.casefold() in taken:
            nickname = f"{nickname} ({uid})"
        taken.add(nickname.casefold())
        yield f'{{"UN":{_string(nickname)},"UID":{_string(uid)}}}'


def _list(entries: list[str]) -> bytes:
    return f'{{"CMD":"LIST","DATA":[{",".join(entries)}]}}'.encode("ascii")
