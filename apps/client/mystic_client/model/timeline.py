"""Timeline: what one conversation shows, in the log's order.

Entries are sorted by `place`: the sequence number of what came from the log, and for what only this client knows
(answers to commands, messages on their way) the number after which it was written. A message on its way moves to its
own number when the log has it. The same event added again changes nothing, so live events, catch-up and history pages
may overlap in any way.

A message that answers another carries a `quote` of it as soon as the other one is known, and follows its changes.

One view at a time follows a timeline: `take_change` says how many entries were put in front, from which index on the
rest may differ since it was last called, and which entries before that were replaced where they are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mysticproto.model import FileRef

MAX_ENTRIES: Final = 200_000
"""More than that and the oldest quarter is forgotten; it can be fetched again."""

MAX_QUOTED_CHARS: Final = 160
DELETED: Final = "message deleted"
FILE_SIGN: Final = "▤"

_place = attrgetter("place")
_order = attrgetter("order")


class Entry(Struct, frozen=True, gc=False):
    """One thing to show.

    `kind`: "message", "broadcast", "event" (somebody came or went), "notice" (the server's or the client's words) or
    "error". `state` of an own message: "pending", "sent" or "failed". `note` is a remark below it, such as why it
    failed. `local`: known to this client alone, so its `place` is no sequence number of its own. `reply_to`: the number
    of the message that this one answers, and `quote` a line of it, "" while that is not known. `away`: somebody whom
    it is for was away, which the note says.
    """

    place: int
    time_us: int
    kind: str
    text: str
    author: str = ""
    author_id: int = 0
    own: bool = False
    mention: bool = False
    state: str = ""
    note: str = ""
    cid: bytes = b""
    local: bool = False
    edited: bool = False
    deleted: bool = False
    announcement: bool = False
    away: bool = False
    reply_to: int = 0
    quote: str = ""
    last: bool = False
    """The second of two events with one number."""
    file: FileRef | None = None
    """What the message brings."""

    @property
    def order(self) -> int:
        """What entries are sorted by: what the client wrote comes after the event whose number it has."""
        return self.place * 2 + self.local

    @property
    def is_said(self) -> bool:
        """Whether somebody said it."""
        return self.kind in ("message", "broadcast")

    @property
    def number(self) -> int:
        """The message's number on the server; 0 if it has none."""
        return 0 if self.local or not self.is_said else self.place

    @property
    def identity(self) -> int:
        return self.place * 2 + self.last


class Change(Struct, frozen=True):
    """`prepended` entries are new at the front; from index `since` on (counted with them) everything may be new.

    `replaced`: the `order` of entries that are others now, in the same places.
    """

    prepended: int
    since: int
    replaced: frozenset[int] = frozenset()


class Timeline:
    """See the module. `entries` is for reading only."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._seen: set[int] = set()
        self._own: dict[bytes, Entry] = {}
        """Messages of this client's own whose acknowledgement is still to come, by client id."""
        self._replies: dict[int, set[int]] = {}
        """By the number of a message, the numbers of those that answer it."""
        self._replaced: set[int] = set()
        self._changed = False
        self._prepended = 0
        self._since = 0

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def last_place(self) -> int:
        return self.entries[-1].place if self.entries else 0

    @property
    def oldest_logged(self) -> int:
        """The smallest sequence number here; 0 if there is none."""
        return next((entry.place for entry in self.entries if not entry.local), 0)

    @property
    def newest_logged(self) -> int:
        """The largest sequence number here; 0 if there is none."""
        return next((entry.place for entry in reversed(self.entries) if not entry.local), 0)

    def add(self, entry: Entry) -> bool:
        """Puts an entry in its place; False if it was there already."""
        if not entry.local:
            if entry.identity in self._seen:
                return False
            self._seen.add(entry.identity)
            entry = self._quoting(self._claimed(entry))
        self._insert(entry)
        self._quoted(entry)
        if len(self.entries) > MAX_ENTRIES:
            self._forget(MAX_ENTRIES // 4)
        return True

    def add_local(self, kind: str, text: str, time_us: int, after: int = 0) -> None:
        """Writes something at the end that only this client knows. `after`: how far the log is, as far as is known."""
        self.add(Entry(max(after, self.last_place), time_us, kind, text, local=True))

    def add_page(self, page: Iterable[Entry]) -> int:
        """Adds a page of history; returns how many entries were new."""
        new = [entry for entry in page if entry.identity not in self._seen]
        oldest_here = self.oldest_logged
        if new and self.entries and oldest_here and new[-1].place < self.entries[0].place:
            self._seen.update(entry.identity for entry in new)
            self._prepend(new)
            for entry in new:
                self._answering(entry)
                self._quoted(entry)
            return len(new)
        return sum(self.add(entry) for entry in new)

    def pending(self, entry: Entry, after: int = 0) -> None:
        """A message of one's own was handed to the connection. `after` as for `add_local`."""
        place = max(after, self.last_place)
        entry = self._with_quote(replace(entry, place=place, own=True, state=entry.state or "pending", local=True))
        self._own[entry.cid] = entry
        self.add(entry)

    def sent(self, cid: bytes, seq: int, time_us: int, note: str = "", *, away: bool = False) -> bool:
        """The log has a message of one's own; False if it isn't in this conversation."""
        entry = self._own.get(cid)
        if entry is None:
            return False
        self._remove(entry)
        del self._own[cid]
        entry = replace(entry, state="sent", note=note, away=away, time_us=time_us or entry.time_us)
        if entry.local and seq:
            entry = replace(entry, place=seq, local=False)
            self._seen.add(entry.identity)
            self._answering(entry)
        self._insert(entry)
        return True

    def failed(self, cid: bytes, reason: str) -> bool:
        """A message of one's own was refused; False if it isn't in this conversation."""
        return self._stands(cid, "failed", reason)

    def again(self, cid: bytes) -> bool:
        """A message that had failed is on its way again; False if it isn't in this conversation."""
        return self._stands(cid, "pending", "")

    def _stands(self, cid: bytes, state: str, note: str) -> bool:
        entry = self._own.get(cid)
        if entry is None:
            return False
        index = self._index(entry)
        self.entries[index] = self._own[cid] = replace(entry, state=state, note=note)
        self._touch(index)
        return True

    def take_back(self, cid: bytes) -> Entry | None:
        """Removes a message of one's own that didn't get out, and returns it."""
        entry = self._own.get(cid)
        if entry is None or not entry.local:
            return None
        self._remove(entry)
        del self._own[cid]
        return entry

    def find(self, number: int) -> Entry | None:
        """The message with this number, if it is here."""
        index = bisect_left(self.entries, number * 2, key=_order)
        while index < len(self.entries) and self.entries[index].order == number * 2:
            if self.entries[index].is_said:
                return self.entries[index]
            index += 1
        return None

    def amend(self, number: int, change: Callable[[Entry], Entry]) -> bool:
        """Puts what `change` makes of a message in its place, and into the quotes of it; False if it isn't here."""
        entry = self.find(number)
        if entry is None:
            return False
        amended = change(entry)
        self._replace(entry, amended)
        self.quote(number, quote_of(amended))
        return True

    def quote(self, number: int, words: str) -> None:
        """What messages that answer this number quote of it."""
        for place in self._replies.get(number, ()):
            reply = self.find(place)
            if reply is not None and reply.quote != words:
                self._replace(reply, replace(reply, quote=words))

    def last_own(self) -> Entry | None:
        """The newest message of one's own that the log has, and that is not deleted."""
        newest = reversed(self.entries)
        return next((entry for entry in newest if entry.own and entry.number and not entry.deleted), None)

    def on_the_way(self) -> list[Entry]:
        """One's own messages that the log has not got, oldest first."""
        return [entry for entry in self._own.values() if entry.local]

    def has(self, cid: bytes) -> bool:
        """Whether this message of one's own is here and not yet acknowledged."""
        return cid in self._own

    def adopt(self, entry: Entry) -> None:
        """Takes over a message that is on its way from a conversation which becomes this one."""
        moved = replace(entry, place=self.last_place)
        self._own[entry.cid] = moved
        self.add(moved)

    def forget_before(self, place: int) -> None:
        """Drops everything older, so that it is fetched again rather than shown with a hole in it."""
        self._forget(bisect_left(self.entries, place, key=_place))

    def clear(self) -> None:
        """Empties the view; what is on its way stays."""
        kept = self.on_the_way()
        self._forget(len(self.entries))
        for entry in kept:
            self._own[entry.cid] = entry
            self._insert(entry)

    def take_change(self) -> Change | None:
        """What happened since the last call; None if nothing."""
        if not self._changed:
            return None
        change = Change(self._prepended, self._since, frozenset(self._replaced))
        self._changed, self._prepended, self._since = False, 0, len(self.entries)
        self._replaced.clear()
        return change

    def _claimed(self, entry: Entry) -> Entry:
        """An own message that comes back from the log takes the place of the one on its way."""
        mine = self._own.get(entry.cid) if entry.cid else None
        if mine is None:
            return entry
        self._remove(mine)
        self._own[entry.cid] = entry
        return entry

    def _quoting(self, entry: Entry) -> Entry:
        """A message that answers another, with the quote if that one is here."""
        self._answering(entry)
        return self._with_quote(entry)

    def _with_quote(self, entry: Entry) -> Entry:
        original = self.find(entry.reply_to) if entry.reply_to and not entry.quote else None
        return replace(entry, quote=quote_of(original)) if original else entry

    def _answering(self, entry: Entry) -> None:
        if entry.reply_to:
            self._replies.setdefault(entry.reply_to, set()).add(entry.place)
            if not entry.quote and (original := self.find(entry.reply_to)):
                self.quote(entry.reply_to, quote_of(original))

    def _quoted(self, entry: Entry) -> None:
        """What answers this message can quote it now."""
        if entry.place in self._replies and entry.number:
            self.quote(entry.number, quote_of(entry))

    def _replace(self, entry: Entry, by: Entry) -> None:
        self.entries[self._index(entry)] = by
        if self._own.get(entry.cid) is entry:
            self._own[entry.cid] = by
        self._replaced.add(by.order)
        self._changed = True

    def _insert(self, entry: Entry) -> None:
        if not self.entries or entry.order >= self.entries[-1].order:
            index = len(self.entries)
            self.entries.append(entry)
        else:
            index = bisect_right(self.entries, entry.order, key=_order)
            self.entries.insert(index, entry)
        self._touch(index)

    def _prepend(self, page: list[Entry]) -> None:
        self.entries[0:0] = page
        self._changed = True
        self._prepended += len(page)
        self._since += len(page)

    def _remove(self, entry: Entry) -> None:
        index = self._index(entry)
        del self.entries[index]
        self._touch(index)

    def _index(self, entry: Entry) -> int:
        index = bisect_left(self.entries, entry.order, key=_order)
        while self.entries[index] is not entry:
            index += 1
        return index

    def _touch(self, index: int) -> None:
        self._changed = True
        self._since = min(self._since, index)

    def _forget(self, count: int) -> None:
        gone = self.entries[:count]
        del self.entries[:count]
        for entry in gone:
            self._seen.discard(entry.identity)
            self._own.pop(entry.cid, None)
            self._replies.get(entry.reply_to, set()).discard(entry.place)
        self._changed, self._prepended, self._since = True, 0, 0


def quote_of(entry: Entry) -> str:
    """A line about a message, for those that answer it."""
    if entry.deleted:
        return DELETED
    words = " ".join((entry.text or _brought(entry))[: MAX_QUOTED_CHARS * 2].split())
    return f"{entry.author}: {words[:MAX_QUOTED_CHARS]}{'…' if len(words) > MAX_QUOTED_CHARS else ''}"


def _brought(entry: Entry) -> str:
    return f"{FILE_SIGN} {entry.file.name}" if entry.file else ""
