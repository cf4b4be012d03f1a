"""ObjectReader: JSON objects that follow each other without a delimiter, cut out of a peer's bytes.

Only brackets and strings are looked at to find where an object ends, each byte once however the bytes come; what is in
between is `read_object`'s to judge. Other bytes between objects are passed over up to the next opening brace.
"""

import json
import math
import re
from typing import Any, NoReturn

from mysticproto.errors import Code, ProtocolError

_OUTSIDE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
_SPACE = re.compile(rb"[ \t\r\n]*")
_MAX_INTEGER_CHARS = 20


class ObjectReader:
    """Objects of at most `max_bytes`, nested at most `max_depth` deep."""

    def __init__(self, max_bytes: int, max_depth: int) -> None:
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._bytes = bytearray()
        self._start = 0
        self._at = 0
        self._depth = 0
        self._is_in_string = False
        self._is_among_garbage = False

    def feed(self, data: bytes) -> None:
        """Appends. Afterwards `maybe_take` MUST be called until it gives None."""
        self._bytes += data

    def maybe_take(self) -> bytes | None:
        """The next object; b"" once where something else stands; None when more is needed. Raises `ProtocolError` for
        what is too long or too deep, and then always does.
        """
        if self._depth == 0:
            if self._has_passed_garbage():
                return b""
            if self._start == len(self._bytes):
                self._drop_used()
                return None
        while found := (_IN_STRING if self._is_in_string else _OUTSIDE).search(self._bytes, self._at):
            self._at = found.end()
            self._check_length(self._at)
            self._step(found[0])
            if self._depth == 0:
                return self._take()
        self._at = max(self._at, len(self._bytes))
        self._check_length(len(self._bytes))
        self._drop_used()
        return None

    def _has_passed_garbage(self) -> bool:
        """Goes to the next opening brace, or the end; whether garbage has begun on the way."""
        space = _SPACE.match(self._bytes, self._start)
        self._start = space.end() if space else self._start
        brace = self._bytes.find(b"{", self._start)
        had_begun = self._is_among_garbage
        is_garbage = self._start < (brace if brace >= 0 else len(self._bytes))
        self._start = self._at = brace if brace >= 0 else len(self._bytes)
        self._is_among_garbage = brace < 0 and (had_begun or is_garbage)
        return is_garbage and not had_begun

    def _step(self, char: bytes) -> None:
        if char == b"\\":
            self._at += 1
        elif char == b'"':
            self._is_in_string = not self._is_in_string
        elif char in b"{[":
            self._depth += 1
            if self._depth > self._max_depth:
                raise ProtocolError(Code.MALFORMED, f"an object is nested more than {self._max_depth} deep")
        else:
            self._depth -= 1

    def _take(self) -> bytes:
        taken = bytes(self._bytes[self._start : self._at])
        self._start = self._at
        return taken

    def _check_length(self, end: int) -> None:
        if end - self._start > self._max_bytes:
            raise ProtocolError(Code.FRAME_TOO_LARGE, f"an object is longer than {self._max_bytes} bytes")

    def _drop_used(self) -> None:
        if self._start:
            del self._bytes[: self._start]
            self._at -= self._start
            self._start = 0


def read_object(raw: bytes) -> dict[str, Any] | None:
    """The object that these bytes are, None if they aren't one that means the same to everybody: strict UTF-8, no key
    twice, no NaN or infinity, no endless integers. It MUST NOT be nested deeply. Strings may hold lone surrogates.
    """
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_without_repetition,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_short,
        )
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _short(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_CHARS:
        raise ValueError("too many digits")
    return int(digits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
