"""The EventLog contract: one total order, kept on disk, answered later.

    load()           first of all: what a server finds at its start.
    append(draft)    MUST NOT wait. Order among drafts is the order of the calls; what order they get among other nodes'
                     is the log's to say. Nothing may assume that a draft will be accepted, nor when.
    results          come in log order through `on_results`, never in the call itself, each batch after its commit is
                     durable. A draft with a client id that its author has used before is a `Duplicate` and stores
                     nothing; with other words, it is `Rejected`.
    flush()          the end of a tick: what has gathered goes out as one batch, unless one is still being committed.
    save(rows)       world state, with the number of the last event that it contains: written at most a second later, in
                     one transaction. A start reads the rows, then the events after that number.
    queries          are answered through their callback, never in the call itself, in the order of asking.
    void             what was stored but turned out to change nothing, since it lost a race: no page shows it any more,
                     and its client id is free. Call it before the `save` that has this event in it; then no crash
                     comes in between.
    amendments       `Edited` and `Deleted` are events like others, which a history does not show. The log knows what
                     they did: every page shows `Committed.amended`. The text of a deleted message is gone from the
                     log, from the message and from its edits. What is deleted stays deleted; an amendment of what is
                     no message, or of a deleted one, is stored and does nothing.

Whoever implements it MUST pass `tests/contracts/test_logs.py`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from mystic_server.domain.events import Committed, Event, StateRow

MAX_PAGE_BYTES = 1024 * 1024
"""A page of bodies that is longer than this ends early, but never before its first event."""


class StoreError(Exception):
    """The log can't be opened or read: the operator's to mend. The text is a sentence that says how."""


class Draft(Struct, array_like=True, frozen=True, gc=False):
    """An event on its way into the log; `token` comes back with its result."""

    token: int
    time_us: int
    event: Event


class Stored(Struct, frozen=True, gc=False):
    """The draft is on disk with this number."""

    token: int
    committed: Committed


class Duplicate(Struct, frozen=True, gc=False):
    """The author has sent this client id before; that message's number and time."""

    token: int
    seq: int
    time_us: int


class Rejected(Struct, frozen=True, gc=False):
    """The draft is not stored. `code` is an `errors.Code`: client_id_reused, storage_full, store_unavailable."""

    token: int
    code: str
    text: str


Result: TypeAlias = Stored | Duplicate | Rejected


def ignore_results(results: Sequence[Result]) -> None:
    """The listener of a log that nobody listens to yet."""


class Start(Struct, frozen=True):
    """What a server finds at its start: world state as of number `applied`, the events after it, the last number."""

    rows: tuple[StateRow, ...]
    applied: int
    tail: tuple[Committed, ...]
    last: int


class HistoryQuery(Struct, array_like=True, frozen=True):
    """At most `limit` events of these conversations with `since` <= number < `before` (0: no end), the newest.

    With `after` instead: the oldest after that number. With `around`: those about that number, itself included.
    """

    conversations: tuple[str, ...]
    before: int
    since: int
    limit: int
    after: int = 0
    around: int = 0


class MissedQuery(Struct, array_like=True, frozen=True):
    """At most `limit` events with `after` < number <= `upto`, the oldest: those of `conversations` and what was amended
    in them, and the same of the direct conversations of `user` from number `since` on."""

    conversations: tuple[str, ...]
    user: int
    since: int
    after: int
    upto: int
    limit: int


class Word(Struct, array_like=True, frozen=True):
    """What is looked for: a word, or several that stand together. `is_prefix`: the last one may go on."""

    text: str
    is_prefix: bool = False


class SearchQuery(Struct, array_like=True, frozen=True):
    """At most `limit` messages that have all these words (`words.words_of`), numbered below `before` (0: no end).

    Of these `conversations`, and of the direct conversations of `user` (0: none) from number `since` on; of them all
    only `within` if that is named. Only `author`'s (0: anybody's), said at `since_us` or later and before `until_us`
    (0: whenever).
    """

    words: tuple[Word, ...]
    conversations: tuple[str, ...]
    user: int
    since: int
    author: int
    since_us: int
    until_us: int
    before: int
    limit: int
    within: str = ""


class RecentQuery(Struct, array_like=True, frozen=True):
    """The last messages of at most `limit` conversations, those of these groups and of `user`'s direct ones (there from
    number `since` on)."""

    user: int
    since: int
    conversations: tuple[str, ...]
    limit: int


class PostedQuery(Struct, array_like=True, frozen=True):
    """The message that this author has said with this client id."""

    author: int
    cid: bytes


class Page(Struct, frozen=True):
    """The answer to a query, oldest first (of a search and of the recent: newest first).

    `failed` is a sentence if there is no answer. `more`: it was cut, by the limit or because its bodies reached
    `MAX_PAGE_BYTES`; so a page may be shorter than asked. Of a history page it says that there is something before it,
    and `newer` that there is something after it. A search is cut too when it was much work: then there may be older
    ones with `before`, even if this page is empty.
    `searched`: messages from this number on are not looked through yet (0: all are).
    """

    events: tuple[Committed, ...]
    more: bool = False
    failed: str = ""
    newer: bool = False
    before: int = 0
    searched: int = 0


class EventLog(Protocol):
    """See the module."""

    on_results: Callable[[Sequence[Result]], None]

    def load(self) -> Start:
        """Opens the log, once, before anything else; raises StoreError."""

    def stop(self) -> None:
        """Keeps what has been appended and saved, answers, and closes. Nobody may append any more."""

    def append(self, draft: Draft) -> None:
        """Takes a draft; its result comes later."""

    def flush(self) -> None:
        """Sends on what has gathered, at the end of a tick."""

    def save(self, rows: Sequence[StateRow], applied: int) -> None:
        """Keeps world state; `applied` is the number of the last event in it."""

    def void(self, committed: Committed) -> None:
        """Keeps in mind that this event changed nothing."""

    def history(self, query: HistoryQuery, answered: Callable[[Page], None]) -> None:
        """Asks for a page of conversations. Joins and leaves belong to "global", group events to their group."""

    def missed(self, query: MissedQuery, answered: Callable[[Page], None]) -> None:
        """Asks for what a device has not seen."""

    def message(self, seq: int, answered: Callable[[Page], None]) -> None:
        """Asks for one message as it is now; no event if that number is none."""

    def posted(self, query: PostedQuery, answered: Callable[[Page], None]) -> None:
        """Asks for one message by its client id, as it is now; no event if none has it. What has no result yet may be
        missed."""

    def search(self, query: SearchQuery, answered: Callable[[Page], None]) -> None:
        """Asks for messages by their words."""

    def recent(self, query: RecentQuery, answered: Callable[[Page], None]) -> None:
        """Asks which conversations were used last: the last message of each."""

    def backlog(self) -> int:
        """Drafts that have no result yet: the gateway stops reading when there are too many."""
