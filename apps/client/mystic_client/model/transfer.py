"""A download or an upload as its user sees it."""

from typing import Final

from msgspec import Struct

from mystic_client.model.text import counted, duration_in_words, size_in_words, speed_in_words

ENDED: Final = ("done", "failed", "cancelled")
AT_WORK: Final = ("waiting", "hashing", "running", "verifying")
"""Something happens, or would with a connection."""


class Transfer(Struct, frozen=True):
    """One line of the list. Sizes in bytes, `left_s` seconds; numbers are never used again.

    `path`: of a download where it is on the server, of an upload where it is here. `kind`: "download", "folder" (a
    whole folder is downloaded; `files` of it there are, `files_done` are here) or "upload".

    `state`: "queued" (for a place), "waiting" (for the server), "hashing", "running", "paused", "verifying", "done",
    "failed" (see `error`) or "cancelled". `note`: what was done otherwise than expected, such as TCP instead of UDP.
    `saved_to`: where a download lies here, or an upload in the shared folder. `over`: "tcp" or "udp", and "auto" if it
    was asked for so and isn't decided yet. `whither`: where it goes or lies, in words. `message`: the one that brought
    the file, or announces it. `called`: the file's name where the path does not say it.
    """

    number: int
    path: str
    state: str = "waiting"
    size: int = 0
    received: int = 0
    speed_bytes_s: float = 0.0
    left_s: float | None = None
    saved_to: str = ""
    verified: bool = False
    error: str = ""
    kind: str = "download"
    note: str = ""
    over: str = "tcp"
    whither: str = ""
    message: int = 0
    files: int = 0
    files_done: int = 0
    called: str = ""

    @property
    def name(self) -> str:
        """What to call it: the file's or folder's own name."""
        return self.called or self.path.replace("\\", "/").rstrip("/").rpartition("/")[2]

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def can_pause(self) -> bool:
        return self.state == "queued" or self.state in AT_WORK

    @property
    def can_resume(self) -> bool:
        return self.state == "paused"

    @property
    def can_retry(self) -> bool:
        return self.state in ("failed", "cancelled")

    @property
    def can_verify(self) -> bool:
        """Whether what lies here can be compared with the server's hash once more."""
        return self.kind == "download" and self.state == "done" and bool(self.saved_to)

    @property
    def fraction(self) -> float:
        """How much of it is there, 0 to 1."""
        return 1.0 if self.state == "done" else min(1.0, self.received / self.size) if self.size else 0.0

    def in_words(self) -> str:
        """How it stands, in a few words."""
        return self._state_in_words() + (f" · {self.note}" if self.note else "")

    def _state_in_words(self) -> str:
        match self.state:
            case "hashing":
                return f"{size_in_words(self.size)} · hashing"
            case "running":
                left = f" · {duration_in_words(self.left_s)} left" if self.left_s is not None else ""
                return f"{self._amount} · {speed_in_words(self.speed_bytes_s)}{left}"
            case "paused":
                return f"paused · {self._amount}" if self.size else "paused"
            case "verifying":
                with_whom = (
                    "the server compares hashes" if self.kind == "upload" else "comparing with the server's hash"
                )
                return f"{size_in_words(self.size)} · {with_whom}"
            case "done":
                return self._outcome
            case "failed":
                return self.error or "failed"
        return self.state

    @property
    def _amount(self) -> str:
        amount = f"{size_in_words(self.received)} of {size_in_words(self.size)}"
        return f"{self.files_done} of {counted(self.files, 'file')} · {amount}" if self.kind == "folder" else amount

    @property
    def _outcome(self) -> str:
        verified = "verified ✓ BLAKE3" if self.verified else "not verified"
        if self.kind == "folder":
            verified = f"{counted(self.files, 'file')} · {verified}"
        where = self.whither or self.saved_to
        return f"{verified} · {where}" if where else verified
