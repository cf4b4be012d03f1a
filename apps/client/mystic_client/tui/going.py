"""Going somewhere: the search, the switcher, one message; and what is opened for what was chosen there."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App

from mystic_client.model.search import Wish
from mystic_client.model.switching import Destination, destinations
from mystic_client.tui.line import Line
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.search import SearchScreen
from mystic_client.tui.screens.switcher import Switcher
from mystic_client.tui.widgets.clock import Clock
from mysticproto.model import Group, Message


class Going:
    """See the module. `open_group` turns to a group, joining it if need be; `flush` lets the screens follow."""

    def __init__(
        self,
        app: App[None],
        line: Line,
        clock: Clock,
        chat: Callable[[], ChatScreen | None],
        open_group: Callable[[Group], None],
        flush: Callable[[], None],
    ) -> None:
        self._app, self._line, self._clock, self._chat = app, line, clock, chat
        self._open_group, self._flush = open_group, flush
        self._wish = Wish()

    def search(self, words: str = "") -> None:
        """Opens the search, with these words or as it was left."""
        store = self._line.store
        wish = Wish(words) if words else self._wish
        names = [info.user.name for info in [*store.roster.users.values(), *store.roster.away.values()]]
        talk = store.front_talk
        screen = SearchScreen(self._line.search, wish, talk.target, talk.title, store.own.name, names, self._clock)

        def closed(hit: Message | None) -> None:
            self._wish = screen.wish
            if hit is not None:
                self.jump(store.open_known(hit.conversation), hit.seq)

        self._app.push_screen(screen, closed)

    def switch(self) -> None:
        """Opens the switcher."""
        self._app.push_screen(Switcher(destinations(self._line.store, self._clock.now_us())), self._go)

    def _go(self, where: Destination | None) -> None:
        store = self._line.store
        if where is None:
            return
        if where.group is not None and where.key not in store.talks:
            self._open_group(where.group)
            return
        if where.kind == "name":
            key = store.open_named([where.title])
        elif where.people:
            key = where.key if where.key in store.talks else store.open_direct(where.people)
        else:
            key = where.key
        self._turn(key)

    def jump(self, key: str, number: int) -> None:
        """Shows one message, in an excerpt if the live conversation doesn't have it."""
        self._line.do(self._jump(key, number))

    async def _jump(self, key: str, number: int) -> None:
        problem = await self._line.pages.jump(key, number)
        if problem:
            self._app.notify(problem, severity="warning", markup=False)
            return
        self._turn(key)
        chat = self._chat()
        if chat is not None:
            chat.view.select(number)
            chat.view.focus()

    def _turn(self, key: str) -> None:
        self._line.store.look_at(key)
        chat = self._chat()
        if chat is not None and chat.shows_files:
            chat.turn_to_files(False)
        self._flush()
