"""The message view: one conversation, drawn row by row, with a cursor on messages.

There is one for the whole app; `show` gives it another conversation. A click, alt+up and alt+down select a message;
what can be done with it then is said by keys, by its menu (Enter, a right click, the "⋯" at its end), and by what can
be clicked in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.selection import Selection

from mystic_client.model.message_acts import ACTS, Act, possible
from mystic_client.model.talk import Talk
from mystic_client.model.timeline import Entry
from mystic_client.tui.messages import (
    AuthorChosen,
    Dropped,
    JumpWanted,
    LinkChosen,
    MessageActed,
    PastWanted,
    Retried,
)
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.lines import GUTTER, Line
from mystic_client.tui.widgets.message_paint import MessagePaint

MAX_COPIED_ROWS: Final = 20_000
RIGHT_BUTTON: Final = 3


class MessageView(MessagePaint, can_focus=True):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "Oldest", show=False),
        Binding("end", "scroll_end", "Newest", show=False),
        Binding("alt+up,ctrl+up", "step(-1)", "Message above", show=False),
        Binding("alt+down,ctrl+down", "step(1)", "Message below", show=False),
        Binding("enter", "act('menu')", "Actions", key_display="↵"),
        *(Binding(f"{act.key},{act.key.upper()}", f"act('{act.name}')", act.words) for act in ACTS),
    ]

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(clock, id=id)
        self.selected: Entry | None = None
        self.is_operator = False
        """Whether the user may delete what others said."""

    # The cursor.

    def show(self, talk: Talk, own_name: str) -> None:
        self.selected = None
        super().show(talk, own_name)
        self._select(None)

    def update(self) -> None:
        super().update()
        if self.selected is not None:
            self._select(self._found(self.selected))

    def select(self, number: int) -> bool:
        """Puts the cursor on the message with this number and shows it; False if it isn't here."""
        entry = self.talk.shown.find(number)
        if entry is None:
            return False
        self.update()
        self._select(entry)
        if self.cursor >= 0:
            self.reveal(self.cursor, self.size.height // 3)
        return True

    def deselect(self) -> None:
        """Takes the cursor away."""
        self._select(None)

    def acts(self, entry: Entry) -> list[Act]:
        """What can be done with a message."""
        return possible(entry, operator=self.is_operator, receipts=self.talk.has_receipts)

    def takes_key(self, key: str) -> bool:
        """Whether a letter does something with the selected message instead of being typed."""
        return self.selected is not None and any(act.key == key.lower() for act in ACTS)

    def action_step(self, by: int) -> None:
        """Moves the cursor to the next message above or below; below the last one it goes away."""
        start = self.cursor if self.cursor >= 0 else self._visible().stop
        index = start + by
        while 0 <= index < len(self.entries) and not self.entries[index].is_said:
            index += by
        if index >= len(self.entries):
            self._select(None)
        elif index >= 0:
            self._select(self.entries[index])
            self.reveal(index)

    def action_act(self, name: str) -> None:
        if self.selected is None or not self._can(name):
            return
        row = 1 + self._heights.top_of(self.cursor) - self.scroll_offset.y + self._blank_above
        y, rows = self.region.y + row, self._heights[self.cursor]
        self.post_message(MessageActed(self.talk.key, name, self.selected, y=y, rows=rows))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "act":
            return True
        return self._can(str(parameters[0]))

    def _can(self, name: str) -> bool:
        """Whether this can be done with the selected message; "menu": whether anything can."""
        names = {act.name for act in self.acts(self.selected)} if self.selected else set()
        return bool(names) if name == "menu" else name in names

    def _select(self, entry: Entry | None) -> None:
        self.selected = entry
        self.cursor = -1
        if entry is not None:
            at = self._index_of(entry)
            self.cursor = at if 0 <= at < len(self.entries) and self.entries[at] is entry else -1
        if self.cursor < 0:
            self.selected = None
        self.refresh_bindings()
        self.refresh()

    def _found(self, entry: Entry) -> Entry | None:
        """The entry as it is now."""
        if entry.number:
            return self.talk.shown.find(entry.number)
        return next((now for now in reversed(self.entries) if now.cid == entry.cid and entry.cid), None)

    def action_scroll_up(self) -> None:
        if self.selected is not None:
            self.action_step(-1)
        else:
            self.scroll_relative(y=-1, animate=False)

    def action_scroll_down(self) -> None:
        if self.selected is not None:
            self.action_step(1)
        else:
            self.scroll_relative(y=1, animate=False)

    # Scrolling.

    def action_scroll_end(self) -> None:
        self.to_end()

    def action_scroll_home(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_page_up(self) -> None:
        self.scroll_relative(y=2 - self.size.height, animate=False)

    def action_page_down(self) -> None:
        self.scroll_relative(y=self.size.height - 2, animate=False)

    # The mouse, and copying.

    def on_click(self, event: events.Click) -> None:
        act, about = event.style.meta.get("act", ("", ""))
        messages: dict[str, Callable[[], Message]] = {
            "author": lambda: AuthorChosen(about),
            "link": lambda: LinkChosen(about),
            "retry": lambda: Retried(bytes.fromhex(about)),
            "drop": lambda: Dropped(bytes.fromhex(about)),
            "past": lambda: PastWanted(self.talk.key),
            "jump": lambda: JumpWanted(self.talk.key, int(about)),
        }
        entry = self._entry_at(event.y)
        if act in ("get", "folder") and entry is not None and event.button != RIGHT_BUTTON:
            event.stop()
            self.post_message(MessageActed(self.talk.key, act, entry))
        elif event.button == RIGHT_BUTTON or act == "menu":
            event.stop()
            self._select(entry)
            self.action_act("menu")
        elif act in messages:
            event.stop()
            self.post_message(messages[act]())
        elif self.text_selection is None:
            self._select(None if entry is self.selected else entry)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._set_hover(self._index_at(event.y))

    def on_leave(self) -> None:
        self._set_hover(-1)

    def _set_hover(self, index: int) -> None:
        if index != self.hover:
            self.hover = index
            self.refresh()

    def _index_at(self, y: int) -> int:
        """The index of the message at a row of the view; -1 for none."""
        index, line = self._row_at(y + self.scroll_offset.y - self._blank_above)
        return index if line is not None and line.kind != "rule" and self.entries[index].is_said else -1

    def _entry_at(self, y: int) -> Entry | None:
        index = self._index_at(y)
        return self.entries[index] if index >= 0 else None

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


def copied(rows: Iterable[tuple[Line, str]]) -> str:
    """Rows of the view as text: broken lines are whole again."""
    text = ""
    for number, (line, part) in enumerate(rows):
        text += (line.glue if number else "") + part
    return text
