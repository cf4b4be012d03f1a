"""ReceiveBuffer: what a peer has sent and nobody has used yet.

`feed` appends, `maybe_take_*` gives what is complete, from the front, and None when more bytes are needed. Taking only
moves a cursor; what was used is thrown away when more is needed, once for all that one read of a socket brought. A
delimiter is never searched for twice in the same bytes, so a peer that sends single bytes costs linear time.

The limit is on what one piece may need, not on what one read may bring: a hundred small pieces in one read are fine,
and a piece that is longer than the limit ends the conversation as soon as that is known.
"""

from typing import NoReturn


class BufferFull(Exception):
    """The next piece is longer than the limit allows. It stays so: there is no way to go on."""


class ReceiveBuffer:
    """Unused bytes of one peer, whose pieces have at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bytes = bytearray()
        self._start = 0
        self._searched = 0

    def __len__(self) -> int:
        return len(self._bytes) - self._start

    def feed(self, data: bytes) -> None:
        """Appends. Afterwards the caller MUST take until it gets None, or the buffer grows."""
        self._bytes += data

    def maybe_peek(self, count: int) -> bytes | None:
        """The next `count` bytes, which stay; None while there are fewer."""
        end = self._start + count
        if end > len(self._bytes):
            self._need_more(count)
            return None
        return bytes(self._bytes[self._start : end])

    def maybe_take_exactly(self, count: int, after: int = 0) -> bytes | None:
        """The next `count` bytes behind `after` bytes that are dropped with them; None while there are fewer."""
        start = self._start + after
        end = start + count
        if end > len(self._bytes):
            self._need_more(after + count)
            return None
        self._start = self._searched = end
        return bytes(self._bytes[start:end])

    def maybe_take_until(self, delimiter: bytes) -> bytes | None:
        """What stands before the next delimiter, which is dropped; None while there is none."""
        found = self._bytes.find(delimiter, self._searched)
        if found < 0:
            self._searched = max(self._start, len(self._bytes) - len(delimiter) + 1)
            self._need_more(len(self) + 1)
            return None
        if found - self._start > self.limit:
            self._refuse()
        taken = bytes(self._bytes[self._start : found])
        self._start = self._searched = found + len(delimiter)
        return taken

    def take_all(self) -> bytes:
        """Everything."""
        taken = bytes(self._bytes[self._start :])
        self._bytes.clear()
        self._start = self._searched = 0
        return taken

    def _need_more(self, count: int) -> None:
        """Throws away what was used, and raises `BufferFull` if `count` bytes will never be here."""
        if self._start:
            del self._bytes[: self._start]
            self._searched -= self._start
            self._start = 0
        if count > self.limit:
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise BufferFull(f"more than {self.limit} bytes in one piece")
