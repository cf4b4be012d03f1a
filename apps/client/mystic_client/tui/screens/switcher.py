"""The switcher: type a part of a name and go there, to a conversation, a group or somebody."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import ClassVar

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from mystic_client.model.switching import Destination, fitting
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled


class DestinationList(RowList[Destination]):
    """Where one can go."""

    SEEKS = False
    EMPTY: ClassVar[str] = " Nothing is called that"

    @property
    def shows_cursor(self) -> bool:
        return True

    def key_of(self, shown: Destination) -> Hashable:
        return (shown.kind, shown.title, shown.key, shown.group, shown.people)

    def name_of(self, shown: Destination) -> str:
        return shown.title

    def pieces_of(self, shown: Destination) -> list[Styled]:
        sign = {"group": "# ", "direct": "@ ", "name": "+ "}.get(shown.kind, "  ")
        return [(f" {sign}", self.style_of("key")), (shown.title, Style(bold=shown.urgent))]

    def right_of(self, shown: Destination) -> list[Styled]:
        return [(f"{shown.hint} ", self.style_of("accent" if shown.urgent else "dim"))]


class Switcher(ModalScreen[Destination]):
    """See the module. Gives the destination, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+k", "dismiss(None)", "Close", priority=True),
        Binding("up", "move(-1)", "Up", show=False, priority=True),
        Binding("down", "move(1)", "Down", show=False, priority=True),
        Binding("pageup", "move(-8)", "Up", show=False),
        Binding("pagedown", "move(8)", "Down", show=False),
    ]

    def __init__(self, everywhere: Iterable[Destination]) -> None:
        super().__init__()
        self._everywhere = list(everywhere)
        self.list = DestinationList(id="destinations")

    def compose(self) -> ComposeResult:
        with Vertical(id="switcher"):
            yield Input(placeholder="Go to: a conversation, a group, a name", id="where-to", compact=True)
            yield self.list

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_blink = not self.app.is_headless
        field.focus()
        self.list.set_rows(self._everywhere)

    def action_move(self, by: int) -> None:
        self.list.action_move(by)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self.list.cursor = 0
        self.list.set_rows(())
        self.list.set_rows(fitting(event.value, self._everywhere))
        self.list.scroll_to(y=0, animate=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.list.action_choose()

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if isinstance(event.row, Destination):
            self.dismiss(event.row)
