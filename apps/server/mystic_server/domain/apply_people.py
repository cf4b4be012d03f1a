"""apply, of people: names and sessions, who comes and who goes."""

from mystic_server.domain.apply_groups import leave
from mystic_server.domain.decide_moderation import banned_text
from mystic_server.domain.events import (
    Joined,
    Left,
    LingerEnded,
    NodeStarted,
)
from mystic_server.domain.forgetting import make_room
from mystic_server.domain.outcome import NOTHING, Applied, Delivery, Ending
from mystic_server.domain.refusals import devices_full, name_claimed, sessions_full
from mystic_server.domain.world import Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    Bye,
    Ok,
    Refused,
    UserJoined,
    UserLeft,
    Welcome,
)


def joined(world: World, seq: int, time_us: int, event: Joined) -> Applied:
    """A session begins: the name is still to be had, or not."""
    if event.session in world.sessions or event.session in world.lost:
        return NOTHING
    user = world.user_named(event.name)
    if refused := _kept_out(world, user, time_us, event) or (user and _name_lost(world, user, event)):
        return Applied(answer=refused)
    user = _take_name(world, seq, time_us, user, event)
    was_here = world.is_here(user.id)
    before, replaced = _taken_over(world, user, event)
    focus = before.focus if before and before.focus in user.groups else 0
    world.put_session(_new_session(user, event, focus))
    focused = world.groups[focus].ref if focus else None
    has_password = bool(user.password)
    answer = Welcome(0, event.session, user.ref, user.role, seq, focused, has_password=has_password)
    endings = [Ending(event.resume, Bye(Code.REPLACED, "This device has connected anew."))] if replaced else []
    if event.watch:
        user.waiting, user.waiting_bytes = {}, 0
    if was_here or not event.watch:
        return Applied([], answer, endings)
    said = UserJoined(seq, time_us, user.ref, user.role, returned=before is not None and not replaced)
    return Applied([Delivery(said, world.everyone(), (event.session,))], answer, endings)


def _new_session(user: User, event: Joined, focus: int) -> Session:
    node, epoch = event.node, event.epoch
    return Session(event.session, user.id, event.watch, focus, event.lingers, node, epoch, device=event.key)


def _kept_out(world: World, user: User | None, time_us: int, event: Joined) -> Refused | None:
    """Between decision and now somebody has banned the name, or deleted the account that was meant."""
    meant = world.users.get(event.user)
    if (meant and meant.is_gone) or (event.by_password and user is None):
        return Refused(0, Code.ACCOUNT_DELETED, f"The account {event.name} has just been deleted.", event.name)
    ban = world.ban_of(event.name, time_us)
    if ban and not (user and user.role == "operator"):
        return Refused(0, Code.BANNED, banned_text(ban, time_us), event.name)
    return None


def _name_lost(world: World, user: User, event: Joined) -> Refused | None:
    """Between decision and now somebody else has taken the name or its last place, or has given it another proof."""
    is_proven = user.has_device(event.key) or (event.by_password and user.password and event.user == user.id)
    if user.is_claimed and not is_proven:
        return name_claimed(0, user)
    sessions = world.sessions_of.get(user.id, [])
    if not user.is_claimed and sessions:
        return Refused(0, Code.NAME_IN_USE, f"The name {user.name} is in use.", user.name)
    return devices_full(0, user, event.key) or sessions_full(0, user, sessions, event.resume if event.watch else 0)


def _take_name(world: World, seq: int, time_us: int, user: User | None, event: Joined) -> User:
    """The user that the session belongs to; a name without a key starts anew with whoever takes it, and how they
    write it."""
    if user is None:
        make_room(world, time_us)
        user = User(seq, event.name, since=seq)
    elif not user.is_claimed:
        user.name, user.since, user.inherited = event.name, seq, list(user.groups)
    user.add_device(event.key, time_us)
    user.display = event.display
    world.put_user(user)
    return user


def _taken_over(world: World, user: User, event: Joined) -> tuple[Session | None, bool]:
    """The session that this one continues, and whether it was still alive. Who only acts continues nothing."""
    if not event.watch:
        return None, False
    lost = world.lost.get(event.resume)
    if lost and lost.user == user.id:
        return world.remove_lost(lost.id), False
    alive = world.sessions.get(event.resume)
    if alive and alive.user == user.id and alive.id != event.session:
        world.remove_session(alive)
        return alive, True
    return None, False


def left(world: World, seq: int, time_us: int, event: Left) -> Applied:
    """A session ends."""
    session = world.sessions.get(event.session)
    if session is None:
        return NOTHING
    deliveries = _end_session(world, seq, time_us, session, event.cause)
    return Applied(deliveries, Ok(0, seq, time_us))


def _end_session(world: World, seq: int, time_us: int, session: Session, cause: str) -> list[Delivery]:
    user = world.users[session.user]
    world.remove_session(session)
    if session.lingers and session.watch and cause in ("lost", "stopped"):
        session.lost_us = time_us
        world.put_lost(session)
    if world.is_here(user.id):
        return []
    deliveries = [] if user.id in world.lost_of else leave_rooms(world, seq, time_us, user, cause)
    if not session.watch:
        return deliveries
    world.put_gone(user, seq, time_us)
    if cause != "stopped":  # a server that stops says so itself, once
        deliveries.append(Delivery(UserLeft(seq, time_us, user.ref, cause), world.everyone()))
    return deliveries


def end_sessions(
    world: World, seq: int, time_us: int, user: User, cause: str, bye: Bye, device: bytes = b""
) -> tuple[list[Delivery], list[Ending]]:
    """Ends all of a user's sessions, also what the lost ones keep; with `device` only those on that device."""
    ended = [each for each in sessions_of(world, user) if not device or each.device == device]
    living = [session for session in ended if not session.lost_us]
    for lost in (session for session in ended if session.lost_us):
        world.remove_lost(lost.id)
    deliveries = [each for session in living for each in _end_session(world, seq, time_us, session, cause)]
    if ended and not world.is_here(user.id) and user.id not in world.lost_of:
        deliveries += leave_rooms(world, seq, time_us, user, cause)
    return deliveries, [Ending(session.id, bye) for session in living]


def sessions_of(world: World, user: User) -> list[Session]:
    """A user's sessions, the lost ones at the end."""
    living = [world.sessions[id] for id in world.sessions_of.get(user.id, ())]
    return living + [world.lost[id] for id in world.lost_of.get(user.id, ())]


def leave_rooms(world: World, seq: int, time_us: int, user: User, cause: str) -> list[Delivery]:
    rooms = [world.groups[id] for id in user.groups if not world.groups[id].kept]
    return [delivery for room in rooms for delivery in leave(world, seq, time_us, user, room, cause)]


def linger_ended(world: World, seq: int, time_us: int, event: LingerEnded) -> Applied:
    """Nobody came back for what a lost session kept."""
    lost = world.remove_lost(event.session)
    if lost is None:
        return NOTHING
    user = world.users[lost.user]
    if world.is_here(user.id) or user.id in world.lost_of:
        return NOTHING
    return Applied(leave_rooms(world, seq, time_us, user, "lost"))


def node_started(world: World, seq: int, time_us: int, event: NodeStarted) -> Applied:
    """Sessions of the node's earlier runs ended with it; who had them is told nothing, since nobody is connected."""
    world.forget_bans(time_us)
    node, epoch = event.node, event.epoch
    ended = [session for session in world.sessions.values() if session.node == node and session.epoch != epoch]
    for session in sorted(ended, key=lambda session: session.user):
        _end_session(world, world.applied, time_us, session, "stopped")
    return NOTHING
