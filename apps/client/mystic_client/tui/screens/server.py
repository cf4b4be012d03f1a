"""The operators' screen: who is banned, an announcement to everybody, and the server's end."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, Final

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from mystic_client.model.whereabouts import until
from mystic_client.tui.keeper import Keeper
from mystic_client.tui.screens.dialogs import Dialog, Question
from mystic_client.tui.screens.person import BAN_SECONDS, Sentence, SentenceForm
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled
from mysticproto.model import BanInfo

ROWS_MAX: Final = 8


class BanList(RowList[BanInfo]):
    """Who may not come in."""

    EMPTY: ClassVar[str] = " Nobody is banned"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("delete", "screen.unban", "Unban", key_display="Del")]

    def __init__(self, clock: Clock, *, id: str) -> None:
        super().__init__(id=id)
        self._clock = clock

    @property
    def shows_cursor(self) -> bool:
        return True

    def key_of(self, shown: BanInfo) -> Hashable:
        return shown.target

    def name_of(self, shown: BanInfo) -> str:
        return shown.target

    def pieces_of(self, shown: BanInfo) -> list[Styled]:
        why = f"  {shown.reason}" if shown.reason else ""
        return [("⊘ ", self.style_of("bad")), (shown.target, Style.null()), (why, self.style_of("dim"))]

    def right_of(self, shown: BanInfo) -> list[Styled]:
        held = until(shown.until_us, self._clock.now_us(), self._clock.zone)
        return [(f" {held}, by {shown.by.name} ", self.style_of("dim"))]


class ServerScreen(Dialog[None]):
    """See the module."""

    def __init__(self, keeper: Keeper, clock: Clock) -> None:
        super().__init__()
        self._keeper = keeper
        self.bans = BanList(clock, id="bans")

    def inside(self) -> ComposeResult:
        yield Static("Announcement", classes="head", markup=False)
        with Horizontal(classes="acts"):
            yield Input(placeholder="to everybody, wherever they are", id="announcement", compact=True)
            yield Button("Announce", id="announce", compact=True)
        yield Static("Bans", classes="head", markup=False)
        yield self.bans
        with Horizontal(classes="acts"):
            yield Button("Ban…", id="ban", compact=True)
            yield Button("Unban", id="unban", compact=True)

    def buttons(self) -> ComposeResult:
        yield Button("Stop the server…", id="stop", classes="bad", compact=True)
        yield Button("Close", classes="close", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.titled(Content("The server"))
        self.query_one("#ban").tooltip = Content("Keep a name, an address or a network out")
        self.query_one("#unban").tooltip = Content("Let in whom the cursor is on (Del)")
        self.query_one("#stop").tooltip = Content("Counts down from 60 seconds first; it can be called off")
        self._show(())
        self.do(self._fetch())
        self.query_one("#announcement").focus()

    async def _fetch(self) -> None:
        bans = await self._keeper.bans()
        if isinstance(bans, str):
            self.complain(bans)
        else:
            self._show(bans)

    def _show(self, bans: tuple[BanInfo, ...]) -> None:
        self.bans.set_rows(bans)
        self.bans.styles.height = min(ROWS_MAX, max(1, len(bans)))

    # What the operator does.

    @on(Input.Submitted, "#announcement")
    @on(Button.Pressed, "#announce")
    def _announce(self) -> None:
        text = self.query_one("#announcement", Input).value.strip()
        if text:
            self.do(self._announce_it(text))

    async def _announce_it(self, text: str) -> None:
        if await self.granted(self._keeper.announce(text)):
            self.query_one("#announcement", Input).value = ""
            self.notify("Everybody has been told.", markup=False)

    @on(Button.Pressed, "#ban")
    def _ban(self) -> None:
        form = SentenceForm("Ban a name, an address or a network", "Ban", "", BAN_SECONDS)
        self.app.push_screen(form, self._banned)

    def _banned(self, sentence: Sentence | None) -> None:
        if sentence is not None:
            self.do(self._ban_it(sentence))

    async def _ban_it(self, sentence: Sentence) -> None:
        if await self.granted(self._keeper.ban(sentence.target, sentence.seconds, sentence.reason)):
            await self._fetch()

    @on(RowList.Chosen, "#bans")
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()

    @on(Button.Pressed, "#unban")
    def action_unban(self) -> None:
        if self.bans.current is not None:
            self.do(self._unban_it(self.bans.current.target))

    async def _unban_it(self, target: str) -> None:
        if await self.granted(self._keeper.unban(target)):
            await self._fetch()

    @on(Button.Pressed, "#stop")
    def _stop(self) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.do(self._stop_it())

        question = "Stop the server for everybody, after a countdown of 60 seconds?"
        self.app.push_screen(Question(question, "Stop it", "Go on", bad=True), answered)

    async def _stop_it(self) -> None:
        if await self.granted(self._keeper.shutdown()):
            self.dismiss(None)
