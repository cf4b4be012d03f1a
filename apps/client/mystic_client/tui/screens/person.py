"""What can be done about a person: a menu, and the form for reasons and times that operators fill in."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from msgspec import Struct
from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Static

from mystic_client.model.whereabouts import is_muted, lasting
from mystic_client.tui.screens.dialogs import Choosable, Dialog
from mystic_client.tui.widgets.row_list import RowList
from mystic_client.tui.widgets.strips import Styled
from mysticproto.model import MAX_REASON_CHARS, GroupInfo, UserInfo

MUTE_SECONDS: Final = (600, 3600, 0)
BAN_SECONDS: Final = (0, 3600, 86400, 7 * 86400)


def person_rows(info: UserInfo, own: UserInfo, group: GroupInfo | None, now_us: int) -> list[Choosable]:
    """The menu for somebody as `own` may use it; `group` is the one in front.

    An act is a word, with what it is about behind a colon: "mute:600".
    """
    if info.user.id == own.user.id:
        return [Choosable("account", "Your account…", "password, devices")]
    rows = [Choosable("message", "Message"), Choosable("mention", "Mention in the line")]
    rows += _owner_rows(info, own, group)
    if own.role == "operator":
        rows += _operator_rows(info, now_us)
    return rows


def _owner_rows(info: UserInfo, own: UserInfo, group: GroupInfo | None) -> list[Choosable]:
    if group is None or group.owner.id != own.user.id:
        return []
    if info.user not in group.members:
        return [Choosable("add", f"Add to {group.group.name}")] if group.kept else []
    return [
        Choosable("hand-over", f"Make the owner of {group.group.name}"),
        Choosable("remove", f"Remove from {group.group.name}", bad=True),
    ]


def _operator_rows(info: UserInfo, now_us: int) -> list[Choosable]:
    rows = [Choosable("", "As an operator")]
    if info.role == "operator":
        return [*rows, Choosable("role:member", "Make a member", "an operator no longer")]
    if is_muted(info, now_us):
        rows.append(Choosable("unmute", "Let speak again"))
    else:
        rows += [Choosable(f"mute:{seconds}", f"Mute {lasting(seconds)}") for seconds in MUTE_SECONDS]
    if info.here:
        rows.append(Choosable("kick", "Kick…", "disconnect", bad=True))
    rows.append(Choosable("ban", "Ban…", "keep out", bad=True))
    if info.role == "member":
        rows.append(Choosable("role:operator", "Make an operator"))
        rows.append(Choosable("delete-account", "Delete the account…", bad=True))
    return rows


class Sentence(Struct, frozen=True):
    """What an operator decided: about whom, why, and for how long (0: for ever)."""

    target: str
    reason: str
    seconds: int = 0


class Spans(RowList[int]):
    """How long; the row under the cursor is the choice."""

    @property
    def shows_cursor(self) -> bool:
        return True

    def key_of(self, shown: int) -> Hashable:
        return shown

    def name_of(self, shown: int) -> str:
        return lasting(shown)

    def pieces_of(self, shown: int) -> list[Styled]:
        sign = "● " if shown == self.current else "○ "
        return [(f" {sign}", self.style_of("key")), (lasting(shown), Style.null())]

    def clicked(self, index: int, event: events.Click) -> None:
        """The cursor has moved there, and that is all."""


class SentenceForm(Dialog[Sentence]):
    """Asks why and for how long somebody is to be kicked or banned; an empty `target` is asked for too."""

    def __init__(self, title: str, yes: str, target: str, seconds: tuple[int, ...] = ()) -> None:
        super().__init__()
        self._title, self._yes, self._target, self._seconds = title, yes, target, seconds

    def inside(self) -> ComposeResult:
        if not self._target:
            yield Input(placeholder="a name, an address or a network such as 10.1.0.0/16", id="target", compact=True)
        yield Input(placeholder="why (shown to them)", id="reason", max_length=MAX_REASON_CHARS, compact=True)
        if self._seconds:
            yield Static("How long", classes="head", markup=False)
            yield Spans(id="spans")

    def buttons(self) -> ComposeResult:
        yield Button("Cancel", classes="close", compact=True)
        yield Button(Content(self._yes), id="sure", classes="bad", compact=True)

    def on_mount(self) -> None:
        super().on_mount()
        self.titled(Content(self._title))
        for spans in self.query(Spans):
            spans.set_rows(self._seconds)
            spans.styles.height = len(self._seconds)
        self.query(Input).first().focus()

    @on(Input.Submitted)
    @on(RowList.Chosen)
    @on(Button.Pressed, "#sure")
    def _sure(self) -> None:
        target = self._target or self.query_one("#target", Input).value.strip()
        if not target:
            self.complain("Say who.")
            return
        spans = self.query(Spans)
        seconds = spans.first().current or 0 if spans else 0
        self.dismiss(Sentence(target, self.query_one("#reason", Input).value.strip(), seconds))
