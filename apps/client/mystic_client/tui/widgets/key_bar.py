"""The row of keys at the bottom: only whole ones, the most important first."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

PADDING_CELLS: Final = 3
"""What is around a key and its word."""


class KeyBar(Footer):
    """See the module. `order`: the actions that are always there; what the part with the focus can do comes before."""

    def __init__(self, *order: str) -> None:
        super().__init__()
        self._order = {action: rank for rank, action in enumerate(order)}
        self._fitted_cells = 0

    def compose(self) -> ComposeResult:
        self._fitted_cells = left = self.size.width
        for key in sorted(super().compose(), key=self._rank):
            left -= _cells(key)
            if left < 0:
                return
            yield key

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._fitted_cells:
            self.refresh(recompose=True)

    def _rank(self, key: Widget) -> int:
        return self._order.get(key.action, -1) if isinstance(key, FooterKey) else -1


def _cells(key: Widget) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + PADDING_CELLS if isinstance(key, FooterKey) else 0
