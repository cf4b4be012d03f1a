"""apply: (world, committed event) -> what is said to whom. The only place that changes the world.

Total and deterministic: whatever the log holds can be applied, on every node with the same outcome. Of two events
that can't both hold the earlier one wins, and the later yields a refusal to its asker. An event whose session is gone
by then changes nothing.
"""

from itertools import islice

from msgspec import Struct

from mystic_server.domain.decide import group_exists, in_another_group, not_in_group
from mystic_server.domain.events import (
    BROADCAST,
    GLOBAL,
    Committed,
    GroupCreated,
    GroupEntered,
    GroupExited,
    Joined,
    Left,
    LingerEnded,
    MemberAdded,
    MemberRemoved,
    NodeStarted,
    Posted,
)
from mystic_server.domain.policy import AWAY_NAMED
from mystic_server.domain.world import NOBODY, Audience, Group, Session, User, World
from mysticproto.errors import Code
from mysticproto.model import Broadcast as ToldToEverybody
from mysticproto.model import (
    Bye,
    Direct,
    Entered,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    Message,
    Ok,
    Refused,
    Reply,
    UserJoined,
    UserLeft,
    Welcome,
)
from mysticproto.model import Event as Said
from mysticproto.model import Global as ToldGlobally
from mysticproto.model import GroupCreated as GroupWasCreated


class Delivery(Struct, frozen=True, gc=False):
    """An event on its way: `author` are the sessions of who caused it, which may also be among `to`."""

    event: Said
    to: Audience
    author: tuple[int, ...] = ()
    bystanders: Audience = NOBODY


class Ending(Struct, frozen=True, gc=False):
    """A session whose connection must close, after these last words."""

    session: int
    bye: Bye


class Applied(Struct, frozen=True, gc=False):
    """What follows from an event. `answer` goes to the asker, with the request's number put in by the hub."""

    deliveries: list[Delivery] = []
    answer: Reply | None = None
    endings: list[Ending] = []


_NOTHING = Applied()
_NOT_THE_OWNER = Refused(0, Code.NOT_ALLOWED, "Only the owner can do that.")
_GROUP_GONE = Refused(0, Code.UNKNOWN_GROUP, "The group is gone.")


def apply(world: World, committed: Committed) -> Applied:
    """Changes the world and says what follows."""
    world.applied = committed.seq
    match committed.event:
        case Posted() as event:
            return _posted(world, committed.seq, committed.time_us, event)
        case Joined() as event:
            return _joined(world, committed.seq, committed.time_us, event)
        case Left() as event:
            return _left(world, committed.seq, committed.time_us, event)
        case LingerEnded(session):
            return _linger_ended(world, committed.seq, committed.time_us, session)
        case GroupCreated() as event:
            return _group_created(world, committed.seq, committed.time_us, event)
        case GroupEntered() as event:
            return _group_entered(world, committed.seq, committed.time_us, event)
        case GroupExited() as event:
            return _group_exited(world, committed.seq, committed.time_us, event)
        case MemberAdded() as event:
            return _member_added(world, committed.seq, committed.time_us, event)
        case MemberRemoved() as event:
            return _member_removed(world, committed.seq, committed.time_us, event)
        case NodeStarted(node, epoch):
            return _node_started(world, committed.time_us, node, epoch)


# Messages.


def _posted(world: World, seq: int, time_us: int, event: Posted) -> Applied:
    author = world.users.get(event.author)
    if author is None:
        return _NOTHING
    sessions = tuple(world.watching(author.id))
    answer = receipt(world, seq, time_us, event)
    if event.conversation == GLOBAL:
        said = Message(seq, time_us, author.ref, ToldGlobally(), event.text, event.cid, event.reply_to)
        return Applied([Delivery(said, world.global_hearers(), sessions)], answer)
    if event.conversation == BROADCAST:
        said = Message(seq, time_us, author.ref, ToldToEverybody(), event.text, event.cid, event.reply_to)
        return Applied([Delivery(said, world.everyone(), sessions)], answer)
    if event.users:
        conversation = Direct(tuple(world.users[id].ref for id in event.users if id in world.users))
        said = Message(seq, time_us, author.ref, conversation, event.text, event.cid, event.reply_to)
        return Applied([Delivery(said, world.hearers_of(event.users), sessions)], answer)
    group = world.group_of(event.conversation)
    if group is None:
        return Applied(answer=_GROUP_GONE)
    said = Message(seq, time_us, author.ref, group.ref, event.text, event.cid, event.reply_to)
    return Applied([Delivery(said, world.group_hearers(group.id), sessions)], answer)


def receipt(world: World, seq: int, time_us: int, event: Posted) -> Ok:
    """What the author of a message is told, now or when it is sent again."""
    named = {name: world.user_named(name) for name in event.addressed}
    unknown = tuple(name for name, user in named.items() if user is None or user.id not in event.users)
    found = {user.id: user.name for user in named.values() if user and user.id in event.users}
    if event.receipt:
        here, gone = _reached(world, event)
        away_since = tuple(user.last_seen_us for user in gone)
        return Ok(0, seq, time_us, unknown, _names(gone), away_since, _names(here))
    away = tuple(name for id, name in found.items() if id != event.author and not world.is_here(id))
    return Ok(0, seq, time_us, unknown, away)


def _reached(world: World, event: Posted) -> tuple[list[User], list[User]]:
    """Whom a message has reached, and who of those it is for is away, the last seen first; its author left out."""
    group = world.group_of(event.conversation)
    if not event.users and group is None:
        here = [world.users[info.user.id] for info in world.users_here() if info.user.id != event.author]
        newest = islice((id for id in reversed(world.gone) if id != event.author), AWAY_NAMED)
        return here, [world.users[id] for id in newest]
    meant = dict.fromkeys(event.users or (group.members if group else ()))
    others = [world.users[id] for id in meant if id != event.author and id in world.users]
    here = [user for user in others if world.is_here(user.id)]
    gone = sorted((user for user in others if user.id in world.gone), key=lambda user: -user.left_seq)
    return here, gone[:AWAY_NAMED]


def _names(users: list[User]) -> tuple[str, ...]:
    return tuple(user.name for user in users)


# Coming and going.


def _joined(world: World, seq: int, time_us: int, event: Joined) -> Applied:
    if event.session in world.sessions or event.session in world.lost:
        return _NOTHING
    user = world.user_named(event.name)
    if user and (refused := _name_lost(world, user, event)):
        return Applied(answer=refused)
    user = _take_name(world, seq, user, event)
    was_here = world.is_here(user.id)
    before, replaced = _taken_over(world, user, event)
    focus = before.focus if before and before.focus in user.groups else 0
    world.put_session(
        Session(event.session, user.id, event.watch, focus, event.lingers, event.node, event.epoch),
    )
    focused = world.groups[focus].ref if focus else None
    answer = Welcome(0, event.session, user.ref, user.role, seq, focused)
    endings = [Ending(event.resume, Bye(Code.REPLACED, "This device has connected anew."))] if replaced else []
    if was_here or not event.watch:
        return Applied([], answer, endings)
    said = UserJoined(seq, time_us, user.ref, user.role, returned=before is not None and not replaced)
    return Applied([Delivery(said, world.everyone(), (event.session,))], answer, endings)


def _name_lost(world: World, user: User, event: Joined) -> Refused | None:
    """Between decision and now somebody else has taken the name."""
    if user.key and user.key != event.key:
        return Refused(0, Code.NAME_CLAIMED, f"The name {user.name} belongs to another device.", user.name)
    if not user.key and user.id in world.sessions_of:
        return Refused(0, Code.NAME_IN_USE, f"The name {user.name} is in use.", user.name)
    return None


def _take_name(world: World, seq: int, user: User | None, event: Joined) -> User:
    """The user that the session belongs to; a name without a key starts anew with whoever takes it, and how they
    write it."""
    if user is None:
        user = User(seq, event.name, event.key, since=seq)
    elif user.key:
        return user
    else:
        user.name, user.key, user.since = event.name, event.key, seq
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


def _left(world: World, seq: int, time_us: int, event: Left) -> Applied:
    session = world.sessions.get(event.session)
    if session is None:
        return _NOTHING
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
    deliveries = [] if user.id in world.lost_of else _leave_rooms(world, seq, time_us, user, cause)
    if not session.watch:
        return deliveries
    world.put_gone(user, seq, time_us)
    if cause != "stopped":  # a server that stops says so itself, once
        deliveries.append(Delivery(UserLeft(seq, time_us, user.ref, cause), world.everyone()))
    return deliveries


def _leave_rooms(world: World, seq: int, time_us: int, user: User, cause: str) -> list[Delivery]:
    rooms = [world.groups[id] for id in user.groups if not world.groups[id].kept]
    return [delivery for room in rooms for delivery in _leave(world, seq, time_us, user, room, cause)]


def _linger_ended(world: World, seq: int, time_us: int, session: int) -> Applied:
    lost = world.remove_lost(session)
    if lost is None:
        return _NOTHING
    user = world.users[lost.user]
    if world.is_here(user.id) or user.id in world.lost_of:
        return _NOTHING
    return Applied(_leave_rooms(world, seq, time_us, user, "lost"))


def _node_started(world: World, time_us: int, node: int, epoch: int) -> Applied:
    """Sessions of the node's earlier runs ended with it; who had them is told nothing, since nobody is connected."""
    ended = [session for session in world.sessions.values() if session.node == node and session.epoch != epoch]
    for session in sorted(ended, key=lambda session: session.user):
        _end_session(world, world.applied, time_us, session, "stopped")
    return _NOTHING


# Groups.


def _group_created(world: World, seq: int, time_us: int, event: GroupCreated) -> Applied:
    session = world.sessions.get(event.session)
    if session is None:
        return _NOTHING
    if group := world.group_named(event.name):
        return Applied(answer=group_exists(0, group))
    if event.focus and session.focus:
        return Applied(answer=in_another_group(0, world.groups[session.focus]))
    user = world.users[session.user]
    group = Group(seq, event.name, user.id, event.kept)
    _enter(world, session, user, group, event.focus)
    added = [world.users[id] for id in event.members if id in world.users and id != user.id]
    for each in added:
        _add(world, each, group)
    members = tuple(world.users[id].ref for id in group.members) if added else ()
    said = GroupWasCreated(seq, time_us, group.ref, user.ref, members)
    answer = Entered(0, seq, world.group_info(group), bool(session.focus == group.id))
    return Applied([Delivery(said, world.everyone(), tuple(world.watching(user.id)))], answer)


def _group_entered(world: World, seq: int, time_us: int, event: GroupEntered) -> Applied:
    session = world.sessions.get(event.session)
    if session is None:
        return _NOTHING
    group = world.groups.get(event.group)
    if group is None:
        return Applied(answer=_GROUP_GONE)
    if event.focus and session.focus and session.focus != group.id:
        return Applied(answer=in_another_group(0, world.groups[session.focus]))
    user = world.users[session.user]
    is_new = user.id not in group.members
    _enter(world, session, user, group, event.focus)
    answer = Entered(0, seq, world.group_info(group), bool(session.focus == group.id))
    if not is_new:
        return Applied([], answer)
    said = GroupJoined(seq, time_us, group.ref, user.ref)
    return Applied([_group_delivery(world, said, group, tuple(world.watching(user.id)))], answer)


def _group_exited(world: World, seq: int, time_us: int, event: GroupExited) -> Applied:
    group = world.groups.get(event.group)
    if group is None:
        return Applied(answer=_GROUP_GONE)
    if event.author not in group.members:
        return Applied(answer=not_in_group(0, group))
    deliveries = _leave(world, seq, time_us, world.users[event.author], group, "left")
    return Applied(deliveries, Ok(0, seq, time_us))


def _member_added(world: World, seq: int, time_us: int, event: MemberAdded) -> Applied:
    group, user, owner = world.groups.get(event.group), world.users.get(event.user), world.users.get(event.author)
    if group is None or user is None or owner is None:
        return Applied(answer=_GROUP_GONE)
    if group.owner != owner.id:
        return Applied(answer=_NOT_THE_OWNER)
    if user.id not in group.members:
        _add(world, user, group)
        said = GroupJoined(seq, time_us, group.ref, user.ref, owner.ref)
        delivery = _group_delivery(world, said, group, tuple(world.watching(owner.id)))
        return Applied([delivery], Ok(0, seq, time_us))
    return Applied(answer=Ok(0, seq, time_us))


def _member_removed(world: World, seq: int, time_us: int, event: MemberRemoved) -> Applied:
    group, user = world.groups.get(event.group), world.users.get(event.user)
    if group is None or user is None:
        return Applied(answer=_GROUP_GONE)
    if group.owner != event.author:
        return Applied(answer=_NOT_THE_OWNER)
    if user.id not in group.members:
        return Applied(answer=not_in_group(0, group))
    return Applied(_leave(world, seq, time_us, user, group, "removed"), Ok(0, seq, time_us))


def _add(world: World, user: User, group: Group) -> None:
    if user.id not in group.members:
        group.members.append(user.id)
        user.groups.append(group.id)
        world.put_user(user)
    world.put_group(group)


def _enter(world: World, session: Session, user: User, group: Group, focus: bool) -> None:
    _add(world, user, group)
    if focus:
        session.focus = group.id
    world.put_session(session)


def _leave(world: World, seq: int, time_us: int, user: User, group: Group, cause: str) -> list[Delivery]:
    """Ends a membership and every focus on it; a room without members is deleted."""
    group.members.remove(user.id)
    user.groups.remove(group.id)
    world.put_user(user)
    world.put_group(group)
    for id in world.sessions_of.get(user.id, []):
        session = world.sessions[id]
        if session.focus == group.id:
            session.focus = 0
            world.put_session(session)
    said = GroupLeft(seq, time_us, group.ref, user.ref, cause)
    deliveries = [_group_delivery(world, said, group, tuple(world.watching(user.id)))]
    if not group.members:
        world.remove_group(group)
        deliveries.append(Delivery(GroupDeleted(seq, time_us, group.ref), world.everyone()))
    elif group.owner == user.id:
        group.owner = group.members[0]
    return deliveries


def _group_delivery(world: World, said: Said, group: Group, author: tuple[int, ...]) -> Delivery:
    return Delivery(said, world.group_hearers(group.id), author, world.everyone())
