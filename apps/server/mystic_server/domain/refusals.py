"""Refusals that several requests may meet, and what is common to all decisions."""

from typing import TypeAlias

from mystic_server.domain.events import Event
from mystic_server.domain.world import Group
from mysticproto.errors import Code
from mysticproto.model import Refused
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
