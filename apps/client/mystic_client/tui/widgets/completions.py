"""The offers above the composer. It never has the focus: the composer moves its cursor."""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len
from rich.style import Style

from mystic_client.model.completion import Offer
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled


class Completions(RowList[Offer], can_focus=False):
    """See the module. A click chooses (`RowList.Chosen`)."""

    def on_mount(self) -> None:
        self.display = False

    @property
    def chosen(self) -> int:
        """The index of the offer under the cursor."""
        return self.cursor

    def offer(self, items: tuple[Offer, ...]) -> None:
        """Shows these; none hides the list."""
        self.cursor = 0
        self.set_rows(items)
        self.scroll_to(y=0, animate=False)
        self.display = bool(items)
        self.styles.height = min(8, len(items)) + self.gutter.height
        self.styles.width = self._label_width + max((cell_len(item.hint) for item in items), default=0) + 7

    @property
    def _label_width(self) -> int:
        return max((cell_len(offer.label) for offer in self.rows), default=0)

    def move(self, by: int) -> None:
        """Moves the cursor, around the ends."""
        if self.rows:
            self.action_move_to((self.cursor + by) % len(self.rows))

    @property
    def shows_cursor(self) -> bool:
        return True

    def key_of(self, shown: Offer) -> Hashable:
        return shown.text

    def name_of(self, shown: Offer) -> str:
        return shown.label

    def pieces_of(self, shown: Offer) -> list[Styled]:
        padding = " " * (self._label_width - cell_len(shown.label) + 2)
        return [(" ", Style.null()), (shown.label, Style.null()), (padding + shown.hint, self.style_of("dim"))]
