"""The row above the line: which message is answered or edited, with a way out."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from mystic_client.tui.widgets.bars import ActRow
from mystic_client.tui.widgets.strips import row


class ComposeBar(ActRow):
    """See the module. Hidden while the line is about nothing else."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"compose-bar--what", "compose-bar--words", "compose-bar--close"}

    class Closed(Message):
        """The user wants to neither answer nor edit."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._what = self._words = ""
        self.display = False

    def show(self, what: str, words: str) -> None:
        """Says something else, or nothing."""
        if (what, words) != (self._what, self._words):
            self._what, self._words = what, " ".join(words[:400].split())
            self.display = bool(what)
            self.refresh()

    def on_act_row_acted(self, event: ActRow.Acted) -> None:
        event.stop()
        self.post_message(self.Closed())

    def render_line(self, y: int) -> Strip:
        what, words = (
            self.get_component_rich_style(f"compose-bar--{name}", partial=True) for name in ("what", "words")
        )
        right = [(" Esc ✕ ", self.act_style("compose-bar--close", "close")), (" ", Style.null())]
        left = [(f" {self._what} ", what), (self._words, words)]
        return row(left, self.size.width, self.rich_style, right)
