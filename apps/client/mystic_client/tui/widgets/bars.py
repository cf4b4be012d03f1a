"""Rows of words with things to click: the top of the screen and the banner below the tabs."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mystic_client.tui.messages import DialogWanted
from mystic_client.tui.widgets.strips import Styled, cells_of, row

OPENS: Final = "open:"
"""Before what a piece opens (`DialogWanted`)."""


class ActRow(Widget):
    """A row in which some pieces can be clicked."""

    class Acted(Message):
        """The user clicked on the piece with this name."""

        def __init__(self, act: str) -> None:
            super().__init__()
            self.act = act

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hover = ""

    def on_click(self, event: events.Click) -> None:
        act = event.style.meta.get("act")
        if isinstance(act, str):
            event.stop()
            what = act.removeprefix(OPENS)
            self.post_message(DialogWanted(what) if what != act else self.Acted(act))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._set_hover(event.style.meta.get("act", ""))

    def on_leave(self) -> None:
        self._set_hover("")

    def _set_hover(self, act: str) -> None:
        if act != self._hover:
            self._hover = act
            self.refresh()

    def act_style(self, name: str, act: str) -> Style:
        """A component style for a piece that can be clicked, stronger under the mouse."""
        style = self.get_component_rich_style(name, partial=True) + Style.from_meta({"act": act})
        return style + Style(reverse=True) if self._hover == act else style


WIDE_ENOUGH: Final = 60
"""Cells in which there is room for more than the connection and the buttons."""


class Place(Struct, frozen=True):
    """Where the user is. `state`: "online", "trying" or "waiting"; `safety`: whether others may listen, in words, and
    `is_exposed` that they may; `operates`: the user is an operator here."""

    name: str = ""
    address: str = ""
    state: str = "trying"
    words: str = "connecting"
    safety: str = ""
    is_exposed: bool = False
    operates: bool = False


class TopBar(ActRow):
    """Which server, which name, and whether there is a connection; and the ways to the menu and to one's account."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"top-bar--{name}"
        for name in ("brand", "dim", "online", "trying", "waiting", "safety", "exposed", "name", "button")
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.place = Place()

    def show(self, place: Place) -> None:
        if place != self.place:
            self.place = place
            self.refresh()

    def render_line(self, y: int) -> Strip:
        place, style = self.place, self._style
        sign = {"online": "●", "trying": "◌", "waiting": "○"}[place.state]
        state = (f" {sign} {place.words}  ", style(place.state))
        menu = (" ≡ Menu ", self.act_style("top-bar--button", "open:menu"))
        leave = (" Disconnect ", self.act_style("top-bar--button", "disconnect"))
        gap: Styled = (" ", Style.null())
        left: list[Styled] = [(" ◆ Mystic ", style("brand"))]
        right: list[Styled] = [state, menu]
        if self.size.width >= WIDE_ENOUGH:
            left += [gap, (place.address, style("dim")), *self._safety(), gap]
            right.insert(1, (f" {place.name} ", self.act_style("top-bar--name", "open:account")))
            right.insert(2, gap)
        if cells_of([*left, *right, gap, leave]) <= self.size.width:
            right += [gap, leave]
        server = (" Server ", self.act_style("top-bar--button", "open:server"))
        if place.operates and cells_of([*left, *right, gap, server]) <= self.size.width:
            right[3:3] = [server, gap]
        return row(left, self.size.width, self.rich_style, right)

    def _safety(self) -> list[Styled]:
        if not self.place.safety:
            return []
        style = self._style("exposed" if self.place.is_exposed else "dim")
        return [
            (" · ", self._style("dim")),
            (self.place.safety, style + self.act_style("top-bar--safety", "open:safety")),
        ]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"top-bar--{name}", partial=True)


class Bannered(Struct, frozen=True):
    """What a banner says. `kind`: "warning", "quiet" or "bad"; `act` and `button`: what can be done about it."""

    text: str
    kind: str = "quiet"
    act: str = ""
    button: str = ""


class Banner(ActRow):
    """One sentence that stays as long as it is true, with what can be done about it. Hidden when there is nothing."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"banner--button"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: Bannered | None = None

    def show(self, shown: Bannered | None) -> None:
        """Says something else, or nothing."""
        if shown == self._shown:
            return
        self._shown = shown
        self.display = shown is not None
        for kind in ("warning", "quiet", "bad"):
            self.set_class(shown is not None and shown.kind == kind, f"-{kind}")
        self.refresh()

    def on_mount(self) -> None:
        self.display = self._shown is not None

    def render_line(self, y: int) -> Strip:
        if self._shown is None:
            return Strip.blank(self.size.width, self.rich_style)
        right: list[Styled] = []
        if self._shown.act:
            right = [
                (f" {self._shown.button} ", self.act_style("banner--button", self._shown.act)),
                (" ", Style.null()),
            ]
        return row([(" " + self._shown.text, Style.null())], self.size.width, self.rich_style, right)
