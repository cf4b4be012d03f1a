"""Figures as a table for people."""

from __future__ import annotations

from typing import TypeAlias

Row: TypeAlias = dict[str, str | int | float]
"""Figures under their headings, which name the units. A figure called "lost" must be 0."""


def table(rows: list[Row]) -> str:
    """The rows, right-aligned under all their headings; what a row does not have is left out."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    cells = [headings, *([_shown(row.get(heading, "")) for heading in headings] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)


def _shown(figure: str | int | float) -> str:
    return figure if isinstance(figure, str) else f"{figure:,}"
