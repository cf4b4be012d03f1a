"""What a session tells its owner: the state of the connection, the fate of posts, and what the server says."""

from typing import TypeAlias

from msgspec import Struct

from mysticproto import model


class NotConnected(Exception):
    """There is no server to ask right now; the sentence says why."""


class OutboxFull(Exception):
    """Too many posts are waiting for their acknowledgement; this one was not taken."""


class Address(Struct, frozen=True):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Trying(Struct, frozen=True):
    """Connecting and logging in; `attempt` is 1 at first and counts up until it succeeds."""

    attempt: int


class Online(Struct, frozen=True):
    """Logged in. `again`: after a break, so lists may have changed meanwhile."""

    welcome: model.Welcome
    again: bool


class Waiting(Struct, frozen=True):
    """Lost or not reachable; the next attempt comes by itself in `retry_in_s`."""

    reason: str
    retry_in_s: float


class Ended(Struct, frozen=True):
    """Final, nothing will be tried again.

    `code` is "left", "dropped", "unreachable" or "lost" (without retry), "fingerprint_changed" (`known` is the pinned
    fingerprint, `seen` the one that the server has now), or what the server said: an `errors.Code`.
    """

    code: str
    text: str
    known: str = ""
    seen: str = ""


class PostState(Struct, frozen=True):
    """What has become of a post of ours. `state`: "pending", "sent" (on the server's disk) or "failed" (see `error`).

    A post is pending, then sent or failed; a failed one stays in the outbox until it is retried (pending again) or
    discarded. `time_us` is when it was said, by this device's clock, and by the server's once it is sent. `unknown`,
    `away` and `away_since_us` are as in `model.Ok`. `restored`: an earlier run of this program said it; it is told so
    right after the first `Online`, as pending or failed.
    """

    cid: bytes
    state: str
    to: model.Target
    text: str
    seq: int = 0
    time_us: int = 0
    unknown: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    error: str = ""
    away_since_us: tuple[int, ...] = ()
    reply_to: int = 0
    restored: bool = False


State: TypeAlias = Trying | Online | Waiting | Ended
Heard: TypeAlias = (
    State
    | PostState
    | model.Event
    | model.Marked
    | model.Notice
    | model.StoppingIn
    | model.Bye
    | model.FileHashed
    | model.FolderChanged
)
"""`StoppingIn` comes together with a `Notice` that says the same in words."""
