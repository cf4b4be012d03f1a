"""Roster: who is here, which groups there are, and which names belong to which ids.

Lists come as answers, changes as events. An answer may be older than events that came just before it, so from the
moment of asking events are kept and applied once more to the answer; the same events in order again change nothing.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from mysticproto.model import (
    Event,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupInfo,
    GroupJoined,
    GroupLeft,
    Message,
    UserInfo,
    UserJoined,
    UserLeft,
    UserRef,
)
from mysticproto.names import name_key

MAX_KNOWN: Final = 20_000
"""Names that are remembered with their ids; the earliest are forgotten first."""


class Roster:
    """See the module. `users` and `groups` by id, in the order of their coming; for reading only."""

    def __init__(self) -> None:
        self.users: dict[int, UserInfo] = {}
        self.groups: dict[int, GroupInfo] = {}
        self.upto = 0
        """Number of the last event before this connection: what was missed is told, but the lists are newer than it."""
        self._known: dict[str, UserRef] = {}
        self._since_asked: list[Event] | None = None

    def asked(self) -> None:
        """The lists are being asked for."""
        self._since_asked = []

    def listed(self, users: Iterable[UserInfo], groups: Iterable[GroupInfo]) -> None:
        """The lists have come."""
        self.users = {info.user.id: info for info in users}
        self.groups = {info.group.id: info for info in groups}
        for info in self.users.values():
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
        if self._since_asked is not None and not isinstance(event, Message):
            self._since_asked.append(event)
        match event:
            case Message(author=user):
                self.remember(user)
            case UserJoined(user=user, role=role):
                self.users[user.id] = UserInfo(user, role)
                self.remember(user)
            case UserLeft(user=user):
                self.users.pop(user.id, None)
            case GroupCreated(group=group, by=by, members=members):
                self.groups.setdefault(group.id, GroupInfo(group, by, members or (by,), kept=bool(members)))
            case GroupJoined(group=group, user=user):
                self._set_members(group, user, inside=True)
            case GroupLeft(group=group, user=user):
                self._set_members(group, user, inside=False)
            case GroupDeleted(group=group):
                self.groups.pop(group.id, None)

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

    def named(self, name: str) -> UserRef | None:
        """The user of that name, if they were ever met here."""
        return self._known.get(name_key(name))

    def is_here(self, user_id: int) -> bool:
        """Whether a user is online."""
        return user_id in self.users

    def is_member(self, user_id: int, group_id: int) -> bool:
        """Whether a user is in a group."""
        info = self.groups.get(group_id)
        return info is not None and any(member.id == user_id for member in info.members)

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
        self.groups[group.id] = replace(info, members=(*others, user) if inside else others)
