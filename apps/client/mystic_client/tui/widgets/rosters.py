"""The lists beside the conversation: who is here, and which groups there are."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from msgspec import Struct
from rich.style import Style

from mystic_client.model.store import Store
from mystic_client.model.text import counted
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled


class Person(Struct, frozen=True):
    """Somebody who is here."""

    id: int
    name: str
    role: str
    own: bool


class GroupRow(Struct, frozen=True):
    """A group; `inside`: the user is in it."""

    id: int
    name: str
    members: int
    inside: bool
    owner: str


class PeopleList(RowList[Person]):
    """Who is here, oneself first, then by name."""

    MARKS = True
    EMPTY: ClassVar[str] = " Nobody is here"

    def follow(self, store: Store) -> None:
        """Shows who is here now."""
        people = [
            Person(info.user.id, info.user.name, info.role, info.user.id == store.own.id)
            for info in store.roster.users.values()
        ]
        self.set_rows(sorted(people, key=lambda person: (not person.own, person.name.casefold())))

    def key_of(self, shown: Person) -> Hashable:
        return shown.id

    def name_of(self, shown: Person) -> str:
        return shown.name

    def pieces_of(self, shown: Person) -> list[Styled]:
        return [("● ", self.style_of("good")), (shown.name, Style(bold=shown.own))]

    def right_of(self, shown: Person) -> list[Styled]:
        if shown.own:
            return [("you ", self.style_of("dim"))]
        return [("operator ", self.style_of("accent"))] if shown.role == "operator" else []


class GroupList(RowList[GroupRow]):
    """Which groups there are, one's own first, then by name."""

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
        room = self.scrollable_content_region.width - len(shown.name) - 6
        return [(f" {count if len(count) <= room else shown.members} ", self.style_of("dim"))]
