"""What can be answered from the world alone, and what somebody may read of the past."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct

from mystic_server.domain.decide_posts import direct_key, direct_users
from mystic_server.domain.events import BROADCAST, GLOBAL, Committed, Posted
from mystic_server.domain.policy import LIST_PART
from mystic_server.domain.receipts import Watermarks
from mystic_server.domain.refusals import no_such_group, nobody_called, not_in_group
from mystic_server.domain.retelling import conversation_of
from mystic_server.domain.world import Group, Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    ConversationInfo,
    Conversations,
    GetHistory,
    Groups,
    Refused,
    Search,
    ToGlobal,
    ToGroup,
    ToUsers,
    Users,
)


def list_users(world: World, n: int, known: bool = False, now_us: int = 0) -> Iterator[Users]:
    """Who is here, and with `known` whose names are theirs and who is away, in parts.

    They are those of the moment at which the first part is asked for, each as they are at the moment of their own part:
    who has gone by then is left out, or is away. Whoever comes meanwhile is told as an event.
    """
    ids = world.ids_here() + (world.ids_away() if known else [])
    for at in range(0, max(1, len(ids)), LIST_PART):
        users = [user for id in ids[at : at + LIST_PART] if (user := world.users.get(id)) and not user.is_gone]
        infos = (world.user_info(user, now_us) for user in users)
        listed = tuple(info for info in infos if info.here or (known and info.role != "guest"))
        yield Users(n, listed, at + LIST_PART < len(ids))


def list_groups(world: World, n: int) -> Iterator[Groups]:
    """Which groups there are, oldest first, in parts that count their members' lines; each part as they are then."""
    after, more = 0, True
    while more:
        ids = list(world.groups)  # in the order of their making, which is that of their numbers
        listed: list[Group] = []
        lines = 0
        for id in islice(ids, bisect_right(ids, after), None):
            lines += 1 + len(world.groups[id].members)
            if lines > LIST_PART and listed:
                break
            listed.append(world.groups[id])
        after = listed[-1].id if listed else after
        more = bool(listed) and ids[-1] > after
        yield Groups(n, tuple(map(world.group_info, listed)), more)


class Scope(Struct, frozen=True):
    """What may be read: these conversations, and nothing before number `since`.

    Of what was missed that holds for direct conversations and `bounded` ones.
    """

    conversations: tuple[str, ...]
    since: int = 0
    bounded: tuple[str, ...] = ()


class SearchScope(Struct, frozen=True):
    """What may be searched: these conversations, and the direct ones of `user` (0: none) from number `since` on; of
    them all only `within`, if that is named. `author`: only what this user said, 0 for anybody."""

    conversations: tuple[str, ...]
    user: int = 0
    since: int = 0
    author: int = 0
    within: str = ""


class RecentScope(Struct, frozen=True):
    """Whose direct conversations, from number `since` on, and which groups somebody has."""

    user: int
    since: int
    groups: tuple[str, ...]


def history_scope(world: World, session: Session, request: GetHistory) -> Scope | Refused:
    """What a history page may be taken from; asked anew for every page, since permissions change."""
    if sum(1 for number in (request.before, request.after, request.around) if number > 0) > 1:
        return Refused(request.n, Code.MALFORMED, "A page is before, after or around a message: one of these.")
    return _read_in(world, session, request.n, request.of)


def search_scope(world: World, session: Session, request: Search) -> SearchScope | Refused:
    """Where a search may look; asked anew for every page. Nothing is found in a group whose past isn't all theirs."""
    author = world.user_named(request.author) if request.author else None
    if request.author and author is None:
        return nobody_called(request.n, request.author)
    by = author.id if author else 0
    if request.of is None:
        user = world.users[session.user]
        bounded = _bounded_of(world, session)
        groups = (group for group in _groups_of(world, session) if group not in bounded)
        return SearchScope((GLOBAL, BROADCAST, *groups), user.id, user.since, by)
    found = _read_in(world, session, request.n, request.of)
    if isinstance(found, Refused):
        return found
    if isinstance(request.of, ToUsers):
        return SearchScope((), session.user, found.since, by, within=found.conversations[0])
    return SearchScope(() if found.since else found.conversations, author=by)


def recent_scope(world: World, session: Session) -> RecentScope:
    """What the list of somebody's conversations is made of."""
    return RecentScope(session.user, world.users[session.user].since, _groups_of(world, session))


def _read_in(world: World, session: Session, n: int, of: ToGlobal | ToGroup | ToUsers) -> Scope | Refused:
    match of:
        case ToGlobal():
            return Scope((GLOBAL, BROADCAST))
        case ToGroup(name):
            return _group_scope(world, session, n, name)
        case ToUsers(names):
            users = direct_users(world, session, n, names)
            if isinstance(users, Refused):
                return users
            return Scope((direct_key(users),), world.users[session.user].since)


def _group_scope(world: World, session: Session, n: int, name: str) -> Scope | Refused:
    group = world.group_named(name) if name else world.groups.get(session.focus)
    if group is None:
        return no_such_group(n, name)
    if session.user not in group.members:
        return not_in_group(n, group)
    key = f"group:{group.id}"
    return Scope((key,), world.users[session.user].since if key in _bounded_of(world, session) else 0)


def _groups_of(world: World, session: Session) -> tuple[str, ...]:
    return tuple(f"group:{id}" for id in world.users[session.user].groups)


def _bounded_of(world: World, session: Session) -> tuple[str, ...]:
    """The groups of which somebody may not read what was said before they took the name: who it was for was perhaps
    somebody else. Of a guest's name these are all."""
    user = world.users[session.user]
    return tuple(f"group:{id}" for id in (user.inherited if user.is_claimed else user.groups))


def missed_scope(world: World, session: Session) -> Scope:
    """What a device may catch up on, besides its user's direct conversations from `since` on.

    Who is in a group by focus misses nothing of global, but for what was edited and deleted of what they had.
    """
    heard = (
        (BROADCAST, *_groups_of(world, session)) if session.focus else (GLOBAL, BROADCAST, *_groups_of(world, session))
    )
    edited = dict.fromkeys((GLOBAL, *heard))
    since = world.users[session.user].since
    return Scope(heard + tuple(map(edits_key, edited)), since, _bounded_of(world, session))


def last_here(user: User) -> int:
    """The number after which things wait for a name. Who has only acted so far was never here: then all since they
    became known, if the name is theirs; 0: nothing waits."""
    return user.left_seq or (user.id if user.is_claimed else 0)


def waiting_scope(world: World, session: Session, waiting: str, after: int) -> Scope:
    """What waits for a name since it was last here; see `Login.waiting`. Direct conversations are always in it."""
    heard = _groups_of(world, session) + ((GLOBAL, BROADCAST) if waiting == "all" else ())
    return Scope(heard + tuple(map(edits_key, heard)), after + 1, _bounded_of(world, session))


def edits_key(conversation: str) -> str:
    """The key under which the log has what was edited and deleted in a conversation."""
    return conversation + "/edits"


def conversations(world: World, user: int, n: int, last: Iterable[Committed], watermarks: Watermarks) -> Conversations:
    """The list of somebody's conversations, made of the last message in each, the newest first; then the groups in
    which nobody has said anything."""
    lines: dict[str, ConversationInfo] = {}
    for committed in last:
        posted = committed.event
        if isinstance(posted, Posted) and (where := conversation_of(world, posted)):
            read = watermarks.reached(posted.conversation, user).read
            lines[posted.conversation] = ConversationInfo(where, committed.seq, committed.time_us, read)
    for id in world.users[user].groups:
        lines.setdefault(f"group:{id}", ConversationInfo(world.groups[id].ref, 0, 0))
    return Conversations(n, tuple(lines.values()))
