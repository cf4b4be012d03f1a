"""OutQueue: what a peer has yet to get, in order, with a byte count; a span of a file is a chunk like another.

`push` never writes; `flush` writes what the kernel takes, once per peer and tick. Bytes in memory are counted against
the limits, spans of files are not. What the kernel took is counted, so that a slow peer can be told from one that
stopped.
"""

import base64
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

from mysticproto.wire import Alone

MAX_SEND_BYTES = 256 * 1024
"""Bytes handed to the kernel in one call, and of a file in one turn where it can't be told to send the file itself."""
SPAN_BUDGET_BYTES = 2 * 1024 * 1024
"""Bytes of files that one peer gets before the others have their turn. Few large calls are cheaper than many."""
SPAN_LEAST_BYTES = 64 * 1024
"""What one peer gets when it is late already, as it is when the disk is slow."""

_COPY_STEP_BYTES = 64 * 1024
_BASE64_STEP_BYTES = 48 * 1024
"""Divisible by three, so that the pieces' base64 is the whole's."""
_HAS_SENDFILE = hasattr(os, "sendfile")


class Sender(Protocol):
    """A socket, or what encrypts for one: then what was not reported as sent is given to it again, first."""

    def send(self, data: bytes | memoryview, /) -> int:
        """Takes some of it, and returns how many bytes; raises BlockingIOError when there is no room."""


class FileCutShort(Exception):
    """A file became shorter while it was sent: what was promised can't be kept, so the connection must end."""


class FileSpan:
    """`count` bytes of an open file from `offset` on; owns the descriptor and closes it when sent or dropped.

    `closed(complete)` is called once, when that has happened.
    """

    __slots__ = ("closed", "count", "fd", "offset")

    def __init__(self, fd: int, offset: int, count: int) -> None:
        self.fd = fd
        self.offset = offset
        self.count = count
        self.closed: Callable[[bool], None] | None = None

    def send(self, sock: Sender, limit: int = SPAN_BUDGET_BYTES) -> int:
        """Hands some of it to the kernel, at most `limit` bytes, and returns how many that were.

        Raises BlockingIOError when the kernel is full, FileCutShort when the file has become shorter.
        """
        if _HAS_SENDFILE and isinstance(sock, socket.socket):
            sent = os.sendfile(sock.fileno(), self.fd, self.offset, min(self.count, limit))
        else:
            sent = self._copy(sock, min(self.count, limit, MAX_SEND_BYTES))
        if not sent:
            raise FileCutShort
        self.offset += sent
        self.count -= sent
        return sent

    def close(self) -> None:
        """Closes the descriptor; may be called again."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            if self.closed:
                self.closed(not self.count)

    def _copy(self, sock: Sender, count: int) -> int:
        """Reads no further ahead than it must: what the kernel doesn't take is read again."""
        sent = 0
        os.lseek(self.fd, self.offset, os.SEEK_SET)
        while sent < count and (data := os.read(self.fd, min(count - sent, _COPY_STEP_BYTES))):
            try:
                taken = sock.send(data)
            except BlockingIOError:
                if not sent:
                    raise
                break
            sent += taken
            if taken < len(data):
                break
        return sent


class Base64Span(FileSpan):
    """A span whose bytes go out as base64, read as far ahead as one send takes."""

    __slots__ = ("_encoded", "_unread")

    def __init__(self, fd: int, offset: int, count: int) -> None:
        super().__init__(fd, offset, count)
        self._encoded = b""
        self._unread = count

    def send(self, sock: Sender, limit: int = SPAN_BUDGET_BYTES) -> int:
        """As `FileSpan.send`, in its own steps whatever the limit; returns bytes of base64. `count` stays above 0 until
        the last of them has left."""
        if not self._encoded:
            os.lseek(self.fd, self.offset, os.SEEK_SET)
            data = os.read(self.fd, min(self._unread, _BASE64_STEP_BYTES))
            if not data or (len(data) % 3 and len(data) < self._unread):
                raise FileCutShort
            self.offset += len(data)
            self._unread -= len(data)
            self._encoded = base64.b64encode(data)
        sent = sock.send(self._encoded)
        self._encoded = self._encoded[sent:]
        self.count = self._unread + len(self._encoded)
        return sent


OutChunk: TypeAlias = bytes | Alone | FileSpan


class OutQueue:
    """What one peer has yet to get."""

    __slots__ = (
        "_alone_gap_s",
        "_chunks",
        "_first_sent",
        "_last_sent_at",
        "_quiet_until",
        "bytes_held",
        "bytes_to_peer",
    )

    def __init__(self) -> None:
        self._chunks: deque[OutChunk] = deque()
        self._first_sent = 0  # bytes of the first chunk that the kernel already has
        self._alone_gap_s = 0.0
        self._last_sent_at = -1e9
        self._quiet_until = -1e9
        self.bytes_held = 0
        """In memory, not yet taken by the kernel."""
        self.bytes_to_peer = 0
        """Taken by the kernel so far: progress."""

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def pace(self, alone_gap_s: float) -> None:
        """Sets the silence around `Alone` chunks."""
        self._alone_gap_s = alone_gap_s

    def push(self, chunk: OutChunk) -> None:
        """Appends."""
        if type(chunk) is bytes:
            self.bytes_held += len(chunk)
        elif type(chunk) is Alone:
            self.bytes_held += len(chunk.data)
        self._chunks.append(chunk)

    def send_past(self, sock: Sender, data: bytes) -> bool:
        """As `push` and `flush` in one, for the most frequent case by far; False, and nothing is done, unless the queue
        is empty and its peer needs no pacing. Raises OSError as the socket does, except that a full kernel is no error.
        """
        if self._chunks or self._alone_gap_s:
            return False
        try:
            sent = sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        self.bytes_to_peer += sent
        if sent < len(data):
            self._chunks.append(data)
            self._first_sent = sent
            self.bytes_held = len(data) - sent
        return True

    @property
    def sends_file(self) -> bool:
        """Whether a span of a file is next, so that time is the network's and not a stuck reader's."""
        return bool(self._chunks) and isinstance(self._chunks[0], FileSpan)

    def flush(self, sock: Sender, now: float, is_late: bool = False) -> float | None:
        """Writes what the kernel takes; of a file only the least when others have waited long enough (`is_late`).
        Returns when to call again because of an `Alone` chunk's silence, else None.

        Raises OSError as the socket does, except that a full kernel is no error, and FileCutShort.
        """
        try:
            while self._chunks:
                silence = self._silence_until()
                if silence > now:
                    return silence
                if not self._send_first(sock, now, is_late):
                    break
        except (BlockingIOError, InterruptedError):
            pass
        return None

    def close(self) -> None:
        """Drops everything."""
        for chunk in self._chunks:
            if isinstance(chunk, FileSpan):
                chunk.close()
        self._chunks.clear()
        self.bytes_held = self._first_sent = 0

    def _silence_until(self) -> float:
        """The first chunk may be sent from this time on."""
        if type(self._chunks[0]) is Alone and not self._first_sent:
            return max(self._quiet_until, self._last_sent_at + self._alone_gap_s)
        return self._quiet_until

    def _send_first(self, sock: Sender, now: float, is_late: bool) -> bool:
        """One call of the kernel; False: enough for this turn."""
        first = self._chunks[0]
        if isinstance(first, FileSpan):
            return self._send_span(first, sock, is_late)
        data = first.data if type(first) is Alone else self._merged_front()
        part = memoryview(data)[self._first_sent : self._first_sent + MAX_SEND_BYTES] if self._first_sent else data
        sent = sock.send(part)
        self.bytes_held -= sent
        self.bytes_to_peer += sent
        self._last_sent_at = now
        self._first_sent += sent
        if self._first_sent < len(data):
            return False
        self._chunks.popleft()
        self._first_sent = 0
        if type(first) is Alone:
            self._quiet_until = now + self._alone_gap_s
        return True

    def _merged_front(self) -> bytes:
        """Makes one chunk of the byte chunks in front, up to the largest send, and returns it."""
        chunks = self._chunks
        first = chunks[0]
        assert type(first) is bytes
        if self._first_sent or len(chunks) == 1 or type(chunks[1]) is not bytes:
            return first
        parts: list[bytes] = []
        size = 0
        while chunks and type(part := chunks[0]) is bytes and (not parts or size + len(part) <= MAX_SEND_BYTES):
            parts.append(part)
            size += len(part)
            chunks.popleft()
        joined = b"".join(parts)
        chunks.appendleft(joined)
        return joined

    def _send_span(self, span: FileSpan, sock: Sender, is_late: bool) -> bool:
        if span.count:
            self.bytes_to_peer += span.send(sock, SPAN_LEAST_BYTES if is_late else SPAN_BUDGET_BYTES)
        if span.count:
            return False
        span.close()
        self._chunks.popleft()
        return True
