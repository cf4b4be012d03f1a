"""The loop's side of the store: an EventLog whose disk is in a child process.

Group commit: while one batch is with the child, the next gathers; `flush`, at the end of every tick, sends all that has
gathered if the child is free. So a batch is as large as the disk is slow, and nobody waits for a timer.

When the child dies, the batch that was with it may be on disk or not: it is kept, sent again to the next child with the
number that came before it, and answered then. What had only gathered is rejected, and so is what comes meanwhile.
"""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from mystic_server.domain.events import Committed, StateRow
from mystic_server.log import records
from mystic_server.log.base import (
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
    StoreError,
    ignore_results,
)
from mystic_server.log.records import (
    Answer,
    Ask,
    AskHistory,
    AskMessage,
    AskMissed,
    AskPosted,
    AskRecent,
    AskSearch,
    Commit,
    Failed,
    Load,
    NotStored,
    Opened,
    PagePart,
    StartPart,
)
from mystic_server.net.children import ChildProcess
from mystic_server.net.reactor import Reactor, Timer
from mysticproto.errors import Code

MAX_BATCH = 1000
"""Drafts in one transaction."""
MAX_BACKLOG = 20_000
"""Drafts without a result; more are rejected."""
MAX_QUERIES = 1000
"""Queries without an answer; more are answered with a failed page."""
SAVE_DELAY_S = 1.0
"""World state waits this long, then goes with a batch or alone: what changes often is written once."""
RETRY_DELAY_S = 5.0
"""Before a child that could not open the database is started again."""
STOP_LIMIT_S = 10.0

UNAVAILABLE = "The server can't reach its storage at the moment; nothing was sent. Try again in a few seconds."
BUSY = "The server has more to store than it can; nothing was sent. Try again in a few seconds."
NO_HISTORY = "The history can't be read at the moment. Try again in a few seconds."


class StoreLog:
    """An EventLog on SQLite; see `base` and the module. `on_trouble(sentence)` is for the operator."""

    def __init__(self, reactor: Reactor, data: Path, on_trouble: Callable[[str], None]) -> None:
        self.on_results: Callable[[Sequence[Result]], None] = ignore_results
        self._reactor = reactor
        self._on_trouble = on_trouble
        self._child = ChildProcess(
            reactor, "mystic_server.log.sqlite", [str(data)], self._on_message, lambda: None, self._on_down
        )
        self._is_open = False
        self._failure = ""
        self._start: Start | None = None
        self._start_parts: list[StartPart] = []
        self._last = 0
        self._waiting: list[Draft] = []
        self._in_flight: Commit | None = None
        self._rejected: list[Result] = []
        self._queries: deque[Callable[[Page], None]] = deque()
        self._unsaved: dict[tuple[str, int], StateRow] = {}
        self._applied = -1
        self._void: list[int] = []
        self._is_save_due = False
        self._save_timer: Timer | None = None
        self._retry_timer: Timer | None = None

    # Start and stop.

    @property
    def pid(self) -> int:
        """Of the child, 0 while there is none."""
        return self._child.pid

    def load(self) -> Start:
        """Starts the child and runs the reactor until the world is here. Raises StoreError, with all closed."""
        self._child.start()
        while self._start is None and not self._failure:
            self._reactor.tick()
        if self._start is None:
            self._close()
            raise StoreError(self._failure)
        return self._start

    def stop(self) -> None:
        """Runs the reactor until all is answered, ten seconds at most, and ends the child after a last save."""
        limit = self._reactor.call_later(STOP_LIMIT_S, lambda: None)
        self.flush()
        while self._is_busy() and self._reactor.now < limit.when:
            self._reactor.tick()
            self.flush()
        limit.cancel()
        self._save_now()
        self._close()

    def _close(self) -> None:
        for timer in (self._save_timer, self._retry_timer):
            if timer:
                timer.cancel()
        self._is_open = False
        self._child.stop()

    def _is_busy(self) -> bool:
        return self._is_open and bool(self._waiting or self._in_flight or self._queries or self._rejected)

    # What the hub asks for.

    def append(self, draft: Draft) -> None:
        """See `EventLog`."""
        if not self._is_open:
            self._rejected.append(Rejected(draft.token, Code.STORE_UNAVAILABLE, UNAVAILABLE))
        elif len(self._waiting) >= MAX_BACKLOG:
            self._rejected.append(Rejected(draft.token, Code.STORE_UNAVAILABLE, BUSY))
        else:
            self._waiting.append(draft)

    def backlog(self) -> int:
        """See `EventLog`."""
        return len(self._waiting) + (len(self._in_flight.drafts) if self._in_flight else 0)

    def save(self, rows: Sequence[StateRow], applied: int) -> None:
        """See `EventLog`."""
        for row in rows:
            self._unsaved[row.kind, row.id] = row
        self._applied = applied
        self._save_later()

    def void(self, committed: Committed) -> None:
        """See `EventLog`."""
        if records.timeline(committed.seq, committed.event) is not None:
            self._void.append(committed.seq)
            self._is_save_due = True  # at once: pages are asked for all the time

    def history(self, query: HistoryQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._ask(AskHistory(query), answered)

    def missed(self, query: MissedQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._ask(AskMissed(query), answered)

    def message(self, seq: int, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._ask(AskMessage(seq), answered)

    def posted(self, query: PostedQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._ask(AskPosted(query), answered)

    def search(self, query: SearchQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._ask(AskSearch(query), answered)

    def recent(self, query: RecentQuery, answered: Callable[[Page], None]) -> None:
        """See `EventLog`."""
        self._ask(AskRecent(query), answered)

    def flush(self) -> None:
        """See `EventLog`."""
        if self._rejected:
            rejected, self._rejected = self._rejected, []
            self.on_results(rejected)
        if (self._waiting or self._is_save_due) and self._is_open and not self._in_flight:
            self._send_batch()

    def _ask(self, ask: Ask, answered: Callable[[Page], None]) -> None:
        if not self._is_open or len(self._queries) >= MAX_QUERIES:
            self._reactor.call_later(0, lambda: answered(Page((), failed=NO_HISTORY)))
            return
        self._queries.append(answered)
        self._child.send(records.encode(ask))

    # To the child.

    def _send_batch(self) -> None:
        batch = tuple(self._waiting[:MAX_BATCH])
        del self._waiting[:MAX_BATCH]
        if self._is_save_due:
            rows = tuple(self._unsaved.values())
            self._in_flight = Commit(batch, rows, self._applied, void=tuple(self._void))
            self._unsaved.clear()
            self._void.clear()
            self._applied = -1
            self._is_save_due = False
        else:
            self._in_flight = Commit(batch, (), -1)
        self._child.send(records.encode(self._in_flight))

    def _save_later(self) -> None:
        if not self._save_timer:
            self._save_timer = self._reactor.call_later(SAVE_DELAY_S, self._save_now)

    def _save_now(self) -> None:
        """World state has waited long enough."""
        self._save_timer = None
        self._is_save_due = self._applied >= 0 or bool(self._void)
        if self._is_save_due and self._is_open and not self._in_flight:
            self._send_batch()

    def _send_again(self, commit: Commit) -> None:
        self._in_flight = Commit(commit.drafts, commit.rows, commit.applied, self._last, commit.void)
        self._child.send(records.encode(self._in_flight))

    # From the child.

    def _on_message(self, body: bytes) -> None:
        message = records.decode_from_child(body)
        match message:
            case Answer():
                self._on_answer(message)
            case PagePart():
                self._queries.popleft()(_page(message))
            case StartPart():
                self._on_start_part(message)
            case Opened():
                self._on_opened(message)
            case Failed():
                self._on_failed(message.text)

    def _on_opened(self, opened: Opened) -> None:
        if opened.last < self._last:
            self._on_failed(f"The database lost events: its last is {opened.last}, and {self._last} was stored.")
            return
        self._is_open = True
        if self._start is None:
            self._start_parts.clear()
            self._child.send(records.encode(Load()))
        if self._in_flight:
            self._send_again(self._in_flight)

    def _on_start_part(self, part: StartPart) -> None:
        self._start_parts.append(part)
        if part.more:
            return
        rows = tuple(row for each in self._start_parts for row in each.rows)
        tail = tuple(event for each in self._start_parts for event in each.tail)
        self._start_parts.clear()
        self._last = part.last
        self._start = Start(rows, part.applied, tail, part.last)

    def _on_answer(self, answer: Answer) -> None:
        commit = self._in_flight
        assert commit
        self._in_flight = None
        drafts = commit.drafts
        if answer.code:
            self._keep_unsaved(commit)
            if drafts:
                self.on_results([Rejected(draft.token, answer.code, answer.text) for draft in drafts])
            return
        self._last = answer.first + len(drafts) - len(answer.not_stored) - 1
        if drafts:
            self.on_results(_results(drafts, answer))

    def _keep_unsaved(self, commit: Commit) -> None:
        """World state that could not be saved goes with a later batch, under what has changed since."""
        if commit.applied < 0 and not commit.void:
            return
        self._void[:0] = commit.void
        self._unsaved = {(row.kind, row.id): row for row in commit.rows} | self._unsaved
        self._applied = max(self._applied, commit.applied)
        self._save_later()

    def _on_failed(self, text: str) -> None:
        """The child says why it ends; a retry helps once the operator has acted."""
        if self._start is None:
            self._failure = text
            return
        self._on_trouble(text)
        self._child.stop()
        self._lose_child()
        self._retry_timer = self._reactor.call_later(RETRY_DELAY_S, self._child.start)

    def _on_down(self) -> None:
        if self._start is None:
            self._failure = self._failure or "The store's process ended before the database was open."
            return
        self._on_trouble("The store's process died; it is started again.")
        self._lose_child()

    def _lose_child(self) -> None:
        self._is_open = False
        waiting, self._waiting = self._waiting, []
        self._rejected += [Rejected(draft.token, Code.STORE_UNAVAILABLE, UNAVAILABLE) for draft in waiting]
        queries, self._queries = self._queries, deque()
        for answered in queries:
            answered(Page((), failed=NO_HISTORY))


def _page(part: PagePart) -> Page:
    return Page(part.events, part.more, part.failed, part.newer, part.before, part.searched)


def _results(drafts: Sequence[Draft], answer: Answer) -> list[Result]:
    """The drafts' fates, in their order."""
    if not answer.not_stored:
        return [
            Stored(draft.token, Committed(seq, draft.time_us, draft.event))
            for seq, draft in enumerate(drafts, answer.first)
        ]
    not_stored = {each.index: each for each in answer.not_stored}
    results: list[Result] = []
    seq = answer.first
    for index, draft in enumerate(drafts):
        if each := not_stored.get(index):
            results.append(_why_not(draft, each))
        else:
            results.append(Stored(draft.token, Committed(seq, draft.time_us, draft.event)))
            seq += 1
    return results


def _why_not(draft: Draft, each: NotStored) -> Result:
    if each.seq:
        return Duplicate(draft.token, each.seq, each.time_us)
    return Rejected(draft.token, Code.CLIENT_ID_REUSED, records.CLIENT_ID_REUSED)
