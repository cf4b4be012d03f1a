"""Pages: what is fetched of the past for the store: older pages, pieces around a message, and quoted messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias

from mystic_client.model.amendments import Amendments
from mystic_client.model.excerpt import Excerpt
from mystic_client.model.store import Store
from mystic_client.model.timeline import quote_of
from mysticproto import model

HISTORY_PAGE: Final = 100
HOLE_PAGE: Final = model.MAX_HISTORY_PAGE
MAX_QUOTES_ASKED: Final = 20_000
NOT_TO_BE_SEEN: Final = "a message that cannot be shown"

Ask: TypeAlias = Callable[[Callable[[int], model.Request]], Awaitable[model.Reply]]


class Pages:
    """See the module. `spawn` carries something out beside everything else, `changed` says that there is news."""

    def __init__(
        self,
        store: Store,
        ask: Ask,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        changed: Callable[[], None],
    ) -> None:
        self._store, self._ask, self._spawn, self._changed = store, ask, spawn, changed
        self._quotes: set[tuple[str, int]] = set()

    def fetch_past(self, key: str) -> None:
        """The next older page of what is shown of a conversation, if there is one and it isn't on its way."""
        talk = self._store.talks.get(key)
        if talk is None:
            return
        if talk.in_past and talk.excerpt:
            self._fetch_side(key, talk.excerpt, "older")
        elif talk.wants_history:
            limit = HOLE_PAGE if talk.history == "hole" else HISTORY_PAGE
            before, of = talk.before, talk.target
            self._store.asking_history(key)
            self._spawn(self._past(key, lambda n: model.GetHistory(n, of, before, limit)))

    def fetch_future(self, key: str) -> None:
        """The next newer page of an excerpt; at its end the user is back at the live conversation."""
        talk = self._store.talks.get(key)
        if talk is not None and talk.in_past and talk.excerpt:
            self._fetch_side(key, talk.excerpt, "newer")

    async def _past(self, key: str, make: Callable[[int], model.Request]) -> None:
        reply = await self._ask(make)
        if isinstance(reply, model.History):
            self._store.history(key, reply.events, reply.more)
        else:
            self._store.no_history(key)
        self._changed()

    def _fetch_side(self, key: str, excerpt: Excerpt, side: str) -> None:
        wanted = excerpt.ask(side)
        if wanted is not None:
            self._spawn(self._side(key, excerpt, side, *wanted))

    async def _side(self, key: str, excerpt: Excerpt, side: str, before: int, after: int) -> None:
        of = self._store.talks[key].target
        reply = await self._ask(lambda n: model.GetHistory(n, of, before, HISTORY_PAGE, after))
        if isinstance(reply, model.History):
            self._store.excerpt_page(key, excerpt, reply, side)
        else:
            excerpt.failed(side)
        self._changed()

    async def jump(self, key: str, number: int) -> str:
        """Makes a message be here, in the live conversation or in an excerpt; "" or why that can't be."""
        talk = self._store.talks.get(key)
        if talk is None:
            return "That conversation is closed."
        if talk.shown.find(number):
            return ""
        if talk.timeline.find(number):
            self._store.back_to_now(key)
            return ""
        of, excerpt = talk.target, self._store.excerpt(key, number)
        reply = await self._ask(lambda n: model.GetHistory(n, of, 0, HISTORY_PAGE, 0, number))
        if not isinstance(reply, model.History):
            self._store.back_to_now(key)
            return reply.text if isinstance(reply, model.Refused) else "The server's answer makes no sense."
        if self._store.excerpt_page(key, excerpt, reply, ""):
            return ""
        self._store.back_to_now(key)
        return "That message is not to be found here."

    def fetch_quote(self, key: str, number: int) -> None:
        """The message that another one answers, for its quote; once."""
        talk = self._store.talks.get(key)
        if talk is None or talk.is_named or (key, number) in self._quotes or len(self._quotes) > MAX_QUOTES_ASKED:
            return
        self._quotes.add((key, number))
        self._spawn(self._quote(key, talk.target, number))

    async def _quote(self, key: str, of: model.ToGlobal | model.ToUsers | model.ToGroup, number: int) -> None:
        reply = await self._ask(lambda n: model.GetHistory(n, of, 0, 1, 0, number))
        if not isinstance(reply, model.History):
            self._quotes.discard((key, number))
            return
        original = next((event for event in reply.events if event.seq == number), None)
        words = quote_of(Amendments().entry(original, self._store.own)) if original else NOT_TO_BE_SEEN
        self._store.quoted(key, number, words)
        self._changed()
