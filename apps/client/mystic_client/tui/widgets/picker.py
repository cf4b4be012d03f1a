"""A field to pick people with: type a part of a name, and those whom it fits are listed below.

Up and down move in the list while one types; Enter takes or gives back the current row, and on an empty field says that
all is picked; Backspace on an empty field gives the last one back. A click does what Enter does. A name that is in no
list can be picked too: guests who are away are known to the server alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from mystic_client.model.roster import Roster
from mystic_client.model.text import names_in_words
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.rosters import Person, Persons, person_of
from mystic_client.tui.widgets.row_list import RowList
from mysticproto.names import NameRefused, check_user_name, name_key

MAX_MATCHES: Final = 100
NAMES_IN_WORDS: Final = 6


class Search(Input):
    """A field that tells when Backspace finds nothing to take away."""

    class Emptied(Message):
        """Backspace was pressed on the empty field."""

    def action_delete_left(self) -> None:
        if not self.value:
            self.post_message(self.Emptied())
        super().action_delete_left()


class Matches(Persons):
    """Whom the field's text fits."""

    MARKS = True
    SEEKS = False
    DETAILS = False
    EMPTY: ClassVar[str] = " Nobody known is called that; Enter takes the name as it is"

    @property
    def shows_cursor(self) -> bool:
        return True

    def key_of(self, shown: Person) -> str:
        return name_key(shown.name)


class Picker(Vertical):
    """See the module. `names` are those that were picked, in that order."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
    ]

    class Picked(Message):
        """Other people are picked now."""

    class Done(Message):
        """Enter was pressed on the empty field."""

    def __init__(self, roster: Roster, clock: Clock, without: Iterable[int], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._roster, self._without = roster, frozenset(without)
        self.names: list[str] = []
        self.search = Search(placeholder="type a name", id="search", select_on_focus=False, compact=True)
        self.matches = Matches(clock, id="matches")
        self.picked = Static("", id="picked", markup=False)

    def compose(self) -> ComposeResult:
        yield self.search
        yield self.matches
        yield self.picked

    def on_mount(self) -> None:
        self._show()

    def action_move(self, by: int) -> None:
        self.matches.action_move(by)

    @on(Input.Changed)
    def _show(self) -> None:
        people = self._fitting(self.search.value.strip().casefold())
        self.matches.marked = set()  # a row that goes takes its mark along, and would tell so
        self.matches.set_rows(people[:MAX_MATCHES])
        self.matches.marked = {name_key(name) for name in self.names}
        self.matches.refresh()
        named = names_in_words(self.names, NAMES_IN_WORDS)
        self.picked.update(Content(f"Picked: {named}" if self.names else "Nobody is picked yet"))

    def _fitting(self, words: str) -> list[Person]:
        """Who is here first, and names that begin with the words before those that have them inside."""
        infos = [*self._roster.users.values(), *reversed(self._roster.away.values())]
        people = [person_of(info.user, self._roster, 0) for info in infos if info.user.id not in self._without]
        fitting = [person for person in people if words in person.name.casefold()]
        return sorted(fitting, key=lambda person: (not person.name.casefold().startswith(words), not person.here))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.search.value.strip():
            self.post_message(self.Done())
        elif self.matches.current is not None:
            self._toggle(self.matches.current.name)
        else:
            self._take_unknown(self.search.value.strip())

    def _take_unknown(self, name: str) -> None:
        try:
            self._toggle(check_user_name(name))
        except NameRefused as refused:
            self.picked.update(Content(str(refused)))

    @on(Search.Emptied)
    def _give_back(self) -> None:
        if self.names:
            self._toggle(self.names[-1])

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if isinstance(event.row, Person):
            self._toggle(event.row.name)
        self.search.focus()

    @on(RowList.Marked)
    def _marked(self, event: RowList.Marked) -> None:
        event.stop()
        key = next(iter(event.keys ^ {name_key(name) for name in self.names}), None)
        person = next((person for person in self.matches.rows if name_key(person.name) == key), None)
        if person is not None:
            self._toggle(person.name)

    def _toggle(self, name: str) -> None:
        keys = [name_key(known) for known in self.names]
        if name_key(name) in keys:
            del self.names[keys.index(name_key(name))]
        else:
            self.names.append(name)
        self.search.value = ""
        self._show()
        self.post_message(self.Picked())
