"""decide: (world, session, request) -> an event for the log, or a refusal. Reads the world, changes nothing.

The world may be slightly behind what the log has already accepted; whether an event still holds is settled by `apply`.
"""

from collections.abc import Callable, Collection
from typing import Any, Final, TypeAlias

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
    """What the hub knows of somebody who logs in: a fresh session id, and the key that was proven (empty: none).

    `by_password`: the password was right. `host`: where they are; `is_local`: on the server's own machine.
    """

    session: int
    proven_key: bytes
    lingers: bool
    node: int
    epoch: int
    by_password: bool = False
    host: str = ""
    is_local: bool = False


class Rules(Struct, frozen=True):
    """What the server's settings say of names. `claimed_only`: guests may not come in; `operators`: keys of the names
    (`names.name_key`) that the command line makes operators."""

    claimed_only: bool = False
    operators: frozenset[str] = frozenset()


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
        user.name if user and user.is_claimed else name,
        user.id if user else 0,
        newcomer.proven_key,
        request.watch,
        quiet=not request.watch or is_here,
        resume=request.resume,
        lingers=newcomer.lingers and bool(newcomer.proven_key),
        node=newcomer.node,
        epoch=newcomer.epoch,
        display=clean_line(request.display[:64]),
        by_password=newcomer.by_password,
    )


def _name_refused(
    world: World, user: User, request: Login, newcomer: Newcomer, ending: Collection[int]
) -> Refused | None:
    sessions = [id for id in world.sessions_of.get(user.id, []) if id not in ending]
    if user.is_claimed and not newcomer.by_password and not user.has_device(newcomer.proven_key):
        return Refused(request.n, Code.NAME_CLAIMED, f"The name {user.name} belongs to another device.", user.name)
    if not user.is_claimed and sessions:
        return Refused(request.n, Code.NAME_IN_USE, f"The name {user.name} is in use.", user.name)
    if len(sessions) >= policy.MAX_SESSIONS_PER_USER and request.resume not in sessions:
        text = f"{user.name} is logged in {len(sessions)} times already."
        return Refused(request.n, Code.TOO_MANY_SESSIONS, text, user.name)
    return None


def decide_end(world: World, session: Session, cause: str, ending: Collection[int] = ()) -> Left:
    """The end of a session, whatever the reason. `ending` as for `decide_login`."""
    still_here = [id for id in world.watching(session.user) if id != session.id and id not in ending]
    return Left(session.id, cause, session.user, session.watch, quiet=not session.watch or bool(still_here))


_Decide: TypeAlias = Callable[[World, Session, Any, int], Decision]


def _decide_logout(world: World, session: Session, request: Logout, now_us: int) -> Decision:
    return decide_end(world, session, "left")


_DECIDE: Final[dict[type, _Decide]] = {
    Post: decide_post,
    CreateGroup: decide_create,
    JoinGroup: decide_join,
    LeaveGroup: decide_leave,
    AddMember: decide_add,
    RemoveMember: decide_remove,
    Logout: _decide_logout,
}
"""One row a request: (world, the asker's session, the request, the time) -> an event or a refusal."""


def decide(world: World, session: Session, request: Change | Logout, now_us: int = 0) -> Decision:
    """What a logged-in session's request means at this time."""
    return _DECIDE[type(request)](world, session, request, now_us)
