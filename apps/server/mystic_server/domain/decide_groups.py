"""decide, of groups: who may make, enter, leave and run them."""

from mystic_server.domain import policy
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
from mystic_server.domain.refusals import (
    Decision,
    ask_the_owner,
    group_exists,
    in_another_group,
    no_such_group,
    not_in_group,
    shown,
)
from mystic_server.domain.world import Group, Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    AddMember,
    CreateGroup,
    DeleteGroup,
    HandOver,
    JoinGroup,
    KeepGroup,
    LeaveGroup,
    Refused,
    RemoveMember,
    RenameGroup,
)
from mysticproto.names import NameRefused, check_group_name


def decide_create(world: World, session: Session, request: CreateGroup, now_us: int) -> Decision:
    n = request.n
    try:
        name = check_group_name(request.name)
    except NameRefused as refused:
        return Refused(n, Code.GROUP_NAME_INVALID, str(refused), shown(request.name))
    if group := world.group_named(name):
        return group_exists(n, group)
    if request.focus and session.focus:
        return in_another_group(n, world.groups[session.focus])
    user = world.users[session.user]
    if _owned_by(world, user) >= policy.MAX_GROUPS_OWNED or len(world.groups) >= policy.MAX_GROUPS:
        return Refused(n, Code.LIMIT_REACHED, "No more groups can be made.", name)
    members = _known_among(world, request.members, user.id) if request.kept else ()
    focus = request.focus and session.watch
    refusal = _limit_refused(n, user) or (_guests_refused(world, n, user) if request.kept else None)
    return refusal or GroupCreated(session.id, user.id, name, focus, request.kept, members)


def _known_among(world: World, names: tuple[str, ...], author: int) -> tuple[int, ...]:
    """Ids of those whom somebody wants to add, who exist and may be in one more group."""
    users = [user for name in names[: policy.MAX_GROUP_MEMBERS - 1] if (user := world.user_named(name))]
    addable = [user.id for user in users if user.id != author and len(user.groups) < policy.MAX_GROUPS_JOINED]
    return tuple(dict.fromkeys(addable))


def decide_join(world: World, session: Session, request: JoinGroup, now_us: int) -> Decision:
    n = request.n
    group, focused = world.group_named(request.name), world.groups.get(session.focus)
    if request.focus and focused and focused is not group:
        return in_another_group(n, focused)
    if group is None:
        return no_such_group(n, request.name)
    is_member = session.user in group.members
    if session.focus == group.id or (is_member and not request.focus):
        return Refused(n, Code.ALREADY_IN_GROUP, f"You're already in {group.name}.", group.name)
    if not is_member and group.kept:
        return ask_the_owner(n, world, group)
    if not is_member and len(group.members) >= policy.MAX_GROUP_MEMBERS:
        return Refused(n, Code.LIMIT_REACHED, f"{group.name} is full.", group.name)
    if not is_member and (refused := _limit_refused(n, world.users[session.user])):
        return refused
    return GroupEntered(session.id, session.user, group.id, request.focus and session.watch)


def decide_leave(world: World, session: Session, request: LeaveGroup, now_us: int) -> Decision:
    if not request.name and not session.focus:
        return Refused(request.n, Code.NO_GROUP, "You're not in any group.")
    group = world.group_named(request.name) if request.name else world.groups.get(session.focus)
    if group is None:
        return no_such_group(request.n, request.name)
    if session.user not in group.members:
        return not_in_group(request.n, group)
    others = [id for id in group.members if id != session.user]
    heir = others[0] if others and group.owner == session.user else 0
    is_inherited = heir and group.kept and world.users[session.user].is_claimed
    guests_refused = _guests_refused(world, request.n, world.users[heir]) if is_inherited else None
    return guests_refused or GroupExited(session.id, session.user, group.id, heir)


def decide_add(world: World, session: Session, request: AddMember, now_us: int) -> Decision:
    n = request.n
    group = _own_group(world, session, n, request.group)
    if isinstance(group, Refused):
        return group
    user = world.user_named(request.name)
    if user is None:
        return Refused(n, Code.UNKNOWN_USER, f"Nobody is called {shown(request.name)}.", shown(request.name))
    if not group.kept:
        return Refused(n, Code.NOT_ALLOWED, f"{group.name} is a room: people join it by themselves.", group.name)
    if user.id in group.members:
        return Refused(n, Code.ALREADY_IN_GROUP, f"{user.name} is in {group.name} already.", user.name)
    if len(group.members) >= policy.MAX_GROUP_MEMBERS:
        return Refused(n, Code.LIMIT_REACHED, f"{group.name} is full.", group.name)
    if len(user.groups) >= policy.MAX_GROUPS_JOINED:
        return Refused(n, Code.LIMIT_REACHED, f"{user.name} is in {len(user.groups)} groups already.", user.name)
    return MemberAdded(session.id, session.user, group.id, user.id)


def decide_remove(world: World, session: Session, request: RemoveMember, now_us: int) -> Decision:
    n = request.n
    group = _own_group(world, session, n, request.group)
    if isinstance(group, Refused):
        return group
    user = world.user_named(request.name)
    if user is None or user.id not in group.members:
        text = f"{shown(request.name)} is not in {group.name}."
        return Refused(n, Code.NOT_IN_GROUP, text, shown(request.name))
    if user.id == session.user:
        return Refused(n, Code.NOT_TO_YOURSELF, f"Leave {group.name} instead.", user.name)
    return MemberRemoved(session.id, session.user, group.id, user.id)


def decide_rename(world: World, session: Session, request: RenameGroup, now_us: int) -> Decision:
    n = request.n
    group = _own_group(world, session, n, request.group)
    if isinstance(group, Refused):
        return group
    try:
        name = check_group_name(request.name)
    except NameRefused as refused:
        return Refused(n, Code.GROUP_NAME_INVALID, str(refused), shown(request.name))
    other = world.group_named(name)
    if other and (other is not group or name == group.name):
        return group_exists(n, other)
    return GroupRenamed(session.id, session.user, group.id, name, group.name)


def decide_hand_over(world: World, session: Session, request: HandOver, now_us: int) -> Decision:
    n = request.n
    group = _own_group(world, session, n, request.group)
    if isinstance(group, Refused):
        return group
    user = world.user_named(request.name)
    if user is None or user.id not in group.members:
        text = f"{shown(request.name)} is not in {group.name}."
        return Refused(n, Code.NOT_IN_GROUP, text, shown(request.name))
    if user.id == session.user:
        return Refused(n, Code.NOT_TO_YOURSELF, f"You own {group.name} already.", user.name)
    if _owned_by(world, user) >= policy.MAX_GROUPS_OWNED:
        return Refused(n, Code.LIMIT_REACHED, f"{user.name} owns {policy.MAX_GROUPS_OWNED} groups already.", user.name)
    if group.kept and (refused := _guests_refused(world, n, user)):
        return refused
    return GroupHandedOver(session.id, session.user, group.id, user.id)


def decide_keep(world: World, session: Session, request: KeepGroup, now_us: int) -> Decision:
    group = _own_group(world, session, request.n, request.group)
    if isinstance(group, Refused):
        return group
    if group.kept == request.kept:
        text = f"{group.name} is kept already." if group.kept else f"{group.name} is a room already."
        return Refused(request.n, Code.NOT_ALLOWED, text, group.name)
    if request.kept and (refused := _guests_refused(world, request.n, world.users[session.user])):
        return refused
    return GroupKept(session.id, session.user, group.id, request.kept)


def decide_delete_group(world: World, session: Session, request: DeleteGroup, now_us: int) -> Decision:
    if world.users[session.user].role == "operator" and (group := world.group_named(request.group)):
        return GroupEnded(session.id, session.user, group.id)
    own = _own_group(world, session, request.n, request.group)
    return own if isinstance(own, Refused) else GroupEnded(session.id, session.user, own.id)


def _owned_by(world: World, user: User) -> int:
    """How many groups a user owns."""
    return sum(1 for id in user.groups if world.groups[id].owner == user.id)


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


def _guests_refused(world: World, n: int, owner: User) -> Refused | None:
    """Whether a kept group can't be this user's, since guests have too many of them. The names of guests are free, so
    what one of them may own is no limit."""
    if owner.is_claimed or world.count_kept_by_guests() < policy.MAX_GROUPS_OF_GUESTS:
        return None
    text = f"Guests have {policy.MAX_GROUPS_OF_GUESTS} kept groups already, and {owner.name} is a guest."
    return Refused(n, Code.LIMIT_REACHED, text, owner.name)


def _limit_refused(n: int, user: User) -> Refused | None:
    if len(user.groups) < policy.MAX_GROUPS_JOINED:
        return None
    return Refused(n, Code.LIMIT_REACHED, f"You are in {policy.MAX_GROUPS_JOINED} groups already.")
