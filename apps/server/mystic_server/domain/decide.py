"""decide: (world, session, request) -> an event for the log, or a refusal. Reads the world, changes nothing.

The world may be slightly behind what the log has already accepted; whether an event still holds is settled by `apply`.
"""

from collections.abc import Callable, Collection
from typing import Any, Final, TypeAlias

from msgspec import Struct

from mystic_server.domain.decide_accounts import decide_delete_account, decide_remove_device, decide_role
from mystic_server.domain.decide_groups import (
    decide_add,
    decide_create,
    decide_delete_group,
    decide_hand_over,
    decide_join,
    decide_keep,
    decide_leave,
    decide_remove,
    decide_rename,
)
from mystic_server.domain.decide_moderation import (
    ban_refused,
    decide_announce,
    decide_ban,
    decide_kick,
    decide_mute,
    decide_unban,
    decide_unmute,
)
from mystic_server.domain.decide_posts import decide_post
from mystic_server.domain.events import (
    Joined,
    Left,
)
from mystic_server.domain.forgetting import has_room
from mystic_server.domain.refusals import Decision, devices_full, name_claimed, sessions_full, shown
from mystic_server.domain.world import Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    AddMember,
    Announce,
    Ban,
    CreateGroup,
    DeleteAccount,
    DeleteGroup,
    HandOver,
    JoinGroup,
    KeepGroup,
    Kick,
    LeaveGroup,
    Login,
    Logout,
    Mute,
    Post,
    Refused,
    RemoveDevice,
    RemoveMember,
    RenameGroup,
    SetRole,
    Unban,
    Unmute,
)
from mysticproto.names import NameRefused, check_user_name, clean_line, name_key

Change: TypeAlias = (
    Post
    | CreateGroup
    | JoinGroup
    | LeaveGroup
    | AddMember
    | RemoveMember
    | RenameGroup
    | HandOver
    | KeepGroup
    | DeleteGroup
    | RemoveDevice
    | DeleteAccount
    | SetRole
    | Kick
    | Ban
    | Unban
    | Mute
    | Unmute
    | Announce
)
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


EVERYBODY: Final = Rules()
"""Who may come in if nothing else is said."""


def decide_login(
    world: World,
    request: Login,
    newcomer: Newcomer,
    ending: Collection[int] = (),
    rules: Rules = EVERYBODY,
    now_us: int = 0,
) -> Decision:
    """Whether a connection may take a name. `ending`: sessions whose end is in the log before anything decided now."""
    n = request.n
    try:
        name = check_user_name(request.name)
    except NameRefused as reason:
        return Refused(n, Code.NAME_INVALID, str(reason), shown(request.name))
    user = world.user_named(name)
    refused = (
        ban_refused(world, n, name, newcomer.host, now_us)
        or _rules_refuse(n, name, user, newcomer, rules)
        or (
            _name_refused(world, user, request, newcomer, ending)
            if user
            else _stranger_refused(world, n, newcomer, now_us)
        )
    )
    return refused or _joined(world, name, user, request, newcomer, ending)


def _joined(
    world: World, name: str, user: User | None, request: Login, newcomer: Newcomer, ending: Collection[int]
) -> Joined:
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


def _rules_refuse(n: int, name: str, user: User | None, newcomer: Newcomer, rules: Rules) -> Refused | None:
    """What the server's settings have against it."""
    if rules.claimed_only and not newcomer.proven_key and not newcomer.by_password:
        text = "Only names that are somebody's may come in here. Use the mystic client, or log in with your password."
        return Refused(n, Code.CLAIM_REQUIRED, text, name)
    is_claimed = user is not None and user.is_claimed
    if name_key(name) in rules.operators and not is_claimed and not newcomer.is_local:
        text = f"The name {name} is kept for the server's operator: claim it on the server's own machine first."
        return Refused(n, Code.NAME_CLAIMED, text, name)
    return None


def _stranger_refused(world: World, n: int, newcomer: Newcomer, now_us: int) -> Refused | None:
    """Nobody has the name."""
    if newcomer.by_password:
        return Refused(n, Code.ACCOUNT_DELETED, "This account has just been deleted.")
    if not has_room(world, now_us):
        return Refused(n, Code.LIMIT_REACHED, "The server knows as many names as it can.")
    return None


def _name_refused(
    world: World, user: User, request: Login, newcomer: Newcomer, ending: Collection[int]
) -> Refused | None:
    sessions = [id for id in world.sessions_of.get(user.id, []) if id not in ending]
    if user.is_claimed and not newcomer.by_password and not user.has_device(newcomer.proven_key):
        return name_claimed(request.n, user)
    if not user.is_claimed and sessions:
        return Refused(request.n, Code.NAME_IN_USE, f"The name {user.name} is in use.", user.name)
    resume = request.resume if request.watch else 0  # who only acts takes no other session's place
    return devices_full(request.n, user, newcomer.proven_key) or sessions_full(request.n, user, sessions, resume)


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
    RenameGroup: decide_rename,
    HandOver: decide_hand_over,
    KeepGroup: decide_keep,
    DeleteGroup: decide_delete_group,
    RemoveDevice: decide_remove_device,
    DeleteAccount: decide_delete_account,
    SetRole: decide_role,
    Kick: decide_kick,
    Ban: decide_ban,
    Unban: decide_unban,
    Mute: decide_mute,
    Unmute: decide_unmute,
    Announce: decide_announce,
    Logout: _decide_logout,
}
"""One row a request: (world, the asker's session, the request, the time) -> an event or a refusal."""


def decide(world: World, session: Session, request: Change | Logout, now_us: int = 0) -> Decision:
    """What a logged-in session's request means at this time."""
    return _DECIDE[type(request)](world, session, request, now_us)
