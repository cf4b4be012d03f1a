"""Figures as a table for people."""

from __future__ import annotations

from typing import TypeAlias

Row: TypeAlias = dict[str, str | int | float]
"""Figures under their headings, which name the units. A figure called "lost" must be 0."""


def table(rows: list[Row]) -> str:
    """The rows, which have the same headings, right-aligned under them."""
    cells = [list(rows[0]), *([_shown(row[heading]) for heading in rows[0]] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _shown(figure: str | int | float) -> str:
    return figure if isinstance(figure, str) else f"{figure:,}"
