"""The chat screen: tabs, one conversation, who is here, a line to type in, and the shared files.

It shows the store (`follow`) and the state of the connection, and turns what the user does into messages for the app.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, ContentSwitcher, Static

from mystic_client.model.cards import cards
from mystic_client.model.commands import Disconnect, Leave
from mystic_client.model.completion import Known
from mystic_client.model.folder import Listing
from mystic_client.model.store import Changes, Store
from mystic_client.model.talk import Talk
from mystic_client.model.text import counted
from mystic_client.model.transfer import Transfer
from mystic_client.model.whereabouts import seen
from mystic_client.tui.messages import (
    BackToNow,
    Closed,
    Commanded,
    GroupChosen,
    PeopleChosen,
    ReconnectWanted,
    Retried,
    Turned,
    UploadWanted,
)
from mystic_client.tui.screens.talking import Talking
from mystic_client.tui.widgets.bars import ActRow, Banner, Bannered, Place, TopBar
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.files_pane import FilesPane
from mystic_client.tui.widgets.key_bar import KeyBar
from mystic_client.tui.widgets.rosters import GroupList, GroupRow, PeopleList, Person
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.tab_bar import TabBar, TabInfo
from mysticproto.model import UserInfo

FILES = "files"
KEYS: Final = (
    *("app.help", "app.dialog('menu')", "people", "groups", "files", "app.search", "app.switch", "app.quit"),
    "message(-1)",
)
"""What the row of keys shows, the most important first; everything is in the help and the menu."""


class ChatScreen(Talking):
    """See the module."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (8, "-short"), (16, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,ctrl+underscore,ctrl+question_mark", "app.help", "Help", key_display="F1", priority=True),
        Binding("f2", "people", "People", key_display="F2", priority=True),
        Binding("f3", "groups", "Groups", key_display="F3", priority=True),
        Binding("f4", "files", "Files", key_display="F4", priority=True),
        Binding("f5", "app.dialog('details')", "Details", show=False),
        Binding("f6", "app.new_group", "New group", show=False, priority=True),
        Binding("f7", "app.other_theme", "Theme", show=False, priority=True),
        Binding("f8", "close", "Close tab", show=False, priority=True),
        Binding("f9", "app.dialog('menu')", "Menu", key_display="F9", priority=True),
        Binding("ctrl+f", "app.search", "Search", key_display="^F", priority=True),
        Binding("ctrl+k", "app.switch", "Go to", key_display="^K", priority=True),
        Binding("f10", "disconnect", "Disconnect", show=False, priority=True),
        Binding("ctrl+q", "app.quit", "Quit", key_display="^Q", priority=True),
        Binding("ctrl+r", "retry", "Retry", show=False, priority=True),
        Binding("ctrl+o", "attach", "Send a file", show=False, priority=True),
        Binding("ctrl+pageup,alt+left", "step(-1)", "Previous tab", show=False, priority=True),
        Binding("ctrl+pagedown,alt+right", "step(1)", "Next tab", show=False, priority=True),
        Binding("escape", "line", "Back", show=False),
        *(Binding(f"alt+{n}", f"tab({n})", show=False, priority=True) for n in range(1, 10)),
    ]

    class FilesWanted(Message):
        """The user turns to the shared files."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store, clock)
        self._clock = clock
        self._place = Place()
        self._lost: Bannered | None = None
        self._stopping: Bannered | None = None
        self._transfers: list[Transfer] = []
        self.top, self.tabs, self.banner = TopBar(id="top"), TabBar(id="tabs"), Banner(id="banner")
        self.files = FilesPane(clock, id=FILES)
        self.people, self.groups = PeopleList(clock, id="people"), GroupList(id="groups")
        self.people_head = Static("People", classes="head", markup=False)
        self.groups_head = Static("Groups", classes="head", markup=False)
        self.message_people = Button("Message", id="message-people", compact=True)
        self.center = ContentSwitcher(id="center", initial="talk")

    def compose(self) -> ComposeResult:
        yield self.top
        yield self.tabs
        yield self.banner
        with Horizontal(id="body"):
            with self.center:
                yield from self.compose_talk()
                yield self.files
            with Vertical(id="side"):
                yield self.people_head
                yield self.people
                yield self.message_people
                yield self.groups_head
                yield self.groups
                yield Button("New group", id="new-group", compact=True)
        yield from self.compose_line()
        yield KeyBar(*KEYS)

    def on_mount(self) -> None:
        super().on_mount()
        self.is_ready = True
        self.show_front()
        self.follow(self.store.take_changes())
        self.composer.focus()

    # Data down.

    def follow(self, changes: Changes) -> None:
        """Shows what changed in the store."""
        if self._shown != self.store.front:
            self.show_front()
            self.composer.focus()
        if changes.roster:
            self._show_roster()
        if changes.tabs or changes.talks:
            self._show_tabs()
        if self.store.front in changes.talks:
            self.view.update()
            self.show_line()
        self.attend()

    def show_front(self) -> None:
        """Shows the conversation in front."""
        super().show_front()
        self._show_tabs()

    def show_place(self, place: Place, lost: Bannered | None, stopping: Bannered | None = None) -> None:
        """Shows the state of the connection; `lost` while there is none, `stopping` while the server counts down."""
        self._place, self._lost, self._stopping = place, lost, stopping
        self.top.show(place)
        self.compose_row.set_class(lost is not None, "-off")
        self._show_banner()

    def show_listing(self, listing: Listing) -> None:
        """Shows a shared folder."""
        self.files.show_listing(listing)
        self._know()

    def show_transfers(self, transfers: list[Transfer]) -> None:
        """Shows what is fetched and sent."""
        self._transfers = transfers
        self.files.show_transfers(transfers)
        self.view.show_cards(cards(transfers))
        self._show_tabs()

    def turn_to_files(self, shown: bool = True) -> None:
        """Shows the file browser, or the conversation again."""
        self.shows_files = shown
        self.center.current = FILES if shown else "talk"
        self.compose_row.display = not shown
        self.show_sending(self._sending)
        (self.files.table if shown else self.composer).focus()
        self._show_tabs()

    @property
    def files_folder(self) -> str:
        return self.files.table.listing.path

    def _show_roster(self) -> None:
        self.view.is_operator = self.store.roster.is_operator(self.store.own.id)
        self.people.follow(self.store)
        self.groups.follow(self.store)
        people, groups = len(self.store.roster.users), len(self.store.roster.groups)
        self.people_head.update(Content(f"PEOPLE  {people:,}"))
        self.groups_head.update(Content(f"GROUPS  {groups:,}"))
        self._know()

    def _know(self) -> None:
        """Tells the composer what can be offered."""
        roster, listing, own_id = self.store.roster, self.files.table.listing, self.store.own.id
        people = [*roster.users.values(), *roster.away.values()]
        operates = roster.is_operator(own_id)
        owns = operates or any(info.owner.id == own_id for info in roster.groups.values())
        may = [who for who, allowed in (("owner", owns), ("operator", operates)) if allowed]
        self.composer.known = Known(
            [info.user.name for info in people if info.user.id != own_id],
            [info.group.name for info in roster.groups.values()],
            [listing.path_of(entry) for entry in listing.entries if entry.kind != "folder"],
            [listing.path_of(entry) for entry in listing.entries if entry.kind == "folder"],
            frozenset(may),
        )

    def _show_tabs(self) -> None:
        tabs = [self._tab(talk) for talk in self.store.talks.values()]
        running = sum(not transfer.ended for transfer in self._transfers)
        tabs.append(TabInfo(FILES, "Files", "files", unread=running))
        self.tabs.set_tabs(tabs, FILES if self.shows_files else self.store.front)
        self._show_banner()
        self._show_target()

    def _tab(self, talk: Talk) -> TabInfo:
        paused = talk.kind == "global" and self.store.focus is not None
        title = "Global ⏸" if paused else talk.title
        dim = paused or not talk.member
        return TabInfo(talk.key, title, talk.kind, talk.unread, talk.mentioned, dim, talk.kind != "global")

    def _show_banner(self) -> None:
        self.banner.show(self._lost or self._stopping or self._standing())

    def _standing(self) -> Bannered | None:
        """What is to be said about the conversation in front as it is."""
        talk, focus = self.store.front_talk, self.store.focus
        if self.shows_files:
            return None
        if talk.in_past:
            return Bannered("You are reading the past.", "warning", "now", "Back to now")
        if talk.kind == "global" and focus is not None:
            text = f"Global is paused while you are in {focus.name}; broadcasts still come."
            return Bannered(text, "quiet", "leave", f"Leave {focus.name}")
        if talk.group is not None and not talk.member:
            if talk.group.id not in self.store.roster.groups:
                return Bannered(f"The group {talk.title} is gone.")
            return Bannered(f"You are not in {talk.title}.", "quiet", "join", "Join")
        alone = talk.kind == "direct" and len(talk.people) == 1 and bool(self.store.roster.users)
        if alone and not self.store.roster.is_here(talk.people[0].id):
            return Bannered(f"{talk.title} is {self._whereabouts(talk)}.", "quiet")
        return None

    def _show_target(self) -> None:
        talk = self.store.front_talk
        title = talk.whither
        if talk.kind == "direct" and len(talk.people) == 1 and self.store.roster.users:
            title += f" · {self._whereabouts(talk)}"
        self.compose_row.border_title = Content(title)

    def _whereabouts(self, talk: Talk) -> str:
        """Where the other one of a direct conversation is."""
        user = talk.people[0]
        info = self.store.roster.info(user.id) or UserInfo(user, here=False)
        return seen(info, self._clock.now_us(), self._clock.zone)

    # Messages up.

    @on(TabBar.Turned)
    def _tab_turned(self, event: TabBar.Turned) -> None:
        if event.key == FILES:
            self.action_files()
        else:
            self._turn(event.key)

    @on(TabBar.Asked)
    async def _tab_asked(self, event: TabBar.Asked) -> None:
        await self.run_action(f"app.{event.what}")

    @on(TabBar.Closed)
    def _tab_closed(self, event: TabBar.Closed) -> None:
        self.post_message(Closed(event.key))

    def _turn(self, key: str) -> None:
        if self.shows_files:
            self.turn_to_files(False)
        self.post_message(Turned(key))
        self.composer.focus()

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        match event.row:
            case Person(id=id):
                marked = self.people.marked
                ids = {key for key in marked if isinstance(key, int)} | {id}
                self._open_people(tuple(ids))
            case GroupRow(id=id):
                self._hide_side()
                self.post_message(GroupChosen(id))
            case _ if event.source.id is None:
                self.composer.take(self.offers.chosen)
                self.composer.focus()

    @on(RowList.Marked, "#people")
    def _marked(self, event: RowList.Marked) -> None:
        self.message_people.label = Content(f"Message {counted(len(event.keys), 'person', 'people')}")
        self.message_people.display = bool(event.keys)

    @on(Button.Pressed, "#message-people")
    def _message_people(self) -> None:
        self._open_people(tuple(key for key in self.people.marked if isinstance(key, int)))

    def _open_people(self, ids: tuple[int, ...]) -> None:
        self.people.clear_marks()
        self._hide_side()
        others = tuple(id for id in ids if id != self.store.own.id)
        if others:
            self.turn_to_files(False)
            self.post_message(PeopleChosen(others))

    @on(Button.Pressed, "#new-group")
    async def _new_group(self) -> None:
        await self.run_action("app.new_group")

    @on(ActRow.Acted)
    def _acted(self, event: ActRow.Acted) -> None:
        match event.act:
            case "disconnect":
                self.action_disconnect()
            case "try":
                self.post_message(ReconnectWanted())
            case "now":
                self.post_message(BackToNow(self.store.front))
            case "leave":
                self.post_message(Commanded(Leave()))
            case "join" if self.store.front_talk.group:
                self.post_message(GroupChosen(self.store.front_talk.group.id))

    # Keys.

    def action_people(self) -> None:
        self._show_side("#people")

    def action_groups(self) -> None:
        self._show_side("#groups")

    def _show_side(self, selector: str) -> None:
        panel = self.query_one(selector)
        if self.has_class("-side-shown") and panel.has_focus:
            self.action_line()
            return
        self.add_class("-side-shown")
        panel.focus()

    def _hide_side(self) -> None:
        self.remove_class("-side-shown")

    def action_files(self) -> None:
        if self.shows_files:
            self.turn_to_files(False)
            return
        self.turn_to_files()
        self.post_message(self.FilesWanted())

    def action_attach(self) -> None:
        if self.shows_files:
            self.files.action_upload()
        else:
            self.post_message(UploadWanted(key=self.store.front))

    def action_line(self) -> None:
        if not self.has_class("-side-shown") and not self.shows_files and self.step_back():
            return
        self._hide_side()
        if self.shows_files:
            self.turn_to_files(False)
        self.composer.focus()

    def action_step(self, by: int) -> None:
        keys = [*self.store.talks, FILES]
        at = keys.index(FILES if self.shows_files else self.store.front)
        self._go(keys[(at + by) % len(keys)])

    def action_tab(self, number: int) -> None:
        keys = [*self.store.talks, FILES]
        if number <= len(keys):
            self._go(keys[number - 1])

    def _go(self, key: str) -> None:
        if key == FILES:
            self.action_files()
        else:
            self._turn(key)

    def action_close(self) -> None:
        if self.shows_files:
            self.turn_to_files(False)
        else:
            self.post_message(Closed(self.store.front))

    def action_disconnect(self) -> None:
        self.post_message(Commanded(Disconnect()))

    def action_retry(self) -> None:
        self.post_message(ReconnectWanted() if self._lost else Retried())
