"""Making room for new names, which cost nobody anything: when the table is full, guests are forgotten.

Those go first who have been away for longest, a hundredth of the table at once, so that it is looked through seldom. A
guest is forgotten who has no session, not even a lost one, is in no group, and isn't muted; before anybody for whom
messages wait goes everybody else. The name is free then, and the user is no more (`User.is_gone`): what they said still
names them, as with an account that was deleted. Whose name is theirs is never forgotten.

All that follows from the world and the event alone, so every node forgets the same.
"""

from collections.abc import Iterator
from heapq import nsmallest

from mystic_server.domain import policy
from mystic_server.domain.world import User, World


def has_room(world: World, now_us: int) -> bool:
    """Whether the server can know one more name, be it after forgetting others."""
    return len(world.user_ids) < policy.MAX_USERS or any(True for _ in _forgettable(world, now_us))


def make_room(world: World, time_us: int) -> None:
    """Forgets guests if the table is full: for `apply` alone, before somebody new is put into it."""
    if len(world.user_ids) < policy.MAX_USERS:
        return
    count = max(1, policy.MAX_USERS // 100)
    forgotten = nsmallest(count, _forgettable(world, time_us), key=_when_away)
    for user in sorted(forgotten, key=lambda user: user.id):  # the order in which the tables have them, too
        _forget(world, user)


def _forgettable(world: World, now_us: int) -> Iterator[User]:
    for id in world.guests:
        user = world.users[id]
        has_session = id in world.sessions_of or id in world.lost_of
        if not has_session and not user.groups and user.muted_until_us <= now_us:
            yield user


def _when_away(user: User) -> tuple[bool, int, int]:
    """The smaller, the earlier they are forgotten. Who only acted was never here, but since they were first met."""
    return bool(user.waiting), user.left_seq or user.id, user.id


def _forget(world: World, user: User) -> None:
    user.display, user.muted_until_us, user.inherited = "", 0, []
    user.waiting, user.waiting_bytes = {}, 0
    world.free_name(user)
