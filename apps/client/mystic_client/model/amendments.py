"""What has become of messages: edits and deletions that were heard, for those that come later in pages.

A page of history may be older than an edit that came just before it, so edits are kept for a while and applied to
whatever comes. Numbers are the log's, so one table serves all conversations.
"""

from typing import Final

from msgspec import Struct

from mystic_client.model.entries import deleted, edited, entry_of
from mystic_client.model.timeline import Entry
from mysticproto.model import Event, Message, MessageDeleted, MessageEdited, UserRef

MAX_KEPT: Final = 5000


class Amendment(Struct, frozen=True):
    """`text` is None for a deletion."""

    time_us: int
    text: str | None


class Amendments:
    """See the module; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._kept: dict[int, Amendment] = {}

    def heard(self, event: MessageEdited | MessageDeleted) -> None:
        """Keeps what was done to a message; a deleted one stays deleted."""
        known = self._kept.pop(event.message, None)
        if known is not None and known.text is None:
            self._kept[event.message] = known
            return
        text = event.text if isinstance(event, MessageEdited) else None
        self._kept[event.message] = Amendment(event.time_us, text)
        if len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]

    def entry(self, event: Event, own: UserRef) -> Entry:
        """The entry of an event as it is now."""
        entry = entry_of(event, own)
        known = self._kept.get(event.seq)
        if known is None or not isinstance(event, Message):
            return entry
        return entry if known.time_us < event.edited_us and known.text is not None else self.amended(entry, own)

    def amended(self, entry: Entry, own: UserRef) -> Entry:
        """A message as the last that was heard of it makes it."""
        known = self._kept.get(entry.place)
        if known is None:
            return entry
        return deleted(entry) if known.text is None else edited(entry, known.text, own)
