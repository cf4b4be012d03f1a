"""The help screen: keys, and what can be typed."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mystic_client.model.commands import MYSTIC, SLASH
from mystic_client.model.message_acts import ACTS
from mystic_client.model.spelling import Spelling

KEY_CELLS: Final = 22
MEANING_CELLS: Final = 46
KEYS: Final = {
    "Writing": (
        ("Enter", "send"),
        ("Ctrl+J", "new line"),
        ("Up, in an empty line", "edit what you said last"),
        ("Ctrl+P, Ctrl+N", "what you sent before (Up, Down too)"),
        ("Tab", "take the offered word, or go to the next part"),
        ("Escape", "back to the line"),
    ),
    "Going about": (
        ("F9", "the menu: everything that there is to do"),
        ("Ctrl+K", "go to a conversation, a group, somebody"),
        ("Ctrl+F", "search everything that was said"),
        ("Ctrl+PgUp, Ctrl+PgDn", "previous and next tab"),
        ("Alt+1 … Alt+9", "a tab by its place"),
        ("F8", "close the tab (of a group: leave it)"),
        ("F2", "people (Enter: talk privately, Space: mark)"),
        ("F3", "groups (Enter: join or open)"),
        ("F4", "files (below)"),
        ("F5", "details of the group or person in front"),
        ("F6", "new group"),
        ("F7", "dark or light"),
        ("F10", "disconnect"),
        ("Ctrl+Q", "quit"),
    ),
    "Reading": (
        ("PgUp, PgDn", "scroll the messages"),
        ("Ctrl+End", "newest message"),
        ("Alt+N", "first new message"),
        ("Ctrl+R", "send again what failed, or connect now"),
        ("Alt+Up, Alt+Down", "go to a message; then Enter, or:"),
    ),
    "Files": (
        ("letters", "filter; Escape shows all again"),
        ("Enter", "open a folder, fetch a file, fetch what is marked"),
        ("Backspace", "the folder above"),
        ("Space, Ctrl+A", "mark one, mark all"),
        ("Ctrl+G", "fetch what is marked, whole folders too"),
        ("Ctrl+O", "upload; in a conversation: send a file"),
        ("Ctrl+S, F5", "sort by another column, list again"),
        ("Ctrl+T", "over TCP, UDP, or what suits the way"),
        ("Tab", "to the transfers, where Enter shows a menu, and:"),
        ("  Space", "pause, go on"),
        ("  Delete, X", "cancel or remove, remove all that ended"),
        ("  R, V, O", "try again, verify once more, open the folder"),
    ),
    "In dialogs": (
        ("Tab, Shift+Tab", "next and previous part"),
        ("Up, Down, Enter", "choose a row; part of a name finds people"),
        ("Delete", "remove what the cursor is on"),
        ("Escape", "close"),
    ),
}
"""Keys by what they are for; what can be done with a message stands below "Reading"."""
MOUSE: Final = (
    "Everything can be clicked: ≡ Menu, your own name, tabs and their ⚙ and ×, people and groups, names in the "
    "conversation, links, Retry, the heads of columns, folders and files. A right click, or the ⋯ at the end of a row, "
    "shows details. Ctrl+click marks several people or files, a click at a file's left edge too. A file that is "
    "dropped onto the terminal is sent. Drag over messages to select them, Ctrl+C copies."
)
WHOSE: Final = {"": "Typed in the line", "owner": "By a group's owner, in the group", "operator": "By operators"}


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
    parts: list[Content] = []
    for title, rows in KEYS.items():
        parts += [_title(title), *(_entry(keys, meaning, KEY_CELLS) for keys, meaning in rows)]
        parts += _acts() if title == "Reading" else []
        parts.append(Content(""))
    parts += [_title("Mouse"), Content(MOUSE), Content("")]
    for who, title in WHOSE.items():
        parts += [_title(title), *_spellings([spelling for spelling in SLASH if spelling.who == who]), Content("")]
    parts += [Content("//text says something that begins with /"), Content("")]
    parts += [_title("The same in words"), *_spellings(MYSTIC)]
    return Content("\n").join(parts)


def _acts() -> list[Content]:
    """The keys for a message that was gone to."""
    return [_entry(f"  {act.key.upper()}", act.words, KEY_CELLS) for act in ACTS]


def _title(words: str) -> Content:
    return Content.styled(words, "bold $primary")


def _entry(left: str, right: str, width: int) -> Content:
    """Two columns that fit 80; what is too long for the first stands alone."""
    indent = " " * (width + 3)
    gap = " " if len(left) <= width else f"\n{indent}"
    return Content.assemble((f"  {left:<{width}}", "bold"), gap, f"\n{indent}".join(wrap(right, MEANING_CELLS)))


def _spellings(spellings: Sequence[Spelling]) -> list[Content]:
    return [_entry(spelling.usage, spelling.meaning, KEY_CELLS) for spelling in spellings]
