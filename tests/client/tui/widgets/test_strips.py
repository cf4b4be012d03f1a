"""Rows of styled pieces."""

import pytest
from rich.style import Style

from mystic_client.tui.widgets.strips import cells_of, overlay, row, shorten, shorten_middle

NONE, BOLD, DIM = Style.null(), Style(bold=True), Style(dim=True)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("ab cd", 4, "ab…"), ("漢字漢", 4, "漢…"), ("abc", 1, "…"), ("abc", 0, "")],
)
def test_shortening(text: str, width: int, shown: str) -> None:
    assert shorten(text, width) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short.txt", 9, "short.txt"),
        ("a-very-long-name.tar.gz", 15, "a-very-lo…ar.gz"),
        ("漢字漢字漢字漢字.txt", 12, "漢字漢….txt"),
        ("abcdef", 3, "ab…"),
        ("abcdef", 0, ""),
    ],
)
def test_shortening_in_the_middle_keeps_the_end(text: str, width: int, shown: str) -> None:
    assert shorten_middle(text, width) == shown


@pytest.mark.parametrize("width", [0, 1, 5, 8, 20])
def test_a_row_is_exactly_as_wide_as_asked(width: int) -> None:
    strip = row([("left 漢字", NONE), (" more", BOLD)], width, NONE, [("end", DIM)])
    assert strip.cell_length == width
    assert cells_of((segment.text, NONE) for segment in strip) == width


def test_the_right_end_is_at_the_right_and_goes_when_there_is_no_room() -> None:
    assert row([("ab", NONE)], 8, NONE, [("end", DIM)]).text == "ab   end"
    assert row([("abcdef", NONE)], 8, NONE, [("end", DIM)]).text == "abcd…end"
    assert row([("abcdef", NONE)], 5, NONE, [("end", DIM)]).text == "abcd…"


def test_a_selection_lies_on_top_of_characters_not_cells() -> None:
    strip = overlay(row([("漢字ab", NONE)], 8, NONE), 1, 3, BOLD)
    assert "".join(segment.text for segment in strip if segment.style and segment.style.bold) == "字a"
    whole = overlay(row([("ab", NONE)], 4, NONE), 0, -1, BOLD)
    assert all(segment.style and segment.style.bold for segment in whole)
    assert overlay(strip, 3, 3, BOLD) is strip
