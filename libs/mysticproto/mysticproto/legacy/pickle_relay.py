"""The wire of the relay client, which has two connections: one for each direction.

    push port     server -> client   `cmd ok` at once; the whole conversation after login and after changes; `cmd`s
                  client -> server   `cmd connect US name`, once
    submit port   client -> server   `cmd connect US name`, then messages, `cmd disconnect`, `cmd shutdown`

For the frames see `pickle_frames`. A conversation is a list of tuples (seconds since 1970, user name, text), oldest
first; the server's own entries are by SERVER. Control characters are left out of all texts.

What the push side tells is kept here, the newest `MAX_KEPT_BYTES` of it. A change is due half a second after the last
list at the earliest; then the wire asks for a `Ping`, and sends the list with its answer: the server gives that when
the peer has taken what was sent before, so that a list that could not be sent yet is replaced by the newer one. After
logging in it asks for the time and for the newest page of the global conversation, and merges what is told meanwhile
with that.

On a port that both connections share, the server says in `Welcome.text` that this one is the second of a name.
"""

import re
from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Final

from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy import pickle_data
from mysticproto.legacy.names import from_mystic, to_mystic
from mysticproto.legacy.pickle_data import Plain
from mysticproto.legacy.pickle_frames import Command, FrameReader, Pickled, Senseless, command, message
from mysticproto.legacy.plain import in_older_words, text_in_place
from mysticproto.model import (
    MAX_HISTORY_PAGE,
    Bye,
    CatchUp,
    Direct,
    Event,
    GetHistory,
    History,
    Login,
    Logout,
    Message,
    Notice,
    Passing,
    Ping,
    Pong,
    Post,
    Refused,
    Reply,
    Request,
    Shutdown,
    StoppingIn,
    ToGlobal,
    UserLeft,
    Welcome,
)
from mysticproto.names import NameRefused
from mysticproto.wire import Chunks, Item, Local, Role

MAX_KEPT_BYTES: Final = 512 * 1024
"""Of a conversation, pickled."""
LIST_INTERVAL_S: Final = 0.5
SERVER: Final = "SERVER"
PAIRED: Final = "paired"
"""`Welcome.text` for the second connection of a session."""

_CONTROLS = re.compile("[\x00-\x1f\x7f]")
_ABOUT_NAMES = (Code.NAME_IN_USE, Code.NAME_CLAIMED, Code.NAME_INVALID)


class Side(Enum):
    """Which of a client's two connections this is."""

    UNKNOWN = "either"
    PUSH = "push"
    SUBMIT = "submit"


class KeptConversation:
    """Rows with the number of their event, in order; the oldest are dropped when there are too many bytes of them."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, bytes]] = deque()
        self._bytes = 0

    def append(self, row: bytes, seq: int = 0) -> None:
        """Adds what has just happened; without a number it stays behind what was there before it."""
        self._rows.append((seq or (self._rows[-1][0] if self._rows else 0), row))
        self._bytes += len(row)
        while self._bytes > MAX_KEPT_BYTES:
            self._bytes -= len(self._rows.popleft()[1])

    def merge(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Adds what happened earlier, or has been added already."""
        had, known = list(self._rows), {seq for seq, _ in self._rows}
        every = sorted([*(entry for entry in rows if entry[0] not in known), *had], key=lambda entry: entry[0])
        self._rows.clear()
        self._bytes = 0
        for seq, row in every:
            self.append(row, seq)

    def pickled(self) -> bytes:
        """A list of tuples."""
        return pickle_data.listing(row for _, row in self._rows)


class PickleRelayWire:
    """One connection on a port that a relay client uses for both of its own."""

    name = "pickle_relay"
    alone_gap_s = 0.0
    follows_roster = False
    is_personal = True
    file_coding = ""
    is_framed = True
    pings = False
    pairs = True

    _first_side = Side.UNKNOWN

    def __init__(self) -> None:
        self.is_over = False
        self._side = self._first_side
        self._frames = FrameReader()
        self._n = 0
        self._name = ""
        self._now = 0.0
        self._unix_offset_s = 0.0
        """What to add to the loop's seconds to get those since 1970, as far as is known."""
        self._kept = KeptConversation()
        self._is_listed = False
        self._is_asked = False
        self._due_s: float | None = None
        self._not_before_s = 0.0
        self._follow_ups: list[Request] = []

    # What the peer says.

    def opened(self, now: float) -> list[Item]:
        """On the push port the server speaks first."""
        self._now = now
        return [Local((command("ok"),))] if self._side is Side.PUSH else []

    def feed(self, data: bytes, now: float) -> list[Item]:
        """Requests, and the `Ping` that a list waits for. A frame that means nothing gives an empty answer."""
        items: list[Item] = []
        self._now = now
        if self.is_over:
            return items
        self._frames.feed(data)
        try:
            while (frame := self._frames.maybe_frame()) is not None:
                items.append(self._hear(frame))
        except ProtocolError as fault:
            self.is_over = True
            return [*items, fault]
        if self._due_s is not None and now >= self._due_s:
            self._due_s, self._is_asked, self._not_before_s = None, True, now + LIST_INTERVAL_S
            items.append(Ping(self._number()))
        return items

    def eof(self, now: float) -> list[Item]:
        """Nothing: half a frame is dropped."""
        return []

    def next_deadline(self) -> float | None:
        """When the next list is due."""
        return self._due_s

    def _hear(self, frame: Command | Pickled | Senseless) -> Item:
        match frame:
            case Command(words=("connect", name)) if name.strip() and not self._name:
                return self._log_in(name.strip())
            case Command(words=("disconnect",)) if self._name:
                return Logout(self._number())
            case Command(words=("shutdown",)) if self._name:
                return Shutdown(self._number())
            case Pickled(value=value) if self._name and (text := _text_of(value)):
                return Post(self._number(), ToGlobal(), text)
            case _:
                return Local(())

    def _log_in(self, name: str) -> Login:
        self._name = name
        is_push = self._side is Side.PUSH
        return Login(
            self._number(),
            _mystic(name),
            client=self.name,
            watch=self._side is not Side.SUBMIT,  # nobody hears of one that comes without its push side
            waiting="" if self._side is Side.SUBMIT else "direct",
            pair=not is_push,
        )

    def _number(self) -> int:
        self._n += 1
        return self._n

    # What the server answers.

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """Commands and lists; most replies have no word here."""
        match request, reply:
            case _, Bye():
                return self._farewell(reply)
            case Login(), Welcome():
                return self._welcome(reply)
            case Login(), Refused():
                return self._refuse(reply)
            case Logout(), _:
                self.is_over = True
                return ()
            case GetHistory(), _:
                return self._first_list(reply)
            case Ping(), Pong(time_us=time_us):
                self._unix_offset_s = time_us / 1e6 - self._now
                return self._next_list()
            case Shutdown(), Refused():
                return (command("shutdown_refused"),)
            case _, CatchUp(events=events):
                self._add_past(events)
                return ()
            case _, Notice() | StoppingIn():
                return self.tell(reply, Role.OTHER, self._now)
            case _:
                return ()

    def take_follow_ups(self) -> list[Request]:
        """After a login on the push side: what was said before."""
        follow_ups, self._follow_ups = self._follow_ups, []
        return follow_ups

    def _farewell(self, bye: Bye) -> Chunks:
        has_heard_it, self.is_over = self.is_over, True
        is_news = self._side is Side.PUSH and bye.code == Code.STOPPING and not has_heard_it
        return (command("server_shutdown", "0"),) if is_news else ()

    def _welcome(self, welcome: Welcome) -> Chunks:
        is_second = welcome.text == PAIRED
        was_unknown = self._side is Side.UNKNOWN
        if was_unknown:
            self._side = Side.SUBMIT if is_second else Side.PUSH
        if self._side is Side.SUBMIT:
            self.is_over = not is_second
            return ()
        self._follow_ups.append(Ping(self._number()))  # the time, for entries that bring none
        self._follow_ups.append(GetHistory(self._number(), ToGlobal(), limit=MAX_HISTORY_PAGE))
        return (command("ok"),) if was_unknown else ()

    def _refuse(self, refused: Refused) -> Chunks:
        self.is_over = True
        is_told = self._side is not Side.SUBMIT and refused.code in _ABOUT_NAMES
        return (command("username_taken", self._name),) if is_told else ()

    def _first_list(self, reply: Reply | Passing) -> Chunks:
        """Also when the past can't be had: the list is how a client knows that it is welcome."""
        if isinstance(reply, History):
            self._add_past(reply.events)
        self._is_listed = True
        self._due_s, self._not_before_s = None, self._now + LIST_INTERVAL_S
        return (message(self._kept.pickled()),)

    def _next_list(self) -> Chunks:
        was_asked, self._is_asked = self._is_asked, False
        return (message(self._kept.pickled()),) if was_asked else ()

    def _add_past(self, events: Iterable[Event]) -> None:
        entries = [(event.seq, row) for event in events if (row := self._row(event, Role.OTHER))]
        if entries:
            self._kept.merge(entries)
            self._changed()

    # What happens.

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """What is said at once, and not only in the next list."""
        match in_older_words(event, role):
            case UserLeft(user=user, time_us=time_us) if role is Role.OTHER:
                return (command("client_disconnected", _clean(from_mystic(user.name)), f"{time_us / 1e6:.6f}"),)
            case StoppingIn(seconds) if role is Role.OTHER:
                return (command("server_shutdown", str(seconds)),)
            case _:
                return ()

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        """Keeps it for the next list, and gives what is said at once."""
        self._now = now
        seq = 0
        if isinstance(event, Event):
            seq, self._unix_offset_s = event.seq, event.time_us / 1e6 - now
        if row := self._row(event, role):
            self._kept.append(row, seq)
            self._changed()
        return self.encode(event, role)

    def _changed(self) -> None:
        if self._is_listed and not self._is_asked and self._due_s is None:
            self._due_s = max(self._now, self._not_before_s)

    def _row(self, event: Event | Passing, role: Role) -> bytes:
        """What stands in the conversation; empty for what doesn't."""
        match in_older_words(event, role):
            case Message(time_us=time_us, author=author, conversation=conversation) as said:
                private = "[private] " if isinstance(conversation, Direct) else ""
                return _entry(time_us / 1e6, from_mystic(author.name), private + text_in_place(said))
            case UserLeft(time_us=time_us) as said if role is Role.OTHER:
                return _entry(time_us / 1e6, SERVER, _how_left(said))
            case Notice(text):
                return _entry(self._unix_offset_s + self._now, SERVER, text)
            case StoppingIn(seconds):
                return _entry(self._unix_offset_s + self._now, SERVER, f"Server shutting down in {seconds} seconds...")
            case _:
                return b""


class PickleRelayPush(PickleRelayWire):
    """One connection on a port that serves the push side alone."""

    _first_side = Side.PUSH


class PickleRelaySubmit(PickleRelayWire):
    """One connection on a port that serves the submit side alone."""

    _first_side = Side.SUBMIT


def _text_of(value: Plain) -> str:
    """A message's text; whom it says it is from, and when, is known better here. "" for what is no message."""
    match value:
        case str(text) | (_, _, str(text)):
            return _clean(text)
        case _:
            return ""


def _entry(at_s: float, author: str, text: str) -> bytes:
    return pickle_data.row(at_s, _clean(author), _clean(text))


def _clean(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\n", " "))


def _how_left(event: UserLeft) -> str:
    how = "unexpectedly disconnected" if event.cause == "lost" else "disconnected"
    return f"User {from_mystic(event.user.name)} {how}"


def _mystic(name: str) -> str:
    """The name that stands for it, or itself where there is none: then it is refused like any other."""
    try:
        return to_mystic(name)
    except NameRefused:
        return name
