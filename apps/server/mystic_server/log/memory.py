"""An EventLog that keeps everything in memory: for what stands on the log and shall be tested without a disk.

Results and pages come at `flush`, so whoever uses it can't rely on anything happening in the call itself.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from mystic_server.domain.events import Amended, Committed, Deleted, Edited, Posted, StateRow, encode_event
from mystic_server.log.base import (
    MAX_PAGE_BYTES,
    Draft,
    Duplicate,
    HistoryQuery,
    MissedQuery,
    Page,
    PostedQuery,
    RecentQuery,
    Rejected,
    Result,
    SearchQuery,
    Start,
    Stored,
    ignore_results,
)
from mystic_server.log.records import CLIENT_ID_REUSED, edits_of, timeline
from mystic_server.log.words import has_words
from mysticproto.errors import Code
from mysticproto.model import MAX_HISTORY_PAGE


class MemoryLog:
    """See the module and `base.EventLog`. Loading it again is starting again."""

    def __init__(self) -> None:
        self.on_results: Callable[[Sequence[Result]], None] = ignore_results
        self.events: list[Committed] = []
        self._by_cid: dict[tuple[int, bytes], Committed] = {}
        self._amended: dict[int, Amended] = {}
        self._state: dict[tuple[str, int], StateRow] = {}
        self._applied = 0
        self._void: set[int] = set()
        self._waiting: list[Draft] = []
        self._asked: list[Callable[[], None]] = []

    def load(self) -> Start:
        """See `EventLog`."""
        return Start(tuple(self._state.values()), self._applied, tuple(self.events[self._applied :]), len(self.events))

    def stop(self) -> None:
        """See `EventLog`."""
        while self._waiting or self._asked:
            self.flush()

    def append(self, draft: Draft) -> None:
        """See `EventLog`."""
        self._waiting.append(draft)

    def flush(self) -> None:
        """See `EventLog`."""
        drafts, self._waiting = self._waiting, []
        asked, self._asked = self._asked, []
        if drafts:
            self.on_results([self._commit(draft) for draft in drafts])
        for answer in asked:
            answer()

    def save(self, rows: Sequence[StateRow], applied: int) -> None:
        """See `EventLog`."""
        for row in rows:
            if row.body is None:
                self._state.pop((row.kind, row.id), None)
            else:
                self._state[row.kind, row.id] = row
        self._applied = applied

    def void(self, committed: Committed) -> None:
        """See `EventLog`."""
        self._void.add(committed.seq)
        event = committed.event
        if type(event) is Posted and event.cid:
            self._by_cid.pop((event.author, event.cid), None)

    def history(self, query: HistoryQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(self._history(query)))

    def missed(self, query: MissedQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(self._missed(query)))

    def message(self, seq: int, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(Page(tuple(self._messages(seq, seq + 1)))))

    def posted(self, query: PostedQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(self._posted(query)))

    def search(self, query: SearchQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(self._search(query)))

    def recent(self, query: RecentQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(self._recent(query)))

    def backlog(self) -> int:
        """See `EventLog`."""
        return len(self._waiting)

    def _commit(self, draft: Draft) -> Result:
        event = draft.event
        committed = Committed(len(self.events) + 1, draft.time_us, event)
        if type(event) is Posted and event.cid:
            earlier = self._by_cid.setdefault((event.author, event.cid), committed)
            if earlier is not committed:
                return self._repeated(draft.token, event, earlier)
        self.events.append(committed)
        if type(event) is Edited or type(event) is Deleted:
            self._amend(committed, event)
        return Stored(draft.token, committed)

    def _repeated(self, token: int, event: Posted, earlier: Committed) -> Result:
        """Of a message that was deleted nobody can say any more whether these were its words."""
        assert type(earlier.event) is Posted
        amended = self._amended.get(earlier.seq)
        if earlier.event.text == event.text or (amended and amended.deleted):
            return Duplicate(token, earlier.seq, earlier.time_us)
        return Rejected(token, Code.CLIENT_ID_REUSED, CLIENT_ID_REUSED)

    def _amend(self, committed: Committed, event: Edited | Deleted) -> None:
        earlier = self._amended.get(event.message)
        if earlier and earlier.deleted:
            self._blank(committed.seq)
        elif any(self._messages(event.message, event.message + 1)):
            text = event.text if type(event) is Edited else ""
            self._amended[event.message] = Amended(text, committed.time_us, deleted=type(event) is Deleted)
            if type(event) is Deleted:
                edits = [each.seq for each in self.events if _edits(each, event.message)]
                for seq in (event.message, *edits):
                    self._blank(seq)

    def _blank(self, seq: int) -> None:
        """Takes the text out of an event, and of a message its file."""
        committed = self.events[seq - 1]
        if isinstance(committed.event, Posted):
            self.events[seq - 1] = replace(committed, event=replace(committed.event, text="", file=None))
        elif isinstance(committed.event, Edited):
            self.events[seq - 1] = replace(committed, event=replace(committed.event, text=""))

    def _history(self, query: HistoryQuery) -> Page:
        wanted = set(query.conversations)
        limit = max(1, min(query.limit, MAX_HISTORY_PAGE))
        there = [each for each in self._between(query.since, 0) if timeline(each.seq, each.event) in wanted]
        room = MAX_PAGE_BYTES
        older: list[Committed] = []
        newer: list[Committed] = []
        if query.around:
            room //= 2
            older = _cut(_before(there, query.around + 1), (limit + 1) // 2, room)[0]
        if query.around or query.after:
            after = query.around or query.after
            newer = _cut((each for each in there if each.seq > after), limit - len(older), room)[0]
        else:
            older = _cut(_before(there, query.before or len(self.events) + 1), limit)[0]
        return self._history_page(query, there, older[::-1] + newer)

    def _history_page(self, query: HistoryQuery, there: list[Committed], events: list[Committed]) -> Page:
        first = events[0].seq if events else query.before or query.after + 1
        last = events[-1].seq if events else (query.before or query.after + 1) - 1
        more = any(each.seq < first for each in there)
        newer = any(each.seq > last for each in there)
        return Page(self._as_now(events), more, newer=newer)

    def _missed(self, query: MissedQuery) -> Page:
        wanted = {*query.conversations, *map(edits_of, query.conversations)}
        found = (
            each
            for each in self._between(query.after + 1, query.upto + 1)
            if timeline(each.seq, each.event) in wanted
            or (each.seq >= query.since and query.user in _participants(each))
        )
        events, more = _cut(found, query.limit)
        return Page(self._as_now(events), more)

    def _posted(self, query: PostedQuery) -> Page:
        found = self._by_cid.get((query.author, query.cid))
        return Page(tuple(self._messages(found.seq, found.seq + 1)) if found else ())

    def _search(self, query: SearchQuery) -> Page:
        found = [each for each in self._messages(0, query.before) if self._is_hit(query, each)]
        hits, more = _cut(reversed(found), query.limit)
        return Page(tuple(hits), more, before=hits[-1].seq if hits and more else 0)

    def _is_hit(self, query: SearchQuery, message: Committed) -> bool:
        posted = message.event
        assert type(posted) is Posted
        amended = message.amended
        return (
            not (amended and amended.deleted)
            and (
                posted.conversation in query.conversations
                or (query.user in posted.users and message.seq >= query.since)
            )
            and query.within in ("", posted.conversation)
            and query.author in (0, posted.author)
            and query.since_us <= message.time_us < (query.until_us or message.time_us + 1)
            and has_words(amended.text if amended else posted.text, query.words)
        )

    def _recent(self, query: RecentQuery) -> Page:
        last: dict[str, Committed] = {}
        for message in self._messages(0, 0):
            posted = message.event
            assert type(posted) is Posted
            if posted.conversation in query.conversations or (
                query.user in posted.users and message.seq >= query.since
            ):
                last[posted.conversation] = message
        events = sorted(last.values(), key=lambda message: message.seq, reverse=True)
        return Page(tuple(events[: query.limit]), len(events) > query.limit)

    def _between(self, first: int, end: int) -> list[Committed]:
        """Events that pages may show, from a number on, before another (0: no end)."""
        events = self.events[max(first - 1, 0) : max(end - 1, 0) if end else None]
        return [each for each in events if each.seq not in self._void] if self._void else events

    def _messages(self, first: int, end: int) -> Iterable[Committed]:
        return self._as_now(each for each in self._between(first, end) if type(each.event) is Posted)

    def _as_now(self, events: Iterable[Committed]) -> tuple[Committed, ...]:
        return tuple(replace(each, amended=self._amended.get(each.seq)) for each in events)


def _edits(committed: Committed, message: int) -> bool:
    return type(committed.event) is Edited and committed.event.message == message


def _participants(committed: Committed) -> tuple[int, ...]:
    """Those of a direct conversation that something was said or amended in."""
    event = committed.event
    return event.users if isinstance(event, Posted | Edited | Deleted) else ()


def _before(events: list[Committed], number: int) -> Iterable[Committed]:
    """The newest first."""
    return (each for each in reversed(events) if each.seq < number)


def _cut(found: Iterable[Committed], limit: int, room: int = MAX_PAGE_BYTES) -> tuple[list[Committed], bool]:
    """As much as a page may hold, and whether there is more."""
    taken: list[Committed] = []
    size = 0
    for each in found:
        size += len(encode_event(each.event))
        if len(taken) == min(limit, MAX_HISTORY_PAGE) or (taken and size > room):
            return taken, True
        taken.append(each)
    return taken, False
