"""decide, of messages: who may say what to whom."""

from msgspec.structs import replace

from mystic_server.domain import policy
from mystic_server.domain.events import (
    BROADCAST,
    GLOBAL,
    Posted,
)
from mystic_server.domain.refusals import Decision, muted_refused, no_such_group, shown
from mystic_server.domain.world import Session, User, World
from mysticproto.errors import Code
from mysticproto.model import (
    CLIENT_ID_BYTES,
    MAX_ADDRESSED,
    MAX_TEXT_BYTES,
    Post,
    Refused,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
)
from mysticproto.names import clean_text


def decide_post(world: World, session: Session, request: Post, now_us: int) -> Decision:
    text = clean_text(request.text)
    if refused := muted_refused(world.users[session.user], request.n, now_us):
        return refused
    if refused := text_refused(request.n, text) or _numbers_refused(world, request):
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


def text_refused(n: int, text: str) -> Refused | None:
    """What is true of every text that somebody says, once it has been cleaned."""
    if not text.strip():
        return Refused(n, Code.TEXT_EMPTY, "There is nothing in this message.")
    if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode()) > MAX_TEXT_BYTES:
        return Refused(n, Code.TEXT_TOO_LONG, f"A message is limited to {MAX_TEXT_BYTES // 1024} KiB.")
    return None


def _numbers_refused(world: World, request: Post) -> Refused | None:
    if request.cid and len(request.cid) != CLIENT_ID_BYTES:
        return Refused(request.n, Code.MALFORMED, f"A client id has {CLIENT_ID_BYTES} bytes.")
    if not 0 <= request.reply_to <= policy.MAX_REQUEST_NUMBER:
        return Refused(request.n, Code.MALFORMED, "The message replied to has no such number.")
    if request.reply_to > world.applied:
        return Refused(request.n, Code.UNKNOWN_MESSAGE, "The message replied to has not been said yet.")
    return None


def _decide_group_post(world: World, session: Session, request: Post, text: str, name: str) -> Decision:
    group = world.group_named(name) if name else world.groups.get(session.focus)
    if group is None:
        return no_such_group(request.n, name)
    if session.user not in group.members:
        return Refused(request.n, Code.NOT_IN_GROUP, f"You are not in {group.name}.", group.name)
    return _posted(session, request, text, f"group:{group.id}")


def _decide_direct_post(world: World, session: Session, request: Post, text: str, names: tuple[str, ...]) -> Decision:
    users = direct_users(world, session, request.n, names)
    if isinstance(users, Refused):
        return users
    for id in users:
        if id != session.user and not world.is_here(id) and _is_full(world.users[id], session.user, text):
            name = world.users[id].name
            return Refused(request.n, Code.WAITING_FULL, f"{name} is away, and too much waits for them already.", name)
    addressed = tuple(shown(name) for name in names)
    return replace(_posted(session, request, text, direct_key(users)), users=users, addressed=addressed)


def direct_users(world: World, session: Session, n: int, names: tuple[str, ...]) -> tuple[int, ...] | Refused:
    """The ids of a direct conversation with these names, the asker's among them, in order; without unknown names."""
    if not 0 < len(names) <= MAX_ADDRESSED:
        return Refused(n, Code.MALFORMED, f"A message is for 1 to {MAX_ADDRESSED} people.")
    known = [user for name in names if len(name) <= 64 and (user := world.user_named(name)) and not user.is_gone]
    users = sorted({user.id for user in known} | {session.user})
    if len(users) > 1:
        return tuple(users)
    if known:
        return Refused(n, Code.NOT_TO_YOURSELF, "You can't send a message to yourself.", shown(names[0]))
    whom = ", ".join(shown(name) for name in names[:4])
    return Refused(n, Code.UNKNOWN_USER, f"Nobody here is called {whom}.", shown(names[0]))


def direct_key(users: tuple[int, ...]) -> str:
    """The key of the direct conversation of these users, who are in order."""
    return "direct:" + ",".join(map(str, users))


def _is_full(user: User, author: int, text: str) -> bool:
    """Whether so much waits for somebody who is away that this would be too much."""
    return (
        sum(user.waiting.values()) >= policy.MAX_WAITING
        or user.waiting.get(author, 0) >= policy.MAX_WAITING_OF_ONE
        or user.waiting_bytes + len(text.encode()) > policy.MAX_WAITING_BYTES
    )
