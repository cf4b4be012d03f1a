"""python -m tests.bench.page RESULTS DOCS: puts what was measured into the page about transfers, tables and pictures.

A table stands in `transfer.md` between <!-- NAME --> and <!-- /NAME -->, NAME being the benchmark's.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.bench.plot import pictures
from tests.bench.report import Row

PAGE = "transfer.md"
PICTURES = "img"


def main(results: Path, docs: Path) -> None:
    found: dict[str, list[Row]] = json.loads(results.read_text())
    for name, picture in pictures(found):
        (docs / PICTURES / name).write_text(picture)
    page = docs / PAGE
    page.write_text(with_tables(page.read_text(), found))


def with_tables(text: str, found: dict[str, list[Row]]) -> str:
    """The page's text with the tables of these results; others stay."""

    def table_of(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- {name} -->\n{table(found[name])}\n<!-- /{name} -->" if name in found else match[0]

    return re.sub(r"<!-- (\w+) -->\n.*?<!-- /\1 -->", table_of, text, flags=re.DOTALL)


def table(rows: list[Row]) -> str:
    """In Markdown, under all the headings that any row has."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    lines = [headings, ["---"] * len(headings), *([str(row.get(heading, "")) for heading in headings] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
