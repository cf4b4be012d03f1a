"""The message view: one conversation's timeline, drawn row by row.

There is one for the whole app; `show` gives it another conversation. Only entries near the viewport are wrapped: the
heights of the others are guesses, made exact one page before they come into sight, and the scroll position is moved
along so that nothing on the screen jumps. The position is held by an anchor (an entry and a row in it) unless the view
follows the end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import ClassVar, Final
from zlib import crc32

from msgspec import Struct
from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from mystic_client.model.talk import GLOBAL, Talk
from mystic_client.model.text import day
from mystic_client.model.timeline import Entry
from mystic_client.tui.messages import AuthorChosen, Dropped, LinkChosen, PastWanted, Retried
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.heights import Heights
from mystic_client.tui.widgets.lines import BAR, GUTTER, Line, Piece, Shape, guess_height, lay_out
from mystic_client.tui.widgets.strips import overlay, row
from mysticproto.names import name_key

NAME_COLOURS: Final = 8
MAX_LAID_OUT: Final = 2000
"""Entries whose rows are kept."""
MAX_COPIED_ROWS: Final = 20_000
_STYLES: Final = (
    "text", "time", "date", "new", "event", "notice", "error", "note", "link", "name", "button", "broadcast",
    "state-pending", "state-sent", "state-failed", "state-none", "hint",
)  # fmt: skip
_KINDS: Final = ("plain", "own", "mention", "quiet", "in-broadcast")


class _Anchor(Struct, frozen=True):
    """What is at the top of the viewport: a row of an entry, or -1 for the row above it."""

    entry: Entry
    row: int


class MessageView(ScrollView, can_focus=True):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "Oldest", show=False),
        Binding("end", "scroll_end", "Newest", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"message-view--{style}" for style in (*_STYLES, *_KINDS)),
        *(f"message-view--author-{number}" for number in range(NAME_COLOURS)),
        "message-view--selection",
    }

    class Unseen(Message):
        """How many messages have come below the viewport since the user scrolled up."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.talk = Talk(GLOBAL, "global")
        self.following = True
        """Whether the newest message stays in sight."""
        self._clock = clock
        self.shape = Shape(1, clock.now_us(), zone=clock.zone, time_format=clock.pattern)
        self.entries: list[Entry] = []
        """What is drawn: the timeline as it was at the last `show` or `update`, always in step with the heights."""
        self._heights = Heights()
        self._rows: dict[int, tuple[Entry, Entry | None, list[Line]]] = {}
        self._anchors: dict[str, _Anchor] = {}
        self._styles: dict[str, Style] = {}
        self._moving = False
        self._unseen = 0

    # What is shown.

    @property
    def laid_out_count(self) -> int:
        """How many entries have been wrapped for this width."""
        return self._heights.exact_count

    def show(self, talk: Talk, own_name: str) -> None:
        """Shows another conversation, where it was last left or at its end."""
        self._leave()
        self.talk = talk
        self.shape = self._shape_now(own_name)
        self._unseen = 0
        self._start_over(self._anchors.pop(talk.key, None))

    def update(self) -> None:
        """Draws what changed in the conversation."""
        shape = self._shape_now(self.shape.own_name)
        anchor = None if self.following else self._anchor()
        if shape.new_from != self.shape.new_from or self._is_new_day(shape):
            self.shape = shape
            self._start_over(anchor)
            return
        self.shape = shape
        count = len(self.entries)
        self._follow_change()
        if not self.following:
            self._count_unseen(len(self.entries) - count)
        self._settle(anchor)

    def to_end(self) -> None:
        """Goes to the newest message and stays there."""
        self.following = True
        self._set_unseen(0)
        self._settle(None)

    def action_scroll_end(self) -> None:
        self.to_end()

    def action_scroll_home(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_page_up(self) -> None:
        self.scroll_relative(y=2 - self.size.height, animate=False)

    def action_page_down(self) -> None:
        self.scroll_relative(y=self.size.height - 2, animate=False)

    def action_scroll_up(self) -> None:
        self.scroll_relative(y=-1, animate=False)

    def action_scroll_down(self) -> None:
        self.scroll_relative(y=1, animate=False)

    def _shape_now(self, own_name: str) -> Shape:
        clock = self._clock
        now_us, new_from = clock.now_us(), self.talk.new_from
        return Shape(self._width, now_us, own_name, self._is_roomy, new_from, clock.zone, clock.pattern)

    def _leave(self) -> None:
        if not self.following and (anchor := self._anchor()):
            self._anchors[self.talk.key] = anchor

    def _start_over(self, anchor: _Anchor | None) -> None:
        """Everything may look different now."""
        self._rows.clear()
        self.talk.timeline.take_change()
        self.entries = list(self.talk.timeline.entries)
        self._heights = Heights(guess_height(entry, self.shape.width) for entry in self.entries)
        self.following = anchor is None
        self._clear_selection()
        self._settle(anchor)

    def _follow_change(self) -> None:
        """Takes over what the timeline says has changed; what stayed keeps its heights."""
        change = self.talk.timeline.take_change()
        if change is None:
            return
        width, now = self.shape.width, self.talk.timeline.entries
        if change.prepended:
            self.entries[0:0] = now[: change.prepended]
            self._heights.prepend(guess_height(entry, width) for entry in self.entries[: change.prepended])
            self._doubt(change.prepended)
            self._clear_selection()
        if change.since < len(self._heights):
            self._clear_selection()
        since = min(change.since, len(self._heights))
        self.entries[since:] = now[since:]
        self._heights.replace_from(since, (guess_height(entry, width) for entry in self.entries[since:]))

    def _doubt(self, index: int) -> None:
        if index < len(self._heights):
            self._heights.doubt(index)

    def _is_new_day(self, shape: Shape) -> bool:
        return day(self.shape.now_us, shape.now_us, shape.zone) != "Today"

    def _count_unseen(self, more: int) -> None:
        new = [entry for entry in self.entries[-more:] if not entry.own and entry.author] if more > 0 else []
        self._set_unseen(self._unseen + len(new))

    def _set_unseen(self, count: int) -> None:
        if count != self._unseen:
            self._unseen = count
            self.post_message(self.Unseen(count))

    # Heights and position.

    @property
    def _width(self) -> int:
        return max(1, self.scrollable_content_region.width)

    @property
    def _is_roomy(self) -> bool:
        return self.size.height >= 22

    @property
    def _blank_above(self) -> int:
        """Rows above the content when it doesn't fill the viewport."""
        return max(0, self.size.height - self._content_height)

    @property
    def _content_height(self) -> int:
        return self._heights.total + 1  # the first row says whether there is more

    def _anchor(self) -> _Anchor | None:
        if not self.entries:
            return None
        top = self.scroll_offset.y - 1
        index, line = self._heights.at(top)
        return _Anchor(self.entries[index], line if top >= 0 else -1)

    def _settle(self, anchor: _Anchor | None) -> None:
        """Makes the heights around the viewport exact and puts the viewport where it belongs."""
        if not self.is_attached or self.size.height <= 0:
            return
        target = None
        if self.following or anchor is None or not self.entries:
            self._make_exact_upward(len(self.entries) - 1, 2 * self.size.height)
        else:
            index = self._index_of(anchor.entry)
            self._make_exact_downward(index, 2 * self.size.height)
            self._make_exact_upward(index - 1, self.size.height)
            target = 1 + self._heights.top_of(index) + min(anchor.row, self._heights[index] - 1)
        self._move_to(target)
        self._ask_for_past()
        self.refresh()

    def _move_to(self, target: int | None) -> None:
        """Sets size and position in one go; None is the end."""
        self._moving = True
        self.virtual_size = Size(self._width, self._content_height)
        end = max(0, self._content_height - self.size.height)
        self.set_scroll(None, end if target is None else min(target, end))
        self._moving = False

    def _index_of(self, entry: Entry) -> int:
        """Where an entry is now, or what is in its place."""
        index = start = bisect_left(self.entries, entry.place, key=lambda other: other.place)
        while index < len(self.entries) and self.entries[index].place == entry.place:
            if self.entries[index] is entry:
                return index
            index += 1
        return min(start, len(self.entries) - 1)

    def _make_exact_downward(self, index: int, rows: int) -> None:
        while rows > 0 and index < len(self.entries):
            rows -= self._exact(index)
            index += 1

    def _make_exact_upward(self, index: int, rows: int) -> None:
        while rows > 0 and index >= 0:
            rows -= self._exact(index)
            index -= 1

    def _exact(self, index: int) -> int:
        if not self._heights.is_exact(index):
            self._heights.set_exact(index, len(self._lines_of(index)))
        return self._heights[index]

    def _lines_of(self, index: int) -> list[Line]:
        """The rows of an entry, from memory if neither it nor the one before it has changed."""
        entry, previous = self.entries[index], self.entries[index - 1] if index else None
        kept = self._rows.get(id(entry))
        if kept and kept[0] is entry and kept[1] is previous:
            return kept[2]
        if len(self._rows) >= MAX_LAID_OUT:
            self._rows.clear()
        lines = lay_out(entry, previous, self.shape)
        self._rows[id(entry)] = (entry, previous, lines)
        return lines

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._moving or round(old_value) == round(new_value):
            return
        self.following = round(new_value) >= self._content_height - self.size.height
        if self.following:
            self._set_unseen(0)
        self._settle(self._anchor())

    def on_resize(self) -> None:
        anchor = None if self.following else self._anchor()
        if self.shape.width != self._width or self.shape.roomy != self._is_roomy:
            self.shape = self._shape_now(self.shape.own_name)
            self._start_over(anchor)
        else:
            self._settle(anchor)

    def _ask_for_past(self) -> None:
        if self.talk.fetches_by_itself and self.scroll_offset.y <= self.size.height:
            self.post_message(PastWanted(self.talk.key))

    # Drawing.

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
        line = self._line_at(number)
        if line is None:
            return Strip.blank(self._width, base)
        strip = self._strip(line, base)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(number)) is not None:
            strip = overlay(strip, *span, self._style("selection"))
        return strip.apply_offsets(0, number)

    def _line_at(self, number: int) -> Line | None:
        if not self.entries or number > self._heights.total:
            return None
        index, line = self._heights.at(number - 1)
        lines = self._lines_of(index)
        return lines[line] if line < len(lines) else None

    def _hint(self, base: Style) -> Strip:
        words = {
            "asked": "Fetching older messages …",
            "filling": "Fetching what was said meanwhile …",
            "more": "Scroll up for older messages",
            "failed": "Older messages could not be fetched. Click to try again",
            "cleared": "Click to show older messages again",
            "all": "This is the beginning" if self.entries else "Nothing here yet. Say hello!",
        }.get(self.talk.history, "")
        left = max(0, (self._width - cell_len(words)) // 2)
        style = self._style("hint")
        if self.talk.history in ("failed", "cleared"):
            style += Style.from_meta({"act": ("past", "")})
        return row([(" " * left, Style.null()), (words, style)], self._width, base)

    def _strip(self, line: Line, base: Style) -> Strip:
        base += self._style("in-broadcast" if line.kind == "broadcast" else line.kind)
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

    # The mouse, and copying.

    def on_click(self, event: events.Click) -> None:
        act, about = event.style.meta.get("act", ("", ""))
        messages: dict[str, Callable[[], Message]] = {
            "author": lambda: AuthorChosen(about),
            "link": lambda: LinkChosen(about),
            "retry": lambda: Retried(bytes.fromhex(about)),
            "drop": lambda: Dropped(bytes.fromhex(about)),
            "past": lambda: PastWanted(self.talk.key),
        }
        if act in messages:
            event.stop()
            self.post_message(messages[act]())

    @property
    def allow_select(self) -> bool:
        return True

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        start = selection.start.y if selection.start else 1
        end = selection.end.y if selection.end else self._content_height - 1
        return copied(self._selected(range(max(1, start), min(end, start + MAX_COPIED_ROWS) + 1), selection)), "\n"

    def _selected(self, numbers: Iterable[int], selection: Selection) -> Iterable[tuple[Line, str]]:
        for number in numbers:
            line, span = self._line_at(number), selection.get_span(number)
            if line is not None and line.body and span is not None:
                left, right = max(0, span[0] - GUTTER), None if span[1] < 0 else max(0, span[1] - GUTTER)
                yield line, line.text[left:right]

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def _clear_selection(self) -> None:
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()


def copied(rows: Iterable[tuple[Line, str]]) -> str:
    """Rows of the view as text: broken lines are whole again."""
    text = ""
    for number, (line, part) in enumerate(rows):
        text += (line.glue if number else "") + part
    return text


def name_colour(name: str) -> int:
    """The number of a name's colour: the same at every start and for every spelling of the name."""
    return crc32(name_key(name).encode()) % NAME_COLOURS
