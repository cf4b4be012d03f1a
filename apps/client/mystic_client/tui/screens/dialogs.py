"""Windows in front of the screen: what they have in common, small questions, and menus."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Hashable, Iterable
from typing import Any, ClassVar, TypeVar

from msgspec import Struct
from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from mystic_client.tui.widgets.key_bar import KeyBar
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A window with a title, what subclasses put into it, a row for what went wrong, and buttons."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", key_display="Esc")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]
    is_ready = False
    """Whether everything is in place and can follow the store."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static("", classes="title", markup=False)
            yield from self.inside()
            yield Static("", classes="problem", markup=False)
            with Horizontal(classes="buttons"):
                yield from self.buttons()
        yield KeyBar()

    def inside(self) -> ComposeResult:
        """What is between the title and the buttons."""
        yield from ()

    def buttons(self) -> ComposeResult:
        """The buttons at the end, the one that does it last."""
        yield Button("Close", classes="close", compact=True)

    def on_mount(self) -> None:
        for input_ in self.query(Input):
            input_.cursor_blink = not self.app.is_headless
            input_.select_on_focus = False
        self.complain("")
        self.is_ready = True

    def follow(self) -> None:
        """Shows what may have changed meanwhile."""

    @on(Button.Pressed, ".close")
    def _close(self) -> None:
        self.dismiss(None)

    def titled(self, title: Content) -> None:
        """Puts another title on top."""
        self.query_one(".title", Static).update(title)

    def complain(self, text: str) -> None:
        """Says what went wrong, or no longer."""
        problem = self.query_one(".problem", Static)
        problem.update(Content(text))
        problem.display = bool(text)

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Carries something out while the window stays usable; it ends with the window."""
        self.run_worker(work, exit_on_error=True)

    async def granted(self, deed: Awaitable[str]) -> bool:
        """Waits for what was asked of a `Keeper`; whether it was done. Why not is shown."""
        problem = await deed
        self.complain(problem)
        return not problem


class Question(ModalScreen[bool]):
    """Asks yes or no. `bad`: yes can't be taken back, so that the key Enter means no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)", "No", key_display="N"),
        Binding("y", "dismiss(True)", "Yes", key_display="Y"),
    ]

    def __init__(self, question: str, yes: str, no: str, *, bad: bool = False) -> None:
        super().__init__()
        self._question, self._yes, self._no, self._bad = question, yes, no, bad

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._question), classes="title", markup=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(self._no), id="cancel", compact=True)
                yield Button(Content(self._yes), id="connect", classes="bad" if self._bad else "main", compact=True)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#cancel" if self._bad else "#connect").focus()

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "connect")


class Typed(Dialog[bool]):
    """Asks for something that can't be taken back: only who types `word` may have it."""

    def __init__(self, title: str, warning: str, word: str, yes: str) -> None:
        super().__init__()
        self._title, self._warning, self._word, self._yes = title, warning, word, yes

    def inside(self) -> ComposeResult:
        yield Static(Content(self._warning), classes="words", markup=False)
        yield Input(placeholder=self._word, id="word")

    def buttons(self) -> ComposeResult:
        yield Button("Cancel", classes="close", compact=True)
        yield Button(Content(self._yes), id="sure", classes="bad", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.titled(Content(self._title))

    @on(Input.Submitted)
    @on(Button.Pressed, "#sure")
    def _sure(self) -> None:
        if self.query_one(Input).value.strip() == self._word:
            self.dismiss(True)
        else:
            self.complain("What you typed is something else.")
            self.query_one(Input).focus()


class Choosable(Struct, frozen=True):
    """A row of a menu. `act` says what it means, `hint` is a few words at the end; "" as `act` is a heading."""

    act: str
    words: str
    hint: str = ""
    bad: bool = False


class MenuList(RowList[Choosable]):
    """The rows of a menu."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Choose", key_display="↵")]

    @property
    def shows_cursor(self) -> bool:
        return True

    def key_of(self, shown: Choosable) -> Hashable:
        return (shown.act, shown.words)

    def name_of(self, shown: Choosable) -> str:
        return shown.words

    def is_heading(self, shown: Choosable) -> bool:
        return not shown.act

    def pieces_of(self, shown: Choosable) -> list[Styled]:
        style = self.style_of("dim") if self.is_heading(shown) else self.style_of("bad") if shown.bad else Style.null()
        return [(f" {shown.words}", style)]

    def right_of(self, shown: Choosable) -> list[Styled]:
        return [(f"{shown.hint} ", self.style_of("dim"))]


class Menu(Dialog[str]):
    """Rows to choose from; gives the `act` of the one that was chosen, or None."""

    def __init__(self, title: Content, about: str, rows: Iterable[Choosable]) -> None:
        super().__init__()
        self._title, self._about, self._rows = title, about, list(rows)

    def inside(self) -> ComposeResult:
        yield Static(Content(self._about), classes="about", markup=False)
        yield MenuList(id="menu")

    def on_mount(self) -> None:
        super().on_mount()
        self.titled(self._title)
        self.query_one(".about").display = bool(self._about)
        menu = self.query_one(MenuList)
        menu.set_rows(self._rows)
        menu.styles.height = len(self._rows)
        menu.focus()

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if isinstance(event.row, Choosable):
            self.dismiss(event.row.act)
