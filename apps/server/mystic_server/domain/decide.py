"""decide: (world, session, request) -> an event for the log, or a refusal. Reads the world, changes nothing.

The world may be slightly behind what the log has already accepted; whether an event still holds is settled by `apply`.
"""

from collections.abc import Collection
from typing import TypeAlias

from msgspec import Struct

from mystic_server.domain import policy
from mystic_server.domain.decide_groups import decide_add, decide_create, decide_join, decide_leave, decide_remove
from mystic_server.domain.decide_posts import decide_post
from mystic_server.domain.events import (
    Joined,
    Left,
)
from mystic_server.domain.refusals import Decision, shown
from mystic_server.domain.world import Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    AddMember,
    CreateGroup,
    JoinGroup,
    LeaveGroup,
    Login,
    Logout,
    Post,
    Refused,
    RemoveMember,
)
from mysticproto.names import NameRefused, check_user_name, clean_line

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
        return Refused(n, Code.NAME_INVALID, str(reason), shown(request.name))
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
            return decide_post(world, session, request)
        case CreateGroup():
            return decide_create(world, session, request)
        case JoinGroup():
            return decide_join(world, session, request)
        case LeaveGroup():
            return decide_leave(world, session, request)
        case AddMember():
            return decide_add(world, session, request)
        case RemoveMember():
            return decide_remove(world, session, request)
        case Logout():
            return decide_end(world, session, "left")
