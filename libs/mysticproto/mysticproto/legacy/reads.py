"""Reads: messages of a wire without frames, where one read of the socket is one message.

A read that ends inside a character is the beginning of a message whose rest is still coming: it is waited for, but not
for long, because the bytes may be no UTF-8 at all. What is none becomes U+FFFD.
"""

import codecs
from typing import Final

from mysticproto.errors import Code, ProtocolError

CUT_CHARACTER_S: Final = 0.2
"""How long the rest of a character is waited for, seconds."""


class Reads:
    """See the module. `limit`: bytes of one message."""

    def __init__(self, limit: int) -> None:
        self.deadline: float | None = None
        """When to call `feed(b"", now)` though nothing came, or None."""
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._bytes = 0

    def feed(self, data: bytes, now: float) -> str:
        """The message that is complete now, "" if there is none. Raises `ProtocolError` for one above the limit."""
        self._bytes += len(data)
        if self._bytes > self._limit:
            raise ProtocolError(Code.FRAME_TOO_LARGE, f"A message is limited to {self._limit} bytes.")
        is_late = not data and self.deadline is not None and now >= self.deadline
        self._text += self._decoder.decode(data, is_late)
        if self._decoder.getstate()[0]:
            self.deadline = now + CUT_CHARACTER_S if data else self.deadline
            return ""
        text, self._text, self._bytes, self.deadline = self._text, "", 0, None
        return text
