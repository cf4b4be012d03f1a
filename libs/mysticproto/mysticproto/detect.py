"""The first bytes of a connection say which wire it speaks, or that more must come first.

One port serves many kinds of programs. `detect` is asked with everything that a connection has sent so far, again after
each read, until it answers something else than `NeedMore`. Its answer is final: nothing that comes later makes a
connection change its wire.

The precedence is the order of `ROWS`: the first match wins, and what begins like a row that could still win needs more.
What matches no wire's row is `Unknown`, told apart only so that the log can say what it was. TLS is the connection's
business: its first byte is looked at before anything is read for a wire, so it only comes this far where TLS is not
offered.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import Struct

from mysticproto.native import PREAMBLE

MAX_FIRST_BYTES: Final = 16
"""No row needs to see more than this."""


class NeedMore(Struct, frozen=True):
    """It is too early to tell."""


class Known(Struct, frozen=True):
    """The name of a wire, as `Wire.name` has it."""

    wire: str


class Unknown(Struct, frozen=True):
    """No wire of ours. `kind`: "tls", "http", "ssh", "text", "binary" or "silent"."""

    kind: str


Detected: TypeAlias = NeedMore | Known | Unknown

_NEED_MORE = NeedMore()
_SILENT = Unknown("silent")


class Row(Struct, frozen=True):
    """One line of the table: `matches` decides with the first bytes, None while it can't."""

    answer: Known | Unknown
    matches: Callable[[bytes], bool | None]


def starts_with(*prefixes: bytes) -> Callable[[bytes], bool | None]:
    """Matches what begins with one of `prefixes`."""

    def matches(data: bytes) -> bool | None:
        if data.startswith(prefixes):
            return True
        return None if any(prefix.startswith(data) for prefix in prefixes) else False

    return matches


def _is_text(data: bytes) -> bool:
    """Decided by the first byte alone, so that the cuts don't matter."""
    return b" " <= data[:1] <= b"~"


_HTTP_VERBS = (
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"TRACE ",
    b"CONNECT ",
    b"PATCH ",
    b"PRI * ",
)

ROWS: Final = (
    # All but the version: a newer client is answered in its own language that its version is not spoken here.
    Row(Known("native"), starts_with(PREAMBLE[:-1])),
    Row(Unknown("tls"), starts_with(b"\x16\x03")),
    Row(Unknown("http"), starts_with(*_HTTP_VERBS)),
    Row(Unknown("ssh"), starts_with(b"SSH-")),
    Row(Unknown("text"), _is_text),
    Row(Unknown("binary"), starts_with(b"")),
)


def detect(data: bytes, final: bool = False) -> Detected:
    """What the first bytes of a connection show. With `final` nothing more will come, so that there is an answer."""
    first = data[:MAX_FIRST_BYTES]
    for row in ROWS if first else ():
        verdict = row.matches(first)
        if verdict is None and not final:
            return _NEED_MORE
        if verdict:
            return row.answer
    return _SILENT if final else _NEED_MORE
