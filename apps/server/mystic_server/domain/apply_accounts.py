"""apply, of names that are somebody's: passwords, devices, roles, and names that are given up."""

from mystic_server.domain.apply_groups import leave
from mystic_server.domain.apply_people import end_sessions
from mystic_server.domain.decide_accounts import deletion_refused, device_refused, role_refused
from mystic_server.domain.events import AccountDeleted, DeviceRemoved, PasswordSet, RoleSet
from mystic_server.domain.outcome import NOTHING, Applied, Delivery
from mystic_server.domain.refusals import operator_refused
from mystic_server.domain.world import User, World
from mysticproto.errors import Code
from mysticproto.model import AccountClaimed, Bye, Ok
from mysticproto.model import AccountDeleted as AccountWasDeleted


def password_set(world: World, seq: int, time_us: int, event: PasswordSet) -> Applied:
    """Everybody hears of it if it makes a name somebody's. A better hash of a password that was changed meanwhile must
    not bring the old one back."""
    user = asker(world, event.session, event.user)
    if user is None or (event.replaces and event.replaces != user.password):
        return NOTHING
    was_claimed = user.is_claimed
    user.password = event.hash
    world.put_user(user)
    said = AccountClaimed(seq, time_us, user.ref, user.role)
    deliveries = [] if was_claimed else [Delivery(said, world.everyone(), tuple(world.watching(user.id)))]
    return Applied(deliveries, Ok(0, seq, time_us))


def device_removed(world: World, seq: int, time_us: int, event: DeviceRemoved) -> Applied:
    """The sessions on that device end, perhaps the asker's own."""
    user = asker(world, event.session, event.user)
    if user is None:
        return NOTHING
    if refused := device_refused(user, 0, event.key):
        return Applied(answer=refused)
    user.devices = [device for device in user.devices if device.key != event.key]
    world.put_user(user)
    bye = Bye(Code.DEVICE_REMOVED, f"This device doesn't prove the name {user.name} any more.")
    deliveries, endings = end_sessions(world, seq, time_us, user, "kicked", bye, event.key)
    return Applied(deliveries, Ok(0, seq, time_us), endings)


def account_deleted(world: World, seq: int, time_us: int, event: AccountDeleted) -> Applied:
    """The user is nowhere any more, and their name is free; what they said still names them."""
    author, user = asker(world, event.session, event.author), world.users.get(event.user)
    if author is None or user is None:
        return NOTHING
    if refused := deletion_refused(author, user, 0):
        return Applied(answer=refused)
    by = None if author is user else author.ref
    bye = Bye(Code.ACCOUNT_DELETED, f"{by.name if by else 'You'} deleted the account {user.name}.")
    deliveries, endings = end_sessions(world, seq, time_us, user, "left", bye)
    for group in [world.groups[id] for id in user.groups]:
        deliveries += leave(world, seq, time_us, user, group, "left")
    _give_up(world, user)
    said = AccountWasDeleted(seq, time_us, user.ref, by)
    deliveries.append(Delivery(said, world.everyone(), tuple(world.watching(author.id))))
    return Applied(deliveries, Ok(0, seq, time_us), endings)


def _give_up(world: World, user: User) -> None:
    """Nothing proves the name any more, and nothing is held against it or kept for it."""
    user.devices, user.password, user.is_operator = [], "", False
    user.muted_until_us, user.display = 0, ""
    user.waiting, user.waiting_bytes = {}, 0
    world.remove_ban(user.name)
    world.free_name(user)


def role_set(world: World, seq: int, time_us: int, event: RoleSet) -> Applied:
    """An operator can't be muted or banned, so nothing of that is left to whoever becomes one."""
    author, user = asker(world, event.session, event.author), world.users.get(event.user)
    if user is None or (author is None and event.author):
        return NOTHING
    if refused := (author and operator_refused(author, 0)) or role_refused(user, 0):
        return Applied(answer=refused)
    is_operator = event.role == "operator"
    if user.is_operator == is_operator:
        return Applied(answer=Ok(0, seq, time_us))
    user.is_operator = is_operator
    if is_operator:
        user.muted_until_us = 0
        world.remove_ban(user.name)
    world.put_user(user)
    said = AccountClaimed(seq, time_us, user.ref, user.role, author.ref if author else None)
    authors = tuple(world.watching(author.id)) if author else ()
    return Applied([Delivery(said, world.everyone(), authors)], Ok(0, seq, time_us))


def asker(world: World, session: int, user: int) -> User | None:
    """Who asked for something, if the session in which they did is still there."""
    found = world.sessions.get(session)
    return world.users[user] if found and found.user == user else None
