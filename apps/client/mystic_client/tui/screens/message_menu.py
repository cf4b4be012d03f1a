"""The menu of a message: what can be done with it, beside it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import ClassVar, Final

from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mystic_client.model.message_acts import Act
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled

WIDTH: Final = 34
FRAME: Final = 3
"""Rows around the list: the border, and what the message says."""


class ActList(RowList[Act]):
    """What can be done, each with its key."""

    SEEKS = False

    @property
    def shows_cursor(self) -> bool:
        return True

    def key_of(self, shown: Act) -> Hashable:
        return shown.name

    def name_of(self, shown: Act) -> str:
        return shown.words

    def pieces_of(self, shown: Act) -> list[Styled]:
        return [(f" {shown.words}", self.style_of("bad") if shown.bad else Style.null())]

    def right_of(self, shown: Act) -> list[Styled]:
        return [(f"{shown.key} ", self.style_of("key"))]


class MessageMenu(ModalScreen[str]):
    """Gives the name of what was chosen, or None. `y`, `rows`: the rows of the screen that the message is on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close")]

    def __init__(self, acts: Iterable[Act], about: str, y: int, rows: int = 1) -> None:
        super().__init__()
        self._acts, self._about, self._y, self._rows = list(acts), about, y, rows
        self.box = Vertical(id="message-menu")
        self.list = ActList()

    def compose(self) -> ComposeResult:
        with self.box:
            yield Static(Content(self._about), classes="about", markup=False)
            yield self.list

    def on_mount(self) -> None:
        self.list.set_rows(self._acts)
        self.list.styles.height = len(self._acts)
        self.list.focus()
        self._place()

    def on_resize(self) -> None:
        self._place()

    def _place(self) -> None:
        """Below the message if there is room, else above it, else as far down as it goes."""
        height = len(self._acts) + FRAME
        lowest = max(0, self.size.height - height)
        below = self._y + self._rows
        top = below if below <= lowest else self._y - height if self._y >= height else lowest
        self.box.styles.offset = (min(6, max(0, self.size.width - WIDTH)), top)

    def on_key(self, event: events.Key) -> None:
        act = next((act for act in self._acts if act.key == event.key.lower()), None)
        if act is not None:
            event.stop()
            self.dismiss(act.name)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(None)

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if isinstance(event.row, Act):
            self.dismiss(event.row.name)
