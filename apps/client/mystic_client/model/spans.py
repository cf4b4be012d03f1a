"""Spans of time and dates as people type them.

"10m"  "2h"  "3d"  "1w"  "90"  "forever"         -> seconds, 0 for ever
"2026-11-21"  "2026-11-21 14:30"  "14:30"  "yesterday"  "2d"  -> a moment, in the time zone of this machine
"""

import re
from datetime import datetime, time, timedelta
from typing import Final

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
FOR_EVER: Final = frozenset({"forever", "ever", "always", "0"})
MAX_SPAN_S: Final = 100 * 366 * 86_400
SPAN_HELP: Final = "a time such as 10m, 2h, 3d or forever"
WHEN_HELP: Final = "a date such as 2026-11-21, 14:30, yesterday, or 2d for two days ago"

_SPAN = re.compile(r"(\d{1,9})\s*([smhdw]?)[a-z]*")
_DAYS: Final = {"today": 0, "yesterday": 1}


def parse_span(text: str) -> int:
    """Seconds; 0 means for ever. Raises ValueError with a sentence."""
    words = text.strip().lower()
    if words in FOR_EVER:
        return 0
    found = _SPAN.fullmatch(words)
    seconds = int(found[1]) * UNITS_S[found[2] or "s"] if found else 0
    if not 0 < seconds <= MAX_SPAN_S:
        raise ValueError(f"{text!r} is not {SPAN_HELP}")
    return seconds


def parse_when(text: str, now_us: int, *, end: bool = False) -> int:
    """Microseconds since 1970; with `end` the end of a day that is named. Raises ValueError with a sentence."""
    words = text.strip().lower()
    now = datetime.fromtimestamp(now_us / 1e6)
    moment = _maybe_day(words, now, end=end) or _maybe_time(words, now) or _maybe_ago(words, now)
    if moment is None:
        raise ValueError(f"{text!r} is not {WHEN_HELP}")
    try:
        return max(0, round(moment.timestamp() * 1e6))
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"{text!r} is too far away") from None


def _maybe_day(words: str, now: datetime, *, end: bool) -> datetime | None:
    if words in _DAYS:
        day = (now - timedelta(days=_DAYS[words])).date()
    else:
        try:
            day = datetime.strptime(words, "%Y-%m-%d").date()
        except ValueError:
            return None
    return datetime.combine(day, time.max if end else time.min)


def _maybe_time(words: str, now: datetime) -> datetime | None:
    for pattern in ("%Y-%m-%d %H:%M", "%Y-%m-%dt%H:%M"):
        try:
            return datetime.strptime(words, pattern)
        except ValueError:
            continue
    try:
        return datetime.combine(now.date(), datetime.strptime(words, "%H:%M").time())
    except ValueError:
        return None


def _maybe_ago(words: str, now: datetime) -> datetime | None:
    found = _SPAN.fullmatch(words.removesuffix(" ago").strip())
    if not found or not found[2]:
        return None
    try:
        return now - timedelta(seconds=int(found[1]) * UNITS_S[found[2]])
    except OverflowError:
        return None
