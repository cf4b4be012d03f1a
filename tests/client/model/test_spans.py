from __future__ import annotations

from datetime import datetime

import pytest

from mystic_client.model.spans import parse_span, parse_when

NOW = datetime(2026, 11, 21, 12, 0)
NOW_US = round(NOW.timestamp() * 1e6)


def when(text: str, *, end: bool = False) -> datetime:
    return datetime.fromtimestamp(parse_when(text, NOW_US, end=end) / 1e6)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("2h", 7200), (" 3 days ", 259_200), ("1w", 604_800), ("90", 90), ("forever", 0), ("0", 0)],
)
def test_spans(text: str, seconds: int) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1h", "1.5h", "0m", "999999999w", "1h 30m"])
def test_what_is_no_span_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="such as 10m"):
        parse_span(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2026-11-20 14:30", datetime(2026, 11, 20, 14, 30)),
        ("2026-11-20T14:30", datetime(2026, 11, 20, 14, 30)),
        ("09:15", datetime(2026, 11, 21, 9, 15)),
        ("today", datetime(2026, 11, 21)),
        ("yesterday", datetime(2026, 11, 20)),
        ("2d", datetime(2026, 11, 19, 12)),
        ("3 hours ago", datetime(2026, 11, 21, 9)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert when(text) == moment


def test_the_end_of_a_day_that_is_named() -> None:
    assert when("2026-11-20", end=True) == datetime(2026, 11, 20, 23, 59, 59, 999_999)
    assert when("14:30", end=True) == datetime(2026, 11, 21, 14, 30)


@pytest.mark.parametrize("text", ["", "tomorrow?", "2026-13-01", "31.12.2026", "25:00", "12", "999999999w"])
def test_what_is_no_moment_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="a date such as"):
        parse_when(text, NOW_US)
