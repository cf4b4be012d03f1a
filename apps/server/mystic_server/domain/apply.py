"""apply: (world, committed event) -> what is said to whom. The only place that changes the world.

Total and deterministic: whatever the log holds can be applied, on every node with the same outcome. Of two events
that can't both hold the earlier one wins, and the later yields a refusal to its asker. An event whose session is gone
by then changes nothing.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from mystic_server.domain.apply_accounts import account_deleted, device_removed, password_set, role_set
from mystic_server.domain.apply_amendments import deleted, edited
from mystic_server.domain.apply_groups import (
    group_created,
    group_ended,
    group_entered,
    group_exited,
    group_handed_over,
    group_kept,
    group_renamed,
    member_added,
    member_removed,
)
from mystic_server.domain.apply_moderation import banned, kicked, muted, unbanned
from mystic_server.domain.apply_people import joined, left, linger_ended, node_started
from mystic_server.domain.apply_posts import posted
from mystic_server.domain.events import (
    AccountDeleted,
    Banned,
    Committed,
    Deleted,
    DeviceRemoved,
    Edited,
    Event,
    GroupCreated,
    GroupEnded,
    GroupEntered,
    GroupExited,
    GroupHandedOver,
    GroupKept,
    GroupRenamed,
    Joined,
    Kicked,
    Left,
    LingerEnded,
    MemberAdded,
    MemberRemoved,
    Muted,
    NodeStarted,
    PasswordSet,
    Posted,
    RoleSet,
    Unbanned,
)
from mystic_server.domain.outcome import Applied
from mystic_server.domain.world import World

_Apply: TypeAlias = Callable[[World, int, int, Any], Applied]

_APPLY: Final[dict[type, _Apply]] = {
    Posted: posted,
    Edited: edited,
    Deleted: deleted,
    Joined: joined,
    Left: left,
    LingerEnded: linger_ended,
    GroupCreated: group_created,
    GroupEntered: group_entered,
    GroupExited: group_exited,
    MemberAdded: member_added,
    MemberRemoved: member_removed,
    GroupRenamed: group_renamed,
    GroupHandedOver: group_handed_over,
    GroupKept: group_kept,
    GroupEnded: group_ended,
    NodeStarted: node_started,
    PasswordSet: password_set,
    DeviceRemoved: device_removed,
    AccountDeleted: account_deleted,
    RoleSet: role_set,
    Kicked: kicked,
    Banned: banned,
    Unbanned: unbanned,
    Muted: muted,
}
"""One row an event: (world, its number, its time, the event) -> what follows."""


def is_void(event: Event, applied: Applied) -> bool:
    """Whether nobody was told of an event, since it lost a race or nothing was left for it to do: then it isn't retold
    either. When a server stops nobody hears who leaves, but the history has it."""
    return not applied.deliveries and not (isinstance(event, Left) and event.cause == "stopped")


def apply(world: World, committed: Committed) -> Applied:
    """Changes the world and says what follows."""
    world.applied = committed.seq
    event = committed.event
    return _APPLY[type(event)](world, committed.seq, committed.time_us, event)
