"""The parts of the file browser: where one is, the columns to sort by, and what is in the folder."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mystic_client.model.folder import COLUMNS, Listing, fitting, ordered
from mystic_client.model.text import counted, size_in_words, stamp
from mystic_client.tui.messages import FilesWanted, FolderWanted
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled, row
from mysticproto.model import FolderEntry

SIZE_CELLS: Final = 14
TIME_CELLS: Final = 14
MARK_CELLS: Final = 2
"""Cells at the beginning of a row where a click marks it."""
UP: Final = FolderEntry("..", "folder")


class Breadcrumbs(Widget):
    """The way from the root to the folder; every step can be clicked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"breadcrumbs--here", "breadcrumbs--step", "breadcrumbs--words"}

    def __init__(self) -> None:
        super().__init__()
        self._listing = Listing()
        self._shown: int | None = None

    def show(self, listing: Listing, shown: int | None = None) -> None:
        """Shows another folder; `shown`: how many of its entries the filter lets through."""
        self._listing, self._shown = listing, shown
        self.refresh()

    def render_line(self, y: int) -> Strip:
        crumbs = self._listing.crumbs
        left: list[Styled] = [(" ", Style.null())]
        for number, (name, path) in enumerate(crumbs):
            here = number == len(crumbs) - 1
            style = self.get_component_rich_style(f"breadcrumbs--{'here' if here else 'step'}", partial=True)
            left.append((name, style + Style.from_meta({"folder": path})))
            left.append(("" if here else " › ", self._words))
        right = [(f"{self._summary()} ", self._words), ("↻ Refresh ", self._words + self._again)]
        return row(left, self.size.width, self.rich_style, right)

    def on_click(self, event: events.Click) -> None:
        path = event.style.meta.get("folder")
        if isinstance(path, str):
            event.stop()
            self.post_message(FolderWanted(path))

    @property
    def _again(self) -> Style:
        return Style.from_meta({"folder": self._listing.path})

    @property
    def _words(self) -> Style:
        return self.get_component_rich_style("breadcrumbs--words", partial=True)

    def _summary(self) -> str:
        if self._listing.state == "asked":
            return "reading …"
        if self._shown is not None:
            return f"{self._shown:,} of {counted(len(self._listing.entries), 'entry', 'entries')}"
        files = sum(entry.kind != "folder" for entry in self._listing.entries)
        folders = len(self._listing.entries) - files
        parts = [counted(folders, "folder")] if folders else []
        return " · ".join([*parts, counted(files, "file")])


class Columns(Widget):
    """The heads of the columns; a click sorts by one, a second click turns the order around."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"columns--sorted"}

    class Sorted(Message):
        """The user chose an order."""

        def __init__(self, column: str, down: bool) -> None:
            super().__init__()
            self.column, self.down = column, down

    def __init__(self) -> None:
        super().__init__()
        self.column, self.down = "name", False

    def sort(self, column: str) -> None:
        """Sorts by a column, or the other way around if it is the one already."""
        self.down = not self.down if column == self.column else column != "name"
        self.column = column
        self.refresh()
        self.post_message(self.Sorted(column, self.down))

    def sort_next(self) -> None:
        """The next of all orders: every column, and then the other way around."""
        if self.down == (self.column != "name"):
            self.sort(self.column)
        else:
            self.sort(COLUMNS[(COLUMNS.index(self.column) + 1) % len(COLUMNS)])

    def render_line(self, y: int) -> Strip:
        right = [self._head("size", "Size", SIZE_CELLS), self._head("modified", "Changed", TIME_CELLS)]
        return row([("    ", Style.null()), self._head("name", "Name", 0)], self.size.width, self.rich_style, right)

    def _head(self, column: str, title: str, width: int) -> Styled:
        sign = " ↓" if self.down else " ↑"
        title += sign if column == self.column else ""
        style = Style.from_meta({"column": column})
        if column == self.column:
            style += self.get_component_rich_style("columns--sorted", partial=True)
        return (f"{title:>{width - 1}} " if width else title), style

    def on_click(self, event: events.Click) -> None:
        column = event.style.meta.get("column", "name")
        event.stop()
        self.sort(column)


class FileTable(RowList[FolderEntry]):
    """What is in the folder, as far as the filter lets it through.

    Enter or a click opens a folder and fetches a file; space, ctrl+click and a click at a row's beginning mark, and
    then Enter fetches what is marked, whole folders too. Letters are meant for the filter.
    """

    MARKS = True
    SEEKS = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,left", "up", "Folder above", show=False),
        Binding("ctrl+a", "mark_all", "Mark all", show=False),
    ]

    class Typed(Message):
        """The user typed a letter."""

        def __init__(self, character: str) -> None:
            super().__init__()
            self.character = character

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.listing = Listing()
        self._clock = clock
        self._order = ("name", False)
        self._filter = ""

    def show(self, listing: Listing) -> None:
        """Shows a folder: another one from its top, the same one where the user is in it."""
        fresh = listing.path != self.listing.path
        self.listing = listing
        if fresh:
            self.clear_marks()
            self.cursor, self._filter = 0, ""
            self.scroll_to(y=0, animate=False)
        self._fill()

    def sort(self, column: str, down: bool) -> None:
        self._order = (column, down)
        self._fill()

    def filter(self, words: str) -> None:
        """Shows only what has these words in its name."""
        self._filter = words
        self._fill()
        if words:
            self.action_move_to(1 if self.rows and self.rows[0] is UP and len(self.rows) > 1 else 0)

    def _fill(self) -> None:
        above = [UP] if self.listing.parent is not None else []
        entries = fitting(self.listing.entries, self._filter)
        before = self.cursor
        self.set_rows([*above, *ordered(entries, self._order[0], down=self._order[1])])
        if moved := self.cursor - before:  # what the user looks at stays where it is on the screen
            self.scroll_to(y=max(0, self.scroll_offset.y + moved), animate=False)

    @property
    def shown_count(self) -> int:
        """How many entries the filter lets through."""
        return sum(entry is not UP for entry in self.rows)

    @property
    def wanted(self) -> list[tuple[str, bool]]:
        """What is marked, or else what the cursor is on: paths, and whether each is a folder."""
        chosen = [entry for entry in self.rows if entry.name in self.marked and entry is not UP]
        if not chosen and self.current is not None and self.current is not UP:
            chosen = [self.current]
        return [(self.listing.path_of(entry), entry.kind == "folder") for entry in chosen]

    def action_up(self) -> None:
        if self.listing.parent is not None:
            self.post_message(FolderWanted(self.listing.parent))

    def action_choose(self) -> None:
        if self.marked:
            self.action_fetch()
        elif self.current is UP:
            self.action_up()
        elif self.current is not None and self.current.kind == "folder":
            self.post_message(FolderWanted(self.listing.path_of(self.current)))
        else:
            self.action_fetch()

    def action_fetch(self) -> None:
        """Fetches what is marked, or what the cursor is on."""
        if wanted := self.wanted:
            self.post_message(FilesWanted(wanted))
            self.clear_marks()

    def action_mark_all(self) -> None:
        """Marks all that is shown, or nothing if all of it is marked."""
        keys = {self.key_of(entry) for entry in self.rows if entry is not UP}
        self._set_marked(set() if keys <= self.marked else keys)

    def _toggle(self, index: int) -> None:
        if self.rows[index] is not UP:
            super()._toggle(index)

    def clicked(self, index: int, event: events.Click) -> None:
        if event.get_content_offset_capture(self).x < MARK_CELLS:
            self._toggle(index)
        elif self.marked:
            self.clear_marks()
        else:
            self.action_choose()

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character and not event.character.isspace():
            event.stop()
            self.post_message(self.Typed(event.character))

    @property
    def empty_words(self) -> str:
        return "    Nothing here has that in its name" if self._filter else "    This folder is empty"

    def key_of(self, shown: FolderEntry) -> Hashable:
        return shown.name

    def name_of(self, shown: FolderEntry) -> str:
        return shown.name

    def pieces_of(self, shown: FolderEntry) -> list[Styled]:
        if shown.kind == "folder":
            return [(" ▸ ", self.style_of("accent")), (shown.name, self.style_of("key"))]
        return [("   ", Style.null()), (shown.name, Style.null())]

    def right_of(self, shown: FolderEntry) -> list[Styled]:
        if shown is UP:
            return []
        size = counted(shown.entries, "entry", "entries") if shown.kind == "folder" else size_in_words(shown.size)
        time = stamp(shown.modified_us, self._clock.now_us(), self._clock.zone) if shown.modified_us else ""
        dim = self.style_of("dim")
        return [(f"{size:>{SIZE_CELLS - 1}} ", dim), (f"{time:>{TIME_CELLS - 1}} ", dim)]
