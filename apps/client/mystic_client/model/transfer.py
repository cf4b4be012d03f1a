"""A download as its user sees it."""

from typing import Final

from msgspec import Struct

from mystic_client.model.text import duration_in_words, size_in_words, speed_in_words

ENDED: Final = ("done", "failed", "cancelled")


class Transfer(Struct, frozen=True):
    """`state`: "waiting", "running", "verifying", "done", "failed" or "cancelled"; sizes in bytes, `left_s` seconds."""

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

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def fraction(self) -> float:
        """How much of it is here, 0 to 1."""
        return 1.0 if self.state == "done" else min(1.0, self.received / self.size) if self.size else 0.0

    def in_words(self) -> str:
        """How it stands, in a few words."""
        match self.state:
            case "waiting":
                return "waiting"
            case "running":
                left = f" · {duration_in_words(self.left_s)} left" if self.left_s is not None else ""
                amount = f"{size_in_words(self.received)} of {size_in_words(self.size)}"
                return f"{amount} · {speed_in_words(self.speed_bytes_s)}{left}"
            case "verifying":
                return f"{size_in_words(self.size)} · comparing with the server's hash"
            case "done":
                verified = "verified ✓ BLAKE3" if self.verified else "not verified"
                return f"{verified} · {self.saved_to}"
            case "failed":
                return self.error or "failed"
        return "cancelled"
