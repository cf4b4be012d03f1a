"""The connect screen: which server, and as whom.

A name that has an owner is proven with its password on a device that the server doesn't know. The field for it appears
when the server asks for it, and is emptied as soon as the password was handed on: it is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Final

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, Label, Static

from mystic_client.model.choice import Choice
from mystic_client.tui.messages import Stopped, Wanted
from mystic_client.tui.widgets.key_bar import KeyBar
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled
from mysticproto.errors import Code
from mysticproto.model import MAX_PASSWORD_CHARS
from mysticproto.names import NameRefused, check_user_name

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 12000
ABOUT_THE_NAME: Final = frozenset(
    {Code.NAME_INVALID, Code.NAME_IN_USE, Code.NAME_CLAIMED, Code.BAD_SIGNATURE, Code.TOO_MANY_SESSIONS}
)
"""Refusals that are shown beside the name."""
ABOUT_THE_PASSWORD: Final = frozenset({Code.WRONG_PASSWORD, Code.TOO_MANY_ATTEMPTS, Code.PASSWORDS_UNAVAILABLE})
"""Refusals that are shown beside the password."""
OWNED: Final = "This name has an owner. Enter its password to use it on this device too."


class RecentList(RowList[Choice]):
    """Servers used lately."""

    def key_of(self, shown: Choice) -> Hashable:
        return shown

    def name_of(self, shown: Choice) -> str:
        return shown.name

    def pieces_of(self, shown: Choice) -> list[Styled]:
        return [(" ", Style.null()), (shown.name, self.style_of("key")), (f"  {shown.host}:{shown.port}", Style.null())]

    def right_of(self, shown: Choice) -> list[Styled]:
        return [("↵ ", self.style_of("dim"))]


class ConnectScreen(Screen[None]):
    """See the module. `busy`, `failed` and `idle` say how it goes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,ctrl+underscore,ctrl+question_mark", "app.help", "Help", key_display="F1"),
        Binding("escape", "stop", "Cancel", show=False),
        Binding("ctrl+q", "app.quit", "Quit", key_display="^Q", priority=True),
    ]

    def __init__(self, choice: Choice, recent: Sequence[Choice]) -> None:
        super().__init__()
        self._choice, self._recent = choice, recent
        self._trying = False
        self._password_for: tuple[str, ...] = ()
        """The name and the server that asked for a password."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="card", can_focus=False):
            yield Static("◆ Mystic", classes="title", markup=False)
            yield Static("Chat and files, for everybody on one server", classes="subtitle", markup=False)
            for field, label, value, hint in self._fields():
                with Horizontal(classes="field"):
                    yield Label(label, markup=False)
                    yield Input(value, hint, id=field, select_on_focus=False)
                yield Static("", id=f"{field}-problem", classes="problem", markup=False)
            with Horizontal(classes="field", id="password-row"):
                yield Label("Password", markup=False)
                yield Input("", "of this name", id="password", password=True, max_length=MAX_PASSWORD_CHARS)
            yield Static("", id="password-problem", classes="problem", markup=False)
            yield Static("", id="status", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Connect", id="connect")
            yield Static("Used lately", classes="head", id="recent-head", markup=False)
            yield RecentList(id="recent")
        yield KeyBar()

    def _fields(self) -> list[tuple[str, str, str, str]]:
        choice = self._choice
        return [
            ("name", "Name", choice.name, "how the others see you"),
            ("host", "Server", choice.host or DEFAULT_HOST, DEFAULT_HOST),
            ("port", "Port", str(choice.port or DEFAULT_PORT), str(DEFAULT_PORT)),
        ]

    def on_screen_suspend(self) -> None:
        self.set_focus(None)  # a cursor that nobody sees needn't blink

    def on_screen_resume(self) -> None:
        if self.focused is None:
            self.query_one("#name", Input).focus()

    def on_mount(self) -> None:
        for input_ in self.query(Input):
            input_.cursor_blink = not self.app.is_headless
        for problem in self.query(".problem"):
            problem.display = False
        self.query_one("#status").display = False
        self.query_one("#cancel").display = self.query_one("#password-row").display = False
        recent = self.query_one(RecentList)
        recent.set_rows(self._recent)
        recent.display = self.query_one("#recent-head").display = bool(self._recent)
        recent.styles.height = min(6, len(self._recent))
        self.query_one("#name", Input).focus()

    # How it goes.

    def busy(self, address: str) -> None:
        """An attempt is under way."""
        self._trying = True
        self._say(f"Connecting to {address} …", "busy")

    def failed(self, text: str, code: str = "") -> None:
        """It came to nothing; refusals of the name or of the password are said beside them."""
        self._trying = False
        self._say("")
        if code == Code.NAME_CLAIMED:
            self._complain("name", text)
            self._want_password(OWNED)
            self.query_one("#password-problem").add_class("-hint")
        elif code in ABOUT_THE_PASSWORD:
            self._want_password(text)
        elif code in ABOUT_THE_NAME:
            self._complain("name", text)
        else:
            self._say(text, "bad", "Retry")

    def _want_password(self, why: str) -> None:
        self._password_for = self._whose()
        self.query_one("#password-row").display = True
        self.query_one("#password-problem").remove_class("-hint")
        self._complain("password", why)

    def idle(self, text: str = "") -> None:
        """Nothing is under way; `text` says what happened before."""
        self._trying = False
        self._say(text)

    def _say(self, text: str, kind: str = "", button: str = "Connect") -> None:
        status = self.query_one("#status", Static)
        status.update(Content(text))
        status.display = bool(text)
        status.set_classes(f"-{kind}" if kind else "")
        self.query_one("#connect", Button).label = Content(button)
        self.query_one("#connect").display = not self._trying
        self.query_one("#cancel").display = self._trying

    def _complain(self, field: str, text: str) -> None:
        problem = self.query_one(f"#{field}-problem", Static)
        problem.update(Content(text))
        problem.display = bool(text)
        if text:
            self.query_one(f"#{field}", Input).focus()

    # What the user does.

    @on(Input.Submitted)
    @on(Button.Pressed, "#connect")
    def _connect(self) -> None:
        choice = self._checked()
        if choice and not self._trying:
            self.post_message(Wanted(choice.name, choice.host, choice.port, self._take_password()))

    def _take_password(self) -> str:
        """What was typed as a password, which is gone from the field then."""
        field = self.query_one("#password", Input)
        password, field.value = field.value, ""
        return password

    @on(Input.Changed, "#name")
    @on(Input.Changed, "#host")
    @on(Input.Changed, "#port")
    def _changed(self) -> None:
        """A password belongs to a name on a server: with another one it is not to be sent."""
        if self._password_for in ((), self._whose()):
            return
        self._password_for = ()
        self._take_password()
        self.query_one("#password-row").display = False
        self._complain("password", "")

    @on(Button.Pressed, "#cancel")
    def action_stop(self) -> None:
        if self._trying:
            self.post_message(Stopped())

    @on(RowList.Chosen)
    def _take_recent(self, event: RowList.Chosen) -> None:
        if isinstance(event.row, Choice):
            self.fill(event.row)
            self._connect()

    def fill(self, choice: Choice) -> None:
        """Puts a choice into the fields."""
        for field, value in (("name", choice.name), ("host", choice.host), ("port", str(choice.port))):
            self.query_one(f"#{field}", Input).value = value
        self._changed()

    def _whose(self) -> tuple[str, ...]:
        return tuple(self._value(field) for field in ("name", "host", "port"))

    def _checked(self) -> Choice | None:
        """What the fields say, if it makes sense; what doesn't is said beside the field."""
        for field in ("port", "host", "name", "password"):
            self._complain(field, "")
        port, host = self._value("port"), self._value("host") or DEFAULT_HOST
        complaint = ""
        try:
            name = check_user_name(self._value("name"))
        except NameRefused as refused:
            name, complaint = "", str(refused)
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            self._complain("port", "A port is a number from 1 to 65535.")
        elif any(char.isspace() for char in host):
            self._complain("host", "A server's name has no spaces.")
        elif not name:
            self._complain("name", complaint)
        else:
            return Choice(name, host, int(port))
        return None

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()
