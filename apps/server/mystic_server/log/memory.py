"""An EventLog that keeps everything in memory: for what stands on the log and shall be tested without a disk.

Results and pages come at `flush`, so whoever uses it can't rely on anything happening in the call itself.
"""

from collections.abc import Callable, Iterable, Sequence

from mystic_server.domain.events import Committed, Posted, StateRow, encode_event
from mystic_server.log.base import (
    MAX_PAGE_BYTES,
    Draft,
    Duplicate,
    HistoryQuery,
    MissedQuery,
    Page,
    Rejected,
    Result,
    Start,
    Stored,
    ignore_results,
)
from mystic_server.log.records import CLIENT_ID_REUSED, timeline
from mysticproto.errors import Code
from mysticproto.model import MAX_HISTORY_PAGE


class MemoryLog:
    """See the module and `base.EventLog`. Loading it again is starting again."""

    def __init__(self) -> None:
        self.on_results: Callable[[Sequence[Result]], None] = ignore_results
        self.events: list[Committed] = []
        self._by_cid: dict[tuple[int, bytes], Committed] = {}
        self._state: dict[tuple[str, int], StateRow] = {}
        self._applied = 0
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

    def history(self, query: HistoryQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(self._history(query)))

    def missed(self, query: MissedQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._asked.append(lambda: answered(self._missed(query)))

    def backlog(self) -> int:
        """See `EventLog`."""
        return len(self._waiting)

    def _commit(self, draft: Draft) -> Result:
        event = draft.event
        committed = Committed(len(self.events) + 1, draft.time_us, event)
        if type(event) is Posted and event.cid:
            earlier = self._by_cid.setdefault((event.author, event.cid), committed)
            if earlier is not committed:
                return _repeated(draft.token, event, earlier)
        self.events.append(committed)
        return Stored(draft.token, committed)

    def _history(self, query: HistoryQuery) -> Page:
        wanted = set(query.conversations)
        before = query.before or len(self.events) + 1
        between = self.events[max(query.since - 1, 0) : before - 1]
        found = (each for each in reversed(between) if timeline(each.seq, each.event) in wanted)
        events, more = _cut(found, query.limit)
        return Page(tuple(reversed(events)), more)

    def _missed(self, query: MissedQuery) -> Page:
        wanted = set(query.conversations)
        between = self.events[max(query.after, 0) : max(query.upto, 0)]
        found = (
            each
            for each in between
            if timeline(each.seq, each.event) in wanted
            or (type(each.event) is Posted and query.user in each.event.users and each.seq >= query.since)
        )
        events, more = _cut(found, query.limit)
        return Page(tuple(events), more)


def _repeated(token: int, event: Posted, earlier: Committed) -> Result:
    assert type(earlier.event) is Posted
    if earlier.event.text == event.text:
        return Duplicate(token, earlier.seq, earlier.time_us)
    return Rejected(token, Code.CLIENT_ID_REUSED, CLIENT_ID_REUSED)


def _cut(found: Iterable[Committed], limit: int) -> tuple[list[Committed], bool]:
    """As much as a page may hold, and whether there is more."""
    taken: list[Committed] = []
    size = 0
    for each in found:
        size += len(encode_event(each.event))
        if len(taken) == min(limit, MAX_HISTORY_PAGE) or (taken and size > MAX_PAGE_BYTES):
            return taken, True
        taken.append(each)
    return taken, False
