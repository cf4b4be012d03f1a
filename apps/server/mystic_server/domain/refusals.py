"""Refusals that several requests may meet, and what is common to all decisions."""

from collections.abc import Collection
from typing import TypeAlias

from mystic_server.domain import policy
from mystic_server.domain.events import Event
from mystic_server.domain.world import Group, User, World
from mysticproto.errors import Code
from mysticproto.model import FOR_EVER_US, MAX_REASON_CHARS, Refused
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
    """What is left of what an operator has set, to be put behind a verb: " for the next 2 hours"; "" for ever.

    In the largest unit of which there is at least one, rounded up, so that who waits that long has waited enough.
    """
    if until_us >= FOR_EVER_US:
        return ""
    left_s = max(1, -(-(until_us - now_us) // 1_000_000))
    unit, size_s = next((unit, size_s) for unit, size_s in _UNITS if left_s >= size_s)
    number = -(-left_s // size_s)
    return f" for the next {number} {unit}s" if number > 1 else f" for the next {unit}"


def cleaned_reason(reason: str) -> str:
    """Why somebody is kept out or silenced, as it may be stored and shown: one line."""
    return clean_line(reason[: 4 * MAX_REASON_CHARS].strip(), MAX_REASON_CHARS)


def because(reason: str) -> str:
    """A reason, to be put at the end of a sentence in the place of its full stop."""
    return f": {reason}" if reason else "."


def nobody_called(n: int, name: str) -> Refused:
    """Nobody has ever had this name here, or not for long enough to be known."""
    return Refused(n, Code.UNKNOWN_USER, f"Nobody is called {shown(name)}.", shown(name))


def operator_refused(user: User, n: int) -> Refused | None:
    """A refusal to everybody who isn't an operator."""
    if user.role == "operator":
        return None
    return Refused(n, Code.NOT_ALLOWED, "Only an operator can do that. Ask one, or the owner of the server.")


def muted_refused(user: User, n: int, now_us: int) -> Refused | None:
    """A refusal if an operator keeps this user from saying anything at this time."""
    if user.muted_until_us <= now_us:
        return None
    left = how_long(user.muted_until_us, now_us)
    return Refused(n, Code.MUTED, f"An operator has muted you{left}. You can still read.", user.name)


def name_claimed(n: int, user: User) -> Refused:
    """Nothing that this newcomer has shown proves the name to be theirs."""
    text = f"The name {user.name} is somebody's. If it is yours, log in with its password; else take another name."
    return Refused(n, Code.NAME_CLAIMED, text, user.name)


def devices_full(n: int, user: User, key: bytes) -> Refused | None:
    """Whether this key would be one more than may prove the name."""
    if not key or user.has_device(key) or len(user.devices) < policy.MAX_DEVICES:
        return None
    text = f"{user.name} has {len(user.devices)} devices already. Remove one on another of them first."
    return Refused(n, Code.LIMIT_REACHED, text, user.name)


def sessions_full(n: int, user: User, sessions: Collection[int], resume: int) -> Refused | None:
    """Whether one more session would be too many, unless it takes the place of `resume`."""
    if len(sessions) < policy.MAX_SESSIONS_PER_USER or resume in sessions:
        return None
    text = f"{user.name} is logged in {len(sessions)} times already."
    return Refused(n, Code.TOO_MANY_SESSIONS, text, user.name)


def ask_the_owner(n: int, world: World, group: Group) -> Refused:
    """A kept group takes nobody who comes by themselves."""
    text = f"{group.name} takes nobody by itself: ask its owner {world.users[group.owner].name} to add you."
    return Refused(n, Code.NOT_ALLOWED, text, group.name)
