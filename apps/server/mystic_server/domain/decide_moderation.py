"""decide, of keeping the peace: who may silence, remove and keep out whom, and who may speak to everybody."""

from msgspec.structs import replace

from mystic_server.domain import policy
from mystic_server.domain.addresses import holds_loopback, is_meant_as_address, is_within, network_key, shown_network
from mystic_server.domain.decide_posts import decide_post
from mystic_server.domain.events import Banned, Kicked, Muted, Posted, Unbanned
from mystic_server.domain.refusals import (
    Decision,
    because,
    cleaned_reason,
    how_long,
    muted_refused,
    nobody_called,
    operator_refused,
    shown,
)
from mystic_server.domain.world import Ban, Session, User, World, ban_key
from mysticproto import model
from mysticproto.errors import Code
from mysticproto.model import (
    FOR_EVER_US,
    Announce,
    BanInfo,
    Bans,
    Bye,
    Kick,
    Mute,
    Post,
    Refused,
    ToEveryone,
    Unban,
    Unmute,
    UserRef,
)
from mysticproto.names import NameRefused, check_user_name

__all__ = [
    "address_is_banned",
    "ban_bye",
    "ban_refused",
    "banned_text",
    "bans_full",
    "decide_announce",
    "decide_ban",
    "decide_kick",
    "decide_mute",
    "decide_unban",
    "decide_unmute",
    "list_bans",
    "muted_refused",
    "not_banned",
    "target_refused",
]

_MAX_SECONDS = 100 * 366 * 86_400
"""What lasts longer lasts for ever."""


# Whom an operator may do something to.


def decide_kick(world: World, session: Session, request: Kick, now_us: int) -> Decision:
    user = _target(world, session, request.n, request.name)
    if isinstance(user, Refused):
        return user
    if user.id not in world.sessions_of and user.id not in world.lost_of:
        return Refused(request.n, Code.UNKNOWN_USER, f"{user.name} is not here.", user.name)
    return Kicked(session.id, session.user, user.id, cleaned_reason(request.reason))


def decide_mute(world: World, session: Session, request: Mute, now_us: int) -> Decision:
    user = _target(world, session, request.n, request.name)
    if isinstance(user, Refused):
        return user
    until_us = _end_us(request.n, request.seconds, now_us)
    if isinstance(until_us, Refused):
        return until_us
    return Muted(session.id, session.user, user.id, until_us, cleaned_reason(request.reason))


def decide_unmute(world: World, session: Session, request: Unmute, now_us: int) -> Decision:
    user = _target(world, session, request.n, request.name)
    if isinstance(user, Refused):
        return user
    if user.muted_until_us <= now_us:
        return Refused(request.n, Code.NOT_ALLOWED, f"{user.name} isn't muted.", user.name)
    return Muted(session.id, session.user, user.id, 0)


def _target(world: World, session: Session, n: int, name: str) -> User | Refused:
    author = world.users[session.user]
    if refused := operator_refused(author, n):
        return refused
    user = world.user_named(name)
    if user is None:
        return nobody_called(n, name)
    return target_refused(author, user, n) or user


def target_refused(author: User, user: User, n: int) -> Refused | None:
    """Whether an operator may do nothing to this user."""
    if user is author:
        return Refused(n, Code.NOT_TO_YOURSELF, "You can't do that to yourself.", user.name)
    if user.role == "operator":
        text = f"{user.name} is an operator. Make them a member first."
        return Refused(n, Code.NOT_ALLOWED, text, user.name)
    return None


def _end_us(n: int, seconds: int, now_us: int) -> int | Refused:
    """When something ends that is to last so long; 0 seconds: never."""
    if seconds < 0:
        return Refused(n, Code.MALFORMED, "How long it lasts can't be less than nothing.")
    return now_us + seconds * 1_000_000 if 0 < seconds <= _MAX_SECONDS else FOR_EVER_US


# Bans.


def decide_ban(world: World, session: Session, request: model.Ban, now_us: int) -> Decision:
    n, author = request.n, world.users[session.user]
    if refused := operator_refused(author, n):
        return refused
    until_us = _end_us(n, request.seconds, now_us)
    if isinstance(until_us, Refused):
        return until_us
    network = network_key(request.target)
    banned = _network_ban(n, network) if network else _name_ban(world, author, n, request.target)
    if isinstance(banned, Refused):
        return banned
    target, user = banned
    if refused := bans_full(world, n, target, now_us):
        return refused
    return Banned(session.id, author.id, target, user, cleaned_reason(request.reason), until_us)


def _network_ban(n: int, network: str) -> tuple[str, int] | Refused:
    if holds_loopback(network):
        text = f"{shown_network(network)} would keep out the server's own machine. Name a smaller network."
        return Refused(n, Code.NOT_ALLOWED, text, network)
    return network, 0


def _name_ban(world: World, author: User, n: int, name: str) -> tuple[str, int] | Refused:
    """The name as it is written, and whose it is; a name needs nobody to be kept out."""
    user = world.user_named(name)
    if user:
        return target_refused(author, user, n) or (user.name, user.id)
    try:
        # Nobody is kept out by a mistyped address, so it isn't taken for a name that nobody has.
        if not is_meant_as_address(name):
            return check_user_name(name), 0
        text = f"{shown(name)} is no address, and no network such as 10.1.0.0/16."
    except NameRefused:
        text = f"{shown(name)} is neither a name, nor an address, nor a network such as 10.1.0.0/16."
    return Refused(n, Code.NAME_INVALID, text, shown(name))


def bans_full(world: World, n: int, target: str, now_us: int) -> Refused | None:
    """Whether there is no place for one more ban at this time."""
    if ban_key(target) in world.bans or len(world.bans) < policy.MAX_BANS:
        return None
    if sum(ban.until_us > now_us for ban in world.bans.values()) < policy.MAX_BANS:
        return None
    return Refused(n, Code.LIMIT_REACHED, f"There are {policy.MAX_BANS} bans. End one first.")


def decide_unban(world: World, session: Session, request: Unban, now_us: int) -> Decision:
    if refused := operator_refused(world.users[session.user], request.n):
        return refused
    ban = world.bans.get(ban_key(network_key(request.target) or request.target))
    if ban is None or ban.until_us <= now_us:
        return not_banned(request.n, request.target)
    return Unbanned(session.id, session.user, ban.target)


def not_banned(n: int, target: str) -> Refused:
    """There is no such ban, or no longer."""
    return Refused(n, Code.UNKNOWN_USER, f"{shown(target)} isn't banned.", shown(target))


def list_bans(world: World, session: Session, n: int, now_us: int) -> list[Bans] | Refused:
    """Who is banned, the oldest ban first, in parts; for operators alone."""
    if refused := operator_refused(world.users[session.user], n):
        return refused
    bans = sorted((ban for ban in world.bans.values() if ban.until_us > now_us), key=lambda ban: ban.since_us)
    lines = [_ban_info(world, ban) for ban in bans]
    starts = range(0, max(1, len(lines)), policy.LIST_PART)
    return [Bans(n, tuple(lines[at : at + policy.LIST_PART]), at + policy.LIST_PART < len(lines)) for at in starts]


def _ban_info(world: World, ban: Ban) -> BanInfo:
    target = shown_network(ban.target) if ban.is_network else ban.target
    by = world.users[ban.by].ref if ban.by in world.users else UserRef(ban.by, "")
    return BanInfo(target, by, ban.reason, ban.since_us, ban.until_us)


# Who is kept out.


def ban_refused(world: World, n: int, name: str, host: str, now_us: int) -> Refused | None:
    """A refusal if nobody of this name, or from this host, may come in at this time.

    Operators come in from everywhere; whoever says to be one must prove it afterwards, like anybody.
    """
    user = world.user_named(name)
    if user and user.role == "operator":
        return None
    ban = world.ban_of(name, now_us) or address_is_banned(world, host, now_us)
    return Refused(n, Code.BANNED, banned_text(ban, now_us), name) if ban else None


def address_is_banned(world: World, host: str, now_us: int) -> Ban | None:
    """Why nobody may come from this host at this time."""
    for ban in world.bans.values():
        if ban.is_network and ban.until_us > now_us and is_within(host, ban.target):
            return ban
    return None


def ban_bye(ban: Ban, now_us: int) -> Bye:
    """The last words to somebody who is here when they are banned."""
    return Bye(Code.BANNED, banned_text(ban, now_us))


def banned_text(ban: Ban, now_us: int) -> str:
    """A sentence for who is kept out."""
    left = how_long(ban.until_us, now_us)
    if ban.is_network:
        return f"Nobody may come in from your network{left}{because(ban.reason)}"
    return f"{ban.target} is banned{left}{because(ban.reason)}"


# Announcements.


def decide_announce(world: World, session: Session, request: Announce, now_us: int) -> Decision:
    if refused := operator_refused(world.users[session.user], request.n):
        return refused
    decision = decide_post(world, session, Post(request.n, ToEveryone(), request.text, request.cid), now_us)
    return replace(decision, announcement=True) if isinstance(decision, Posted) else decision
