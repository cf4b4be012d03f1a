"""decide: (world, session, request) -> an event for the log, or a refusal. Reads the world, changes nothing.

The world may be slightly behind what the log has already accepted; whether an event still holds is settled by `apply`.
"""

from collections.abc import Callable, Collection
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from mystic_server.domain import policy
from mystic_server.domain.events import (
    BROADCAST,
    GLOBAL,
    Event,
    GroupCreated,
    GroupEntered,
    GroupExited,
    Joined,
    Left,
    MemberAdded,
    MemberRemoved,
    Posted,
)
from mystic_server.domain.world import Group, Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    CLIENT_ID_BYTES,
    MAX_ADDRESSED,
    MAX_TEXT_BYTES,
    AddMember,
    CreateGroup,
    JoinGroup,
    LeaveGroup,
    Login,
    Logout,
    Post,
    Refused,
    RemoveMember,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
)
from mysticproto.names import NameRefused, check_group_name, check_user_name, clean_line, clean_text

Decision: TypeAlias = Event | Refused
Change: TypeAlias = Post | CreateGroup | JoinGroup | LeaveGroup | AddMember | RemoveMember
"""Requests of a session that become events."""


class Newcomer(Struct, frozen=True):
    """What the hub knows of somebody who logs in: a fresh session id, and the key that was proven (empty: none)."""

    session: int
    proven_key: bytes
    lingers: bool
    node: int
    epoch: int


def decide_login(world: World, request: Login, newcomer: Newcomer, ending: Collection[int] = ()) -> Decision:
    """Whether a connection may take a name. `ending`: sessions whose end is in the log before anything decided now."""
    n = request.n
    try:
        name = check_user_name(request.name)
    except NameRefused as reason:
        return Refused(n, Code.NAME_INVALID, str(reason), _shown(request.name))
    user = world.user_named(name)
    if user is None and len(world.users) >= policy.MAX_USERS:
        return Refused(n, Code.LIMIT_REACHED, "The server knows as many names as it can.")
    if user and (refused := _name_refused(world, user, request, newcomer, ending)):
        return refused
    is_here = user is not None and any(id not in ending for id in world.watching(user.id))
    return Joined(
        newcomer.session,
        user.name if user and user.key else name,
        user.id if user else 0,
        newcomer.proven_key,
        request.watch,
        quiet=not request.watch or is_here,
        resume=request.resume,
        lingers=newcomer.lingers and bool(newcomer.proven_key),
        node=newcomer.node,
        epoch=newcomer.epoch,
        display=clean_line(request.display[:64]),
    )


def _name_refused(
    world: World, user: User, request: Login, newcomer: Newcomer, ending: Collection[int]
) -> Refused | None:
    sessions = [id for id in world.sessions_of.get(user.id, []) if id not in ending]
    if user.key and user.key != newcomer.proven_key:
        return Refused(request.n, Code.NAME_CLAIMED, f"The name {user.name} belongs to another device.", user.name)
    if not user.key and sessions:
        return Refused(request.n, Code.NAME_IN_USE, f"The name {user.name} is in use.", user.name)
    if len(sessions) >= policy.MAX_SESSIONS_PER_USER and request.resume not in sessions:
        text = f"{user.name} is logged in {len(sessions)} times already."
        return Refused(request.n, Code.TOO_MANY_SESSIONS, text, user.name)
    return None


def decide_end(world: World, session: Session, cause: str, ending: Collection[int] = ()) -> Left:
    """The end of a session, whatever the reason. `ending` as for `decide_login`."""
    still_here = [id for id in world.watching(session.user) if id != session.id and id not in ending]
    return Left(session.id, cause, session.user, session.watch, quiet=not session.watch or bool(still_here))


def decide(world: World, session: Session, request: Change | Logout) -> Decision:
    """What a logged-in session's request means."""
    match request:
        case Post():
            return _decide_post(world, session, request)
        case CreateGroup():
            return _decide_create(world, session, request)
        case JoinGroup():
            return _decide_join(world, session, request)
        case LeaveGroup():
            return _decide_leave(world, session, request)
        case AddMember():
            return _decide_add(world, session, request)
        case RemoveMember():
            return _decide_remove(world, session, request)
        case Logout():
            return decide_end(world, session, "left")


# Messages.


def _decide_post(world: World, session: Session, request: Post) -> Decision:
    text = clean_text(request.text)
    if refused := _text_refused(request, text):
        return refused
    match request.to:
        case ToGlobal():
            return _posted(session, request, text, GLOBAL)
        case ToEveryone():
            return _posted(session, request, text, BROADCAST)
        case ToGroup(name):
            return _decide_group_post(world, session, request, text, name)
        case ToUsers(names):
            return _decide_direct_post(world, session, request, text, names)


def _posted(session: Session, request: Post, text: str, conversation: str) -> Posted:
    cid, reply_to, receipt = request.cid, request.reply_to, request.receipt
    return Posted(session.id, session.user, conversation, text, cid, reply_to, receipt=receipt)


def _text_refused(request: Post, text: str) -> Refused | None:
    if not text.strip():
        return Refused(request.n, Code.TEXT_EMPTY, "There is nothing in this message.")
    if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode()) > MAX_TEXT_BYTES:
        return Refused(request.n, Code.TEXT_TOO_LONG, f"A message is limited to {MAX_TEXT_BYTES // 1024} KiB.")
    if request.cid and len(request.cid) != CLIENT_ID_BYTES:
        return Refused(request.n, Code.MALFORMED, f"A client id has {CLIENT_ID_BYTES} bytes.")
    if not 0 <= request.reply_to <= policy.MAX_REQUEST_NUMBER:
        return Refused(request.n, Code.MALFORMED, "The message replied to has no such number.")
    return None


def _decide_group_post(world: World, session: Session, request: Post, text: str, name: str) -> Decision:
    group = world.group_named(name) if name else world.groups.get(session.focus)
    if group is None:
        return no_such_group(request.n, name)
    if session.user not in group.members:
        return Refused(request.n, Code.NOT_IN_GROUP, f"You are not in {group.name}.", group.name)
    return _posted(session, request, text, f"group:{group.id}")


def _decide_direct_post(world: World, session: Session, request: Post, text: str, names: tuple[str, ...]) -> Decision:
    users = direct_users(world, session, request.n, names, _known if request.receipt else _reachable)
    if isinstance(users, Refused):
        return users
    conversation = "direct:" + ",".join(map(str, users))
    addressed = tuple(_shown(name) for name in names)
    return replace(_posted(session, request, text, conversation), users=users, addressed=addressed)


def direct_users(
    world: World, session: Session, n: int, names: tuple[str, ...], counts: Callable[[World, User], bool]
) -> tuple[int, ...] | Refused:
    """The ids of a direct conversation with these names, the asker's among them, in order; left out are unknown names
    and those of whom `counts` says so.
    """
    if not 0 < len(names) <= MAX_ADDRESSED:
        return Refused(n, Code.MALFORMED, f"A message is for 1 to {MAX_ADDRESSED} people.")
    known = [user for name in names if len(name) <= 64 and (user := world.user_named(name)) and counts(world, user)]
    users = sorted({user.id for user in known} | {session.user})
    if len(users) > 1:
        return tuple(users)
    if known:
        return Refused(n, Code.NOT_TO_YOURSELF, "You can't send a message to yourself.", _shown(names[0]))
    whom = ", ".join(_shown(name) for name in names[:4])
    return Refused(n, Code.UNKNOWN_USER, f"Nobody here is called {whom}.", _shown(names[0]))


def _reachable(world: World, user: User) -> bool:
    """A guest who has gone is nobody: the name may be somebody else's the next time."""
    return bool(user.key) or world.is_here(user.id)


def _known(world: World, user: User) -> bool:
    return True


# Groups.


def _decide_create(world: World, session: Session, request: CreateGroup) -> Decision:
    n = request.n
    try:
        name = check_group_name(request.name)
    except NameRefused as refused:
        return Refused(n, Code.GROUP_NAME_INVALID, str(refused), _shown(request.name))
    if group := world.group_named(name):
        return group_exists(n, group)
    if request.focus and session.focus:
        return in_another_group(n, world.groups[session.focus])
    user = world.users[session.user]
    owned = sum(1 for id in user.groups if world.groups[id].owner == user.id)
    if owned >= policy.MAX_GROUPS_OWNED or len(world.groups) >= policy.MAX_GROUPS:
        return Refused(n, Code.LIMIT_REACHED, "No more groups can be made.", name)
    members = _known_among(world, request.members, user.id) if request.kept else ()
    focus = request.focus and session.watch
    return _limit_refused(n, user) or GroupCreated(session.id, user.id, name, focus, request.kept, members)


def _known_among(world: World, names: tuple[str, ...], author: int) -> tuple[int, ...]:
    """Ids of those whom somebody wants to add, who exist and may be in one more group."""
    users = [user for name in names[: policy.MAX_GROUP_MEMBERS - 1] if (user := world.user_named(name))]
    addable = [user.id for user in users if user.id != author and len(user.groups) < policy.MAX_GROUPS_JOINED]
    return tuple(dict.fromkeys(addable))


def _decide_join(world: World, session: Session, request: JoinGroup) -> Decision:
    n = request.n
    group, focused = world.group_named(request.name), world.groups.get(session.focus)
    if request.focus and focused and focused is not group:
        return in_another_group(n, focused)
    if group is None:
        return no_such_group(n, request.name)
    is_member = session.user in group.members
    if session.focus == group.id or (is_member and not request.focus):
        return Refused(n, Code.ALREADY_IN_GROUP, f"You're already in {group.name}.", group.name)
    if not is_member and len(group.members) >= policy.MAX_GROUP_MEMBERS:
        return Refused(n, Code.LIMIT_REACHED, f"{group.name} is full.", group.name)
    if not is_member and (refused := _limit_refused(n, world.users[session.user])):
        return refused
    return GroupEntered(session.id, session.user, group.id, request.focus and session.watch)


def _decide_leave(world: World, session: Session, request: LeaveGroup) -> Decision:
    if not request.name and not session.focus:
        return Refused(request.n, Code.NO_GROUP, "You're not in any group.")
    group = world.group_named(request.name) if request.name else world.groups.get(session.focus)
    if group is None:
        return no_such_group(request.n, request.name)
    if session.user not in group.members:
        return not_in_group(request.n, group)
    return GroupExited(session.id, session.user, group.id)


def _decide_add(world: World, session: Session, request: AddMember) -> Decision:
    n = request.n
    group = _own_group(world, session, n, request.group)
    if isinstance(group, Refused):
        return group
    user = world.user_named(request.name)
    if user is None:
        return Refused(n, Code.UNKNOWN_USER, f"Nobody is called {_shown(request.name)}.", _shown(request.name))
    if not group.kept:
        return Refused(n, Code.NOT_ALLOWED, f"{group.name} is a room: people join it by themselves.", group.name)
    if user.id in group.members:
        return Refused(n, Code.ALREADY_IN_GROUP, f"{user.name} is in {group.name} already.", user.name)
    if len(group.members) >= policy.MAX_GROUP_MEMBERS:
        return Refused(n, Code.LIMIT_REACHED, f"{group.name} is full.", group.name)
    if len(user.groups) >= policy.MAX_GROUPS_JOINED:
        return Refused(n, Code.LIMIT_REACHED, f"{user.name} is in {len(user.groups)} groups already.", user.name)
    return MemberAdded(session.id, session.user, group.id, user.id)


def _decide_remove(world: World, session: Session, request: RemoveMember) -> Decision:
    n = request.n
    group = _own_group(world, session, n, request.group)
    if isinstance(group, Refused):
        return group
    user = world.user_named(request.name)
    if user is None or user.id not in group.members:
        text = f"{_shown(request.name)} is not in {group.name}."
        return Refused(n, Code.NOT_IN_GROUP, text, _shown(request.name))
    if user.id == session.user:
        return Refused(n, Code.NOT_TO_YOURSELF, f"Leave {group.name} instead.", user.name)
    return MemberRemoved(session.id, session.user, group.id, user.id)


def _own_group(world: World, session: Session, n: int, name: str) -> Group | Refused:
    """The group, if the asker owns it."""
    group = world.group_named(name) if name else world.groups.get(session.focus)
    if group is None:
        return no_such_group(n, name)
    if session.user not in group.members:
        return not_in_group(n, group)
    if group.owner != session.user:
        return Refused(n, Code.NOT_ALLOWED, f"Only the owner of {group.name} can do that.", group.name)
    return group


def _limit_refused(n: int, user: User) -> Refused | None:
    if len(user.groups) < policy.MAX_GROUPS_JOINED:
        return None
    return Refused(n, Code.LIMIT_REACHED, f"You are in {policy.MAX_GROUPS_JOINED} groups already.")


def no_such_group(n: int, name: str) -> Refused:
    """The name is nobody's; an empty one meant the asker's own group."""
    if not name:
        return Refused(n, Code.NO_GROUP, "You're not in any group.")
    return Refused(n, Code.UNKNOWN_GROUP, f"There is no group {_shown(name)}.", _shown(name))


def group_exists(n: int, group: Group) -> Refused:
    """Two wanted one name, and this one came second."""
    return Refused(n, Code.GROUP_EXISTS, f"There is a group {group.name} already. Try another name.", group.name)


def _shown(name: str) -> str:
    """A name that somebody typed, as it may stand in an answer."""
    return clean_line(name[:64])


def in_another_group(n: int, group: Group) -> Refused:
    """Focus is on one group at a time."""
    return Refused(n, Code.IN_ANOTHER_GROUP, f"You're already in {group.name}. Leave it first.", group.name)


def not_in_group(n: int, group: Group) -> Refused:
    """Only members leave."""
    return Refused(n, Code.NOT_IN_GROUP, f"You're not in {group.name}.", group.name)
