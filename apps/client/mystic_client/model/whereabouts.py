"""Where people are, who they are here, and how long something lasts, in words."""

from datetime import tzinfo
from typing import Final

from mystic_client.model.text import clock, duration_in_words, stamp
from mysticproto.model import FOR_EVER_US, UserInfo

_ROLES: Final = {"guest": "a guest", "member": "a member", "operator": "an operator"}
_MINUTE_US: Final = 60_000_000
_HOUR_US: Final = 60 * _MINUTE_US
_DAY_US: Final = 24 * _HOUR_US
_FEW_DAYS: Final = 7


def ago(then_us: int, now_us: int, zone: tzinfo | None = None) -> str:
    """ "now", "5 min", "3 h", "2 d", then the date: short enough for a list; "" if nobody knows."""
    gone_us = now_us - then_us
    if not then_us:
        return ""
    if gone_us < _MINUTE_US:
        return "now"
    if gone_us < _HOUR_US:
        return f"{gone_us // _MINUTE_US} min"
    if gone_us < _DAY_US:
        return f"{gone_us // _HOUR_US} h"
    return f"{gone_us // _DAY_US} d" if gone_us < _FEW_DAYS * _DAY_US else stamp(then_us, now_us, zone)


def seen(info: UserInfo, now_us: int, zone: tzinfo | None = None) -> str:
    """ "here", "away", "away, last seen 3 h ago"."""
    if info.here:
        return "here"
    words = ago(info.last_seen_us, now_us, zone)
    if not words:
        return "away"
    gone = {"now": "a moment ago"}.get(words, words if "-" in words else f"{words} ago")
    return f"away, last seen {gone}"


def until(end_us: int, now_us: int, zone: tzinfo | None = None) -> str:
    """How long a ban or a mute holds: "for ever", "until 14:05", "until 2026-11-21"."""
    if end_us >= FOR_EVER_US:
        return "for ever"
    if end_us - now_us < _DAY_US:
        return f"until {clock(end_us, zone)}"
    return f"until {stamp(end_us, now_us, zone)}"


def is_muted(info: UserInfo, now_us: int) -> bool:
    """Whether an operator keeps this user from speaking."""
    return info.muted_until_us > now_us


def described(info: UserInfo, now_us: int, zone: tzinfo | None = None) -> str:
    """Who somebody is: "a member · away, last seen 3 h ago · muted until 14:05"."""
    words = [_ROLES.get(info.role, info.role), seen(info, now_us, zone)]
    if is_muted(info, now_us):
        words.append(f"muted {until(info.muted_until_us, now_us, zone)}")
    return " · ".join(words)


def lasting(seconds: int) -> str:
    """How long a ban or a mute that is about to begin will hold: "for 10 minutes", "for ever" (0)."""
    if not seconds:
        return "for ever"
    for unit_s, unit in ((7 * 86400, "week"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit_s == 0:
            count = seconds // unit_s
            return f"for {count} {unit}{'s' if count > 1 else ''}"
    return f"for {duration_in_words(seconds)}"
