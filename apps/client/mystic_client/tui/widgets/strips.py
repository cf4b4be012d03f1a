"""Strips out of styled pieces: cut to a width with an ellipsis, with something at the right end."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Styled: TypeAlias = tuple[str, Style]


def row(left: Iterable[Styled], width: int, base: Style, right: Sequence[Styled] = ()) -> Strip:
    """One row of exactly `width` cells. The right end is left out where both don't fit and it
    would take more than half of them."""
    left, right_cells = list(left), cells_of(right)
    if right_cells * 2 > width and cells_of(left) + right_cells > width:
        right, right_cells = (), 0
    segments, used = cut(left, width - right_cells, base)
    if gap := width - right_cells - used:
        segments.append(Segment(" " * gap, base))
    segments.extend(Segment(text, base + style) for text, style in right)
    return Strip(segments, width)


def cut(pieces: Iterable[Styled], width: int, base: Style) -> tuple[list[Segment], int]:
    """The pieces as segments of at most `width` cells, and how many cells they take."""
    segments: list[Segment] = []
    used = 0
    for text, style in pieces:
        cells = cell_len(text)
        if used + cells > width:
            shortened = shorten(text, width - used)
            segments.append(Segment(shortened, base + style))
            return segments, used + cell_len(shortened)
        segments.append(Segment(text, base + style))
        used += cells
    return segments, used


def shorten(text: str, width: int) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def shorten_middle(text: str, width: int) -> str:
    """The text, or its beginning and its end: of a file's name the end says what kind of file it is."""
    if cell_len(text) <= width:
        return text
    end = text[-max(1, width // 3) :] if width > 8 else ""
    while cell_len(end) > width // 3 and end:
        end = end[1:]
    return set_cell_size(text, width - 1 - cell_len(end)).rstrip() + "…" + end if width > 0 else ""


def cells_of(pieces: Iterable[Styled]) -> int:
    """How wide pieces are together."""
    return sum(cell_len(text) for text, _ in pieces)


def overlay(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """The strip with a style on top of the characters from `start` to `end` (-1: to the end)."""
    text = strip.text
    left = cell_len(text[:start])
    right = strip.cell_length if end < 0 else cell_len(text[:end])
    if right <= left:
        return strip
    before, middle, after = strip.crop(0, left), strip.crop(left, right), strip.crop(right)
    on_top = [Segment(segment.text, (segment.style or Style.null()) + style) for segment in middle]
    return Strip.join([before, Strip(on_top, right - left), after])
