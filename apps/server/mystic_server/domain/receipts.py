"""Receipts: how far everybody has got in their direct conversations and groups.

A `Watermarks` is a table beside the world: it has no history and no number in the log, since "everything up to here"
can be said again at any time. It marks what has changed as dirty, and the log keeps it with the world's tables. When
it is full, the conversation in which nobody has moved for longest is forgotten; when one user has too many, the one in
which they have not.

What somebody has read is theirs to share. Whoever keeps it to themselves has it on their own devices all the same, and
doesn't learn it of others.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from mystic_server.domain.decide_posts import direct_key
from mystic_server.domain.events import StateRow
from mystic_server.domain.policy import MAX_WATERMARKS, MAX_WATERMARKS_OF_ONE
from mystic_server.domain.refusals import shown
from mystic_server.domain.world import Session, World
from mysticproto.errors import Code
from mysticproto.model import MAX_ADDRESSED, GetReceipts, Mark, Marked, Receipts, Refused, Watermark

KIND = "mark:"
"""What the kind of a row begins with; the rest is the conversation's key, and the row's id is the user's."""


class Reached(Struct, array_like=True, frozen=True, gc=False):
    """How far somebody has got. `shared_read`: the same as `read`, as far as others may know it."""

    delivered: int = 0
    read: int = 0
    shared_read: int = 0


NOWHERE = Reached()
HERE = "here"
"""In the place of a conversation: how far somebody's devices have everything, whatever conversation it belongs to."""


class Watermarks:
    """See the module."""

    def __init__(self) -> None:
        self._reached: dict[str, dict[int, Reached]] = {}
        """By conversation, the one that moved last at the end."""
        self._of_user: dict[int, dict[str, None]] = {}
        """In which conversations somebody has got anywhere, the one in which they moved last at the end."""
        self._count = 0
        self._dirty: dict[tuple[str, int], None] = {}

    def __len__(self) -> int:
        return self._count

    def mark(self, user: int, request: Mark) -> Reached | None:
        """Moves a user's watermarks on; what is read has been delivered. Returns those that moved, the others 0."""
        conversation = request.conversation
        before = self.reached(conversation, user)
        after = Reached(
            max(before.delivered, request.delivered, request.read),
            max(before.read, request.read),
            before.shared_read if request.private else max(before.shared_read, request.read),
        )
        if after == before:
            return None
        self._put(conversation, user, after)
        self._make_room(conversation)
        return Reached(
            after.delivered if after.delivered > before.delivered else 0,
            after.read if after.read > before.read else 0,
            after.shared_read if after.shared_read > before.shared_read else 0,
        )

    def reached(self, conversation: str, user: int) -> Reached:
        """How far one user has got."""
        return self._reached.get(conversation, {}).get(user, NOWHERE)

    def confirm(self, user: int, seq: int) -> None:
        """A device that catches up on nothing any more has got something of this number, so all before it too."""
        self.mark(user, Mark(0, HERE, delivered=seq))

    def confirmed(self, user: int) -> int:
        """The number up to which a device of this user is known to have everything; 0: none has ever said so."""
        return self.reached(HERE, user).delivered

    def forget(self, conversation: str) -> None:
        """Drops what belongs to a conversation that is gone."""
        for user in list(self._reached.get(conversation, ())):
            self._drop(conversation, user)

    def forget_groups(self, rows: Iterable[StateRow]) -> bool:
        """Drops what belongs to groups that are gone by these rows of the world; whether that was anything."""
        gone = [f"group:{row.id}" for row in rows if row.kind == "group" and row.body is None]
        known = [conversation for conversation in gone if conversation in self._reached]
        for conversation in known:
            self.forget(conversation)
        return bool(known)

    # The log's tables.

    def load(self, rows: Iterable[StateRow]) -> None:
        """Fills an empty table; rows that are no watermarks are left out."""
        for row in rows:
            if row.kind.startswith(KIND) and row.body is not None:
                self._put(row.kind.removeprefix(KIND), row.id, msgspec.msgpack.decode(row.body, type=Reached))
        self._reached = dict(sorted(self._reached.items(), key=_last_moved))
        self._of_user.clear()
        for conversation, users in self._reached.items():
            for user in users:
                self._of_user.setdefault(user, {})[conversation] = None
        self._dirty.clear()
        self._make_room("")

    def take_dirty(self) -> list[StateRow]:
        """What has changed since the last call, as it is now."""
        rows = [
            StateRow(KIND + conversation, user, self._body(conversation, user)) for conversation, user in self._dirty
        ]
        self._dirty.clear()
        return rows

    def _body(self, conversation: str, user: int) -> bytes | None:
        found = self._reached.get(conversation, {}).get(user)
        return msgspec.msgpack.encode(found) if found else None

    def _put(self, conversation: str, user: int, reached: Reached) -> None:
        users = self._reached.pop(conversation, {})
        self._count += user not in users
        users[user] = reached
        self._reached[conversation] = users
        self._dirty[conversation, user] = None
        own = self._of_user.setdefault(user, {})
        own.pop(conversation, None)
        own[conversation] = None
        if len(own) > MAX_WATERMARKS_OF_ONE:
            self._drop(next(each for each in own if each != HERE), user)

    def _drop(self, conversation: str, user: int) -> None:
        del self._reached[conversation][user], self._of_user[user][conversation]
        if not self._reached[conversation]:
            del self._reached[conversation]
        if not self._of_user[user]:
            del self._of_user[user]
        self._count -= 1
        self._dirty[conversation, user] = None

    def _make_room(self, kept: str) -> None:
        while self._count > MAX_WATERMARKS and (oldest := next(iter(self._reached))) != kept:
            self.forget(oldest)


def _last_moved(entry: tuple[str, dict[int, Reached]]) -> int:
    return max(reached.delivered for reached in entry[1].values())


# What may be asked.


def decide_mark(world: World, session: Session, request: Mark) -> tuple[int, ...] | Refused:
    """Whether these watermarks may be moved, and the users whose sessions hear of it at once: in a direct conversation
    all who are in it, in a group only the asker, on other devices."""
    n = request.n
    users = _participants(world, session, request.conversation)
    if users is None:
        return _unknown(n, request.conversation)
    if not (0 <= request.delivered <= world.applied and 0 <= request.read <= world.applied):
        return Refused(n, Code.MALFORMED, f"There is no message {max(request.delivered, request.read)} yet.")
    return users if request.conversation.startswith("direct:") else (session.user,)


def marked(world: World, request: Mark, user: int, moved: Reached, listener: int, shares_read: bool) -> Marked | None:
    """What a session of `listener` is told when a user's watermarks have moved; None: nothing. `shares_read`: whether
    that session lets others know what it has read."""
    read = moved.read if listener == user else moved.shared_read if shares_read else 0
    if not (moved.delivered or read):
        return None
    return Marked(request.conversation, world.users[user].ref, moved.delivered, read)


def receipts(
    world: World, session: Session, request: GetReceipts, watermarks: Watermarks, shares_read: bool
) -> Receipts | Refused:
    """How far everybody in a conversation has got, as far as a session may know that shares it itself, or doesn't."""
    users = _participants(world, session, request.conversation)
    if users is None:
        return _unknown(request.n, request.conversation)
    lines = []
    for id in users:
        reached = watermarks.reached(request.conversation, id)
        read = reached.read if id == session.user else reached.shared_read if shares_read else 0
        lines.append(Watermark(world.ref_of(id), reached.delivered, read))
    return Receipts(request.n, request.conversation, tuple(lines))


def _unknown(n: int, conversation: str) -> Refused:
    text = "Receipts are kept of your direct conversations and groups; this is none of them."
    return Refused(n, Code.UNKNOWN_CONVERSATION, text, shown(conversation))


def _participants(world: World, session: Session, conversation: str) -> tuple[int, ...] | None:
    """Who is in a direct conversation or a group, if the asker is among them."""
    group = world.group_of(conversation)
    if group is not None:
        is_written_so = conversation == f"group:{group.id}"
        return tuple(group.members) if is_written_so and session.user in group.members else None
    kind, _, ids = conversation.partition(":")
    if kind != "direct" or len(ids) > 20 * (MAX_ADDRESSED + 1):
        return None
    users = tuple(sorted({int(id) for id in ids.split(",") if id.isdecimal()}))
    if not 2 <= len(users) <= MAX_ADDRESSED + 1 or direct_key(users) != conversation:
        return None
    return users if session.user in users and all(id in world.users for id in users) else None
