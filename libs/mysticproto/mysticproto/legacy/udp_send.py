"""UdpFileSender: a file in datagrams, as Mystic CLI clients receive it, with what was lost sent again.

    WAITING --UDP_READY--> SENDING --everything acknowledged--> ENDING --> OVER
       |  5 s                 |  10 s without a sign
       +----------------------+------------------------------------------> OVER

A datagram is a 4-byte big-endian sequence number from 0 on and at most 1024 bytes; the client acknowledges each one by
its number, and stops at the end datagram, whatever is missing. So the end is sent only when nothing is missing, and
several times, because the client does not acknowledge it. A client takes a chunk that equals the end's text for the
end: a file that ends so has its last chunk cut in two.

Pacing: at most `window` datagrams are on their way, never more than what the smallest usual receive buffer holds. An
acknowledgement lets the next one go. What was sent well before an acknowledged datagram, or longer ago than several
round trips, is taken for lost.

No clock, no socket, no file: `now` goes in, and `read` gives the file's bytes.
"""

from collections.abc import Callable
from enum import Enum
from itertools import takewhile
from typing import Final

from msgspec import Struct

from mysticproto.errors import Code

READY: Final = b"UDP_READY"
END_TEXT: Final = b"[UDP_FILE_END]"
CHUNK_BYTES: Final = 1024
SEQUENCE_BYTES: Final = 4
MAX_WINDOW: Final = 48
"""Datagrams: 48 KiB, where the receive buffer of some platforms is 64 KiB."""
READY_LIMIT_S: Final = 5.0
SILENCE_LIMIT_S: Final = 10.0
"""Without an acknowledgement; the client gives up after as long."""
END_AFTER_S: Final = (0.0, 0.1, 0.3, 0.7)
"""When the end is sent."""
OVER_AFTER_S: Final = 1.0
"""The client still writes the file when the end has come; a next file's header would change the name it writes to."""

_FIRST_WINDOW = 16
_MIN_WINDOW = 4
_FIRST_TIMEOUT_S = 0.2
_TIMEOUT_RANGE_S = (0.05, 0.5)
_REORDERED = 8  # datagrams that may overtake one before it is taken for lost


class Ended(Struct, frozen=True):
    """How it ended: `code` is None if all has arrived, else IDLE (nobody asked for it), MALFORMED (somebody said
    something else than `READY`), TOO_SLOW (the client went silent) or FILE_CHANGED (it became shorter)."""

    code: Code | None
    text: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the client has the whole file."""
        return self.code is None


class State(Enum):
    """See the module."""

    WAITING = 1
    SENDING = 2
    ENDING = 3
    OVER = 4


class _Sent(Struct):
    """A datagram on its way: `serial` counts all sendings."""

    serial: int
    at: float
    is_repeat: bool


class UdpFileSender:
    """See the module. `read(offset, count)` gives bytes of the file, fewer if it has become shorter."""

    def __init__(self, size: int, read: Callable[[int, int], bytes], now: float) -> None:
        self.state = State.WAITING
        self.ended: Ended | None = None
        """Set when it is OVER."""
        self._size = size
        self._read = read
        self._chunks = -(-size // CHUNK_BYTES)
        self._cut_last_at = 0  # where the last chunk is cut in two; 0: it isn't
        self._next = 0
        self._in_flight: dict[int, _Sent] = {}  # by sequence number, in the order of sending
        self._missing: dict[int, bool] = {}  # sequence numbers to send again
        self._serial = 0
        self._window = float(_FIRST_WINDOW)
        self._shrunk_at_serial = 0
        self._round_trip_s = 0.0
        self._timeout_s = _FIRST_TIMEOUT_S
        self._since = now  # when the state began, or the client gave its last sign
        self._ends_sent = 0
        self._was_misread = False

    def feed(self, datagram: bytes, now: float) -> list[bytes]:
        """What the client sent, or b"" when `next_deadline()` has passed. Returns what to send to it."""
        match self.state:
            case State.WAITING:
                return self._wait(datagram, now)
            case State.SENDING:
                return self._go_on(datagram, now)
            case State.ENDING:
                return self._say_end(now)
            case State.OVER:
                return []

    def next_deadline(self) -> float | None:
        """When to call `feed(b"", now)` though nothing came; None when it is over."""
        match self.state:
            case State.WAITING:
                return self._since + READY_LIMIT_S
            case State.SENDING:
                oldest = next(iter(self._in_flight.values()), None)
                silence = self._since + SILENCE_LIMIT_S
                return min(silence, oldest.at + self._timeout_s) if oldest else silence
            case State.ENDING:
                return self._since + (*END_AFTER_S, OVER_AFTER_S)[self._ends_sent]
            case State.OVER:
                return None

    # Before the client is ready.

    def _wait(self, datagram: bytes, now: float) -> list[bytes]:
        if datagram == READY:
            self.state, self._since = State.SENDING, now
            self._look_at_the_end()
            return self._go_on(b"", now)
        self._was_misread = self._was_misread or bool(datagram)
        if now >= self._since + READY_LIMIT_S:
            if self._was_misread:
                self._over(Ended(Code.MALFORMED, "The client said something else than that it is ready."))
            else:
                self._over(Ended(Code.IDLE, "The client did not respond."))
        return []

    def _look_at_the_end(self) -> None:
        tail = self._size % CHUNK_BYTES
        if tail == len(END_TEXT) and self._read(self._size - tail, tail) == END_TEXT:
            self._cut_last_at = self._size - tail // 2
            self._chunks += 1

    # The file.

    def _go_on(self, datagram: bytes, now: float) -> list[bytes]:
        may_repeat = self._acknowledge(datagram, now)
        self._give_up_overdue(now)
        if now >= self._since + SILENCE_LIMIT_S:
            self._over(Ended(Code.TOO_SLOW, "The client stopped answering."))
            return []
        to_send: list[bytes] = []
        while self._has_room(may_repeat and not to_send) and (sequence := self._maybe_next()) is not None:
            chunk = self._chunk(sequence)
            if not chunk:
                self._over(Ended(Code.FILE_CHANGED, "The file has changed meanwhile."))
                return []
            to_send.append(_packed(sequence, chunk))
            self._serial += 1
            self._in_flight[sequence] = _Sent(self._serial, now, self._missing.pop(sequence, False))
        if not self._in_flight:
            self.state, self._since = State.ENDING, now
            return self._say_end(now)
        return to_send

    def _has_room(self, may_repeat: bool) -> bool:
        """Whether one more may be on its way. What is missing may take the place of one that has arrived, even if the
        window has become smaller."""
        return len(self._in_flight) < int(self._window) or (may_repeat and bool(self._missing))

    def _maybe_next(self) -> int | None:
        """What to send now: what is missing first."""
        for sequence in self._missing:
            return sequence
        if self._next == self._chunks:
            return None
        self._next += 1
        return self._next - 1

    def _acknowledge(self, datagram: bytes, now: float) -> bool:
        """Whether something on its way has arrived."""
        if len(datagram) != SEQUENCE_BYTES:
            return False
        sequence = int.from_bytes(datagram)
        if self._missing.pop(sequence, False):
            self._since = now
        sent = self._in_flight.pop(sequence, None)
        if sent is None:
            return False
        self._since = now
        self._window = min(float(MAX_WINDOW), self._window + 1 / self._window)
        if not sent.is_repeat:
            self._measure(now - sent.at)
        self._give_up(lambda other: other.serial + _REORDERED < sent.serial)
        return True

    def _measure(self, round_trip_s: float) -> None:
        old = self._round_trip_s or round_trip_s
        self._round_trip_s = old + (round_trip_s - old) / 8
        self._timeout_s = min(max(4 * self._round_trip_s, _TIMEOUT_RANGE_S[0]), _TIMEOUT_RANGE_S[1])

    def _give_up_overdue(self, now: float) -> None:
        if self._give_up(lambda sent: sent.at + self._timeout_s <= now):
            self._timeout_s = min(2 * self._timeout_s, _TIMEOUT_RANGE_S[1])

    def _give_up(self, is_lost: Callable[[_Sent], bool]) -> bool:
        """Takes the oldest datagrams on their way for missing as long as they are lost. The window becomes smaller,
        once for all that was on its way together."""
        lost = list(takewhile(lambda sequence: is_lost(self._in_flight[sequence]), self._in_flight))
        if lost and self._in_flight[lost[-1]].serial > self._shrunk_at_serial:
            self._shrunk_at_serial = self._serial
            self._window = max(float(_MIN_WINDOW), self._window / 2)
        for sequence in lost:
            del self._in_flight[sequence]
            self._missing[sequence] = True
        return bool(lost)

    def _chunk(self, sequence: int) -> bytes:
        """A chunk's bytes; nothing if the file is no more what it was."""
        start, end = sequence * CHUNK_BYTES, min((sequence + 1) * CHUNK_BYTES, self._size)
        if self._cut_last_at and sequence == self._chunks - 2:
            end = self._cut_last_at
        elif self._cut_last_at and sequence == self._chunks - 1:
            start, end = self._cut_last_at, self._size
        chunk = self._read(start, end - start)
        return chunk if len(chunk) == end - start else b""

    # The end.

    def _say_end(self, now: float) -> list[bytes]:
        if now >= self._since + OVER_AFTER_S:
            self._over(Ended(None))
        elif self._ends_sent < len(END_AFTER_S) and now >= self._since + END_AFTER_S[self._ends_sent]:
            self._ends_sent += 1
            return [_packed(self._chunks, END_TEXT)]
        return []

    def _over(self, ended: Ended) -> None:
        self.state, self.ended = State.OVER, ended


def _packed(sequence: int, chunk: bytes) -> bytes:
    return sequence.to_bytes(SEQUENCE_BYTES) + chunk
