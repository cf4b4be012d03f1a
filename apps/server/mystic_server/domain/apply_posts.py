"""apply, of messages: who hears them, and what their author is told."""

from itertools import islice

from mystic_server.domain.events import (
    BROADCAST,
    GLOBAL,
    Posted,
)
from mystic_server.domain.outcome import NOTHING, Applied, Delivery
from mystic_server.domain.policy import AWAY_NAMED
from mystic_server.domain.world import User, World
from mysticproto.errors import Code
from mysticproto.model import Broadcast as ToldToEverybody
from mysticproto.model import (
    Direct,
    Message,
    Ok,
    Refused,
)
from mysticproto.model import Global as ToldGlobally

_GROUP_GONE = Refused(0, Code.UNKNOWN_GROUP, "The group is gone.")


def posted(world: World, seq: int, time_us: int, event: Posted) -> Applied:
    author = world.users.get(event.author)
    if author is None:
        return NOTHING
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
