"""apply, of messages: who hears them, and what their author is told."""

from itertools import islice

from msgspec import Struct

from mystic_server.domain.events import (
    BROADCAST,
    GLOBAL,
    Posted,
    SharedFile,
)
from mystic_server.domain.outcome import NOTHING, Applied, Delivery
from mystic_server.domain.policy import AWAY_NAMED
from mystic_server.domain.world import NOBODY, Audience, User, World
from mysticproto.errors import Code
from mysticproto.model import Broadcast as ToldToEverybody
from mysticproto.model import (
    Conversation,
    Direct,
    FileRef,
    Message,
    Ok,
    Refused,
)
from mysticproto.model import Global as ToldGlobally

GROUP_GONE = Refused(0, Code.UNKNOWN_GROUP, "The group is gone.")


class Heard(Struct, frozen=True, gc=False):
    """A conversation as it is now, and who hears it. `bystanders` may have heard it before."""

    conversation: Conversation
    hearers: Audience
    bystanders: Audience = NOBODY


def posted(world: World, seq: int, time_us: int, event: Posted) -> Applied:
    author = world.users.get(event.author)
    if author is None:
        return NOTHING
    heard = heard_in(world, event.conversation, event.users)
    if heard is None:
        return Applied(answer=GROUP_GONE)
    answer = receipt(world, seq, time_us, event)
    _keep_for_the_away(world, event)
    said = Message(
        seq,
        time_us,
        author.ref,
        heard.conversation,
        event.text,
        event.cid,
        event.reply_to,
        announcement=event.announcement,
        file=file_ref(event.file),
    )
    return Applied([Delivery(said, heard.hearers, tuple(world.watching(author.id)))], answer)


def file_ref(file: SharedFile | None) -> FileRef | None:
    """A message's file, as people are told of it."""
    return FileRef(file.name, file.size, file.blake3, file.path) if file else None


def heard_in(world: World, conversation: str, users: tuple[int, ...]) -> Heard | None:
    """Who hears a conversation, which is a direct one if it has `users`; None if it was a group's that is gone."""
    if conversation == GLOBAL:
        return Heard(ToldGlobally(), world.global_hearers(), world.everyone())
    if conversation == BROADCAST:
        return Heard(ToldToEverybody(), world.everyone())
    if users:
        return Heard(Direct(tuple(map(world.ref_of, users))), world.hearers_of(users))
    group = world.group_of(conversation)
    return Heard(group.ref, world.group_hearers(group.id)) if group else None


def _keep_for_the_away(world: World, event: Posted) -> None:
    """Counts what waits for those who are not here, so that it has a limit."""
    for id in dict.fromkeys(event.users):
        user = world.users.get(id)
        if user and not user.is_gone and id != event.author and not world.is_here(id):
            user.waiting[event.author] = user.waiting.get(event.author, 0) + 1
            user.waiting_bytes += len(event.text.encode())
            world.put_user(user)


def receipt(world: World, seq: int, time_us: int, event: Posted) -> Ok:
    """What the author of a message is told, now or when it is sent again."""
    named = {name: world.user_named(name) for name in event.addressed}
    unknown = tuple(name for name, user in named.items() if user is None or user.id not in event.users)
    here, away = _reached(world, event) if event.users or event.receipt else ([], [])
    away_since = tuple(user.last_seen_us for user in away)
    return Ok(0, seq, time_us, unknown, _names(away), away_since, _names(here) if event.receipt else ())


def _reached(world: World, event: Posted) -> tuple[list[User], list[User]]:
    """Whom a message has reached, and who of those it is for is away, the last seen first; its author left out."""
    group = world.group_of(event.conversation)
    if not event.users and group is None:
        here = [world.users[info.user.id] for info in world.users_here() if info.user.id != event.author]
        newest = islice((id for id in reversed(world.gone) if id != event.author), AWAY_NAMED)
        return here, [world.users[id] for id in newest]
    meant = dict.fromkeys(event.users or (group.members if group else ()))
    known = [world.users[id] for id in meant if id != event.author and id in world.users]
    others = [user for user in known if not user.is_gone]
    here = [user for user in others if world.is_here(user.id)]
    away = sorted((user for user in others if not world.is_here(user.id)), key=lambda user: -user.left_seq)
    return here, away if event.users else away[:AWAY_NAMED]


def _names(users: list[User]) -> tuple[str, ...]:
    return tuple(user.name for user in users)
