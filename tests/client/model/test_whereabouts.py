"""Where people are, in words."""

from datetime import UTC

import pytest

from mystic_client.model.whereabouts import ago, described, lasting, seen, until
from mysticproto.model import FOR_EVER_US, UserInfo, UserRef

NOW_US = 1_790_000_000_000_000
MIN_US = 60_000_000
ANA = UserRef(2, "ana")


@pytest.mark.parametrize(
    ("minutes", "short", "long"),
    [
        (0, "now", "away, last seen a moment ago"),
        (5, "5 min", "away, last seen 5 min ago"),
        (200, "3 h", "away, last seen 3 h ago"),
        (3 * 1440, "3 d", "away, last seen 3 d ago"),
        (30 * 1440, "2026-08-22", "away, last seen 2026-08-22"),
    ],
)
def test_when_somebody_was_here(minutes: int, short: str, long: str) -> None:
    then_us = NOW_US - minutes * MIN_US
    assert ago(then_us, NOW_US, UTC) == short
    assert seen(UserInfo(ANA, here=False, last_seen_us=then_us), NOW_US, UTC) == long


def test_who_somebody_is() -> None:
    assert described(UserInfo(ANA, "operator"), NOW_US) == "an operator · here"
    assert described(UserInfo(ANA, "member", here=False), NOW_US) == "a member · away"
    muted = UserInfo(ANA, muted_until_us=NOW_US + 10 * MIN_US)
    assert described(muted, NOW_US, UTC) == "a guest · here · muted until 14:23"
    assert described(UserInfo(ANA, muted_until_us=NOW_US), NOW_US) == "a guest · here", "over by now"


def test_how_long_something_holds() -> None:
    assert until(FOR_EVER_US, NOW_US) == "for ever"
    assert until(NOW_US + 1440 * 2 * MIN_US, NOW_US, UTC) == "until 2026-09-23"
    assert [lasting(seconds) for seconds in (0, 600, 3600, 86400, 7 * 86400, 14 * 86400, 61)] == [
        "for ever",
        "for 10 minutes",
        "for 1 hour",
        "for 1 day",
        "for 1 week",
        "for 2 weeks",
        "for 1 min 1 s",
    ]
