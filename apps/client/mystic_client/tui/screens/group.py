"""The dialogs about groups: a new one, one that there is with what its owner may do, and people to add to it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar, Final

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Checkbox, Input, Static

from mystic_client.model.commands import Leave
from mystic_client.model.roster import Roster
from mystic_client.model.store import Store
from mystic_client.model.text import counted
from mystic_client.tui.keeper import Keeper
from mystic_client.tui.messages import Commanded, DialogWanted, GroupChosen
from mystic_client.tui.screens.dialogs import Dialog, Question
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.picker import Picker
from mystic_client.tui.widgets.rosters import Person, Persons, person_of
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled
from mysticproto.model import GroupInfo
from mysticproto.names import NameRefused, check_group_name

KEPT: Final = "A kept group: its members stay in it while they are away, and miss nothing."
ROOM: Final = "A room: who leaves the server leaves it, and it ends with the last who is in it."
ROWS_MAX: Final = 7


def hand_over_question(group: str, name: str) -> Question:
    """Whether somebody else is to own a group."""
    question = f"Make {name} the owner of {group}? Only they can make you the owner again."
    return Question(question, "Hand it over", "Stay the owner")


class Wish(Struct, frozen=True):
    """A group to be made. `focus`: hear it instead of global."""

    name: str
    kept: bool = False
    members: tuple[str, ...] = ()
    focus: bool = True


class NewGroup(Dialog[Wish]):
    """Asks for a new group; gives a `Wish`, or None."""

    def __init__(self, roster: Roster, own_id: int, clock: Clock, *, keeps_global: bool) -> None:
        super().__init__()
        self._keeps_global = keeps_global
        self.picker = Picker(roster, clock, [own_id])

    def inside(self) -> ComposeResult:
        yield Input(placeholder="a name without spaces", id="group-name", compact=True)
        yield Checkbox("Keep it while its members are away", id="kept", compact=True)
        yield Static("Members beside you", classes="head", id="members-head", markup=False)
        yield self.picker
        yield Checkbox("Keep hearing Global beside it", self._keeps_global, id="hears-global", compact=True)

    def buttons(self) -> ComposeResult:
        yield Button("Cancel", classes="close", compact=True)
        yield Button("Create", id="create", classes="main", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.titled(Content("New group"))
        self.picker.display = self.query_one("#members-head").display = False
        self.query_one("#group-name").focus()

    @on(Checkbox.Changed, "#kept")
    def _kept(self, event: Checkbox.Changed) -> None:
        """Members are added to kept groups alone, and hear them beside global."""
        self.picker.display = self.query_one("#members-head").display = event.value
        self.query_one("#hears-global").display = not event.value
        if event.value:
            self.picker.search.focus()

    @on(Input.Submitted, "#group-name")
    @on(Picker.Done)
    @on(Button.Pressed, "#create")
    def _create(self) -> None:
        field = self.query_one("#group-name", Input)
        kept = self.query_one("#kept", Checkbox).value
        try:
            name = check_group_name(field.value.strip())
        except NameRefused as refused:
            self.complain(str(refused))
            field.focus()
            return
        hears_global = kept or self.query_one("#hears-global", Checkbox).value
        self.dismiss(Wish(name, kept, tuple(self.picker.names) if kept else (), not hears_global))


class AddPeople(Dialog[tuple[str, ...]]):
    """Asks whom to add to a group; gives their names, or None."""

    def __init__(self, group: GroupInfo, roster: Roster, clock: Clock) -> None:
        super().__init__()
        self._group = group
        self.picker = Picker(roster, clock, [member.id for member in group.members])

    def inside(self) -> ComposeResult:
        yield self.picker

    def buttons(self) -> ComposeResult:
        yield Button("Cancel", classes="close", compact=True)
        yield Button("Add", id="add-picked", classes="main", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.titled(Content(f"Add people to {self._group.group.name}"))
        self.picker.search.focus()

    @on(Picker.Done)
    @on(Button.Pressed, "#add-picked")
    def _add(self) -> None:
        if self.picker.names:
            self.dismiss(tuple(self.picker.names))
        else:
            self.complain("Pick somebody first: type a part of a name and press Enter, or click on a row.")
            self.picker.search.focus()


class Members(Persons):
    """Who is in a group, in the order of their joining."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Details", key_display="↵"),
        Binding("f5", "details", "Details", show=False),
        Binding("delete", "screen.remove", "Remove", key_display="Del"),
    ]

    def __init__(self, clock: Clock, *, id: str) -> None:
        super().__init__(clock, id=id)
        self.owner_id = 0

    @property
    def shows_cursor(self) -> bool:
        return True

    def right_of(self, shown: Person) -> list[Styled]:
        owner = [("owner ", self.style_of("accent"))] if shown.id == self.owner_id else []
        return [*super().right_of(shown), *owner]


class GroupScreen(Dialog[None]):
    """A group: who is in it, and what the user may do about it."""

    def __init__(self, store: Store, group_id: int, keeper: Keeper, clock: Clock) -> None:
        super().__init__()
        self._store, self._group_id, self._keeper, self._clock = store, group_id, keeper, clock
        self._shown: GroupInfo | None = None
        self.members = Members(clock, id="members")

    # What is shown.

    def inside(self) -> ComposeResult:
        yield Static("", id="kind", classes="about", markup=False)
        yield self.members
        with Horizontal(id="member-acts", classes="acts"):
            yield Button("Add people…", id="add", compact=True)
            yield Button("Remove", id="remove", compact=True)
            yield Button("Make owner", id="hand-over", compact=True)
        with Horizontal(id="naming", classes="acts"):
            yield Input(placeholder="another name", id="group-name", compact=True)
            yield Button("Rename", id="rename", compact=True)

    def buttons(self) -> ComposeResult:
        yield Button("Delete…", id="delete", classes="bad", compact=True)
        yield Button("Keep", id="keep", compact=True)
        yield Button("Leave", id="leave", compact=True)
        yield Button("Join", id="join", classes="main", compact=True)
        yield Button("Close", classes="close", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        for selector, words in TIPS.items():
            self.query_one(selector).tooltip = Content(words)
        self.follow()
        self.members.focus()

    @property
    def info(self) -> GroupInfo | None:
        """The group as it is now."""
        return self._store.roster.groups.get(self._group_id)

    def follow(self) -> None:
        info = self.info
        if info is None:
            self.complain("This group is gone.")
            return
        own_id, roster = self._store.own.id, self._store.roster
        self.titled(Content(f"# {info.group.name}"))
        owner = "It is yours." if info.owner.id == own_id else f"Its owner is {info.owner.name}."
        count = counted(len(info.members), "member")
        self.query_one("#kind", Static).update(Content(f"{KEPT if info.kept else ROOM} {owner} {count}."))
        self.members.owner_id = info.owner.id
        people = [person_of(member, roster, own_id) for member in info.members]
        self.members.set_rows(people)
        self.members.styles.height = min(ROWS_MAX, max(2, len(people)))
        self._show_rights(info)
        if self._shown is None or self._shown.group != info.group:
            self.query_one("#group-name", Input).value = info.group.name
        self._shown = info

    def _show_rights(self, info: GroupInfo) -> None:
        """What the user may not do isn't shown."""
        own_id, roster = self._store.own.id, self._store.roster
        owns, inside = info.owner.id == own_id, roster.is_member(own_id, info.group.id)
        for selector in ("#member-acts", "#naming", "#keep"):
            self.query_one(selector).display = owns
        self.query_one("#add").display = info.kept
        self.query_one("#keep", Button).label = Content("Make it a room" if info.kept else "Make it a kept group")
        self.query_one("#delete").display = owns or roster.is_operator(own_id)
        self.query_one("#leave").display = inside
        self.query_one("#join").display = not inside and not info.kept

    # What the user does.

    @on(RowList.Chosen, "#members")
    @on(RowList.Detailed, "#members")
    def _details(self, event: RowList.Chosen | RowList.Detailed) -> None:
        event.stop()
        if isinstance(event.row, Person):
            self.post_message(DialogWanted("person", event.row.id))

    @on(Button.Pressed, "#add")
    def _add(self) -> None:
        if self.info is not None:
            self.app.push_screen(AddPeople(self.info, self._store.roster, self._clock), self._add_picked)

    def _add_picked(self, names: tuple[str, ...] | None) -> None:
        if names:
            self.do(self._add_all(names))

    async def _add_all(self, names: tuple[str, ...]) -> None:
        for name in names:
            if self.info is None or not await self.granted(self._keeper.add(self.info.group.name, name)):
                return

    @on(Button.Pressed, "#remove")
    def action_remove(self) -> None:
        person = self._other_member("Choose whom to remove first.")
        if person is not None and self._owns:
            self._ask_owner(self._keeper.remove(self._group_name, person.name))

    @on(Button.Pressed, "#hand-over")
    def _hand_over(self) -> None:
        person = self._other_member("Choose who is to be the owner first.")
        if person is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._ask_owner(self._keeper.hand_over(self._group_name, person.name))

        self.app.push_screen(hand_over_question(self._group_name, person.name), answered)

    def _other_member(self, hint: str) -> Person | None:
        """The member whom the cursor is on, if it isn't the user."""
        person = self.members.current
        if person is not None and not person.own:
            return person
        self.complain(hint)
        self.members.focus()
        return None

    @on(Input.Submitted, "#group-name")
    @on(Button.Pressed, "#rename")
    def _rename(self) -> None:
        name = self.query_one("#group-name", Input).value.strip()
        if name != self._group_name:
            self._ask_owner(self._keeper.rename(self._group_name, name))

    @on(Button.Pressed, "#keep")
    def _keep(self) -> None:
        if self.info is not None:
            self._ask_owner(self._keeper.keep(self._group_name, not self.info.kept))

    @on(Button.Pressed, "#delete")
    def _delete(self) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.do(self._delete_it())

        question = f"Delete the group {self._group_name} for all its members? This can't be taken back."
        self.app.push_screen(Question(question, "Delete it", "Keep it", bad=True), answered)

    async def _delete_it(self) -> None:
        if await self.granted(self._keeper.delete_group(self._group_name)):
            self.dismiss(None)

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.post_message(Commanded(Leave(self._group_name)))
        self.dismiss(None)

    @on(Button.Pressed, "#join")
    def _join(self) -> None:
        self.post_message(GroupChosen(self._group_id))
        self.dismiss(None)

    @property
    def _group_name(self) -> str:
        return self.info.group.name if self.info else ""

    @property
    def _owns(self) -> bool:
        return self._store.roster.is_owner(self._store.own.id, self._group_id)

    def _ask_owner(self, deed: Awaitable[str]) -> None:
        self.do(self.granted(deed))


TIPS: Final = {
    "#add": "Add people, here or away, to the group",
    "#remove": "Remove the member under the cursor (Del)",
    "#hand-over": "Make the member under the cursor the owner",
    "#keep": "Whether the group stays while its members are away",
    "#delete": "End the group for all its members",
    "#leave": "Leave the group; if it is yours, the member who joined first owns it then",
}
