"""apply, of keeping the peace: who is removed, kept out and silenced, and who hears of it."""

from mystic_server.domain.addresses import shown_network
from mystic_server.domain.apply_accounts import asker
from mystic_server.domain.apply_people import end_sessions, sessions_of
from mystic_server.domain.decide_moderation import bans_full, not_banned, target_refused
from mystic_server.domain.events import Banned, Kicked, Muted, Unbanned
from mystic_server.domain.outcome import NOTHING, Applied, Delivery
from mystic_server.domain.refusals import because, how_long, operator_refused
from mystic_server.domain.world import Ban, User, World
from mysticproto.errors import Code
from mysticproto.model import Bye, Moderated, Ok, Refused


def kicked(world: World, seq: int, time_us: int, event: Kicked) -> Applied:
    """All sessions of a user end."""
    pair = _pair(world, event.session, event.author, event.user)
    if isinstance(pair, Applied):
        return pair
    author, user = pair
    if not sessions_of(world, user):
        return Applied(answer=Refused(0, Code.UNKNOWN_USER, f"{user.name} has just left.", user.name))
    bye = Bye(Code.KICKED, f"{author.name} has removed you{because(event.reason)}")
    deliveries, endings = end_sessions(world, seq, time_us, user, "kicked", bye)
    said = Moderated(seq, time_us, "kick", author.ref, user.name, event.reason)
    return Applied([_to_everyone(world, said, author), *deliveries], Ok(0, seq, time_us), endings)


def banned(world: World, seq: int, time_us: int, event: Banned) -> Applied:
    """Of a name: its sessions end. Of a network: whoever knows the connections ends those that come from there."""
    author = _operator(world, event.session, event.author)
    if isinstance(author, Applied):
        return author
    world.forget_bans(time_us)
    if refused := bans_full(world, 0, event.target, time_us):
        return Applied(answer=refused)
    ban = Ban(event.target, author.id, event.user, event.reason, time_us, event.until_us)
    return _ban_network(world, seq, author, ban) if ban.is_network else _ban_name(world, seq, author, ban)


def _ban_network(world: World, seq: int, author: User, ban: Ban) -> Applied:
    world.put_ban(ban)
    target = shown_network(ban.target)
    said = Moderated(seq, ban.since_us, "ban", author.ref, target, ban.reason, ban.until_us)
    return Applied([_to_operators(world, said, author)], Ok(0, seq, ban.since_us))


def _ban_name(world: World, seq: int, author: User, ban: Ban) -> Applied:
    user, time_us = world.user_named(ban.target), ban.since_us
    if user and (refused := target_refused(author, user, 0)):
        return Applied(answer=refused)
    world.put_ban(ban)
    left = how_long(ban.until_us, time_us)
    bye = Bye(Code.BANNED, f"{author.name} has banned you{left}{because(ban.reason)}")
    deliveries, endings = end_sessions(world, seq, time_us, user, "kicked", bye) if user else ([], [])
    said = Moderated(seq, time_us, "ban", author.ref, ban.target, ban.reason, ban.until_us)
    return Applied([_to_everyone(world, said, author), *deliveries], Ok(0, seq, time_us), endings)


def unbanned(world: World, seq: int, time_us: int, event: Unbanned) -> Applied:
    """A name or a network may come in again."""
    author = _operator(world, event.session, event.author)
    if isinstance(author, Applied):
        return author
    ban = world.remove_ban(event.target)
    target = shown_network(event.target)
    if ban is None:
        return Applied(answer=not_banned(0, target))
    said = Moderated(seq, time_us, "unban", author.ref, target)
    delivery = (_to_operators if ban.is_network else _to_everyone)(world, said, author)
    return Applied([delivery], Ok(0, seq, time_us))


def muted(world: World, seq: int, time_us: int, event: Muted) -> Applied:
    """A user may say nothing for a while, or may speak again."""
    pair = _pair(world, event.session, event.author, event.user)
    if isinstance(pair, Applied):
        return pair
    author, user = pair
    user.muted_until_us = event.until_us
    world.put_user(user)
    act = "mute" if event.until_us else "unmute"
    said = Moderated(seq, time_us, act, author.ref, user.name, event.reason, event.until_us)
    return Applied([_to_everyone(world, said, author)], Ok(0, seq, time_us))


def _pair(world: World, session: int, author: int, user: int) -> tuple[User, User] | Applied:
    """An operator and whom they do something to, or what follows if that can't be any more."""
    operator, target = _operator(world, session, author), world.users.get(user)
    if isinstance(operator, Applied):
        return operator
    if target is None:
        return NOTHING
    if target.is_gone:
        return Applied(answer=Refused(0, Code.ACCOUNT_DELETED, f"The account {target.name} is deleted.", target.name))
    refused = target_refused(operator, target, 0)
    return Applied(answer=refused) if refused else (operator, target)


def _operator(world: World, session: int, author: int) -> User | Applied:
    user = asker(world, session, author)
    if user is None:
        return NOTHING
    refused = operator_refused(user, 0)
    return Applied(answer=refused) if refused else user


def _to_everyone(world: World, said: Moderated, author: User) -> Delivery:
    return Delivery(said, world.everyone(), tuple(world.watching(author.id)))


def _to_operators(world: World, said: Moderated, author: User) -> Delivery:
    return Delivery(said, world.operators(), tuple(world.watching(author.id)))
