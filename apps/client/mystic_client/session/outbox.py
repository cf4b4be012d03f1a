"""What was said and is not acknowledged: kept in order, with the client ids under which it may be sent again."""

import secrets
import time

from msgspec import Struct

from mystic_client.session.heard import OutboxFull, PostState
from mysticproto.model import MAX_TEXT_BYTES, Ok, Refused, Target, ToGroup, ToUsers
from mysticproto.native import MAX_REQUEST_BYTES

MAX_WAITING = 1000
MAX_OVERHEAD_BYTES = 1024
"""What a post's frame has beside its text and its addressees."""


class Entry(Struct, frozen=True):
    """One post. The same `cid` at every attempt makes it happen once."""

    cid: bytes
    to: Target
    text: str
    reply_to: int

    def fits(self) -> bool:
        """Whether it is short enough to be sent: a frame that is too large would end the connection."""
        size = len(self.text.encode())
        return size <= MAX_TEXT_BYTES and size + _address_bytes(self.to) + MAX_OVERHEAD_BYTES <= MAX_REQUEST_BYTES

    def pending(self) -> PostState:
        return PostState(self.cid, "pending", self.to, self.text)

    def sent(self, ok: Ok) -> PostState:
        return PostState(
            self.cid, "sent", self.to, self.text, seq=ok.seq, time_us=ok.time_us, unknown=ok.unknown, away=ok.away
        )

    def failed(self, error: str, unknown: tuple[str, ...] = ()) -> PostState:
        return PostState(self.cid, "failed", self.to, self.text, unknown=unknown, error=error)


class Outbox:
    """Posts in the order of their making; the answer to a number of the running connection settles one."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Entry] = {}
        self._asked: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, to: Target, text: str, reply_to: int) -> Entry:
        """Takes a post, or raises `OutboxFull`."""
        if len(self._waiting) >= MAX_WAITING:
            raise OutboxFull(f"{MAX_WAITING} messages are waiting to be sent already")
        entry = Entry(new_client_id(), to, text, reply_to)
        self._waiting[entry.cid] = entry
        return entry

    def waiting(self) -> list[Entry]:
        """All that is not acknowledged, oldest first; with a new connection all of it is to be sent (again)."""
        return list(self._waiting.values())

    def disconnected(self) -> None:
        """Forgets under which numbers things were asked: answers to them will not come."""
        self._asked.clear()

    def asked(self, n: int, entry: Entry) -> None:
        """Notes that request `n` carries the entry."""
        self._asked[n] = entry.cid

    def maybe_settle(self, reply: Ok | Refused) -> PostState | None:
        """The fate of the post that this answers, which is waiting no longer; None if it answers none."""
        entry = self._waiting.pop(self._asked.pop(reply.n, b""), None)
        if entry is None:
            return None
        return entry.sent(reply) if isinstance(reply, Ok) else entry.failed(reply.text, _unknown(reply))

    def maybe_refuse(self, cid: bytes, error: str) -> PostState | None:
        """Fails one that was never sent, if it still waits."""
        entry = self._waiting.pop(cid, None)
        return entry.failed(error) if entry else None

    def give_up(self, error: str) -> list[PostState]:
        """Everything that waits fails."""
        failed = [entry.failed(error) for entry in self._waiting.values()]
        self._waiting.clear()
        self._asked.clear()
        return failed


def _address_bytes(to: Target) -> int:
    match to:
        case ToUsers(names):
            return sum(len(name.encode()) + 5 for name in names)
        case ToGroup(name):
            return len(name.encode())
    return 0


def _unknown(reply: Refused) -> tuple[str, ...]:
    return (reply.about,) if reply.code == "unknown_user" and reply.about else ()


def new_client_id() -> bytes:
    """A UUID of version 7 (RFC 9562): milliseconds since 1970, then chance."""
    made = bytearray((time.time_ns() // 1_000_000).to_bytes(6) + secrets.token_bytes(10))
    made[6] = made[6] & 0x0F | 0x70
    made[8] = made[8] & 0x3F | 0x80
    return bytes(made)
