"""The account: one's role, the password, the devices that may use the name, read receipts, and its end."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar, Final

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Checkbox, Input, Static

from mystic_client.model.store import Store
from mystic_client.model.text import stamp
from mystic_client.tui.keeper import Keeper
from mystic_client.tui.screens.dialogs import Dialog, Question, Typed
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled
from mysticproto.model import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, DeviceInfo

ROLES: Final = {
    "guest": "A guest: this name is nobody's yet. A password makes it yours.",
    "member": "A member: this name is yours.",
    "operator": "An operator: your name, and you keep the peace here.",
}
RULES: Final = (
    f"At least {MIN_PASSWORD_CHARS} characters, and not your name. With it you can use this name on other devices."
)
SHARED: Final = "They learn what you have read, and you what they have."
PRIVATE: Final = "You keep it to yourself, and don't learn it of them either."
ROWS_MAX: Final = 4


class DeviceList(RowList[DeviceInfo]):
    """The devices that may log in by their key."""

    EMPTY: ClassVar[str] = " No device: the name is not claimed by a key"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("delete", "screen.remove", "Remove", key_display="Del")]

    def __init__(self, clock: Clock, *, id: str) -> None:
        super().__init__(id=id)
        self._clock = clock

    def key_of(self, shown: DeviceInfo) -> Hashable:
        return shown.key

    def name_of(self, shown: DeviceInfo) -> str:
        return shown.key.hex()

    def pieces_of(self, shown: DeviceInfo) -> list[Styled]:
        added = stamp(shown.added_us, self._clock.now_us(), self._clock.zone)
        return [("● " if shown.here else "○ ", self.style_of("good" if shown.here else "dim")),
                (f"key {shown.key.hex()[:8]}", Style.null()), (f"  since {added}", self.style_of("dim"))]  # fmt: skip

    def right_of(self, shown: DeviceInfo) -> list[Styled]:
        return [("this device ", self.style_of("good"))] if shown.here else []


class AccountScreen(Dialog[None]):
    """See the module. `share_reads` takes another wish than `shares_read`; "" or why it won't last."""

    def __init__(
        self, store: Store, keeper: Keeper, clock: Clock, *, shares_read: bool, share_reads: Callable[[bool], str]
    ) -> None:
        super().__init__()
        self._store, self._keeper = store, keeper
        self._shares_read, self._share_reads = shares_read, share_reads
        self.devices = DeviceList(clock, id="devices")
        self._has_password = False

    # What is shown.

    def inside(self) -> ComposeResult:
        yield Static("", id="role", classes="about", markup=False)
        yield Static("Password", classes="head", id="password-head", markup=False)
        yield Input(
            placeholder="a new password", password=True, id="password", max_length=MAX_PASSWORD_CHARS, compact=True
        )
        with Horizontal(classes="acts"):
            yield Input(
                placeholder="the same again", password=True, id="again", max_length=MAX_PASSWORD_CHARS, compact=True
            )
            yield Button("Set the password", id="set-password", compact=True)
        yield Static(RULES, classes="about", id="rules", markup=False)
        yield Static("Devices", classes="head", markup=False)
        yield self.devices
        with Horizontal(classes="acts"):
            yield Button("Remove device", id="remove-device", compact=True)
        yield Static("Read receipts", classes="head", markup=False)
        yield Checkbox("Share them with the others", self._shares_read, id="shares-read", compact=True)
        yield Static(SHARED if self._shares_read else PRIVATE, id="receipts", classes="about", markup=False)

    def buttons(self) -> ComposeResult:
        yield Button("Delete the account…", id="delete", classes="bad", compact=True)
        yield Button("Close", classes="close", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#remove-device").tooltip = Content("The device under the cursor may use this name no longer")
        self.query_one("#delete").tooltip = Content("Give this name up for ever")
        self.devices.set_rows([])
        self.devices.styles.height = 1
        self.follow()
        self.do(self._fetch())
        self.query_one("#password").focus()

    def follow(self) -> None:
        store = self._store
        role = store.roster.role_of(store.own.id)
        self.titled(Content(store.own.name))
        self.query_one("#role", Static).update(Content(ROLES.get(role, role)))
        self.query_one("#delete").display = role != "guest"

    async def _fetch(self) -> None:
        devices = await self._keeper.devices()
        if isinstance(devices, str):
            self.complain(devices)
            return
        self._has_password = devices.has_password
        self.devices.set_rows(devices.devices)
        self.devices.styles.height = min(ROWS_MAX, max(1, len(devices.devices)))
        head = "Password  it is set" if devices.has_password else "Password  there is none yet"
        self.query_one("#password-head", Static).update(Content(head))
        self.query_one("#set-password", Button).label = Content(
            "Change the password" if devices.has_password else "Set the password"
        )

    # What the user does.

    @on(Input.Submitted, "#password")
    def _next_field(self) -> None:
        self.query_one("#again").focus()

    @on(Input.Submitted, "#again")
    @on(Button.Pressed, "#set-password")
    def _set_password(self) -> None:
        first, again = self.query_one("#password", Input), self.query_one("#again", Input)
        if len(first.value) < MIN_PASSWORD_CHARS:
            self._wrong(f"A password has at least {MIN_PASSWORD_CHARS} characters.")
        elif first.value != again.value:
            self._wrong("The two are not the same: type them again.")
        else:
            self.do(self._send_password(first.value))
            self._empty()

    async def _send_password(self, password: str) -> None:
        if await self.granted(self._keeper.set_password(password)):
            self.notify("The password is set.", markup=False)
            await self._fetch()

    def _wrong(self, text: str) -> None:
        self.complain(text)
        self._empty()

    def _empty(self) -> None:
        for field in ("#password", "#again"):
            self.query_one(field, Input).value = ""
        self.query_one("#password").focus()

    @on(RowList.Chosen, "#devices")
    def _chosen(self, event: RowList.Chosen) -> None:
        event.stop()

    @on(Button.Pressed, "#remove-device")
    def action_remove(self) -> None:
        device = self.devices.current
        if device is None:
            self.complain("There is no device to remove.")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(self._remove(device.key))

        which = "this device" if device.here else f"the device {device.key.hex()[:8]}"
        question = f"Remove {which}? It may use this name no longer, and is disconnected."
        self.app.push_screen(Question(question, "Remove it", "Keep it", bad=True), answered)

    async def _remove(self, key: bytes) -> None:
        if await self.granted(self._keeper.remove_device(key)):
            await self._fetch()

    @on(Checkbox.Changed, "#shares-read")
    def _share(self, event: Checkbox.Changed) -> None:
        self.query_one("#receipts", Static).update(SHARED if event.value else PRIVATE)
        self.complain(self._share_reads(event.value))

    @on(Button.Pressed, "#delete")
    def _delete(self) -> None:
        name = self._store.own.name

        def answered(sure: bool | None) -> None:
            if sure:
                self.do(self.granted(self._keeper.delete_account()))

        warning = (
            f"The name {name} is free for anybody then. What you have said stays, your groups get other owners, "
            "and you are disconnected. Type the name to confirm."
        )
        self.app.push_screen(Typed("Delete the account", warning, name, "Delete it"), answered)
