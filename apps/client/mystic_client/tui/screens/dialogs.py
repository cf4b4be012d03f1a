"""Small questions in front of the screen."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from mysticproto.names import NameRefused, check_group_name


class NewGroup(ModalScreen[str | None]):
    """Asks for the name of a new group; gives the name, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("New group", classes="title", markup=False)
            yield Input(placeholder="a name without spaces", id="group-name")
            yield Static("", classes="problem", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Create", id="connect")

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = not self.app.is_headless

    @on(Input.Submitted)
    @on(Button.Pressed, "#connect")
    def _create(self) -> None:
        try:
            self.dismiss(check_group_name(self.query_one(Input).value.strip()))
        except NameRefused as refused:
            self.query_one(".problem", Static).update(Content(str(refused)))
            self.query_one(Input).focus()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


class Question(ModalScreen[bool]):
    """Asks yes or no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)", "No"),
        Binding("y", "dismiss(True)", "Yes"),
    ]

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self._question, self._yes, self._no = question, yes, no

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._question), classes="title", markup=False)
            with Horizontal(id="buttons"):
                yield Button(Content(self._no), id="cancel")
                yield Button(Content(self._yes), id="connect")

    def on_mount(self) -> None:
        self.query_one("#connect").focus()

    @on(Button.Pressed)
    def _answer(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "connect")
