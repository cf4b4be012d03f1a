"""A folder of this computer, to choose files of it."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from mystic_client.model.own_files import OwnFile, fitting
from mystic_client.model.text import size_in_words, stamp
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.files import MARK_CELLS
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled
from mysticproto.names import clean_line

UP = OwnFile("..", True)
MAX_NAME_CHARS = 255


class OwnList(RowList[OwnFile]):
    """Enter or a click opens a folder or takes a file; space and a click at a row's beginning mark files."""

    MARKS = True
    SEEKS = False
    EMPTY: ClassVar[str] = "   Nothing here"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("backspace,left", "up", "Folder above", show=False)]

    class Opened(Message):
        """The user turned to another folder."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.folder = Path()
        self._clock = clock
        self._files: list[OwnFile] = []

    @property
    def shows_cursor(self) -> bool:
        return True

    def show(self, folder: Path, files: list[OwnFile], begun: str) -> None:
        """Shows another folder, or what fits a name that was begun."""
        if folder != self.folder:
            self.clear_marks()
            self.cursor = 0
            self.scroll_to(y=0, animate=False)
        self.folder, self._files = folder, files
        above = [] if begun or folder == folder.parent else [UP]
        self.set_rows([*above, *fitting(files, begun)])
        if begun:
            self.action_move_to(0)

    @property
    def chosen(self) -> list[Path]:
        """The files that are marked."""
        return [self.folder / own.name for own in self._files if own.name in self.marked]

    def action_up(self) -> None:
        self.post_message(self.Opened(".."))

    def action_choose(self) -> None:
        if self.current is not None and self.current.is_folder:
            self.post_message(self.Opened(self.current.name))
        else:
            super().action_choose()

    def clicked(self, index: int, event: events.Click) -> None:
        if event.get_content_offset_capture(self).x < MARK_CELLS:
            self._toggle(index)
        else:
            self.action_choose()

    def _toggle(self, index: int) -> None:
        if not self.rows[index].is_folder:
            super()._toggle(index)

    def key_of(self, shown: OwnFile) -> Hashable:
        return shown.name

    def name_of(self, shown: OwnFile) -> str:
        return clean_line(shown.name, MAX_NAME_CHARS)

    def pieces_of(self, shown: OwnFile) -> list[Styled]:
        if shown.is_folder:
            return [(" ▸ ", self.style_of("accent")), (self.name_of(shown), self.style_of("key"))]
        return [("   ", Style.null()), (self.name_of(shown), Style.null())]

    def right_of(self, shown: OwnFile) -> list[Styled]:
        if shown is UP:
            return []
        size = "" if shown.is_folder else size_in_words(shown.size)
        time = stamp(shown.modified_us, self._clock.now_us(), self._clock.zone)
        return [(f"{size:>9}  {time:>10} ", self.style_of("dim"))]
