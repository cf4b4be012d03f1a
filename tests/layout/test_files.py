"""What holds for every file: short, finished, free of one machine's paths; and what the top level must have."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.layout.sources import PACKAGES, ROOT

CODE_LINES_MAX = 400
TEXT_SUFFIXES = {".py", ".md", ".toml", ".tcss", ".txt", ".cfg", ".yml", ".json", ".csv"}
GENERATED = {"__pycache__", "build", "dist", ".nox", ".venv", ".git"}
# Split, so that this file does not find itself.
LEFTOVERS = re.compile(
    "|".join([r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b", "raise NotImplemented" + "Error"])
)
MACHINE_PATHS = re.compile("/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/\w|/Us" + r"ers/\w|/tm" + r"p/\w|[A-Z]:\\+Us" + "ers")
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
TOP_LEVEL = {
    ".ci/run", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SharedFiles",
    "apps", "libs", "noxfile.py", "pyproject.toml", "tests",
}  # fmt: skip
ALLOWED_TOP_LEVEL = TOP_LEVEL | {"docs", "snapshot_report.html", *GENERATED}


@cache
def texts() -> tuple[Path, ...]:
    """Every text file of the project."""
    folders = [ROOT / name for name in ("apps", "libs", "tests", "docs", "SharedFiles")]
    nested = (path for folder in folders for path in folder.rglob("*") if path.suffix in TEXT_SUFFIXES)
    top = (path for path in ROOT.glob("*") if path.suffix in TEXT_SUFFIXES)
    return tuple(sorted(path for path in (*nested, *top) if not GENERATED & set(path.relative_to(ROOT).parts)))


def code_lines(text: str) -> int:
    """Lines that hold code: no blanks, comments or docstrings."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {line for token in tokens if token.type not in NO_CODE for line in range(token.start[0], token.end[0] + 1)}
    return len(lines - set(docstring_lines(ast.parse(text))))


def docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def found(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern is in the project's texts, as path:line: what."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := pattern.search(line))
    ]


def test_code_lines_leave_out_blanks_comments_and_docstrings() -> None:
    assert (
        code_lines(
            '"""Doc."""\n\n# why\nx = 1\n\n\ndef f():\n    """Doc\n    more."""\n    return (\n        x\n    )\n'
        )
        == 5
    )


def test_no_file_is_too_long() -> None:
    lengths = {path: code_lines(path.read_text(encoding="utf-8")) for path in texts() if path.suffix == ".py"}
    long = [f"{path.relative_to(ROOT)}: {lines}" for path, lines in lengths.items() if lines > CODE_LINES_MAX]
    assert not long, f"more than {CODE_LINES_MAX} code lines:\n" + "\n".join(long)


def test_nothing_is_left_half_done() -> None:
    assert found(LEFTOVERS) == []


def test_no_path_of_one_machine() -> None:
    assert found(MACHINE_PATHS) == []


def test_the_top_level_is_complete_and_tidy() -> None:
    assert [name for name in sorted(TOP_LEVEL) if not (ROOT / name).exists()] == []
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert visible - ALLOWED_TOP_LEVEL == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_say_that_they_are_typed(package: str) -> None:
    assert (PACKAGES[package] / "py.typed").exists()


def test_every_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    explained = set(re.findall(r'^\s*"([^"]+)",\s*# \w', text, flags=re.MULTILINE))
    assert set(wanted) - explained == set()
