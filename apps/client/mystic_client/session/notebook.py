"""What a user was doing at one place: drafts, open conversations, read positions; restored at the next start.

The notebook is filled when the server has greeted (before `Online` is told) from a file beside the device's place
there, and saved as a whole, a moment after the last change. Without a file (another program has the place, or nothing
can be written) it is kept in memory. What is beyond its limits is forgotten, the longest untouched first.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field

from mystic_client.session.whole_files import read_at_most, set_aside, write_whole

MAX_CONVERSATIONS: Final = 500
MAX_DRAFT_BYTES: Final = 64 * 1024
MAX_KEY_CHARS: Final = 4096
SAVE_AFTER_S: Final = 0.3
_MAX_FILE_BYTES: Final = 2 * MAX_CONVERSATIONS * MAX_DRAFT_BYTES


class _Notes(Struct):
    drafts: dict[str, str] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)


class Notebook:
    """Conversations are named by keys of the owner's choice, such as `model.conversation_key`."""

    def __init__(self) -> None:
        self._notes = _Notes()
        self._path: Path | None = None
        self._saving: asyncio.TimerHandle | None = None

    @property
    def drafts(self) -> Mapping[str, str]:
        """What was typed and not said, by conversation."""
        return self._notes.drafts

    @property
    def open(self) -> Sequence[str]:
        """The open conversations, in the order of their tabs."""
        return self._notes.open

    @property
    def read(self) -> Mapping[str, int]:
        """The sequence numbers up to which conversations were read."""
        return self._notes.read

    def keep_draft(self, conversation: str, text: str) -> None:
        """Keeps what is typed, as far as `MAX_DRAFT_BYTES` go; an empty text forgets it."""
        _put(self._notes.drafts, conversation, text.encode(errors="replace")[:MAX_DRAFT_BYTES].decode(errors="ignore"))
        self._save_soon()

    def keep_open(self, conversations: Iterable[str]) -> None:
        """Keeps which conversations are open, the first `MAX_CONVERSATIONS` of them."""
        now_open = [key for key in dict.fromkeys(conversations) if len(key) <= MAX_KEY_CHARS][:MAX_CONVERSATIONS]
        if now_open != self._notes.open:
            self._notes.open = now_open
            self._save_soon()

    def keep_read(self, conversation: str, seq: int) -> None:
        """Keeps how far a conversation was read; it never goes back. 0 forgets it."""
        if seq == 0 or seq > self._notes.read.get(conversation, 0):
            _put(self._notes.read, conversation, seq)
            self._save_soon()

    # For the session.

    def turn_to(self, path: Path | None) -> None:
        """Saves, and goes on with what this file holds; a damaged one is set aside. None: with nothing, in memory."""
        self.save()
        self._path, self._notes = path, _Notes()
        if path is None:
            return
        try:
            data = read_at_most(path, _MAX_FILE_BYTES)
            if data is not None:
                self._notes = _checked(msgspec.json.decode(data, type=_Notes))
        except (OSError, msgspec.MsgspecError):
            set_aside(path)

    def save(self) -> None:
        """Writes what has changed, now."""
        if self._saving is None:
            return
        self._saving.cancel()
        self._saving = None
        self._write()

    def _save_soon(self) -> None:
        if self._path is not None and self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER_S, self.save)

    def _write(self) -> None:
        if self._path is not None:
            with contextlib.suppress(OSError):  # a full disk is no reason to stop chatting
                write_whole(self._path, msgspec.json.encode(self._notes))


def _put(kept: dict[str, str] | dict[str, int], key: str, value: str | int) -> None:
    """The last touched is the last in order."""
    kept.pop(key, None)
    if value and len(key) <= MAX_KEY_CHARS:
        kept[key] = value  # type: ignore[assignment]
    while len(kept) > MAX_CONVERSATIONS:
        del kept[next(iter(kept))]


def _checked(notes: _Notes) -> _Notes:
    """A file that somebody else wrote keeps to the limits too."""
    fine = Notebook()
    fine._notes.open = list(dict.fromkeys(notes.open))[:MAX_CONVERSATIONS]
    for key, text in notes.drafts.items():
        _put(fine._notes.drafts, key, text[:MAX_DRAFT_BYTES])
    for key, seq in notes.read.items():
        _put(fine._notes.read, key, max(seq, 0))
    return fine._notes
