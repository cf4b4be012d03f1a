"""What can be answered from the world alone, and what somebody may read of the past."""

from msgspec import Struct

from mystic_server.domain import events
from mystic_server.domain.decide_posts import direct_users
from mystic_server.domain.events import BROADCAST, GLOBAL, Committed
from mystic_server.domain.policy import LIST_PART
from mystic_server.domain.refusals import no_such_group, not_in_group
from mystic_server.domain.world import Session, User, World
from mysticproto import model
from mysticproto.model import GetHistory, Groups, Refused, ToGlobal, ToGroup, ToUsers, Users


def list_users(world: World, n: int) -> list[Users]:
    """Who is here, in parts."""
    here = world.users_here()
    starts = range(0, max(1, len(here)), LIST_PART)
    return [Users(n, tuple(here[at : at + LIST_PART]), at + LIST_PART < len(here)) for at in starts]


def list_groups(world: World, n: int) -> list[Groups]:
    """Which groups there are, oldest first, in parts that count their members' lines."""
    parts: list[list[model.GroupInfo]] = [[]]
    lines = 0
    for group in world.groups.values():
        lines += 1 + len(group.members)
        if lines > LIST_PART and parts[-1]:
            parts.append([])
            lines = 1 + len(group.members)
        parts[-1].append(world.group_info(group))
    return [Groups(n, tuple(part), at + 1 < len(parts)) for at, part in enumerate(parts)]


class Scope(Struct, frozen=True):
    """What may be read: these conversations, and nothing before number `since`."""

    conversations: tuple[str, ...]
    since: int = 0


def history_scope(world: World, session: Session, request: GetHistory) -> Scope | Refused:
    """What a history page may be taken from; asked anew for every page, since permissions change."""
    match request.of:
        case ToGlobal():
            return Scope((GLOBAL, BROADCAST))
        case ToGroup(name):
            return _group_scope(world, session, request.n, name)
        case ToUsers(names):
            users = direct_users(world, session, request.n, names, _anybody)
            if isinstance(users, Refused):
                return users
            return Scope(("direct:" + ",".join(map(str, users)),), world.users[session.user].since)


def _anybody(world: World, user: User) -> bool:
    """What was said with a guest who has gone can still be read."""
    return True


def _group_scope(world: World, session: Session, n: int, name: str) -> Scope | Refused:
    group = world.group_named(name) if name else world.groups.get(session.focus)
    if group is None:
        return no_such_group(n, name)
    if session.user not in group.members:
        return not_in_group(n, group)
    return Scope((f"group:{group.id}",))


def missed_scope(world: World, session: Session) -> Scope:
    """What a device may catch up on, besides its user's direct conversations from `since` on."""
    user = world.users[session.user]
    groups = tuple(f"group:{id}" for id in user.groups)
    heard = (BROADCAST,) if session.focus else (GLOBAL, BROADCAST)
    return Scope(heard + groups, user.since)


def waiting_scope(world: World, session: Session, waiting: str, after: int) -> Scope:
    """What waits for a name since it was last here; see `Login.waiting`. Direct conversations are always in it."""
    user = world.users[session.user]
    groups = tuple(f"group:{id}" for id in user.groups)
    return Scope(groups + ((GLOBAL, BROADCAST) if waiting == "all" else ()), after + 1)


def retell(world: World, committed: Committed) -> model.Event | None:
    """A stored event in the words in which it was said; None for what nobody was told."""
    seq, time_us = committed.seq, committed.time_us
    match committed.event:
        case events.Posted(author=author, text=text, cid=cid, reply_to=reply_to) as posted:
            conversation, who = _conversation(world, posted), world.users.get(author)
            if conversation is None or who is None:
                return None
            return model.Message(seq, time_us, who.ref, conversation, text, cid, reply_to)
        case events.Joined(user=user, quiet=False) if who := world.users.get(user or seq):
            return model.UserJoined(seq, time_us, who.ref, who.role)
        case events.Left(user=user, cause=cause, quiet=False) if who := world.users.get(user):
            return model.UserLeft(seq, time_us, who.ref, cause)
        case _:
            return _retell_group(world, committed)


def _retell_group(world: World, committed: Committed) -> model.Event | None:
    seq, time_us = committed.seq, committed.time_us
    match committed.event:
        case events.GroupCreated(author=author, members=added):
            group, who = world.groups.get(seq), world.users.get(author)
            members = tuple(world.users[id].ref for id in (author, *added) if id in world.users) if added else ()
            return model.GroupCreated(seq, time_us, group.ref, who.ref, members) if group and who else None
        case events.GroupEntered(author=author, group=id):
            group, who = world.groups.get(id), world.users.get(author)
            return model.GroupJoined(seq, time_us, group.ref, who.ref) if group and who else None
        case events.MemberAdded(author=author, group=id, user=user):
            group, who, by = world.groups.get(id), world.users.get(user), world.users.get(author)
            return model.GroupJoined(seq, time_us, group.ref, who.ref, by.ref) if group and who and by else None
        case events.MemberRemoved(group=id, user=user):
            group, who = world.groups.get(id), world.users.get(user)
            return model.GroupLeft(seq, time_us, group.ref, who.ref, "removed") if group and who else None
        case events.GroupExited(author=author, group=id):
            group, who = world.groups.get(id), world.users.get(author)
            return model.GroupLeft(seq, time_us, group.ref, who.ref) if group and who else None
        case _:
            return None


def _conversation(world: World, posted: events.Posted) -> model.Conversation | None:
    if posted.conversation == GLOBAL:
        return model.Global()
    if posted.conversation == BROADCAST:
        return model.Broadcast()
    if posted.users:
        return model.Direct(tuple(world.users[id].ref for id in posted.users if id in world.users))
    group = world.group_of(posted.conversation)
    return group.ref if group else None
