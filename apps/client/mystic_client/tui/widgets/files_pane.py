"""The file browser: a folder with a filter and buttons above it, and the transfers below."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input

from mystic_client.model.folder import Listing
from mystic_client.model.own_files import pasted_files
from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import FilesWanted, FolderWanted, TransportChosen, UploadWanted
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.files import Breadcrumbs, Columns, FileTable
from mystic_client.tui.widgets.pasted import FilesPasted
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.transfers import TransferHead, TransferList

TRANSPORTS: Final = ("auto", "tcp", "udp")
MAX_TRANSFER_ROWS: Final = 8


class FilterInput(Input):
    """What file names are looked for with; down and Enter go on to what was found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,enter", "leave", "To the files", show=False),
    ]

    class Left(Message):
        """The user turns to what was found."""

    def action_leave(self) -> None:
        self.post_message(self.Left())


class FilesPane(Vertical):
    """See the module. `over`: the transport that the user wants."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "refresh_folder", "Refresh", show=False),
        Binding("ctrl+g", "fetch", "Get", key_display="^G"),
        Binding("ctrl+o", "upload", "Upload", key_display="^O"),
        Binding("ctrl+s", "sort_next", "Sort", key_display="^S"),
        Binding("ctrl+t", "other_transport", "TCP/UDP", key_display="^T"),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.over = TRANSPORTS[0]
        self.crumbs, self.columns = Breadcrumbs(), Columns()
        self.table = FileTable(clock)
        self.transfer_head, self.transfers = TransferHead(), TransferList()
        self.filter = FilterInput(placeholder="Type to filter", id="filter", compact=True, select_on_focus=False)
        self.no_filter = Button("×", id="no-filter", compact=True)
        self.get = Button("Get", id="get", compact=True)
        self.transport = Button("over auto", id="transport", compact=True)

    def compose(self) -> ComposeResult:
        yield self.crumbs
        with Horizontal(id="file-bar"):
            yield self.filter
            yield self.no_filter
            yield self.get
            yield Button("All", id="mark-all", compact=True)
            yield Button("Upload", id="upload", compact=True)
            yield self.transport
        yield self.columns
        yield self.table
        yield self.transfer_head
        yield self.transfers

    def on_mount(self) -> None:
        self.filter.cursor_blink = not self.app.is_headless
        self.no_filter.display = self.transfer_head.display = self.transfers.display = False
        self.get.tooltip = "Fetch what is marked, or what the cursor is on (Ctrl+G)"
        self.transport.tooltip = "auto: TCP on short ways, UDP on long ones (Ctrl+T)"

    # What is shown.

    def show_listing(self, listing: Listing) -> None:
        """Shows a folder, or that it could not be read."""
        if listing.path != self.table.listing.path:
            self.filter.clear()
        self.table.show(listing)
        self._count()

    def show_transfers(self, transfers: list[Transfer]) -> None:
        """Shows what is fetched and sent, the latest first."""
        had_focus = self.transfers.has_focus
        self.transfer_head.show(transfers)
        self.transfers.set_rows(transfers)
        self.transfer_head.display = self.transfers.display = bool(transfers)
        self.transfers.styles.height = min(MAX_TRANSFER_ROWS, max(3, self.size.height // 3), len(transfers))
        if had_focus and not transfers:
            self.table.focus()

    def _count(self) -> None:
        filtered = bool(self.filter.value)
        self.no_filter.display = filtered
        self.crumbs.show(self.table.listing, self.table.shown_count if filtered else None)

    # What the user does.

    @on(FileTable.Typed)
    def _typed(self, event: FileTable.Typed) -> None:
        event.stop()
        self.filter.focus(scroll_visible=False)
        self.filter.insert_text_at_cursor(event.character)

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        event.stop()
        self.table.filter(event.value)
        self._count()

    @on(FilterInput.Left)
    def _to_table(self, event: FilterInput.Left) -> None:
        event.stop()
        self.table.focus()

    @on(RowList.Marked)
    def _marked(self, event: RowList.Marked) -> None:
        event.stop()
        count = len(event.keys)
        self._relabel(self.get, f"Get {count}" if count else "Get")

    def _relabel(self, button: Button, label: str) -> None:
        button.label = Content(label)
        button.refresh(layout=True)

    def on_columns_sorted(self, event: Columns.Sorted) -> None:
        self.table.sort(event.column, event.down)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "no-filter":
                self.filter.clear()
            case "get":
                self.action_fetch()
            case "mark-all":
                self.table.action_mark_all()
            case "upload":
                self.action_upload()
            case "transport":
                self.action_other_transport()
        self.table.focus()

    def on_paste(self, event: events.Paste) -> None:
        """A file was dropped onto the terminal."""
        if files := pasted_files(event.text):
            event.stop()
            self.post_message(FilesPasted(files, ""))

    def action_refresh_folder(self) -> None:
        self.post_message(FolderWanted(self.table.listing.path))

    def action_fetch(self) -> None:
        """Fetches what is marked, or what the cursor is on."""
        if wanted := self.table.wanted:
            self.post_message(FilesWanted(wanted))  # from here: what the table says now would not bubble further
            self.table.clear_marks()

    def action_upload(self) -> None:
        self.post_message(UploadWanted(folder=self.table.listing.path))

    def action_sort_next(self) -> None:
        self.columns.sort_next()

    def action_other_transport(self) -> None:
        self.over = TRANSPORTS[(TRANSPORTS.index(self.over) + 1) % len(TRANSPORTS)]
        self._relabel(self.transport, f"over {self.over.upper() if self.over != 'auto' else self.over}")
        self.post_message(TransportChosen(self.over))

    async def action_back(self) -> None:
        """Escape: one step back from what was begun here."""
        if self.filter.value or self.filter.has_focus:
            self.filter.clear()
            self.table.focus()
        elif self.table.marked:
            self.table.clear_marks()
        elif self.transfers.has_focus:
            self.table.focus()
        else:
            await self.run_action("screen.line")
