"""Message paint: the rows of a conversation in colours."""

from __future__ import annotations

from typing import ClassVar, Final
from zlib import crc32

from msgspec.structs import replace
from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.lines import BAR, Line, Piece
from mystic_client.tui.widgets.message_rows import MessageRows
from mystic_client.tui.widgets.strips import overlay, row
from mysticproto.names import name_key

NAME_COLOURS: Final = 8
_STYLES: Final = (
    "text", "time", "date", "new", "event", "notice", "error", "note", "link", "name", "button", "broadcast",
    "state-pending", "state-sent", "state-delivered", "state-read", "state-failed", "state-none", "hint", "quote",
    "edited", "deleted", "announcement", "menu", "file", "file-words",
)  # fmt: skip
_KINDS: Final = ("plain", "rule", "own", "mention", "quiet", "in-broadcast", "in-announcement", "selected")
MENU: Final = "⋯"


class MessagePaint(MessageRows):
    """See the module."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"message-view--{style}" for style in (*_STYLES, *_KINDS)),
        *(f"message-view--author-{number}" for number in range(NAME_COLOURS)),
        "message-view--selection",
    }

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(clock, id=id)
        self._styles: dict[str, Style] = {}
        self.cursor = self.hover = -1
        """The indices of the entry that is selected and of the one under the mouse; -1 for none."""

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y - self._blank_above
        base = self.rich_style
        if number < 0 or not self.is_attached:
            return Strip.blank(self._width, base)
        if number == 0:
            return self._hint(base)
        index, line = self._row_at(number)
        if line is None:
            return Strip.blank(self._width, base)
        strip = self._strip(self._with_menu(index, line), base, selected=index == self.cursor and line.kind != "rule")
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(number)) is not None:
            strip = overlay(strip, *span, self._style("selection"))
        return strip.apply_offsets(0, number)

    def _with_menu(self, index: int, line: Line) -> Line:
        """A row with a way to the message's menu at its end, if it is the first of what is selected or pointed at."""
        if index not in (self.cursor, self.hover) or not self.entries[index].is_said:
            return line
        rows = [row for row in self._lines_of(index) if row.kind != "rule"]
        if line is not next((row for row in rows if row.right), rows[0]):
            return line
        if not line.right:
            return replace(line, right=(Piece(f" {MENU} ", "menu", "menu"),))
        time, *state = line.right
        return replace(
            line, right=(Piece(" ", "time"), Piece(f"{MENU:>{cell_len(time.text) - 2}} ", "menu", "menu"), *state)
        )

    def _hint(self, base: Style) -> Strip:
        past = self.talk.excerpt.older if self.talk.in_past and self.talk.excerpt else self.talk.history
        words = {
            "asked": "Fetching older messages …",
            "filling": "Fetching what was said meanwhile …",
            "more": "Scroll up for older messages",
            "failed": "Older messages could not be fetched. Click to try again",
            "cleared": "Click to show older messages again",
            "all": "This is the beginning" if self.entries else "Nothing here yet. Say hello!",
        }.get(past, "")
        left = max(0, (self._width - cell_len(words)) // 2)
        style = self._style("hint")
        if past in ("failed", "cleared"):
            style += Style.from_meta({"act": ("past", "")})
        return row([(" " * left, Style.null()), (words, style)], self._width, base)

    def _strip(self, line: Line, base: Style, *, selected: bool) -> Strip:
        base += self._style(f"in-{line.kind}" if line.kind in ("broadcast", "announcement") else line.kind)
        if selected:
            base += self._style("selected")
        bar = (BAR + " ", self._style(line.bar)) if line.bar else ("  ", Style.null())
        left = [bar, *((piece.text, self._piece_style(piece)) for piece in line.pieces)]
        right = [(piece.text, self._piece_style(piece)) for piece in line.right]
        return row(left, self._width, base, right)

    def _piece_style(self, piece: Piece) -> Style:
        if not piece.act:
            return self._style(piece.style)
        key = f"{piece.style}\0{piece.act}\0{piece.about}"
        style = self._styles.get(key)
        if style is None:
            style = self._style(piece.style) + Style(
                link=piece.about if piece.act == "link" else None, meta={"act": (piece.act, piece.about)}
            )
            self._keep(key, style)
        return style

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            known = f"author-{name_colour(name[7:])}" if name.startswith("author:") else name
            style = self.get_component_rich_style(f"message-view--{known}", partial=True)
            self._keep(name, style)
        return style

    def _keep(self, key: str, style: Style) -> None:
        if len(self._styles) > 1000:
            self._styles.clear()
        self._styles[key] = style


def name_colour(name: str) -> int:
    """The number of a name's colour: the same at every start and for every spelling of the name."""
    return crc32(name_key(name).encode()) % NAME_COLOURS
