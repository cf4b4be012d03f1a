"""The list of downloads and uploads: how far each is, what became of it, and what can be done about it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import ClassVar, Final

from msgspec import Struct
from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from mystic_client.model.text import duration_in_words, speed_in_words
from mystic_client.model.transfer import Transfer
from mystic_client.tui.messages import TransferActed, TransferMenuWanted
from mystic_client.tui.widgets.bars import ActRow
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled, row, shorten_middle

BAR_CELLS: Final = 12
SIGN_CELLS: Final = 3
MIN_NAME_CELLS: Final = 12
MIN_WIDTH_FOR_BAR: Final = 60
ROOMY: Final = 100
"""Cells from which on everything is said in full."""


class Deed(Struct, frozen=True):
    """What can be done with a transfer: by key, by its sign at the row's end (if it has one), or in its menu."""

    act: str
    key: str
    words: str
    sign: str = ""
    bad: bool = False


DEEDS: Final = (
    Deed("pause", "space", "Pause", "‖"),
    Deed("resume", "space", "Go on", "▸"),
    Deed("retry", "r", "Try again", "↻"),
    Deed("verify", "v", "Verify once more"),
    Deed("open", "o", "Open the folder it is in"),
    Deed("cancel", "delete", "Cancel", "×", bad=True),
    Deed("remove", "delete", "Remove from the list", "×"),
)


def deeds_for(transfer: Transfer) -> list[Deed]:
    """What can be done with it now."""
    allowed = {
        "pause": transfer.can_pause,
        "resume": transfer.can_resume,
        "retry": transfer.can_retry,
        "verify": transfer.can_verify,
        "open": is_here(transfer),
        "cancel": not transfer.ended,
        "remove": transfer.ended,
    }
    return [deed for deed in DEEDS if allowed[deed.act]]


def is_here(transfer: Transfer) -> bool:
    """Whether there is a place on this computer to be opened."""
    return transfer.kind == "upload" or (transfer.state == "done" and bool(transfer.saved_to))


def words_for(transfer: Transfer, width: int) -> str:
    """How it stands, in as many words as there is room for."""
    if transfer.state != "running" or width >= ROOMY:
        return transfer.in_words() + _over_in_words(transfer)
    left = f" · {duration_in_words(transfer.left_s)} left" if transfer.left_s is not None else ""
    return f"{speed_in_words(transfer.speed_bytes_s)}{left}"


def _over_in_words(transfer: Transfer) -> str:
    if transfer.kind == "upload" or transfer.state not in ("queued", "waiting", "running"):
        return ""
    return f" · {transfer.over if transfer.over == 'auto' else transfer.over.upper()}"


class TransferHead(ActRow):
    """How many there are, and the way to take those off that have ended."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"transfer-head--words", "transfer-head--button"}

    def __init__(self) -> None:
        super().__init__()
        self._counts: tuple[int, int, int] = (0, 0, 0)
        """Running, paused, ended."""

    def show(self, transfers: Iterable[Transfer]) -> None:
        """Counts other ones."""
        listed = list(transfers)
        ended = sum(transfer.ended for transfer in listed)
        paused = sum(transfer.state == "paused" for transfer in listed)
        self._counts = (len(listed) - ended - paused, paused, ended)
        self.refresh()

    def on_act_row_acted(self, event: ActRow.Acted) -> None:
        event.stop()
        self.post_message(TransferActed(0, event.act))

    def render_line(self, y: int) -> Strip:
        words = self.get_component_rich_style("transfer-head--words", partial=True)
        counts = zip(self._counts, ("running", "paused", "ended"), strict=True)
        said = " · ".join(f"{count} {word}" for count, word in counts if count)
        right: list[Styled] = []
        if self._counts[2]:
            right = [(" Remove ended ", self.act_style("transfer-head--button", "clear")), (" ", Style.null())]
        return row([(" TRANSFERS  ", words + Style(bold=True)), (said, words)], self.size.width, self.rich_style, right)


class TransferList(RowList[Transfer]):
    """Downloads and uploads, the latest first; Enter, a right click and "⋯" show what can be done."""

    SEEKS = False
    DETAILS = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "act('pause','resume')", "Pause, go on"),
        Binding("delete", "act('cancel','remove')", "Cancel, remove"),
        Binding("r", "act('retry')", "Again"),
        Binding("v", "act('verify')", "Verify"),
        Binding("o", "act('open')", "Open folder"),
        Binding("x", "clear", "Remove ended", show=False),
    ]

    def key_of(self, shown: Transfer) -> Hashable:
        return shown.number

    def name_of(self, shown: Transfer) -> str:
        return shown.name

    def action_choose(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        if self.current is not None:
            self.post_message(TransferMenuWanted(self.current.number))

    def action_act(self, act: str, other: str = "") -> None:
        """Does the one of these that can be done with the current transfer."""
        deeds = deeds_for(self.current) if self.current is not None else []
        deed = next((deed for deed in deeds if deed.act in (act, other)), None)
        if deed is not None and self.current is not None:
            self.post_message(TransferActed(self.current.number, deed.act))

    def action_clear(self) -> None:
        self.post_message(TransferActed(0, "clear"))

    def clicked(self, index: int, event: events.Click) -> None:
        act = event.style.meta.get("transfer")
        if isinstance(act, str):
            self.action_act(act)

    def pieces_of(self, shown: Transfer) -> list[Styled]:
        width = self.scrollable_content_region.width
        sign, style = sign_of(shown)
        cells = max(MIN_NAME_CELLS, width // 4)
        name = shorten_middle(shown.name, cells)
        pieces = [(f" {sign} ", self.style_of(style)), (name + " " * (cells - cell_len(name) + 1), Style.null())]
        if not shown.ended and shown.state != "queued" and width >= MIN_WIDTH_FOR_BAR:
            pieces += self._bar(shown)
        return [*pieces, (words_for(shown, width), self.style_of("bad" if shown.state == "failed" else "dim"))]

    def right_of(self, shown: Transfer) -> list[Styled]:
        signs: list[Styled] = [("  ", Style.null())]
        for deed in deeds_for(shown):
            if deed.sign:
                style = self.style_of("bad" if deed.bad else "key") + Style.from_meta({"transfer": deed.act})
                signs.append((f" {deed.sign} ", style))
        return signs

    def _bar(self, shown: Transfer) -> list[Styled]:
        return bar_of(shown, BAR_CELLS, self.style_of("good"), self.style_of("empty"))


def sign_of(transfer: Transfer) -> tuple[str, str]:
    """A sign for direction or outcome, and its style."""
    match transfer.state:
        case "done":
            return "✓", "good"
        case "failed" | "cancelled":
            return "✗", "bad"
    return ("↑" if transfer.kind == "upload" else "↓"), "dim" if transfer.state == "paused" else "accent"


def bar_of(transfer: Transfer, cells: int, full: Style, empty: Style) -> list[Styled]:
    """A bar and the percents of what has moved."""
    filled = round(transfer.fraction * cells)
    percent = f"{int(transfer.fraction * 100):3} % "
    return [("━" * filled, full), ("━" * (cells - filled) + " ", empty), (percent, Style.null())]
