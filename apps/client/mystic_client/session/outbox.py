"""What was said and is not acknowledged: kept in order, with the client ids under which it may be sent again.

A post waits until the server answers it: then it is gone, or failed, and a failed one stays until its user retries or
discards it. Only so many are under way at once: a server that takes them slowly shall still hear a question soon.

With a file (`take_up`) all that outlives the program; what was said before the server, and so the file, was known goes
behind what the file holds.
"""

import secrets
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from mystic_client.session.heard import OutboxFull, PostState
from mystic_client.session.journal import Again, Failed, Gone, Journal, Record, Said
from mysticproto.model import MAX_TEXT_BYTES, Ok, Refused, Target, ToGroup, ToUsers
from mysticproto.native import MAX_REQUEST_BYTES

MAX_WAITING = 1000
MAX_FAILED = 1000
"""Beyond it, what failed first is given up."""
MAX_UNDER_WAY = 10
"""Posts sent and not answered yet."""
MAX_OVERHEAD_BYTES = 1024
"""What a post's frame has beside its text and its addressees."""
TOO_LONG = f"it is too long: a message has at most {MAX_TEXT_BYTES} bytes"
NO_ROOM = "it was for the group that you were in, and you are not in it any more"
OTHER_SERVER = "another server answers at this address now; it waits for the one that it was for"


class Entry(Struct, frozen=True):
    """One post. The same `cid` at every attempt makes it happen once."""

    cid: bytes
    to: Target
    text: str
    reply_to: int
    time_us: int
    restored: bool = False

    def fits(self) -> bool:
        """Whether it is short enough to be sent: a frame that is too large would end the connection."""
        size = len(self.text.encode())
        return size <= MAX_TEXT_BYTES and size + _address_bytes(self.to) + MAX_OVERHEAD_BYTES <= MAX_REQUEST_BYTES

    def pending(self) -> PostState:
        return self._state("pending")

    def sent(self, ok: Ok) -> PostState:
        return msgspec.structs.replace(
            self._state("sent"),
            seq=ok.seq,
            time_us=ok.time_us,
            unknown=ok.unknown,
            away=ok.away,
            away_since_us=ok.away_since_us,
        )

    def failed(self, error: str, unknown: tuple[str, ...] = ()) -> PostState:
        return msgspec.structs.replace(self._state("failed"), error=error, unknown=unknown)

    def _state(self, state: str) -> PostState:
        return PostState(
            self.cid, state, self.to, self.text, time_us=self.time_us, reply_to=self.reply_to, restored=self.restored
        )


class Outbox:
    """Posts in the order of their making; the answer to a number of the running connection settles one."""

    def __init__(self, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._now_us = now_us
        self._waiting: dict[bytes, Entry] = {}
        self._failed: dict[bytes, tuple[Entry, str]] = {}
        self._asked: dict[int, bytes] = {}
        self._unsent: dict[bytes, None] = {}
        """Those waiting ones that the running connection has not carried yet, without what fits no frame."""
        self._journal: Journal | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, to: Target, text: str, reply_to: int, *, lasting: bool = False) -> Entry:
        """Takes a post, or raises `OutboxFull`. `lasting`: on the disk when this returns, if there is a file."""
        if len(self._waiting) >= MAX_WAITING:
            raise OutboxFull(f"{MAX_WAITING} messages are waiting to be sent already")
        entry = Entry(new_client_id(), to, text, reply_to, self._now_us())
        self._wait(entry)
        self._note(_said(entry), lasting=lasting)
        return entry

    def waiting(self) -> list[Entry]:
        """All that is not acknowledged, oldest first."""
        return list(self._waiting.values())

    def sendable(self) -> list[Entry]:
        """What is to be sent now, oldest first."""
        room = MAX_UNDER_WAY - len(self._asked)
        return [self._waiting[cid] for cid in islice(self._unsent, max(0, room))]

    def disconnected(self) -> None:
        """Forgets under which numbers things were asked: answers to them will not come, so all is to be sent again."""
        self._asked.clear()
        self._unsent = {entry.cid: None for entry in self._waiting.values() if entry.fits()}

    def asked(self, n: int, entry: Entry) -> None:
        """Notes that request `n` carries the entry."""
        self._asked[n] = entry.cid
        self._unsent.pop(entry.cid, None)

    def maybe_settle(self, reply: Ok | Refused) -> PostState | None:
        """The fate of the post that this answers, which is waiting no longer; None if it answers none."""
        entry = self._waiting.get(self._asked.pop(reply.n, b""))
        if entry is None:
            return None
        if isinstance(reply, Refused):
            return self._fail(entry, reply.text, _unknown(reply))
        del self._waiting[entry.cid]
        self._note(Gone(entry.cid))
        return entry.sent(reply)

    def maybe_refuse(self, cid: bytes, error: str) -> PostState | None:
        """Fails one that was never sent, if it still waits."""
        entry = self._waiting.get(cid)
        return self._fail(entry, error) if entry else None

    def maybe_retry(self, cid: bytes) -> Entry | None:
        """What failed waits again, behind all others; None if nothing of this id has failed."""
        entry, _ = self._failed.get(cid, (None, ""))
        if entry is None:
            return None
        if len(self._waiting) >= MAX_WAITING:
            raise OutboxFull(f"{MAX_WAITING} messages are waiting to be sent already")
        del self._failed[cid]
        self._wait(entry)
        self._note(Again(cid))
        return entry

    def discard(self, cid: bytes) -> bool:
        """Gives a post up that has failed or waits for a connection; whether there was one."""
        if cid in self._asked.values():
            return False
        found = self._failed.pop(cid, None) or self._waiting.pop(cid, None)
        self._unsent.pop(cid, None)
        if found is not None:
            self._note(Gone(cid))
        return found is not None

    def give_up(self, error: str) -> list[PostState]:
        """The end: what waits fails, unless it is kept in a file for the next start."""
        self._asked.clear()
        failed = [] if self._journal else [entry.failed(error) for entry in self._waiting.values()]
        self._close()
        self._waiting.clear()
        self._unsent.clear()
        return failed

    # The file.

    def take_up(self, path: Path | None) -> list[PostState]:
        """Goes on with what this file holds, and keeps everything there; None: without one. What it held is told."""
        self._close()
        if path is None:
            return []
        since, self._waiting = self._waiting, {}
        self._journal = Journal(path)
        _replay(self._journal.open(), self._waiting, self._failed)
        self._refuse_hopeless()
        told = [entry.pending() for entry in self._waiting.values()]
        told += [entry.failed(error) for entry, error in self._failed.values() if entry.restored]
        self._waiting.update(since)
        self.disconnected()
        self._journal.rewrite(self._records())
        return told

    def leave(self) -> list[PostState]:
        """Another server is here: what was for the first is not for this one. It fails here, and stays in its file."""
        self._close()
        left, self._waiting = self._waiting, {}
        self._unsent.clear()
        self._failed.clear()
        return [entry.failed(OTHER_SERVER) for entry in left.values()]

    def _refuse_hopeless(self) -> None:
        """What an earlier run left and can't be sent as it is."""
        for entry in self.waiting():
            if not entry.fits():
                self._fail(entry, TOO_LONG)
            elif entry.to == ToGroup():
                self._fail(entry, NO_ROOM)

    def _wait(self, entry: Entry) -> None:
        self._waiting[entry.cid] = entry
        if entry.fits():
            self._unsent[entry.cid] = None

    def _fail(self, entry: Entry, error: str, unknown: tuple[str, ...] = ()) -> PostState:
        del self._waiting[entry.cid]
        self._unsent.pop(entry.cid, None)
        self._failed[entry.cid] = (entry, error)
        self._note(Failed(entry.cid, error))
        if len(self._failed) > MAX_FAILED:
            self.discard(next(iter(self._failed)))
        return entry.failed(error, unknown)

    def _note(self, record: Record, *, lasting: bool = False) -> None:
        if self._journal is not None:
            self._journal.append(record, lasting=lasting)
            self._journal.compact_if_due(self._records)

    def _records(self) -> list[Record]:
        """The shortest story that leads here."""
        failed = [
            record for entry, error in self._failed.values() for record in (_said(entry), Failed(entry.cid, error))
        ]
        return [*failed, *map(_said, self._waiting.values())]

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
        self._journal = None


def _replay(records: list[Record], waiting: dict[bytes, Entry], failed: dict[bytes, tuple[Entry, str]]) -> None:
    for record in records:
        match record:
            case Said(cid, to, text, reply_to, time_us):
                waiting[cid] = Entry(cid, to, text, reply_to, time_us, restored=True)
            case Failed(cid, error):
                if cid in waiting:
                    failed[cid] = (waiting.pop(cid), error)
            case Again(cid):
                if cid in failed:
                    waiting[cid] = failed.pop(cid)[0]
            case Gone(cid):
                waiting.pop(cid, None)
                failed.pop(cid, None)


def _said(entry: Entry) -> Said:
    return Said(entry.cid, entry.to, entry.text, entry.reply_to, entry.time_us)


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
