"""decide, of amendments: who may edit or delete which message.

The message is looked up in the log first. What the asker may not read doesn't exist for them, and what was said in
their name before it was theirs is not their own. A message that is deleted between the look-up and the commit is
settled by `apply`.
"""

from mystic_server.domain.decide_moderation import muted_refused
from mystic_server.domain.decide_posts import text_refused
from mystic_server.domain.events import BROADCAST, GLOBAL, Committed, Deleted, Edited, Posted
from mystic_server.domain.refusals import Decision
from mystic_server.domain.world import Session, User, World
from mysticproto.errors import Code
from mysticproto.model import Delete, Edit, Refused
from mysticproto.names import clean_text


def decide_edit(world: World, session: Session, request: Edit, original: Committed | None, now_us: int = 0) -> Decision:
    """Whether the asker may put another text in this message's place: their own, where they may still speak."""
    text = clean_text(request.text)
    user = world.users[session.user]
    if refused := muted_refused(user, request.n, now_us) or text_refused(request.n, text):
        return refused
    message = _message(world, user, request, original)
    if isinstance(message, Refused):
        return message
    if not _is_own(user, request.message, message):
        return Refused(request.n, Code.NOT_ALLOWED, "You can edit your own messages only.")
    return Edited(session.id, user.id, request.message, message.conversation, text, message.users)


def decide_delete(
    world: World, session: Session, request: Delete, original: Committed | None, now_us: int = 0
) -> Decision:
    """Whether the asker may take this message away: their own, or as an operator anybody's that isn't private."""
    user = world.users[session.user]
    message = _message(world, user, request, original)
    if isinstance(message, Refused):
        return message
    if not _is_own(user, request.message, message) and user.role != "operator":
        return Refused(request.n, Code.NOT_ALLOWED, "You can delete your own messages only.")
    return Deleted(session.id, user.id, request.message, message.conversation, message.users)


def _is_own(user: User, number: int, message: Posted) -> bool:
    return message.author == user.id and number >= user.since


def _message(world: World, user: User, request: Edit | Delete, original: Committed | None) -> Posted | Refused:
    """The message that is meant, if there is one for this user."""
    n = request.n
    if original is None or type(original.event) is not Posted or not may_see(world, user, original.seq, original.event):
        return Refused(n, Code.UNKNOWN_MESSAGE, f"There is no message {request.message} that you could change.")
    if request.message in world.recently_deleted or (original.amended and original.amended.deleted):
        return Refused(n, Code.MESSAGE_DELETED, "This message has been deleted.")
    return original.event


def may_see(world: World, user: User, number: int, message: Posted) -> bool:
    """Whether this user may read a message of that number."""
    if message.users:
        return user.id in message.users and number >= user.since
    if message.conversation in (GLOBAL, BROADCAST):
        return True
    group = world.group_of(message.conversation)
    return group is not None and (user.id in group.members or user.role == "operator")
