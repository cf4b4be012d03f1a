"""The help screen: keys, and what can be typed."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mystic_client.model.commands import MYSTIC, SLASH
from mystic_client.model.spelling import Spelling

KEYS: Final = (
    ("Enter", "send"),
    ("Ctrl+J", "new line"),
    ("Up, Down", "what you sent before"),
    ("Tab", "take the offered word, or go to the next part"),
    ("Ctrl+PgUp, Ctrl+PgDn", "previous and next tab"),
    ("Alt+1 … Alt+9", "a tab by its place"),
    ("F8", "close the tab (a group's tab: leave the group)"),
    ("PgUp, PgDn", "scroll the messages"),
    ("Ctrl+End", "newest message"),
    ("Ctrl+R", "send what failed again, or try to connect now"),
    ("F2", "people: Enter talks privately, Space marks several"),
    ("F3", "groups: Enter joins or opens"),
    ("F4", "files: Backspace goes up, F5 reads again, Ctrl+S sorts"),
    ("F6", "new group"),
    ("F7", "dark or light"),
    ("F10", "disconnect"),
    ("Escape", "back to the line"),
    ("Ctrl+Q", "quit"),
)
MOUSE: Final = (
    "Everything can be clicked: tabs and their ×, people and groups, names in the conversation, links, Retry, "
    "the heads of columns, folders and files. Ctrl+click marks several people. Drag over messages to select them, "
    "Ctrl+C copies."
)


class HelpScreen(ModalScreen[None]):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(help_content(), markup=False)

    def on_click(self) -> None:
        self.dismiss()


def help_content() -> Content:
    """All of the help, drawn as text."""
    parts: list[Content] = [_title("Keys"), *(_entry(keys, meaning, 22) for keys, meaning in KEYS), Content("")]
    parts += [_title("Mouse"), Content(MOUSE), Content("")]
    parts += [
        _title("Typed in the line"),
        *_spellings(SLASH),
        Content("  //text says something that begins with /"),
        Content(""),
    ]
    parts += [_title("The same in words"), *_spellings(MYSTIC)]
    return Content("\n").join(parts)


def _title(words: str) -> Content:
    return Content.styled(words, "bold $primary")


def _entry(left: str, right: str, width: int) -> Content:
    return Content.assemble((f"  {left:<{width}} ", "bold"), right)


def _spellings(spellings: tuple[Spelling, ...]) -> list[Content]:
    width = max(len(spelling.usage) for spelling in spellings)
    return [_entry(spelling.usage, spelling.meaning, width) for spelling in spellings]
