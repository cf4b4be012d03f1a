"""Breaks text into rows that fit a width, measured in terminal cells.

Rows break after spaces; a word wider than a row is cut, never inside a cluster of a character and its combining marks.
This is the only place that decides where a text breaks, for its height and for drawing.
"""

import re
import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len

_WORD = re.compile(r"\s*\S+|\s+$")
_JOINERS = "\u200d\ufe0f\ufe0e"


def wrap(line: str, width: int) -> list[tuple[int, int]]:
    """The rows of one line (without line breaks) as (start, end) into it; always at least one.

    The space at which a row was broken belongs to no row.
    """
    width = max(1, width)
    if len(line) * 2 <= width or (line.isascii() and len(line) <= width) or cell_len(line) <= width:
        return [(0, len(line))]
    return list(_rows(line, width))


def _rows(line: str, width: int) -> Iterator[tuple[int, int]]:
    start, used = 0, 0
    for word in _WORD.finditer(line):
        cells = _cells(word[0])
        if used + cells <= width:
            used += cells
            continue
        begin = _skip_space(line, word.start(), word.end()) if used else word.start()
        if used:
            yield start, word.start()
        start, used = begin, _cells(line[begin : word.end()])
        while used > width:
            end = _cut(line, start, width)
            yield start, end
            start, used = end, used - _cells(line[start:end])
    if start < len(line) or not line:
        yield start, len(line)


def _skip_space(line: str, start: int, end: int) -> int:
    while start < end and line[start].isspace():
        start += 1
    return start


def _cut(line: str, start: int, width: int) -> int:
    """Where a row that begins at `start` must end, after one cluster at least."""
    end, used = start, 0
    while end < len(line):
        after = _cluster_end(line, end)
        used += _cells(line[end:after])
        if used > width and end > start:
            break
        end = after
    return end


def _cluster_end(line: str, start: int) -> int:
    """The end of the character at `start` with everything that is drawn into its place."""
    end = start + 1
    while end < len(line) and (_joins(line[end]) or line[end - 1] == "\u200d"):
        end += 1
    return end


def _joins(char: str) -> bool:
    return char in _JOINERS or unicodedata.combining(char) > 0 or unicodedata.category(char) == "Mn"


def _cells(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)
