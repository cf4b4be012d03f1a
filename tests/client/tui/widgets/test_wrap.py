"""Breaking text into rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mystic_client.tui.widgets.wrap import wrap


def rows(line: str, width: int) -> list[str]:
    return [line[start:end].rstrip() for start, end in wrap(line, width)]


@pytest.mark.parametrize(
    ("line", "width", "expected"),
    [
        ("", 10, [""]),
        ("short", 10, ["short"]),
        ("two words", 5, ["two", "words"]),
        ("exactly ten", 11, ["exactly ten"]),
        ("a bb ccc dddd", 6, ["a bb", "ccc", "dddd"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("x abcdefghij", 4, ["x", "abcd", "efgh", "ij"]),
        ("    indented code stays", 12, ["    indented", "code stays"]),
        ("漢字漢字漢字", 5, ["漢字", "漢字", "漢字"]),
        ("漢", 1, ["漢"]),
        ("see https://example.org/path now", 24, ["see", "https://example.org/path", "now"]),
    ],
)
def test_rows(line: str, width: int, expected: list[str]) -> None:
    assert rows(line, width) == expected


def test_a_character_and_its_marks_stay_together() -> None:
    line = "e\u0301" * 6
    assert all(row.startswith("e") for row in rows(line, 4))


def test_a_joined_emoji_stays_together() -> None:
    family = "👩\u200d👩\u200d👧"
    assert rows(family * 3, 2) == [family] * 3


@given(st.text(alphabet=st.characters(exclude_characters="\n\r", exclude_categories=("Cs", "Cc"))), st.integers(1, 30))
def test_no_row_is_too_wide_and_nothing_is_lost(line: str, width: int) -> None:
    found = wrap(line, width)
    assert found
    before = 0
    for start, end in found:
        assert line[before:start].strip() == "", "only space is left out"
        assert start <= end
        text = line[start:end]
        assert cell_len(text.rstrip()) <= width or len({*text.rstrip()}) <= 1 or _is_one_cluster(text)
        before = end
    assert line[before:].strip() == ""


def _is_one_cluster(text: str) -> bool:
    """Whether a row that is too wide can't be made narrower: one wide character with what belongs to it."""
    return len(wrap(text.rstrip(), 1)) == 1
