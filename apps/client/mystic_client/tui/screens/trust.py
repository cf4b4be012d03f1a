"""A server that is not the one that it was: a full stop, with both fingerprints to compare."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Static

from mystic_client.tui.screens.dialogs import Dialog

IN_ROW: Final = 16
"""Pairs of digits in a row of a fingerprint."""
GAP: Final = 4
"""After so many pairs there is more room, for the eye."""
WHY: Final = (
    "The server at this address had another key when you were last here. Perhaps it was set up anew. Perhaps somebody "
    "stands between you and it, to read and change what you say. Nothing was sent."
)
HOW: Final = "Ask whoever runs the server which fingerprint is the right one; it prints it when it starts."


class FingerprintChanged(Dialog[bool]):
    """Shows both fingerprints; True: the user knows why, and trusts the new one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Disconnect", key_display="Esc")]

    def __init__(self, address: str, known: str, seen: str) -> None:
        super().__init__()
        self._address, self._known, self._seen = address, known, seen

    def inside(self) -> ComposeResult:
        yield Static(WHY, classes="words", markup=False)
        yield Static("It was", classes="head", markup=False)
        yield Static(grouped(self._known, self._seen, "$success"), id="known", markup=False)
        yield Static("Now it is", classes="head", markup=False)
        yield Static(grouped(self._seen, self._known, "bold $error"), id="seen", markup=False)
        yield Static(HOW, classes="words", markup=False)

    def buttons(self) -> ComposeResult:
        yield Button("I know why: trust the new one", id="trust", classes="bad", compact=True)
        yield Button("Disconnect", id="stop", classes="main", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.add_class("-alarm")
        self.titled(Content(f"Stop: {self._address} is not who it was"))
        self.query_one("#stop").focus()

    @on(Button.Pressed, "#stop")
    def _stop(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#trust")
    def _trust(self) -> None:
        self.dismiss(True)


def grouped(fingerprint: str, other: str, style: str) -> Content:
    """A fingerprint in rows of pairs; those that are different in `other` stand out."""
    pairs, others = _pairs(fingerprint), _pairs(other)
    if not pairs:
        return Content(" none: it does not encrypt any more")
    parts: list[Content] = []
    for number, pair in enumerate(pairs):
        same = number < len(others) and others[number] == pair
        before = "\n  " if number and number % IN_ROW == 0 else "   " if number % GAP == 0 and number else " "
        parts += [Content(before if number else "  "), Content(pair) if same else Content.styled(pair, style)]
    return Content("").join(parts)


def _pairs(fingerprint: str) -> list[str]:
    return re.findall("..", re.sub("[^0-9a-f]", "", fingerprint.lower()))
