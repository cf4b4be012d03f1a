"""Choosing files of this computer to be sent: a path to type, which is completed, and what is in its folder."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, TypeAlias

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Static

from mystic_client.model.own_files import OwnFile, expanded, pasted_files, problem_of, split
from mystic_client.model.text import counted
from mystic_client.tui.screens.dialogs import Dialog
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.own_list import OwnList
from mystic_client.tui.widgets.row_list import RowList

ListFolder: TypeAlias = Callable[[Path], Awaitable[list[OwnFile]]]
"""What is in a folder here. Raises `OSError`."""


class PathInput(Input):
    """A path; tab completes it, down goes to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", key_display="Tab"),
        Binding("down", "leave", "To the list", show=False),
    ]

    class Asked(Message):
        """The user wants the path completed ("complete") or to choose from the list ("leave")."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def action_complete(self) -> None:
        self.post_message(self.Asked("complete"))

    def action_leave(self) -> None:
        self.post_message(self.Asked("leave"))


class UploadScreen(Dialog[tuple[Path, ...]]):
    """Gives the files that were chosen. `begin` is the path to begin with, `text` what will be said with them."""

    def __init__(self, title: str, text: str, begin: str, list_folder: ListFolder, clock: Clock) -> None:
        super().__init__()
        self._title, self._text, self._list_folder = title, text, list_folder
        self.path = PathInput(begin, placeholder="Path of a file", id="path", select_on_focus=False)
        self.list = OwnList(clock, id="own-files")
        self._folder: Path | None = None
        self._files: list[OwnFile] = []

    def inside(self) -> ComposeResult:
        yield Static(Content(self._text), classes="about", markup=False)
        yield self.path
        yield self.list

    def buttons(self) -> ComposeResult:
        yield Button("Cancel", classes="close", compact=True)
        yield Button("Send", id="send-files", classes="main", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.titled(Content(self._title))
        self.query_one(".about").display = bool(self._text)
        self.path.focus()
        self._look()

    # The list follows the path.

    @on(Input.Changed, "#path")
    def _look(self) -> None:
        self.complain("")
        folder, begun = split(self.path.value)
        path = expanded(folder).absolute()
        if path == self._folder:
            self.list.show(path, self._files, begun)
        else:
            self.run_worker(self._read(path), exclusive=True)

    async def _read(self, folder: Path) -> None:
        try:
            files = await self._list_folder(folder)
        except OSError as problem:
            files = []
            self.complain(f"{folder}: {problem.strerror or problem}")
        self._folder, self._files = folder, files
        self.list.show(folder, files, split(self.path.value)[1])

    @on(PathInput.Asked)
    def _asked(self, event: PathInput.Asked) -> None:
        if event.what == "leave" or not split(self.path.value)[1] or self.list.current is None:
            self.list.focus()
        else:
            self._complete(self.list.current)

    def _complete(self, own: OwnFile) -> None:
        folder, _ = split(self.path.value)
        self._set(folder + own.name + ("/" if own.is_folder else ""))

    def _set(self, text: str) -> None:
        self.path.value = text
        self.path.cursor_position = len(text)

    @on(OwnList.Opened)
    def _opened(self, event: OwnList.Opened) -> None:
        folder, _ = split(self.path.value)
        if event.name == "..":
            above = str(expanded(folder).absolute().parent)
            self._set(above if above.endswith(os.sep) else above + os.sep)
        else:
            self._set(f"{folder}{event.name}/")

    def on_key(self, event: events.Key) -> None:
        """What is typed over the list is meant for the path."""
        if self.list.has_focus and event.is_printable and event.character and not event.character.isspace():
            event.stop()
            self.path.focus()
            self.path.insert_text_at_cursor(event.character)

    # Choosing.

    @on(RowList.Marked)
    def _marked(self, event: RowList.Marked) -> None:
        count = len(event.keys)
        button = self.query_one("#send-files", Button)
        button.label = Content(f"Send {counted(count, 'file')}" if count else "Send")
        button.refresh(layout=True)

    @on(RowList.Chosen)
    def _row_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._choose(
            [*self.list.chosen] or [self.list.folder / event.row.name] if isinstance(event.row, OwnFile) else []
        )

    @on(Input.Submitted, "#path")
    def _submitted(self) -> None:
        typed = expanded(self.path.value)
        if typed.is_dir() and not self.path.value.endswith("/"):
            self._set(self.path.value + "/")
        elif typed.is_file():
            self._choose([typed.absolute()])
        elif pasted := pasted_files(self.path.value):
            self._choose(list(pasted))
        else:
            self.list.action_choose()

    @on(Button.Pressed, "#send-files")
    def _send(self) -> None:
        if self.list.chosen:
            self._choose(self.list.chosen)
        else:
            self._submitted()

    def _choose(self, files: list[Path]) -> None:
        problem = next((problem for file in files if (problem := problem_of(file))), "")
        if problem:
            self.complain(problem)
        elif files:
            self.dismiss(tuple(files))
