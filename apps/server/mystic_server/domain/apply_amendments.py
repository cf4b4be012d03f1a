"""apply, of amendments: a message has another text from now on, or none.

Of an edit and a deletion that cross, the deletion wins whichever comes first: who edits what was deleted a moment ago
is refused, and the log doesn't show such an edit either.
"""

from mystic_server.domain.apply_posts import GROUP_GONE, heard_in
from mystic_server.domain.events import Deleted, Edited
from mystic_server.domain.outcome import NOTHING, Applied, Delivery
from mystic_server.domain.world import World
from mysticproto.errors import Code
from mysticproto.model import MessageDeleted, MessageEdited, Ok, Refused

_DELETED = Refused(0, Code.MESSAGE_DELETED, "This message has been deleted.")


def edited(world: World, seq: int, time_us: int, event: Edited) -> Applied:
    author = world.users.get(event.author)
    if author is None:
        return NOTHING
    if event.message in world.recently_deleted:
        return Applied(answer=_DELETED)
    heard = heard_in(world, event.conversation, event.users)
    if heard is None:
        return Applied(answer=GROUP_GONE)
    said = MessageEdited(seq, time_us, event.message, author.ref, heard.conversation, event.text)
    delivery = Delivery(said, heard.hearers, tuple(world.watching(author.id)), heard.bystanders)
    return Applied([delivery], Ok(0, seq, time_us))


def deleted(world: World, seq: int, time_us: int, event: Deleted) -> Applied:
    by = world.users.get(event.author)
    if by is None:
        return NOTHING
    if event.message in world.recently_deleted:
        return Applied(answer=_DELETED)
    world.remember_deleted(event.message)
    heard = heard_in(world, event.conversation, event.users)
    if heard is None:
        return Applied(answer=GROUP_GONE)
    said = MessageDeleted(seq, time_us, event.message, by.ref, heard.conversation)
    delivery = Delivery(said, heard.hearers, tuple(world.watching(by.id)), heard.bystanders)
    return Applied([delivery], Ok(0, seq, time_us))
