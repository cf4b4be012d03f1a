"""Roster: who is here and who is away, which groups there are, and which names belong to which ids.

Lists come as answers, changes as events. An answer may be older than events that came just before it, so from the
moment of asking events are kept and applied once more to the answer; the same events in order again change nothing.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from mysticproto.model import (
    AccountClaimed,
    AccountDeleted,
    Event,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupHandedOver,
    GroupInfo,
    GroupJoined,
    GroupKept,
    GroupLeft,
    GroupRenamed,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    UserInfo,
    UserJoined,
    UserLeft,
    UserRef,
)
from mysticproto.names import name_key

MAX_KNOWN: Final = 20_000
"""Names that are remembered with their ids; the earliest are forgotten first."""


class Roster:
    """See the module. For reading only: `users` who are here, by id and in the order of their coming, `away` those
    whose names are claimed and who are not, the last seen last, and `groups` by id.
    """

    def __init__(self) -> None:
        self.users: dict[int, UserInfo] = {}
        self.away: dict[int, UserInfo] = {}
        self.groups: dict[int, GroupInfo] = {}
        self.upto = 0
        """Number of the last event before this connection: what was missed is told, but the lists are newer than it."""
        self._known: dict[str, UserRef] = {}
        self._since_asked: list[Event] | None = None

    def asked(self) -> None:
        """The lists are being asked for."""
        self._since_asked = []

    def listed(self, users: Iterable[UserInfo], groups: Iterable[GroupInfo]) -> None:
        """The lists have come; `users` are those who are here and, the last seen first, those who are away."""
        people = list(users)
        self.users = {info.user.id: info for info in people if info.here}
        self.away = {info.user.id: info for info in reversed(people) if not info.here}
        self.groups = {info.group.id: info for info in groups}
        for info in people:
            self.remember(info.user)
        since, self._since_asked = self._since_asked or [], None
        for event in since:
            self.heard(event)

    def heard(self, event: Event) -> None:
        """Applies an event to the lists, if it is about them."""
        if event.seq <= self.upto:
            if isinstance(event, Message):
                self.remember(event.author)
            return
        if self._since_asked is not None and not isinstance(event, Message | MessageEdited | MessageDeleted):
            self._since_asked.append(event)
        match event:
            case Message(author=user):
                self.remember(user)
            case UserJoined() | UserLeft() | AccountClaimed() | AccountDeleted() | Moderated():
                self._heard_of_user(event)
            case MessageEdited() | MessageDeleted():
                pass
            case _:
                self._heard_of_group(event)

    def _heard_of_user(self, event: UserJoined | UserLeft | AccountClaimed | AccountDeleted | Moderated) -> None:
        match event:
            case UserJoined(user=user, role=role):
                known = self.info(user.id) or UserInfo(user)
                self.away.pop(user.id, None)
                self.users[user.id] = replace(known, user=user, role=role, here=True)
                self.remember(user)
            case UserLeft(time_us=time_us, user=user):
                info = self.users.pop(user.id, None)
                if info is not None and info.role != "guest":
                    self._put_away(replace(info, here=False, last_seen_us=time_us))
            case AccountClaimed(user=user, role=role):
                self._change(user.id, role=role)
            case AccountDeleted(user=user):
                self._forget(user)
            case Moderated(act="mute" | "unmute", target=target, until_us=until_us):
                user_id = self._known.get(name_key(target), UserRef(0, target)).id
                self._change(user_id, muted_until_us=until_us if event.act == "mute" else 0)

    def _put_away(self, info: UserInfo) -> None:
        self.away.pop(info.user.id, None)
        self.away[info.user.id] = info
        if len(self.away) > MAX_KNOWN:
            del self.away[next(iter(self.away))]

    def _change(self, user_id: int, **fields: object) -> None:
        for people in (self.users, self.away):
            if user_id in people:
                people[user_id] = replace(people[user_id], **fields)

    def _forget(self, user: UserRef) -> None:
        """The account is gone: the name may be somebody else's soon."""
        self.users.pop(user.id, None)
        self.away.pop(user.id, None)
        if self._known.get(name_key(user.name)) == user:
            del self._known[name_key(user.name)]
        for info in [info for info in self.groups.values() if user in info.members]:
            self._set_members(info.group, user, inside=False)

    def _heard_of_group(self, event: Event) -> None:
        match event:
            case GroupCreated(group=group, by=by, members=members):
                self.groups.setdefault(group.id, GroupInfo(group, by, members or (by,), kept=bool(members)))
            case GroupJoined(group=group, user=user):
                self._set_members(group, user, inside=True)
            case GroupLeft(group=group, user=user, owner=owner):
                self._set_members(group, user, inside=False)
                if owner is not None:
                    self._change_group(group.id, owner=owner)
            case GroupRenamed(group=group):
                self._change_group(group.id, group=group)
            case GroupHandedOver(group=group, owner=owner):
                self._change_group(group.id, owner=owner)
            case GroupKept(group=group, kept=kept):
                self._change_group(group.id, kept=kept)
            case GroupDeleted(group=group):
                self.groups.pop(group.id, None)

    def _change_group(self, group_id: int, **fields: object) -> None:
        if group_id in self.groups:
            self.groups[group_id] = replace(self.groups[group_id], **fields)

    def entered(self, info: GroupInfo) -> None:
        """A group as it is after joining it."""
        self.groups[info.group.id] = info

    def left(self, user: UserRef, group: Group) -> None:
        """Somebody is in a group no longer."""
        self._set_members(group, user, inside=False)

    def remember(self, user: UserRef) -> None:
        """Keeps the id that belongs to a name."""
        if user.id:
            self._known[name_key(user.name)] = user
            if len(self._known) > MAX_KNOWN:
                del self._known[next(iter(self._known))]

    # Questions.

    def named(self, name: str) -> UserRef | None:
        """The user of that name, if they were ever met here."""
        return self._known.get(name_key(name))

    def info(self, user_id: int) -> UserInfo | None:
        """What is known of a user, here or away."""
        return self.users.get(user_id) or self.away.get(user_id)

    def is_here(self, user_id: int) -> bool:
        """Whether a user is online."""
        return user_id in self.users

    def role_of(self, user_id: int) -> str:
        """ "guest" (or not known), "member" or "operator"."""
        info = self.info(user_id)
        return info.role if info else "guest"

    def is_operator(self, user_id: int) -> bool:
        """Whether a user keeps the peace here."""
        return self.role_of(user_id) == "operator"

    def is_member(self, user_id: int, group_id: int) -> bool:
        """Whether a user is in a group."""
        info = self.groups.get(group_id)
        return info is not None and any(member.id == user_id for member in info.members)

    def is_owner(self, user_id: int, group_id: int) -> bool:
        """Whether a group is this user's."""
        info = self.groups.get(group_id)
        return info is not None and info.owner.id == user_id

    def group_named(self, name: str) -> GroupInfo | None:
        """The group of that name."""
        key = name_key(name)
        return next((info for info in self.groups.values() if name_key(info.group.name) == key), None)

    def _set_members(self, group: Group, user: UserRef, *, inside: bool) -> None:
        info = self.groups.get(group.id) or (GroupInfo(group, user, ()) if inside else None)
        if info is None:
            return
        others = tuple(member for member in info.members if member.id != user.id)
        if inside and len(others) < len(info.members):
            return
        owner = others[0] if not inside and info.owner.id == user.id and others else info.owner
        self.groups[group.id] = replace(info, owner=owner, members=(*others, user) if inside else others)
