"""ReceiveBuffer: what a peer has sent and nobody has used yet.

It never grows beyond its limit (the caller learns at once and ends the conversation), remembers how far a delimiter was
searched, so a peer that sends single bytes costs linear time, and moves the rest to the front only when half is used.
"""


class BufferFull(Exception):
    """More unused bytes than the limit allows; nothing was added."""


class ReceiveBuffer:
    """Unused bytes of one peer, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bytes = bytearray()
        self._start = 0
        self._searched = 0

    def __len__(self) -> int:
        return len(self._bytes) - self._start

    def feed(self, data: bytes) -> None:
        """Appends; raises `BufferFull` if that would exceed the limit."""
        if len(self) + len(data) > self.limit:
            raise BufferFull(f"more than {self.limit} bytes unused")
        self._bytes += data

    def peek(self, count: int) -> bytes:
        """At most `count` bytes from the front, which stay."""
        return bytes(self._bytes[self._start : self._start + count])

    def maybe_take_exactly(self, count: int) -> bytes | None:
        """The next `count` bytes, or None while there are fewer."""
        if len(self) < count:
            return None
        taken = bytes(self._bytes[self._start : self._start + count])
        self._advance(count)
        return taken

    def maybe_take_until(self, delimiter: bytes) -> bytes | None:
        """What stands before the next delimiter, which is dropped; None while there is none."""
        found = self._bytes.find(delimiter, max(self._start, self._searched))
        if found < 0:
            self._searched = max(self._start, len(self._bytes) - len(delimiter) + 1)
            return None
        taken = bytes(self._bytes[self._start : found])
        self._advance(found - self._start + len(delimiter))
        return taken

    def take_all(self) -> bytes:
        """Everything."""
        taken = bytes(self._bytes[self._start :])
        self._advance(len(taken))
        return taken

    def _advance(self, count: int) -> None:
        self._start += count
        self._searched = self._start
        if self._start * 2 >= len(self._bytes):
            del self._bytes[: self._start]
            self._start = self._searched = 0
