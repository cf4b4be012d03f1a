"""What is said beside a file that a message brought: how far it is, and what a click does."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from mystic_client.model.transfer import Transfer


class Card(Struct, frozen=True):
    """`words` about the file, and what can be done: `act` is "get", "folder" (open it), or "" for nothing."""

    words: str = ""
    act: str = "get"
    label: str = "Get"


NEW: Final = Card()


def cards(transfers: Iterable[Transfer]) -> dict[int, Card]:
    """By the numbers of messages, for the files that were asked for; of two attempts the first one given counts."""
    found: dict[int, Card] = {}
    for transfer in transfers:
        if transfer.message and transfer.kind == "download":
            found.setdefault(transfer.message, card_of(transfer))
    return found


def card_of(transfer: Transfer) -> Card:
    """What is said about one that was asked for."""
    match transfer.state:
        case "done":
            return Card("here ✓" if transfer.verified else "here, not verified", "folder", "Open folder")
        case "failed":
            return Card(transfer.error or "failed", "get", "Again")
        case "cancelled":
            return NEW
        case "running":
            return Card(f"{transfer.fraction * 100:.0f} %", "", "")
    return Card(transfer.state, "", "")
