"""What can be done with a message, by whom."""

from typing import Final

from msgspec import Struct

from mystic_client.model.entries import MAX_SHOWN_CHARS
from mystic_client.model.timeline import Entry


class Act(Struct, frozen=True):
    """`name` says what it is, `key` does it while the message is selected. `bad`: it takes something away."""

    name: str
    key: str
    words: str
    bad: bool = False


ACTS: Final = (
    Act("get", "g", "Get the file"),
    Act("original", "o", "Go to what it answers"),
    Act("retry", "s", "Send again"),
    Act("drop", "x", "Give up", bad=True),
    Act("reply", "r", "Reply"),
    Act("edit", "e", "Edit"),
    Act("copy", "c", "Copy"),
    Act("readers", "i", "Who has read it"),
    Act("author", "p", "Talk privately"),
    Act("delete", "d", "Delete", bad=True),
)
"""In the order of the menu."""


def possible(entry: Entry, *, operator: bool = False, receipts: bool = False) -> list[Act]:
    """What can be done with a message; `receipts`: the server keeps who has read what is said there."""
    here = bool(entry.number) and not entry.deleted
    allowed = {
        "get": here and entry.file is not None,
        "original": bool(entry.reply_to),
        "retry": entry.state == "failed",
        "drop": entry.state == "failed",
        "reply": here,
        "edit": here and entry.own and len(entry.text) <= MAX_SHOWN_CHARS,
        "copy": not entry.deleted and bool(entry.text),
        "readers": here and receipts,
        "author": not entry.own,
        "delete": here and (entry.own or operator),
    }
    return [act for act in ACTS if entry.is_said and allowed[act.name]]
