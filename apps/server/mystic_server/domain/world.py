"""The world: users, sessions, groups, and who hears what. Written by `apply` alone, read by everybody.

`apply` marks what it changes as dirty, so that the log's tables can follow (`take_dirty`), and drops the audiences that
no longer hold; they are built again when somebody asks. An `Audience` is compared by identity: as long as it is the
same object, the same sessions hear, and fan-out may reuse what it prepared for them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import msgspec
from msgspec import Struct

from mystic_server.domain.events import StateRow
from mystic_server.domain.policy import AWAY_LISTED, AWAY_LOOKED_AT, MAX_DELETED_REMEMBERED, MAX_NO_MORE
from mysticproto.model import Group as GroupName
from mysticproto.model import GroupInfo, UserInfo, UserRef
from mysticproto.names import name_key


class Device(Struct, array_like=True, frozen=True):
    """A key that proves a name, and since when."""

    key: bytes
    added_us: int = 0


class Ban(Struct, array_like=True, frozen=True):
    """Why a name, an address or a network is kept out, and until when. `user`: whose name it is, 0 if nobody's.

    A network is written with its length, "10.1.0.0/16" or "10.1.2.3/32", which no name can look like.
    """

    target: str
    by: int
    user: int
    reason: str
    since_us: int
    until_us: int

    @property
    def is_network(self) -> bool:
        """Whether this keeps out wherever somebody comes from, not what they are called."""
        return "/" in self.target


def ban_key(target: str) -> str:
    """What the bans of one name or network have in common."""
    return target if "/" in target else name_key(target)


class User(Struct):
    """Somebody who has ever logged in. A name that isn't claimed is nobody's; its next holder is the same user by id.

    A name is claimed by a device's key or by a password (its Argon2id hash in PHC form); both prove it.
    `since`: the number of the event from which on the present holder may read what was said to this name.
    """

    id: int
    name: str
    key: bytes = b""
    """Of older rows: the only device."""
    since: int = 0
    last_seen_us: int = 0
    left_seq: int = 0
    """The number of the event with which the user was last gone; 0: never yet."""
    display: str = ""
    groups: list[int] = []
    devices: list[Device] = []
    password: str = ""
    is_operator: bool = False
    is_gone: bool = False
    """Whether they are no more: deleted, or a guest who was forgotten. What they said still names them."""
    muted_until_us: int = 0
    waiting: dict[int, int] = {}
    """How many direct messages wait for the user, by the id of their sender."""
    waiting_bytes: int = 0
    inherited: list[int] = []
    """Groups that an earlier holder of the name has left to it: of these too one may read from `since` on only."""

    @property
    def ref(self) -> UserRef:
        """As events name them."""
        return UserRef(self.id, self.name)

    @property
    def is_claimed(self) -> bool:
        """Whether the name is somebody's for ever."""
        return bool(self.devices or self.password)

    @property
    def role(self) -> str:
        """ "guest", "member" or "operator"."""
        if not self.is_claimed:
            return "guest"
        return "operator" if self.is_operator else "member"

    def has_device(self, key: bytes) -> bool:
        """Whether this key proves the name."""
        return any(device.key == key for device in self.devices)

    def add_device(self, key: bytes, time_us: int) -> None:
        """Lets a key prove the name; an empty one is none."""
        if key and not self.has_device(key):
            self.devices.append(Device(key, time_us))


class Session(Struct):
    """A user at one device. `focus` is the group that it hears instead of global, 0 for none.

    `lost_us`: when it was lost, 0 while it lives. A lost session only keeps its user's rooms and its focus for a while.
    """

    id: int
    user: int
    watch: bool = True
    focus: int = 0
    lingers: bool = False
    node: int = 0
    epoch: int = 0
    lost_us: int = 0
    device: bytes = b""
    """The key that was proven at login, if any."""


class Group(Struct):
    """A named group; `members` in the order of joining."""

    id: int
    name: str
    owner: int
    kept: bool = False
    members: list[int] = []

    @property
    def ref(self) -> GroupName:
        """As events name it."""
        return GroupName(self.id, self.name)


class Audience:
    """Sessions that hear the same, fixed for ever; a new object is made when they change."""

    __slots__ = ("members", "sessions")

    def __init__(self, sessions: tuple[int, ...]) -> None:
        self.sessions = sessions
        self.members = frozenset(sessions)

    def __len__(self) -> int:
        return len(self.sessions)


NOBODY = Audience(())
FORGOTTEN = "(forgotten)"
"""Instead of the names of those who are no more, when there are too many to remember them."""


@dataclass(slots=True)
class World:
    """Everything that is so, as of event number `applied`."""

    applied: int = 0
    users: dict[int, User] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)
    lost: dict[int, Session] = field(default_factory=dict)
    lost_of: dict[int, list[int]] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    user_ids: dict[str, int] = field(default_factory=dict)
    group_ids: dict[str, int] = field(default_factory=dict)
    sessions_of: dict[int, list[int]] = field(default_factory=dict)
    gone: dict[int, None] = field(default_factory=dict)
    """Users who were here and are away, the last one to go at the end."""
    guests: set[int] = field(default_factory=set)
    """Users whose name is nobody's."""
    no_more: dict[int, None] = field(default_factory=dict)
    """Users who are gone for ever, the last one at the end."""
    _kept_by_guests: set[int] = field(default_factory=set)
    """Kept groups whose owner was nobody's name when the group changed last."""
    bans: dict[str, Ban] = field(default_factory=dict)
    """By `ban_key`. Those that have expired count no longer, and are forgotten now and then."""
    recently_deleted: dict[int, None] = field(default_factory=dict)
    """The last deleted messages, by number; not in the tables, since only what was on its way meets them."""
    _dirty: dict[tuple[str, int], None] = field(default_factory=dict)
    _everyone: Audience | None = None
    _global: Audience | None = None
    _of_group: dict[int, Audience] = field(default_factory=dict)

    # Reading.

    def user_named(self, name: str) -> User | None:
        """The user of this name, however it is written."""
        id = self.user_ids.get(name_key(name), 0)
        return self.users.get(id)

    def ref_of(self, id: int) -> UserRef:
        """A user as events name them, whoever they were."""
        user = self.users.get(id)
        return user.ref if user else UserRef(id, FORGOTTEN)

    def group_named(self, name: str) -> Group | None:
        """The group of this name, however it is written."""
        id = self.group_ids.get(name_key(name), 0)
        return self.groups.get(id)

    def group_of(self, conversation: str) -> Group | None:
        """The group whose conversation this is, if it is one's and the group is still there."""
        kind, _, id = conversation.partition(":")
        return self.groups.get(int(id)) if kind == "group" and id.isdecimal() and len(id) < 20 else None

    def watching(self, user: int) -> list[int]:
        """The sessions in which a user sees what happens."""
        sessions = self.sessions
        return [id for id in self.sessions_of.get(user, ()) if sessions[id].watch]

    def is_here(self, user: int) -> bool:
        """Whether anybody would say that the user is here."""
        return bool(self.watching(user))

    def ids_here(self) -> list[int]:
        """The users who are here, in the order of their coming."""
        return list(dict.fromkeys(session.user for session in self.sessions.values() if session.watch))

    def users_here(self, now_us: int = 0) -> list[UserInfo]:
        """The lines of the user list for those who are here."""
        return [self.user_info(self.users[id], now_us) for id in self.ids_here()]

    def ids_away(self) -> list[int]:
        """Of those who were the last to go, the ones whose name is theirs, the last first."""
        last = islice(reversed(self.gone), AWAY_LOOKED_AT)
        return list(islice((id for id in last if self.users[id].is_claimed), AWAY_LISTED))

    def user_info(self, user: User, now_us: int = 0) -> UserInfo:
        """A line of the user list, in which a mute that is over by now is not mentioned."""
        here = self.is_here(user.id)
        muted_until_us = user.muted_until_us if user.muted_until_us > now_us else 0
        return UserInfo(user.ref, user.role, user.display, here, 0 if here else user.last_seen_us, muted_until_us)

    def ban_of(self, name: str, now_us: int) -> Ban | None:
        """Why nobody may have this name at this time."""
        ban = self.bans.get(name_key(name))
        return ban if ban and ban.until_us > now_us else None

    def group_info(self, group: Group) -> GroupInfo:
        """A line of the group list."""
        members = tuple(self.users[id].ref for id in group.members)
        return GroupInfo(group.ref, self.users[group.owner].ref, members, group.kept)

    def count_kept_by_guests(self) -> int:
        """How many kept groups belong to names that are nobody's."""
        return sum(1 for id in self._kept_by_guests if not self.users[self.groups[id].owner].is_claimed)

    # Who hears what.

    def everyone(self) -> Audience:
        """All watching sessions."""
        if self._everyone is None:
            self._everyone = Audience(tuple(id for id, session in self.sessions.items() if session.watch))
        return self._everyone

    def global_hearers(self) -> Audience:
        """Watching sessions that are in no group by focus."""
        if self._global is None:
            here = tuple(id for id, session in self.sessions.items() if session.watch and not session.focus)
            self._global = Audience(here)
        return self._global

    def group_hearers(self, group: int) -> Audience:
        """Watching sessions of a group's members."""
        if group not in self.groups:
            return NOBODY
        if group not in self._of_group:
            members = self.groups[group].members
            self._of_group[group] = Audience(tuple(id for user in members for id in self.watching(user)))
        return self._of_group[group]

    def hearers_of(self, users: tuple[int, ...]) -> Audience:
        """Watching sessions of some users."""
        return Audience(tuple(id for user in users for id in self.watching(user)))

    def operators(self) -> Audience:
        """Watching sessions of operators."""
        return Audience(tuple(id for id in self.everyone().sessions if self.users[self.sessions[id].user].is_operator))

    # Writing: for `apply` alone.

    def put_user(self, user: User) -> None:
        """Adds a user or notes a change."""
        self.users[user.id] = user
        if user.is_claimed or user.is_gone:
            self.guests.discard(user.id)
        else:
            self.guests.add(user.id)
        if not user.is_gone:
            self.user_ids[name_key(user.name)] = user.id
        self._dirty["user", user.id] = None

    def free_name(self, user: User) -> None:
        """Notes that a user, who is here no longer, is gone for ever; the name can be somebody else's. Of too many of
        these the first is not even remembered."""
        user.is_gone, user.left_seq = True, self.applied
        del self.user_ids[name_key(user.name)]
        self.gone.pop(user.id, None)
        self.put_user(user)
        self.no_more[user.id] = None
        if len(self.no_more) > MAX_NO_MORE:
            first = next(iter(self.no_more))
            del self.no_more[first], self.users[first]
            self._dirty["user", first] = None

    def put_gone(self, user: User, seq: int, time_us: int) -> None:
        """Notes that a user is here no longer."""
        user.last_seen_us, user.left_seq = time_us, seq
        self.gone[user.id] = None
        self.put_user(user)

    def put_session(self, session: Session) -> None:
        """Adds a session or notes a change of focus."""
        if session.watch:
            self.gone.pop(session.user, None)
        if session.id not in self.sessions:
            self.sessions[session.id] = session
            self.sessions_of.setdefault(session.user, []).append(session.id)
        self._dirty["session", session.id] = None
        self._hearing_changed(session.user)

    def remove_session(self, session: Session) -> None:
        """Ends a living session."""
        del self.sessions[session.id]
        _drop(self.sessions_of, session.user, session.id)
        self._dirty["session", session.id] = None
        self._hearing_changed(session.user)

    def put_lost(self, session: Session) -> None:
        """Keeps what a lost session had."""
        self.lost[session.id] = session
        self.lost_of.setdefault(session.user, []).append(session.id)
        self._dirty["session", session.id] = None

    def remove_lost(self, session: int) -> Session | None:
        """Gives up what a lost session had."""
        lost = self.lost.pop(session, None)
        if lost:
            _drop(self.lost_of, lost.user, lost.id)
            self._dirty["session", session] = None
        return lost

    def put_group(self, group: Group) -> None:
        """Adds a group or notes a change."""
        self.groups[group.id] = group
        self.group_ids[name_key(group.name)] = group.id
        if group.kept and not self.users[group.owner].is_claimed:
            self._kept_by_guests.add(group.id)
        else:
            self._kept_by_guests.discard(group.id)
        self._dirty["group", group.id] = None
        self._of_group.pop(group.id, None)

    def rename_group(self, group: Group, name: str) -> None:
        """Gives a group another name, which must be nobody's or the same in another spelling."""
        del self.group_ids[name_key(group.name)]
        group.name = name
        self.put_group(group)

    def remove_group(self, group: Group) -> None:
        """Forgets a group."""
        del self.groups[group.id]
        del self.group_ids[name_key(group.name)]
        self._kept_by_guests.discard(group.id)
        self._dirty["group", group.id] = None
        self._of_group.pop(group.id, None)

    def remember_deleted(self, message: int) -> None:
        """Notes that a message is deleted, and forgets the oldest such note when there are too many."""
        self.recently_deleted[message] = None
        if len(self.recently_deleted) > MAX_DELETED_REMEMBERED:
            del self.recently_deleted[next(iter(self.recently_deleted))]

    def put_ban(self, ban: Ban) -> None:
        """Adds a ban, or puts another in the place of that of the same name or network."""
        self.bans[ban_key(ban.target)] = ban
        self._dirty[_BAN + ban_key(ban.target), 0] = None

    def remove_ban(self, target: str) -> Ban | None:
        """Ends a ban, if there is one."""
        ban = self.bans.pop(ban_key(target), None)
        if ban:
            self._dirty[_BAN + ban_key(target), 0] = None
        return ban

    def forget_bans(self, now_us: int) -> None:
        """Forgets the bans that are over."""
        for ban in [ban for ban in self.bans.values() if ban.until_us <= now_us]:
            self.remove_ban(ban.target)

    def _hearing_changed(self, user: int) -> None:
        self._everyone = self._global = None
        for group in self.users[user].groups:
            self._of_group.pop(group, None)

    # The log's tables.

    def take_dirty(self) -> list[StateRow]:
        """What has changed since the last call, as it is now."""
        rows = [StateRow(kind, id, self._body(kind, id)) for kind, id in self._dirty]
        self._dirty.clear()
        return rows

    def load(self, rows: tuple[StateRow, ...], applied: int) -> None:
        """Fills an empty world from the tables. Rows of other kinds are kept beside the world, and nothing to it."""
        of_kind: dict[str, list[StateRow]] = {}
        for row in rows:
            of_kind.setdefault(row.kind.partition(":")[0], []).append(row)
        for kind, load in self._loaders().items():
            for row in sorted(of_kind.get(kind, ()), key=lambda row: row.id):
                assert row.body is not None
                load(row.body)
        not_here = sorted((each for each in self.users.values() if not self.is_here(each.id)), key=_when_left)
        self.gone = dict.fromkeys(user.id for user in not_here if user.left_seq and not user.is_gone)
        self.no_more = dict.fromkeys(user.id for user in not_here if user.is_gone)
        self.applied = applied
        self._dirty.clear()

    def _loaders(self) -> dict[str, Callable[[bytes], None]]:
        """What takes the rows of each kind, in the order in which one kind needs the others."""
        return {
            "user": self._load_user,
            "session": self._load_session,
            "group": lambda body: self.put_group(_decode_group(body)),
            "ban": lambda body: self.put_ban(_decode_ban(body)),
        }

    def _load_user(self, body: bytes) -> None:
        user = _decode_user(body)
        user.add_device(user.key, 0)
        user.key = b""
        self.put_user(user)

    def _load_session(self, body: bytes) -> None:
        session = _decode_session(body)
        (self.put_lost if session.lost_us else self.put_session)(session)

    def _body(self, kind: str, id: int) -> bytes | None:
        entity: User | Session | Group | Ban | None
        match kind:
            case "user":
                entity = self.users.get(id)
            case "session":
                entity = self.sessions.get(id) or self.lost.get(id)
            case "group":
                entity = self.groups.get(id)
            case _:
                entity = self.bans.get(kind.removeprefix(_BAN))
        return None if entity is None else msgspec.msgpack.encode(entity)


_decode_user = msgspec.msgpack.Decoder(User).decode
_decode_session = msgspec.msgpack.Decoder(Session).decode
_decode_group = msgspec.msgpack.Decoder(Group).decode
_decode_ban = msgspec.msgpack.Decoder(Ban).decode

_BAN = "ban:"
"""What a ban's kind of row begins with; the rest is its `ban_key`, since it has no number."""


def _when_left(user: User) -> int:
    return user.left_seq


def _drop(lists: dict[int, list[int]], key: int, value: int) -> None:
    """Takes one value from a list, and the list with its last one."""
    lists[key].remove(value)
    if not lists[key]:
        del lists[key]
