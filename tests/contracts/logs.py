"""A log under test, in memory or with its child process, driven by hand: no sleeps, every wait has an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

from mystic_server.domain.events import Committed, Deleted, Edited, Event, Posted
from mystic_server.log.base import (
    Draft,
    EventLog,
    HistoryQuery,
    MissedQuery,
    Page,
    PostedQuery,
    RecentQuery,
    Result,
    SearchQuery,
    Start,
    Stored,
)
from mystic_server.log.memory import MemoryLog
from mystic_server.log.store import StoreLog
from mystic_server.log.words import words_of
from mystic_server.net.reactor import Reactor

LIMIT_S = 30.0
TIME_US = 1_700_000_000_000_000


class Rig:
    """A loaded log and what it has said so far."""

    def __init__(self, log: EventLog, reactor: Reactor, start: Start, troubles: list[str]) -> None:
        self.log = log
        self.reactor = reactor
        self.start = start
        self.troubles = troubles
        self.results: list[Result] = []
        self.batches: list[int] = []
        self.tokens = 0
        log.on_results = self._heard

    @property
    def store(self) -> StoreLog:
        """The log, if it has a child."""
        assert isinstance(self.log, StoreLog)
        return self.log

    def append(self, *events: Event) -> None:
        """Appends each with the next token, from 1 on."""
        for event in events:
            self.tokens += 1
            self.log.append(Draft(self.tokens, TIME_US + self.tokens, event))

    def until(self, condition: Callable[[], bool]) -> None:
        """Runs the loop until something is so."""
        limit = self.reactor.call_later(LIMIT_S, lambda: None)
        self.log.flush()
        while not condition():
            assert isinstance(self.log, StoreLog), "a log in memory has nothing to wait for"
            assert self.reactor.now < limit.when, "waited too long"
            self.reactor.tick()
            self.log.flush()
        limit.cancel()

    def commit(self, *events: Event) -> list[Result]:
        """Appends and returns the results of these alone."""
        before = len(self.results)
        self.append(*events)
        self.until(lambda: len(self.results) == before + len(events))
        return self.results[before:]

    def page(self, query: HistoryQuery | MissedQuery | SearchQuery | RecentQuery | PostedQuery | int) -> Page:
        """Asks and waits; for one message by its number. A search is asked again until all is looked through."""
        pages: list[Page] = []
        match query:
            case HistoryQuery():
                self.log.history(query, pages.append)
            case MissedQuery():
                self.log.missed(query, pages.append)
            case SearchQuery():
                self.log.search(query, pages.append)
            case RecentQuery():
                self.log.recent(query, pages.append)
            case PostedQuery():
                self.log.posted(query, pages.append)
            case int():
                self.log.message(query, pages.append)
        assert not pages, "answered in the call itself"
        self.until(lambda: bool(pages))
        return self.page(query) if pages[0].searched else pages[0]

    def _heard(self, results: Sequence[Result]) -> None:
        self.results += results
        self.batches.append(len(results))


Opener: TypeAlias = Callable[[], AbstractContextManager[Rig]]


@contextmanager
def in_memory(log: MemoryLog | None = None) -> Iterator[Rig]:
    """A log without a disk; the same one again is a restart."""
    log = log or MemoryLog()
    reactor = Reactor(_raise)
    try:
        yield Rig(log, reactor, log.load(), [])
        log.stop()
    finally:
        reactor.close()


@contextmanager
def on_disk(data: Path) -> Iterator[Rig]:
    """A log with its child process; the same folder again is a restart."""
    reactor = Reactor(_raise)
    troubles: list[str] = []
    log = StoreLog(reactor, data, troubles.append)
    try:
        start = log.load()
        try:
            yield Rig(log, reactor, start, troubles)
        finally:
            log.stop()
    finally:
        reactor.close()


def said(
    text: str, author: int = 3, cid: bytes = b"", conversation: str = "global", users: Sequence[int] = ()
) -> Posted:
    """A message."""
    return Posted(session=1, author=author, conversation=conversation, text=text, cid=cid, users=tuple(users))


def edited(message: int, text: str, conversation: str = "global", users: Sequence[int] = ()) -> Edited:
    """A message's new text."""
    return Edited(session=1, author=3, message=message, conversation=conversation, text=text, users=tuple(users))


def deleted(message: int, conversation: str = "global", users: Sequence[int] = ()) -> Deleted:
    """A message that was taken away."""
    return Deleted(session=1, author=3, message=message, conversation=conversation, users=tuple(users))


def wanted(
    typed: str,
    *,
    conversations: Sequence[str] = ("global",),
    user: int = 0,
    since: int = 0,
    author: int = 0,
    since_us: int = 0,
    until_us: int = 0,
    before: int = 0,
    limit: int = 50,
    within: str = "",
) -> SearchQuery:
    """A search as somebody types it."""
    words = words_of(typed) or ()
    places = tuple(conversations)
    return SearchQuery(words, places, user, since, author, since_us, until_us, before, limit, within)


def numbers(results: Sequence[Result]) -> list[int]:
    """Of results that are all stored."""
    assert all(isinstance(each, Stored) for each in results), results
    return [each.committed.seq for each in results if isinstance(each, Stored)]


def texts(page: Page) -> list[str]:
    """Of a page of messages."""
    assert not page.failed
    return [each.event.text if isinstance(each.event, Posted) else type(each.event).__name__ for each in page.events]


def shown(page: Page) -> list[str | None]:
    """Of a page of messages, their texts as they are now; None: deleted."""
    assert not page.failed
    return [_text_now(each) for each in page.events]


def _text_now(message: Committed) -> str | None:
    assert isinstance(message.event, Posted)
    if message.amended is None:
        return message.event.text
    return None if message.amended.deleted else message.amended.text


def _raise(error: BaseException) -> None:
    raise error
