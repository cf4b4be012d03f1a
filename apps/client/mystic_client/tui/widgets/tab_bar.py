"""The tabs: one for each conversation, with what is unread, and one for the files.

They are drawn in one row; when they don't fit, those around the one in front are shown, with arrows to the others. The
"⚙" of a group in front, or a right click on a tab, asks for the details of the conversation.
"""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct
from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mystic_client.tui.messages import DialogWanted
from mystic_client.tui.widgets.strips import Styled, cells_of, row, shorten

MAX_TITLE: Final = 24
WIDE_ENOUGH: Final = 100
NARROW: Final = 50
"""Cells in which there is room for one button."""
CLOSE: Final = "×"
DETAILS: Final = "⚙"
RIGHT_BUTTON: Final = 3


class TabInfo(Struct, frozen=True):
    """One tab. `kind`: "global", "direct", "group" or "files"; `dim`: nothing comes there at the moment."""

    key: str
    title: str
    kind: str
    unread: int = 0
    urgent: bool = False
    dim: bool = False
    closable: bool = False


class TabBar(Widget, can_focus=True):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Left", show=False),
        Binding("right", "step(1)", "Right", show=False),
        Binding("delete", "close", "Close", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"tab-bar--{name}" for name in ("tab", "front", "hover", "dim", "count", "urgent", "close", "arrow", "button")
    }

    class Turned(Message):
        """The user chose a tab."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Asked(Message):
        """The user wants to "search" or to "switch" to somewhere else."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    class Closed(Message):
        """The user closed a tab."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tabs: list[TabInfo] = []
        self.front = ""
        self._hover = ""

    def set_tabs(self, tabs: list[TabInfo], front: str) -> None:
        """Shows these tabs, with `front` in front."""
        self.tabs, self.front = tabs, front
        self.refresh()

    def action_step(self, by: int) -> None:
        keys = [tab.key for tab in self.tabs]
        if self.front in keys:
            self.post_message(self.Turned(keys[(keys.index(self.front) + by) % len(keys)]))

    def action_close(self) -> None:
        if any(tab.key == self.front and tab.closable for tab in self.tabs):
            self.post_message(self.Closed(self.front))

    def on_click(self, event: events.Click) -> None:
        act, key = event.style.meta.get("tab", ("", ""))
        event.stop()
        if key and (act == "details" or event.button == RIGHT_BUTTON):
            self.post_message(DialogWanted("talk", key))
            return
        if act == "ask":
            self.post_message(self.Asked(key))
            return
        closes = act == "close" or (act == "turn" and event.button == 2 and self._closable(key))
        if closes:
            self.post_message(self.Closed(key))
        elif act:
            self.post_message(self.Turned(key))

    def _closable(self, key: str) -> bool:
        return any(tab.key == key and tab.closable for tab in self.tabs)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        act, key = event.style.meta.get("tab", ("", ""))
        self._set_hover(f"{act}:{key}" if act else "")
        hints = {"search": "Search all messages (Ctrl+F)", "switch": "Go to a conversation, a group, somebody (Ctrl+K)"}
        self.tooltip = hints.get(key) if act == "ask" else None

    def on_leave(self) -> None:
        self._set_hover("")

    def _set_hover(self, hover: str) -> None:
        if hover != self._hover:
            self._hover = hover
            self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y or not self.tabs:
            return Strip.blank(self.size.width, base)
        first, last = self._window()
        left: list[Styled] = [self._arrow("‹ ", self.tabs[first - 1])] if first else []
        for tab in self.tabs[first:last]:
            left.extend(self._pieces(tab))
        right = [self._arrow(" ›", self.tabs[last])] if last < len(self.tabs) else []
        return row(left, self.size.width, base, [*right, *self._buttons()])

    def _buttons(self) -> list[Styled]:
        """The ways to everything that is not among the tabs."""
        names = [("switch", " Go to ")] if self.size.width >= WIDE_ENOUGH else []
        pieces: list[Styled] = []
        for what, words in [*names, ("search", " Search ")] if self.size.width >= NARROW else []:
            style = self._style("button") + Style.from_meta({"tab": ("ask", what)})
            pieces += [(" ", Style.null()), (words, style + Style(reverse=self._hover == f"ask:{what}"))]
        return pieces

    def _window(self) -> tuple[int, int]:
        """Which tabs fit, the one in front among them: the first and the one after the last."""
        widths = [sum(cell_len(text) for text, _ in self._pieces(tab)) for tab in self.tabs]
        front = next((index for index, tab in enumerate(self.tabs) if tab.key == self.front), 0)
        width = self.size.width - cells_of(self._buttons())
        if sum(widths) <= width:
            return 0, len(widths)
        room = width - 4
        first = last = front
        used = widths[front]
        last += 1
        while first > 0 and used + widths[first - 1] <= room:
            first -= 1
            used += widths[first]
        while last < len(widths) and used + widths[last] <= room:
            used += widths[last]
            last += 1
        return first, last

    def _arrow(self, sign: str, tab: TabInfo) -> Styled:
        return sign, self._style("arrow") + Style.from_meta({"tab": ("turn", tab.key)})

    def _pieces(self, tab: TabInfo) -> list[Styled]:
        base = self._base(tab)
        turn = base + Style.from_meta({"tab": ("turn", tab.key)})
        sign = {"group": "# ", "direct": "@ ", "files": "▤ "}.get(tab.kind, "")
        pieces = [(f" {sign}{shorten(tab.title, MAX_TITLE)} ", turn)]
        if tab.unread:
            count = f" {tab.unread if tab.unread < 1000 else '999+'} "
            pieces.append((count, turn + self._style("urgent" if tab.urgent else "count")))
            pieces.append((" ", turn))
        if tab.kind == "group" and tab.key == self.front:
            details = base + self._style("close") + Style.from_meta({"tab": ("details", tab.key)})
            hovered = self._hover == f"details:{tab.key}"
            pieces += [(DETAILS, details + Style(bold=True) if hovered else details), (" ", turn)]
        if tab.closable:
            close = base + self._style("close") + Style.from_meta({"tab": ("close", tab.key)})
            pieces.append((CLOSE, close + Style(bold=True) if self._hover == f"close:{tab.key}" else close))
            pieces.append((" ", turn))
        return pieces

    def _base(self, tab: TabInfo) -> Style:
        if tab.key == self.front:
            return self._style("front") + (Style(underline=True) if self.has_focus else Style.null())
        style = self._style("dim" if tab.dim else "tab")
        return style + self._style("hover") if self._hover.endswith(f":{tab.key}") else style

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"tab-bar--{name}", partial=True)
