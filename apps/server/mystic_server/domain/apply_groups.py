"""apply, of groups: members, owners and focus."""

from mystic_server.domain.events import (
    GroupCreated,
    GroupEnded,
    GroupEntered,
    GroupExited,
    GroupHandedOver,
    GroupKept,
    GroupRenamed,
    MemberAdded,
    MemberRemoved,
)
from mystic_server.domain.outcome import NOTHING, Applied, Delivery
from mystic_server.domain.refusals import ask_the_owner, group_exists, in_another_group, not_in_group
from mystic_server.domain.world import Group, Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    Entered,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    Ok,
    Refused,
)
from mysticproto.model import Event as Said
from mysticproto.model import GroupCreated as GroupWasCreated
from mysticproto.model import GroupHandedOver as GroupWasHandedOver
from mysticproto.model import GroupKept as GroupWasKept
from mysticproto.model import GroupRenamed as GroupWasRenamed

_NOT_THE_OWNER = Refused(0, Code.NOT_ALLOWED, "Only the owner can do that.")
_GROUP_GONE = Refused(0, Code.UNKNOWN_GROUP, "The group is gone.")


def group_created(world: World, seq: int, time_us: int, event: GroupCreated) -> Applied:
    session = world.sessions.get(event.session)
    if session is None:
        return NOTHING
    if group := world.group_named(event.name):
        return Applied(answer=group_exists(0, group))
    if event.focus and session.focus:
        return Applied(answer=in_another_group(0, world.groups[session.focus]))
    user = world.users[session.user]
    group = Group(seq, event.name, user.id, event.kept)
    _enter(world, session, user, group, event.focus)
    added = [each for id in event.members if (each := world.users.get(id)) and id != user.id and not each.is_gone]
    for each in added:
        _add(world, each, group)
    members = tuple(world.users[id].ref for id in group.members) if added else ()
    said = GroupWasCreated(seq, time_us, group.ref, user.ref, members)
    answer = Entered(0, seq, world.group_info(group), bool(session.focus == group.id))
    return Applied([Delivery(said, world.everyone(), tuple(world.watching(user.id)))], answer)


def group_entered(world: World, seq: int, time_us: int, event: GroupEntered) -> Applied:
    session = world.sessions.get(event.session)
    if session is None:
        return NOTHING
    group = world.groups.get(event.group)
    if group is None:
        return Applied(answer=_GROUP_GONE)
    if event.focus and session.focus and session.focus != group.id:
        return Applied(answer=in_another_group(0, world.groups[session.focus]))
    user = world.users[session.user]
    is_new = user.id not in group.members
    if is_new and group.kept:
        return Applied(answer=ask_the_owner(0, world, group))
    _enter(world, session, user, group, event.focus)
    answer = Entered(0, seq, world.group_info(group), bool(session.focus == group.id))
    if not is_new:
        return Applied([], answer)
    said = GroupJoined(seq, time_us, group.ref, user.ref)
    return Applied([_group_delivery(world, said, group, tuple(world.watching(user.id)))], answer)


def group_exited(world: World, seq: int, time_us: int, event: GroupExited) -> Applied:
    group = world.groups.get(event.group)
    if group is None:
        return Applied(answer=_GROUP_GONE)
    if event.author not in group.members:
        return Applied(answer=not_in_group(0, group))
    deliveries = leave(world, seq, time_us, world.users[event.author], group, "left")
    return Applied(deliveries, Ok(0, seq, time_us))


def member_added(world: World, seq: int, time_us: int, event: MemberAdded) -> Applied:
    group, user, owner = world.groups.get(event.group), world.users.get(event.user), world.users.get(event.author)
    if group is None or user is None or owner is None:
        return Applied(answer=_GROUP_GONE)
    if group.owner != owner.id:
        return Applied(answer=_NOT_THE_OWNER)
    if user.is_gone:
        return Applied(answer=Refused(0, Code.UNKNOWN_USER, f"{user.name} is no more.", user.name))
    if user.id not in group.members:
        _add(world, user, group)
        said = GroupJoined(seq, time_us, group.ref, user.ref, owner.ref)
        delivery = _group_delivery(world, said, group, tuple(world.watching(owner.id)))
        return Applied([delivery], Ok(0, seq, time_us))
    return Applied(answer=Ok(0, seq, time_us))


def member_removed(world: World, seq: int, time_us: int, event: MemberRemoved) -> Applied:
    group, user = world.groups.get(event.group), world.users.get(event.user)
    if group is None or user is None:
        return Applied(answer=_GROUP_GONE)
    if group.owner != event.author:
        return Applied(answer=_NOT_THE_OWNER)
    if user.id not in group.members:
        return Applied(answer=not_in_group(0, group))
    return Applied(leave(world, seq, time_us, user, group, "removed"), Ok(0, seq, time_us))


def group_renamed(world: World, seq: int, time_us: int, event: GroupRenamed) -> Applied:
    group = _owned(world, event.group, event.author)
    if isinstance(group, Refused):
        return Applied(answer=group)
    other = world.group_named(event.name)
    if other and other is not group:
        return Applied(answer=group_exists(0, other))
    old, owner = group.name, world.users[group.owner]
    world.rename_group(group, event.name)
    said = GroupWasRenamed(seq, time_us, group.ref, owner.ref, old)
    return _told(world, said, group, owner, Ok(0, seq, time_us))


def group_handed_over(world: World, seq: int, time_us: int, event: GroupHandedOver) -> Applied:
    group = _owned(world, event.group, event.author)
    if isinstance(group, Refused):
        return Applied(answer=group)
    if event.user not in group.members:
        return Applied(answer=Refused(0, Code.NOT_IN_GROUP, f"They are not in {group.name} any more.", group.name))
    before, owner = world.users[group.owner], world.users[event.user]
    group.owner = owner.id
    world.put_group(group)
    said = GroupWasHandedOver(seq, time_us, group.ref, before.ref, owner.ref)
    return _told(world, said, group, before, Ok(0, seq, time_us))


def group_kept(world: World, seq: int, time_us: int, event: GroupKept) -> Applied:
    """Makes a kept group of a room, or a room of a kept group, which those leave who have no session."""
    group = _owned(world, event.group, event.author)
    if isinstance(group, Refused):
        return Applied(answer=group)
    answer = Ok(0, seq, time_us)
    if group.kept == event.kept:
        return Applied(answer=answer)
    group.kept = event.kept
    world.put_group(group)
    owner = world.users[group.owner]
    told = _told(world, GroupWasKept(seq, time_us, group.ref, owner.ref, event.kept), group, owner, answer)
    if group.kept:
        return told
    away = [id for id in group.members if id not in world.sessions_of and id not in world.lost_of]
    left = [each for id in away for each in leave(world, seq, time_us, world.users[id], group, "removed")]
    return Applied(told.deliveries + left, answer)


def group_ended(world: World, seq: int, time_us: int, event: GroupEnded) -> Applied:
    group, by = world.groups.get(event.group), world.users.get(event.author)
    if group is None or by is None:
        return Applied(answer=_GROUP_GONE)
    if group.owner != by.id and not by.is_operator:
        return Applied(answer=_NOT_THE_OWNER)
    for id in group.members:
        _forget_group(world, world.users[id], group)
    world.remove_group(group)
    said = GroupDeleted(seq, time_us, group.ref, by.ref)
    return Applied([Delivery(said, world.everyone(), tuple(world.watching(by.id)))], Ok(0, seq, time_us))


def _owned(world: World, id: int, author: int) -> Group | Refused:
    """The group, if it is still there and this author's."""
    group = world.groups.get(id)
    if group is None:
        return _GROUP_GONE
    return group if group.owner == author else _NOT_THE_OWNER


def _told(world: World, said: Said, group: Group, author: User, answer: Ok) -> Applied:
    return Applied([_group_delivery(world, said, group, tuple(world.watching(author.id)))], answer)


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


def leave(world: World, seq: int, time_us: int, user: User, group: Group, cause: str) -> list[Delivery]:
    """Ends a membership and every focus on it. The member who joined first owns what its owner leaves; a group without
    members is deleted."""
    group.members.remove(user.id)
    heir = world.users[group.members[0]] if group.members and group.owner == user.id else None
    if heir:
        group.owner = heir.id
    world.put_group(group)
    _forget_group(world, user, group)
    said = GroupLeft(seq, time_us, group.ref, user.ref, cause, heir.ref if heir else None)
    deliveries = [_group_delivery(world, said, group, tuple(world.watching(user.id)))]
    if not group.members:
        world.remove_group(group)
        deliveries.append(Delivery(GroupDeleted(seq, time_us, group.ref), world.everyone()))
    return deliveries


def _forget_group(world: World, user: User, group: Group) -> None:
    """What a user no longer has of a group: the line in their list, and the focus."""
    user.groups.remove(group.id)
    if group.id in user.inherited:
        user.inherited.remove(group.id)
    world.put_user(user)
    for id in world.sessions_of.get(user.id, []):
        session = world.sessions[id]
        if session.focus == group.id:
            session.focus = 0
            world.put_session(session)


def _group_delivery(world: World, said: Said, group: Group, author: tuple[int, ...]) -> Delivery:
    return Delivery(said, world.group_hearers(group.id), author, world.everyone())
