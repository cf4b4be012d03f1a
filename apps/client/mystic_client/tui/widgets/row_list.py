"""A list of one-line rows to choose from, drawn row by row, so that thousands cost nothing.

Up, down and a click move the cursor; Enter and a click choose; where marking is allowed, space and ctrl+click mark.
Typing letters goes to the next row that begins with them. Where rows have details, F5, a right click and the "⋯" at a
row's end ask for them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import ClassVar, Final, Generic, TypeVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from mystic_client.tui.widgets.strips import Styled, row

Row = TypeVar("Row")
TYPING_GAP_S: Final = 1.0
RIGHT_BUTTON: Final = 3
MORE: Final = "⋯ "


class RowList(ScrollView, Generic[Row], can_focus=True):
    """See the module. Subclasses say what a row's key is and what it looks like.

    `rows` are for reading; `cursor` is the index of the current row, `marked` the keys of marked rows.
    """

    MARKS: ClassVar[bool] = False
    SEEKS: ClassVar[bool] = True
    """Whether letters look for a row; otherwise they may be bound to something."""
    DETAILS: ClassVar[bool] = False
    """Whether there is more to see of a row."""
    EMPTY: ClassVar[str] = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "move_page(-1)", "Page up", show=False),
        Binding("pagedown", "move_page(1)", "Page down", show=False),
        Binding("home", "move_to(0)", "First", show=False),
        Binding("end", "move_to(-1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("f5", "details", "Details", key_display="F5"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{name}" for name in ("cursor", "hover", "marked", "dim", "accent", "good", "bad", "empty", "key")
    }

    class Chosen(Message):
        """The user chose a row."""

        def __init__(self, source: Widget, chosen: object) -> None:
            super().__init__()
            self.source, self.row = source, chosen

        @property
        def control(self) -> Widget:
            return self.source

    class Marked(Message):
        """The user changed which rows are marked."""

        def __init__(self, source: Widget, keys: frozenset[Hashable]) -> None:
            super().__init__()
            self.source, self.keys = source, keys

        @property
        def control(self) -> Widget:
            return self.source

    class Detailed(Message):
        """The user wants to see more of a row."""

        def __init__(self, source: Widget, detailed: object) -> None:
            super().__init__()
            self.source, self.row = source, detailed

        @property
        def control(self) -> Widget:
            return self.source

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: list[Row] = []
        self.cursor = 0
        self.marked: set[Hashable] = set()
        self._hover = -1
        self._typed = ""
        self._typed_at_s = 0.0

    # What subclasses say.

    def key_of(self, shown: Row) -> Hashable:
        """What identifies a row when the list is set again."""
        return self.name_of(shown)

    def pieces_of(self, shown: Row) -> list[Styled]:
        """What a row looks like."""
        return [(self.name_of(shown), Style.null())]

    def right_of(self, shown: Row) -> list[Styled]:
        """What is at its right end."""
        return []

    def name_of(self, shown: Row) -> str:
        """What typing looks for."""
        return str(shown)

    @property
    def empty_words(self) -> str:
        """What is shown when there are no rows."""
        return self.EMPTY

    def is_heading(self, shown: Row) -> bool:
        """Whether a row only names the rows below it; the cursor passes it by."""
        return False

    # What is shown.

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Shows other rows; cursor and marks stay with their keys."""
        current = self.key_of(self.rows[self.cursor]) if self.cursor < len(self.rows) else None
        self.rows = list(rows)
        keys = [self.key_of(shown) for shown in self.rows]
        marked = self.marked & set(keys)
        self.cursor = keys.index(current) if current in keys else self._passing_headings(self.cursor)
        self.virtual_size = Size(0, len(self.rows))
        if marked != self.marked:
            self._set_marked(marked)
        self.refresh()

    def clear_marks(self) -> None:
        """Marks nothing."""
        if self.marked:
            self._set_marked(set())

    def _set_marked(self, keys: set[Hashable]) -> None:
        self.marked = keys
        self.post_message(self.Marked(self, frozenset(keys)))
        self.refresh()

    # Keys.

    def action_move(self, by: int) -> None:
        self._move_to(self.cursor + by)

    def action_move_page(self, by: int) -> None:
        self._move_to(self.cursor + by * max(1, self.size.height - 1))

    def action_move_to(self, index: int) -> None:
        self._move_to(index if index >= 0 else len(self.rows) + index)

    @property
    def current(self) -> Row | None:
        """The row that the cursor is on."""
        shown = self.rows[self.cursor] if self.cursor < len(self.rows) else None
        return None if shown is None or self.is_heading(shown) else shown

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    def action_mark(self) -> None:
        if self.current is not None:
            if self.MARKS:
                self._toggle(self.cursor)
            else:
                self.action_choose()

    def action_details(self) -> None:
        if self.current is not None:
            self.post_message(self.Detailed(self, self.current))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.DETAILS if action == "details" else True

    def on_key(self, event: events.Key) -> None:
        if self.SEEKS and event.is_printable and event.character and not event.character.isspace():
            event.stop()
            self._jump(event.character, event.time)

    def _jump(self, character: str, now_s: float) -> None:
        """Goes to the next row whose name begins with what was typed in quick succession."""
        fresh = now_s - self._typed_at_s > TYPING_GAP_S
        self._typed = character if fresh else self._typed + character
        self._typed_at_s = now_s
        wanted, count = self._typed.casefold(), len(self.rows)
        for step in range(count):
            index = (self.cursor + (1 if fresh else 0) + step) % count
            if self.name_of(self.rows[index]).casefold().startswith(wanted):
                self._move_to(index)
                return

    def _move_to(self, index: int) -> None:
        if self.rows:
            self.cursor = self._passing_headings(index)
            self._show_cursor()
            self.refresh()

    def _passing_headings(self, index: int) -> int:
        """The nearest row to this that is one, in the direction of the move."""
        if not self.rows:
            return 0
        index = min(max(0, index), len(self.rows) - 1)
        forth, back = range(index, len(self.rows)), range(index, -1, -1)
        ways = (back, forth) if index < self.cursor else (forth, back)
        return next((at for way in ways for at in way if not self.is_heading(self.rows[at])), index)

    def _show_cursor(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def _toggle(self, index: int) -> None:
        self._set_marked(self.marked ^ {self.key_of(self.rows[index])})

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        index = self._index_at(event.get_content_offset(self))
        if index < 0:
            return
        event.stop()
        if self.is_heading(self.rows[index]):
            return
        self._move_to(index)
        if self.DETAILS and (event.button == RIGHT_BUTTON or event.style.meta.get("details")):
            self.action_details()
        elif self.MARKS and (event.ctrl or event.shift or event.meta):
            self._toggle(index)
        else:
            self.clicked(index, event)

    def clicked(self, index: int, event: events.Click) -> None:
        """A row was clicked without ctrl."""
        self.action_choose()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._set_hover(self._index_at(event.get_content_offset(self)))

    def on_leave(self) -> None:
        self._set_hover(-1)

    def _index_at(self, offset: object) -> int:
        y = getattr(offset, "y", None)
        index = self.scroll_offset.y + y if isinstance(y, int) else -1
        return index if 0 <= index < len(self.rows) else -1

    def _set_hover(self, index: int) -> None:
        if index != self._hover:
            self._hover = index
            self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # Drawing.

    @property
    def shows_cursor(self) -> bool:
        """Whether the current row stands out."""
        return self.has_focus

    def style_of(self, name: str) -> Style:
        """One of the list's styles: cursor, hover, marked, dim, accent, good, bad, key, empty."""
        return self.get_component_rich_style(f"row-list--{name}", partial=True)

    def render_line(self, y: int) -> Strip:
        width, base = self.scrollable_content_region.width, self.rich_style
        index = y + self.scroll_offset.y
        if not self.rows and y == 0 and self.empty_words:
            return row([(self.empty_words, self.style_of("empty"))], width, base)
        if index >= len(self.rows):
            return Strip.blank(width, base)
        shown = self.rows[index]
        if self.shows_cursor and index == self.cursor:
            base += self.style_of("cursor")
        elif index == self._hover:
            base += self.style_of("hover")
        front: list[Styled] = []
        if self.MARKS:
            front = [("✓" if self.key_of(shown) in self.marked else " ", self.style_of("marked"))]
        right = self.right_of(shown)
        if self.DETAILS and not self.is_heading(shown):
            stands_out = index == self._hover or (self.shows_cursor and index == self.cursor)
            style = self.style_of("key" if stands_out else "empty")
            right = [*right, (MORE, style + Style.from_meta({"details": True}))]
        return row([*front, *self.pieces_of(shown)], width, base, right)
