"""The row above the line that says how far a file is that is being sent to the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import TransferActed
from mystic_client.tui.widgets.bars import ActRow
from mystic_client.tui.widgets.strips import Styled, row, shorten_middle
from mystic_client.tui.widgets.transfers import bar_of, deeds_for, sign_of, words_for

BAR_CELLS: Final = 10
MAX_NAME_CELLS: Final = 32


class SendingBar(ActRow):
    """See the module. Hidden while nothing is sent there."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"sending-bar--{name}" for name in ("name", "words", "bad", "button", "accent", "dim", "good", "empty")
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[Transfer, ...] = ()
        self.display = False

    def show(self, transfers: Sequence[Transfer]) -> None:
        """Shows other ones: the first, and how many more there are."""
        if tuple(transfers) != self._shown:
            self._shown = tuple(transfers)
            self.display = bool(transfers)
            self.refresh()

    def on_act_row_acted(self, event: ActRow.Acted) -> None:
        event.stop()
        if self._shown:
            self.post_message(TransferActed(self._shown[0].number, event.act))

    def render_line(self, y: int) -> Strip:
        if not self._shown:
            return Strip.blank(self.size.width, self.rich_style)
        first, width = self._shown[0], self.size.width
        sign, style = sign_of(first)
        name = shorten_middle(first.name, min(MAX_NAME_CELLS, max(10, width // 4)))
        left: list[Styled] = [(f" {sign} ", self._style(style)), (f"{name}  ", self._style("name"))]
        if not first.ended and width - cell_len(name) > 40:
            left += bar_of(first, BAR_CELLS, self._style("good"), self._style("empty"))
        left.append((words_for(first, width), self._style("bad" if first.state == "failed" else "words")))
        more = f"  and {len(self._shown) - 1} more" if len(self._shown) > 1 else ""
        right = [(more, self._style("words")), ("  ", Style.null()), *self._buttons(first)]
        return row(left, width, self.rich_style, right)

    def _buttons(self, transfer: Transfer) -> list[Styled]:
        buttons: list[Styled] = []
        for deed in deeds_for(transfer):
            if deed.sign:
                buttons += [(f" {deed.sign} ", self.act_style("sending-bar--button", deed.act)), (" ", Style.null())]
        return buttons

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"sending-bar--{name}", partial=True)
