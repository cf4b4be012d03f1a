"""Message rows: which entries of a conversation are where, wrapped as they come near the viewport.

Only entries near the viewport are wrapped: the heights of the others are guesses, made exact one page before they come
into sight, and the scroll position is moved along so that nothing on the screen jumps. The position is held by an
anchor (an entry and a row in it) unless the view follows the end.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from msgspec import Struct
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView

from mystic_client.model.cards import Card
from mystic_client.model.talk import GLOBAL, Talk
from mystic_client.model.text import day
from mystic_client.model.timeline import Entry
from mystic_client.tui.messages import FutureWanted, PastWanted, QuoteWanted
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.heights import Heights
from mystic_client.tui.widgets.lines import Line, Shape, guess_height, lay_out

MAX_LAID_OUT: Final = 2000
"""Entries whose rows are kept."""


class _Anchor(Struct, frozen=True):
    """What is at the top of the viewport: a row of an entry, or -1 for the row above it."""

    entry: Entry
    row: int


class MessageRows(ScrollView):
    """See the module."""

    class Unseen(Message):
        """How many messages have come below the viewport since the user scrolled up."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.talk = Talk(GLOBAL, "global")
        self._timeline = self.talk.timeline
        self.following = True
        """Whether the newest message stays in sight."""
        self._clock = clock
        self._cards: dict[int, Card] = {}
        self.shape = Shape(1, clock.now_us(), zone=clock.zone, time_format=clock.pattern)
        self.entries: list[Entry] = []
        """What is drawn: the timeline as it was at the last `show` or `update`, always in step with the heights."""
        self._heights = Heights()
        self._rows: dict[int, tuple[Entry, Entry | None, list[Line]]] = {}
        self._anchors: dict[str, _Anchor] = {}
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
        self._timeline = talk.shown
        self.shape = self._shape_now(own_name)
        self._unseen = 0
        self._start_over(None if talk.in_past else self._anchors.pop(talk.key, None))

    def update(self) -> None:
        """Draws what changed in the conversation."""
        if self._timeline is not self.talk.shown:
            self.show(self.talk, self.shape.own_name)
            return
        shape, before = self._shape_now(self.shape.own_name), self.shape
        anchor = None if self.following else self._anchor()
        count = len(self.entries)
        self.shape = shape
        if shape.new_from != before.new_from or self._is_new_day(before):
            self._start_over(anchor)
        else:
            if (shape.delivered, shape.read, shape.cards) != (before.delivered, before.read, before.cards):
                self._forget_rows()
            self._follow_change()
            self._settle(anchor)
        if not self.following and not self.talk.in_past:
            self._count_unseen(len(self.entries) - count)

    def show_cards(self, cards: dict[int, Card]) -> None:
        """Shows how far the files are that messages brought."""
        if cards != self._cards:
            self._cards = cards
            self.update()

    def to_end(self) -> None:
        """Goes to the newest message and stays there."""
        self.following = True
        self._set_unseen(0)
        self._settle(None)

    def _shape_now(self, own_name: str) -> Shape:
        clock, talk = self._clock, self.talk
        return Shape(
            self._width, clock.now_us(), own_name, self._is_roomy, 0 if talk.in_past else talk.new_from,
            clock.zone, clock.pattern, talk.delivered, talk.read, self._cards,
        )  # fmt: skip

    def _forget_rows(self) -> None:
        """What was laid out may look different, and have other heights."""
        self._rows.clear()
        for index in self._visible():
            self._heights.doubt(index)

    def _visible(self) -> range:
        """The indices of the entries that are on the screen."""
        if not self.entries:
            return range(0)
        top = max(0, self.scroll_offset.y - 1)
        return range(self._heights.at(top)[0], self._heights.at(top + max(0, self.size.height - 1))[0] + 1)

    @property
    def last_seen(self) -> int:
        """The number of the newest message of which the last row is on the screen; 0 for none."""
        bottom = self.scroll_offset.y - 1 + self.size.height
        seen = [n for n in self._visible() if self.entries[n].number and self._heights.top_of(n + 1) <= bottom]
        return max((self.entries[n].number for n in seen), default=0)

    def is_above(self, number: int) -> bool:
        """Whether the message with this number, or the first after it, is above what is on the screen."""
        if not number or not self.entries:
            return False
        index = bisect_left(self.entries, number, key=lambda entry: entry.place)
        return 1 + self._heights.top_of(min(index, len(self.entries))) < self.scroll_offset.y

    def to_first_new(self) -> None:
        """Goes to where the divider of new messages is."""
        if self.talk.new_from and self.entries:
            index = bisect_left(self.entries, self.talk.new_from, key=lambda entry: entry.place)
            self.reveal(min(index, len(self.entries) - 1), 1)

    def _leave(self) -> None:
        in_past = self._timeline is not self.talk.timeline
        if not in_past and not self.following and (anchor := self._anchor()):
            self._anchors[self.talk.key] = anchor

    def _start_over(self, anchor: _Anchor | None) -> None:
        """Everything may look different now."""
        self._rows.clear()
        self._timeline.take_change()
        self.entries = list(self._timeline.entries)
        self._heights = Heights(guess_height(entry, self.shape.width) for entry in self.entries)
        self.following = anchor is None
        self._clear_selection()
        self._settle(anchor)

    def _follow_change(self) -> None:
        """Takes over what the timeline says has changed; what stayed keeps its heights."""
        change = self._timeline.take_change()
        if change is None:
            return
        width, now = self.shape.width, self._timeline.entries
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
        for order in change.replaced:
            self._follow_replaced(order, since)

    def _follow_replaced(self, order: int, since: int) -> None:
        """An entry that is another now, in the same place."""
        index = bisect_left(self._timeline.entries, order, key=lambda entry: entry.order)
        while index < since and self.entries[index].order == order:
            if self.entries[index] is not self._timeline.entries[index]:
                self.entries[index] = self._timeline.entries[index]
                self._doubt(index)
                self._doubt(index + 1)
            index += 1

    def _doubt(self, index: int) -> None:
        if index < len(self._heights):
            self._heights.doubt(index)

    def _is_new_day(self, before: Shape) -> bool:
        return day(before.now_us, self.shape.now_us, self.shape.zone) != "Today"

    def _count_unseen(self, more: int) -> None:
        new = [entry for entry in self.entries[-more:] if not entry.own and entry.author] if more > 0 else []
        self._set_unseen(self._unseen + len(new))

    def _set_unseen(self, count: int) -> None:
        if count != self._unseen:
            self._unseen = count
            self.post_message(self.Unseen(count))

    def _clear_selection(self) -> None:
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()

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

    def reveal(self, index: int, rows_above: int = 0) -> None:
        """Scrolls so that an entry is on the screen, with at least so many rows above it if it was not."""
        self._make_exact_downward(index, 2 * self.size.height)
        self._make_exact_upward(index - 1, self.size.height)
        top = 1 + self._heights.top_of(index)
        bottom, shown_from = top + self._heights[index], self.scroll_offset.y
        if shown_from <= top and bottom <= shown_from + self.size.height:
            self._settle(None if self.following else self._anchor())
            return
        target = top - rows_above if rows_above or top < shown_from else bottom - self.size.height
        self.following = target >= self._content_height - self.size.height
        self._move_to(max(0, min(target, top)))
        self._settle(None if self.following else self._anchor())

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
        if entry.reply_to and not entry.quote:
            self.post_message(QuoteWanted(self.talk.key, entry.reply_to))
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
        excerpt = self.talk.excerpt if self._timeline is not self.talk.timeline else None
        wants = excerpt.older == "more" if excerpt else self.talk.fetches_by_itself
        if wants and self.scroll_offset.y <= self.size.height:
            self.post_message(PastWanted(self.talk.key))
        end = self._content_height - 2 * self.size.height
        if excerpt and excerpt.newer == "more" and self.scroll_offset.y >= end:
            self.post_message(FutureWanted(self.talk.key))

    def _line_at(self, number: int) -> Line | None:
        return self._row_at(number)[1]

    def _row_at(self, number: int) -> tuple[int, Line | None]:
        """The entry that a row belongs to, and the row; -1 for none."""
        if not self.entries or not 0 < number <= self._heights.total:
            return -1, None
        index, line = self._heights.at(number - 1)
        lines = self._lines_of(index)
        return index, lines[line] if line < len(lines) else None
