r"""Frames of the relay client: a 16-byte header, then words or a pickle with its hash.

The header is `cmd:12` or `msg:345`, filled up with spaces; its number counts the bytes behind it. A `cmd` is UTF-8
words with US (31) between them. A `msg` is a pickle, US, and the SHA-256 of the pickle as 64 hexadecimal digits, since
the bare hash may have a 31 in it.
"""

import hashlib
import re
from typing import Final

from msgspec import Struct

from mysticproto.buffer import BufferFull, ReceiveBuffer
from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy import pickle_data
from mysticproto.legacy.pickle_data import NotPlain, Plain

HEADER_BYTES: Final = 16
US: Final = "\x1f"
_HASH_BYTES = 64
MAX_BODY_BYTES: Final = pickle_data.MAX_BYTES + len(US) + _HASH_BYTES
"""What a peer may send behind one header."""

_HEADER = re.compile(rb"(cmd|msg):(0|[1-9][0-9]{0,10}) *")


class Command(Struct, frozen=True):
    """A `cmd` frame; `words[0]` says what is to be done."""

    words: tuple[str, ...]


class Pickled(Struct, frozen=True):
    """A `msg` frame with a fitting hash and plain data."""

    value: Plain


class Senseless(Struct, frozen=True):
    """A whole frame that means nothing: what follows it can still be understood."""


class FrameReader:
    """Cuts a peer's bytes into frames."""

    def __init__(self) -> None:
        self._unused = ReceiveBuffer(HEADER_BYTES + MAX_BODY_BYTES)

    def feed(self, data: bytes) -> None:
        """Appends. Afterwards `maybe_frame` MUST be called until it gives None."""
        self._unused.feed(data)

    def maybe_frame(self) -> Command | Pickled | Senseless | None:
        """The next frame, None while it is not complete. Raises `ProtocolError`, and then always does."""
        header = self._unused.maybe_peek(HEADER_BYTES)
        if header is None:
            return None
        found = _HEADER.fullmatch(header)
        if not found:
            raise ProtocolError(Code.MALFORMED, "this is no header")
        try:
            body = self._unused.maybe_take_exactly(int(found[2]), after=HEADER_BYTES)
        except BufferFull:
            text = f"a frame of {int(found[2])} bytes is larger than the limit of {MAX_BODY_BYTES}"
            raise ProtocolError(Code.FRAME_TOO_LARGE, text) from None
        if body is None:
            return None
        return _command(body) if found[1] == b"cmd" else _pickled(body)


def _command(body: bytes) -> Command | Senseless:
    try:
        return Command(tuple(body.decode().split(US)))
    except UnicodeDecodeError:
        return Senseless()


def _pickled(body: bytes) -> Pickled | Senseless:
    pickle, separator, digest = body[: -_HASH_BYTES - 1], body[-_HASH_BYTES - 1 : -_HASH_BYTES], body[-_HASH_BYTES:]
    if separator != US.encode() or digest.lower() != _digest(pickle):
        return Senseless()
    try:
        return Pickled(pickle_data.read(pickle))
    except NotPlain:
        return Senseless()


def command(*words: str) -> bytes:
    """A `cmd` frame."""
    return _frame("cmd", US.join(words).encode(errors="replace"))


def message(pickle: bytes) -> bytes:
    """A `msg` frame."""
    return _frame("msg", pickle + US.encode() + _digest(pickle))


def _frame(kind: str, body: bytes) -> bytes:
    return f"{kind}:{len(body)}".ljust(HEADER_BYTES).encode() + body


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
