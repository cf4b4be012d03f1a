"""The lists beside the conversation: who is here and who is away, and which groups there are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import islice
from typing import ClassVar, Final

from msgspec import Struct
from rich.style import Style

from mystic_client.model.roster import Roster
from mystic_client.model.store import Store
from mystic_client.model.text import counted
from mystic_client.model.whereabouts import ago
from mystic_client.tui.messages import DialogWanted
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled
from mysticproto.model import UserRef

MAX_AWAY_SHOWN: Final = 200
"""Of those who are away, the last seen; all of them can be searched for where people are picked."""


class Person(Struct, frozen=True):
    """Somebody who is here, or who is known and away; or, with the id 0, a heading."""

    id: int
    name: str
    role: str = "guest"
    own: bool = False
    here: bool = True
    last_seen_us: int = 0
    muted_until_us: int = 0


class GroupRow(Struct, frozen=True):
    """A group; `inside`: the user is in it."""

    id: int
    name: str
    members: int
    inside: bool
    owner: str


def person_of(user: UserRef, roster: Roster, own_id: int) -> Person:
    """A row for somebody, with what is known of them."""
    info = roster.info(user.id)
    if info is None:
        return Person(user.id, user.name, own=user.id == own_id, here=False)
    return Person(
        user.id, info.user.name, info.role, user.id == own_id, info.here, info.last_seen_us, info.muted_until_us
    )


class Persons(RowList[Person]):
    """Rows of people, each with a sign of whether they are here."""

    DETAILS = True

    def __init__(self, clock: Clock, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._clock = clock

    def key_of(self, shown: Person) -> Hashable:
        return shown.id

    def name_of(self, shown: Person) -> str:
        return shown.name

    def is_heading(self, shown: Person) -> bool:
        return shown.id == 0

    def pieces_of(self, shown: Person) -> list[Styled]:
        if self.is_heading(shown):
            return [(shown.name, self.style_of("dim") + Style(bold=True))]
        if not shown.here:
            return [("○ ", self.style_of("dim")), (shown.name, self.style_of("dim"))]
        return [("● ", self.style_of("good")), (shown.name, Style(bold=shown.own))]

    def right_of(self, shown: Person) -> list[Styled]:
        signs: list[Styled] = []
        if shown.muted_until_us > self._clock.now_us():
            signs.append(("muted ", self.style_of("bad")))
        if shown.role == "operator":
            signs.append(("operator ", self.style_of("accent")))
        if shown.own:
            signs.append(("you ", self.style_of("dim")))
        if not shown.here and shown.last_seen_us:
            signs.append((f"{ago(shown.last_seen_us, self._clock.now_us(), self._clock.zone)} ", self.style_of("dim")))
        return signs


class PeopleList(Persons):
    """Who is here, oneself first, then by name; below them who is away, the last seen first."""

    MARKS = True
    EMPTY: ClassVar[str] = " Nobody is here"

    def follow(self, store: Store) -> None:
        """Shows who is here now."""
        roster, own_id = store.roster, store.own.id
        here = [person_of(info.user, roster, own_id) for info in roster.users.values()]
        here.sort(key=lambda person: (not person.own, person.name.casefold()))
        away = [person_of(user, roster, own_id) for user in self._away(roster)]
        self.set_rows([*here, Person(0, f"AWAY  {len(roster.away):,}"), *away] if away else here)

    def _away(self, roster: Roster) -> Iterable[UserRef]:
        return (info.user for info in islice(reversed(roster.away.values()), MAX_AWAY_SHOWN))

    def action_details(self) -> None:
        if self.current is not None:
            self.post_message(DialogWanted("person", self.current.id))


class GroupList(RowList[GroupRow]):
    """Which groups there are, one's own first, then by name."""

    DETAILS = True
    EMPTY: ClassVar[str] = " No groups yet"

    def follow(self, store: Store) -> None:
        """Shows the groups as they are now."""
        groups = [
            GroupRow(
                info.group.id,
                info.group.name,
                len(info.members),
                store.roster.is_member(store.own.id, info.group.id),
                info.owner.name,
            )
            for info in store.roster.groups.values()
        ]
        self.set_rows(sorted(groups, key=lambda group: (not group.inside, group.name.casefold())))

    def key_of(self, shown: GroupRow) -> Hashable:
        return shown.id

    def name_of(self, shown: GroupRow) -> str:
        return shown.name

    def pieces_of(self, shown: GroupRow) -> list[Styled]:
        sign = self.style_of("good") if shown.inside else self.style_of("dim")
        return [(" # ", sign), (shown.name, Style(bold=shown.inside))]

    def right_of(self, shown: GroupRow) -> list[Styled]:
        count = counted(shown.members, "member")
        room = self.scrollable_content_region.width - len(shown.name) - 8
        return [(f" {count if len(count) <= room else shown.members} ", self.style_of("dim"))]

    def action_details(self) -> None:
        if self.current is not None:
            self.post_message(DialogWanted("group", self.current.id))
