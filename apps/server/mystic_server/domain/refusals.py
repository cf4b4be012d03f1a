"""Refusals that several requests may meet, and what is common to all decisions."""

from typing import TypeAlias

from mystic_server.domain.events import Event
from mystic_server.domain.world import Group
from mysticproto.errors import Code
from mysticproto.model import FOR_EVER_US, Refused
from mysticproto.names import clean_line

Decision: TypeAlias = Event | Refused


def no_such_group(n: int, name: str) -> Refused:
    """The name is nobody's; an empty one meant the asker's own group."""
    if not name:
        return Refused(n, Code.NO_GROUP, "You're not in any group.")
    return Refused(n, Code.UNKNOWN_GROUP, f"There is no group {shown(name)}.", shown(name))


def group_exists(n: int, group: Group) -> Refused:
    """Two wanted one name, and this one came second."""
    return Refused(n, Code.GROUP_EXISTS, f"There is a group {group.name} already. Try another name.", group.name)


def shown(name: str) -> str:
    """A name that somebody typed, as it may stand in an answer."""
    return clean_line(name[:64])


def in_another_group(n: int, group: Group) -> Refused:
    """Focus is on one group at a time."""
    return Refused(n, Code.IN_ANOTHER_GROUP, f"You're already in {group.name}. Leave it first.", group.name)


def not_in_group(n: int, group: Group) -> Refused:
    """Only members leave."""
    return Refused(n, Code.NOT_IN_GROUP, f"You're not in {group.name}.", group.name)


_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def how_long(until_us: int, now_us: int) -> str:
    """What is left of something that an operator has set, to be put behind a verb: " for 2 more hours"; "" for ever.

    In the largest unit of which there is at least one, rounded up, so that who waits that long has waited enough.
    """
    if until_us >= FOR_EVER_US:
        return ""
    left_s = max(1, -(-(until_us - now_us) // 1_000_000))
    unit, size_s = next((unit, size_s) for unit, size_s in _UNITS if left_s >= size_s)
    number = -(-left_s // size_s)
    return f" for {number} more {unit}{'s' if number > 1 else ''}"
