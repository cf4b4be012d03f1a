"""The file browser: where one is, the columns to sort by, what is in the folder, and downloads."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mystic_client.model.folder import Listing, ordered
from mystic_client.model.text import counted, size_in_words, stamp
from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import FileWanted, FolderWanted, TransferAgain, TransferStopped
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled, row, shorten
from mysticproto.model import FolderEntry

SIZE_CELLS: Final = 14
TIME_CELLS: Final = 14
BAR_CELLS: Final = 12
UP: Final = FolderEntry("..", "folder")


class Breadcrumbs(Widget):
    """The way from the root to the folder; every step can be clicked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"breadcrumbs--here", "breadcrumbs--step", "breadcrumbs--words"}

    def __init__(self) -> None:
        super().__init__()
        self._listing = Listing()

    def show(self, listing: Listing) -> None:
        self._listing = listing
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

    def render_line(self, y: int) -> Strip:
        right = [self._head("size", "Size", SIZE_CELLS), self._head("modified", "Changed", TIME_CELLS)]
        return row([("   ", Style.null()), self._head("name", "Name", 0)], self.size.width, self.rich_style, right)

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
    """What is in the folder; Enter or a click opens a folder and fetches a file."""

    EMPTY: ClassVar[str] = "   This folder is empty"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("backspace,left", "up", "Folder above", show=False)]

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.listing = Listing()
        self._clock = clock
        self._order = ("name", False)

    def show(self, listing: Listing) -> None:
        """Shows a folder; another one from its top."""
        fresh = listing.path != self.listing.path
        self.listing = listing
        self._fill()
        if fresh:
            self.action_move_to(0)

    def sort(self, column: str, down: bool) -> None:
        self._order = (column, down)
        self._fill()

    def _fill(self) -> None:
        above = [UP] if self.listing.parent is not None else []
        self.set_rows([*above, *ordered(self.listing.entries, self._order[0], down=self._order[1])])

    def action_up(self) -> None:
        if self.listing.parent is not None:
            self.post_message(FolderWanted(self.listing.parent))

    def action_choose(self) -> None:
        if self.cursor >= len(self.rows):
            return
        entry = self.rows[self.cursor]
        if entry is UP:
            self.action_up()
        elif entry.kind == "folder":
            self.post_message(FolderWanted(self.listing.path_of(entry)))
        else:
            self.post_message(FileWanted(self.listing.path_of(entry)))

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


class TransferList(RowList[Transfer]):
    """Downloads: how far they are, and what became of them."""

    SEEKS = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,x", "stop", "Stop", show=False),
        Binding("r", "again", "Again", show=False),
    ]

    def key_of(self, shown: Transfer) -> Hashable:
        return shown.number

    def name_of(self, shown: Transfer) -> str:
        return shown.name

    def action_choose(self) -> None:
        self.action_again()

    def action_stop(self) -> None:
        if self.cursor < len(self.rows):
            self.post_message(TransferStopped(self.rows[self.cursor].number))

    def action_again(self) -> None:
        if self.cursor < len(self.rows) and self.rows[self.cursor].state in ("failed", "cancelled"):
            self.post_message(TransferAgain(self.rows[self.cursor].number))

    def clicked(self, index: int, event: events.Click) -> None:
        act = event.style.meta.get("transfer")
        if act == "stop":
            self.action_stop()
        elif act == "again":
            self.action_again()

    def pieces_of(self, shown: Transfer) -> list[Styled]:
        sign, style = self._sign(shown)
        name_cells = max(12, self.scrollable_content_region.width // 4)
        name = shorten(shown.name, name_cells)
        pieces = [(f" {sign} ", self.style_of(style)), (name + " " * (name_cells - cell_len(name) + 1), Style.null())]
        if not shown.ended and self.scrollable_content_region.width >= 70:
            pieces += self._bar(shown)
        return [*pieces, (shown.in_words(), self.style_of("bad" if shown.state == "failed" else "dim"))]

    def right_of(self, shown: Transfer) -> list[Styled]:
        again = ("  Again ", self.style_of("key") + Style.from_meta({"transfer": "again"}))
        stop = (" × ", self.style_of("dim") + Style.from_meta({"transfer": "stop"}))
        return [again, stop] if shown.state in ("failed", "cancelled") else [stop]

    def _sign(self, shown: Transfer) -> tuple[str, str]:
        match shown.state:
            case "done":
                return "✓", "good"
            case "failed" | "cancelled":
                return "✗", "bad"
        return "↓", "accent"

    def _bar(self, shown: Transfer) -> list[Styled]:
        filled = round(shown.fraction * BAR_CELLS)
        percent = f"{shown.fraction * 100:3.0f} % "
        return [
            ("━" * filled, self.style_of("good")),
            ("━" * (BAR_CELLS - filled) + " ", self.style_of("empty")),
            (percent, Style.null()),
        ]


class FilesPane(Vertical):
    """All of it together."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "refresh_folder", "Refresh", key_display="F5"),
        Binding("ctrl+s", "sort_next", "Sort by", show=False),
    ]

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.crumbs, self.columns = Breadcrumbs(), Columns()
        self.table, self.transfers = FileTable(clock), TransferList()

    def compose(self) -> ComposeResult:
        yield self.crumbs
        yield self.columns
        yield self.table
        yield self.transfers

    def on_mount(self) -> None:
        self.transfers.display = False

    def show_listing(self, listing: Listing) -> None:
        """Shows a folder, or that it could not be read."""
        self.crumbs.show(listing)
        self.table.show(listing)

    def show_transfers(self, transfers: list[Transfer]) -> None:
        """Shows the downloads, the latest first."""
        self.transfers.set_rows(transfers)
        self.transfers.display = bool(transfers)
        self.transfers.styles.height = min(6, len(transfers)) + self.transfers.gutter.height

    def on_columns_sorted(self, event: Columns.Sorted) -> None:
        self.table.sort(event.column, event.down)

    def action_refresh_folder(self) -> None:
        self.post_message(FolderWanted(self.table.listing.path))

    def action_sort_next(self) -> None:
        order = [(column, down) for column in ("name", "size", "modified") for down in (column != "name",)]
        columns = [column for column, _ in order]
        self.columns.sort(columns[(columns.index(self.columns.column) + 1) % len(columns)])
