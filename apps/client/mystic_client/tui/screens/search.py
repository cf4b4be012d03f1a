"""The search: words, who said them, where and when; what was found, the newest first, and more of it by scrolling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import ClassVar, Final, TypeAlias

from rich.cells import cell_len
from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Static

from mystic_client.model.search import STILL_INDEXING, Query, Where, Wish, marks, query_of, snippet
from mystic_client.model.text import stamp
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled, shorten
from mysticproto.model import Broadcast, Direct, Found, Global, Group, Message

Find: TypeAlias = Callable[[Query, int], Awaitable[Found | str]]
MAX_HITS: Final = 5000
PLACE_CELLS: Final = 14


class HitList(RowList[Message]):
    """What was found: when, where, who, and the words."""

    SEEKS = False

    def __init__(self, clock: Clock, own_name: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock, self._own_name = clock, own_name
        self.words = ""

    def key_of(self, shown: Message) -> Hashable:
        return shown.seq

    def name_of(self, shown: Message) -> str:
        return shown.text

    def pieces_of(self, shown: Message) -> list[Styled]:
        place = shorten(place_of(shown, self._own_name), PLACE_CELLS)
        when = stamp(shown.time_us, self._clock.now_us(), self._clock.zone)
        pieces: list[Styled] = [
            (f"{when:>10}  ", self.style_of("dim")),
            (place + " " * (PLACE_CELLS - cell_len(place) + 2), self.style_of("key")),
            (f"{shown.author.name}: ", Style(bold=True)),
        ]
        return [*pieces, *self._text(snippet(shown.text, self.words))]

    def _text(self, text: str) -> Iterable[Styled]:
        at = 0
        for start, end in marks(text, self.words):
            yield text[at:start], Style.null()
            yield text[start:end], self.style_of("accent") + Style(bold=True, underline=True)
            at = end
        yield text[at:], Style.null()


class SearchScreen(ModalScreen[Message]):
    """See the module. Gives the message that was chosen, or None. `wish` is what is in the fields."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("f2", "where", "Where", priority=True),
        Binding("f3", "mentions", "Mentions", priority=True),
        Binding("down", "results", "Results", show=False),
    ]

    def __init__(
        self, find: Find, wish: Wish, of: Where, place: str, own_name: str, names: Iterable[str], clock: Clock
    ) -> None:
        super().__init__()
        self._find, self._of, self._place, self._own_name, self._clock = find, of, place, own_name, clock
        self.wish = wish
        self._suggester = SuggestFromList(list(names), case_sensitive=False)
        self._query: Query | None = None
        self._before = 0
        self._more = self._asking = False
        self._complete = True
        self.hits = HitList(clock, own_name, id="hits")

    def compose(self) -> ComposeResult:
        with Vertical(id="search-box"):
            yield Input(self.wish.words, placeholder='words, or "words that stand together"', id="words", compact=True)
            with Horizontal(classes="fields"):
                yield Static("from", markup=False)
                yield Input(
                    self.wish.author, id="author", suggester=self._suggester, placeholder="anybody", compact=True
                )
                yield Static("since", markup=False)
                yield Input(self.wish.since, id="since", placeholder="2026-11-21, 2d", compact=True)
                yield Static("until", markup=False)
                yield Input(self.wish.until, id="until", placeholder="yesterday", compact=True)
            with Horizontal(classes="fields"):
                yield Button("", id="where", compact=True)
                yield Button("@me F3", id="mentions", compact=True, tooltip="Who has mentioned you (F3)")
                yield Button("Search", id="find", compact=True)
                yield Button("Close", id="close", compact=True)
            yield Static("", id="search-status", markup=False)
            yield self.hits

    def on_mount(self) -> None:
        for field in self.query(Input):
            field.cursor_blink = not self.app.is_headless
        self._show_where()
        self.watch(self.hits, "scroll_y", self._maybe_more, init=False)
        self.query_one("#words", Input).focus()
        if self.wish.words:
            self._search()

    def _wish_now(self, here: bool) -> Wish:
        words, author, since, until = (
            self.query_one(f"#{name}", Input).value for name in ("words", "author", "since", "until")
        )
        return Wish(words, author, since, until, here)

    def _show_where(self) -> None:
        button = self.query_one("#where", Button)
        button.label = Content(f"In {self._place} F2" if self.wish.here else "Everywhere F2")
        button.tooltip = "Everywhere, or only in this conversation (F2)"

    @on(Button.Pressed, "#where")
    def action_where(self) -> None:
        self.wish = self._wish_now(not self.wish.here)
        self._show_where()
        if self._query is not None:
            self._search()

    @on(Button.Pressed, "#mentions")
    def action_mentions(self) -> None:
        self.query_one("#words", Input).value = self._own_name
        self._search()

    def action_results(self) -> None:
        self.hits.focus()

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)

    @on(Input.Submitted)
    @on(Button.Pressed, "#find")
    def _search(self) -> None:
        self.wish = self._wish_now(self.wish.here)
        try:
            self._query = query_of(self.wish, self._of, self._clock.now_us())
        except ValueError as problem:
            self._say(str(problem), bad=True)
            return
        self._before, self._more, self._asking, self._complete = 0, True, False, True
        self.hits.words = self._query.words
        self.hits.set_rows([])
        self._ask()

    def _maybe_more(self) -> None:
        near_end = self.hits.scroll_offset.y + 2 * self.hits.size.height >= len(self.hits.rows)
        if near_end and len(self.hits.rows) < MAX_HITS:
            self._ask()

    def _ask(self) -> None:
        if self._query is not None and self._more and not self._asking:
            self._asking = True
            self._say("Searching …")
            self.run_worker(self._page(self._query, self._before), exclusive=True)

    async def _page(self, query: Query, before: int) -> None:
        found = await self._find(query, before)
        if query is not self._query:
            return
        self._asking = False
        if isinstance(found, str):
            self._more = False
            self._say(found, bad=True)
            return
        first = not self.hits.rows
        self._complete &= found.complete
        self.hits.set_rows([*self.hits.rows, *found.hits])
        self._more, self._before = found.more and found.before != before, found.before
        if first and found.hits:
            self.hits.focus()
        self._say_how_many()
        self._maybe_more()

    def _say_how_many(self) -> None:
        count = len(self.hits.rows)
        note = "" if self._complete else f" · {STILL_INDEXING}"
        if not count and not self._more:
            self._say(f"Nothing was found{note or '.'}")
        elif count == 1 and not self._more:
            self._say(f"1 message · Enter shows it where it was said{note}")
        else:
            self._say(f"{count:,}{' or more' * self._more} messages · Enter shows one where it was said{note}")

    def _say(self, text: str, *, bad: bool = False) -> None:
        status = self.query_one("#search-status", Static)
        status.update(Content(text))
        status.set_class(bad, "-bad")

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if isinstance(event.row, Message):
            self.dismiss(event.row)


def place_of(message: Message, own_name: str) -> str:
    """Where something was said, in a word."""
    match message.conversation:
        case Global() | Broadcast():
            return "Global"
        case Group(_, name):
            return f"# {name}"
        case Direct(users):
            return "@ " + ", ".join(user.name for user in users if user.name != own_name or len(users) == 1)
