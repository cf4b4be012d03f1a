"""decide, of files that people bring: who may, what the message says that announces one, and who may fetch it.

An upload takes its time, so it is decided twice: when it is asked for, and (`announcement_refused`) when it is whole.
"""

from mystic_server.domain.decide_amendments import may_see
from mystic_server.domain.decide_posts import decide_post
from mystic_server.domain.events import Committed, Posted, SharedFile
from mystic_server.domain.refusals import muted_refused, shown
from mystic_server.domain.world import Session, User, World
from mysticproto.errors import Code
from mysticproto.model import CLIENT_ID_BYTES, OpenDownload, OpenUpload, Post, Refused

NOT_HERE = "Nobody can bring files to this server."
MEMBERS_ONLY = (
    "Only people whose name is their own can bring files. Claim yours first: with a password, or a device's key."
)
OPERATORS_ONLY = "Only operators can bring files to this server."


def decide_upload(
    world: World, session: Session, request: OpenUpload, uploads: str, now_us: int
) -> Posted | Refused | None:
    """The message that will announce the file, still without it; None if nobody is to be told.

    `uploads`: who may bring files: "members", "operators" or "off". A message without words says the file's name, so
    that it can be searched for, and so that those can read it whose programs know nothing of files.
    """
    if refused := _uploader_refused(world.users[session.user], request.n, uploads):
        return refused
    if request.to is None:
        return None
    if len(request.cid) != CLIENT_ID_BYTES:
        return Refused(request.n, Code.MALFORMED, f"A client id has {CLIENT_ID_BYTES} bytes.")
    text = request.text if request.text.strip() else request.name
    decision = decide_post(world, session, Post(request.n, request.to, text, request.cid), now_us)
    assert isinstance(decision, Posted | Refused)
    return decision


def _uploader_refused(user: User, n: int, uploads: str) -> Refused | None:
    if uploads == "off":
        return Refused(n, Code.NOT_ALLOWED, NOT_HERE)
    if uploads == "operators" and user.role != "operator":
        return Refused(n, Code.NOT_ALLOWED, OPERATORS_ONLY)
    if not user.is_claimed:
        return Refused(n, Code.NOT_ALLOWED, MEMBERS_ONLY)
    return None


def announcement_refused(world: World, n: int, message: Posted, now_us: int) -> Refused | None:
    """Why the message can't be said any more that was decided when its file was asked for."""
    author = world.users.get(message.author)
    if author is None or author.is_gone:
        return Refused(n, Code.ACCOUNT_DELETED, "This account has been deleted meanwhile.")
    if refused := muted_refused(author, n, now_us):
        return refused
    if message.users or not message.conversation.startswith("group:"):
        return None
    group = world.group_of(message.conversation)
    if group is None:
        return Refused(n, Code.UNKNOWN_GROUP, "The group is gone.")
    if author.id not in group.members:
        return Refused(n, Code.NOT_IN_GROUP, f"You are not in {group.name} any more.", group.name)
    return None


def decide_fetch(
    world: World, session: Session, request: OpenDownload, original: Committed | None
) -> SharedFile | Refused:
    """The file that a message has brought. What the asker may not read doesn't exist for them."""
    n, user = request.n, world.users[session.user]
    if original is None or type(original.event) is not Posted:
        return _no_file(n, request.message)
    if not may_see(world, user, original.seq, original.event):
        return _no_file(n, request.message)
    if request.message in world.recently_deleted or (original.amended and original.amended.deleted):
        return Refused(n, Code.MESSAGE_DELETED, "This message has been deleted.")
    return original.event.file or _no_file(n, request.message)


def _no_file(n: int, number: int) -> Refused:
    return Refused(n, Code.FILE_NOT_FOUND, f"There is no message {shown(str(number))} with a file that you could read.")
