"""The first bytes of a connection say which wire it speaks, or that more must come first.

One port serves many kinds of programs. `detect` is asked with everything that a connection has sent so far, again after
each read, until it answers something else than `NeedMore`. Its answer is final: nothing that comes later makes a
connection change its wire.

The precedence is the order of `ROWS`: the first match wins, and what begins like a row that could still win needs more.
Who needs more is asked a last time, with `final`, when nothing has come for a while: somebody may really be called V.
What matches no wire's row is `Unknown`, told apart only so that the log can say what it was. TLS is the connection's
business: its first byte is looked at before anything is read for a wire, so it only comes this far where TLS is not
offered.

Two wires open with a bare name, which anything may be that other rows leave: it is `mystic_cli` that gets it here, and
`chat_modes` needs a port of its own, like the wire whose server speaks first.
"""

import codecs
import re
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


def _opens_relay(data: bytes) -> bool | None:
    """A header: its kind, digits, and spaces up to 16 bytes."""
    is_header = starts_with(b"cmd:", b"msg:")(data)
    if is_header and not re.fullmatch(rb"([0-9]+ *)?", data[4:]):
        return False
    return None if is_header and len(data) < MAX_FIRST_BYTES else is_header


def _opens_object(data: bytes) -> bool | None:
    """A JSON object whose first key is one of those that a JOIN has."""
    if not data.startswith(b"{"):
        return False
    return starts_with(b'"CMD"', b'"UN"', b'"UID"')(data[1:].lstrip(b" \t\r\n"))


def _may_be_name(data: bytes) -> bool | None:
    """Decided by the first character alone, so that the cuts don't matter."""
    char = _first_character(data)
    return None if char is None else char.isalnum() or char in ("_", "-", ".")


def _is_text(data: bytes) -> bool | None:
    char = _first_character(data)
    return None if char is None else char != "" and char.isprintable()


def _first_character(data: bytes) -> str | None:
    """As UTF-8; "" for what is none, None while it isn't complete."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for byte in data:
            if char := decoder.decode(bytes([byte])):
                return char
    except UnicodeDecodeError:
        return ""
    return None


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

# The first 13 characters of the base64 of "USERNAME::", and the 14th, which also holds half of the name's first byte.
_USERNAME = tuple(b"VVNFUk5BTUU6O" + bytes([half]) for half in b"ghijklmnopqrstuv")

ROWS: Final = (
    # All but the version: a newer client is answered in its own language that its version is not spoken here.
    Row(Known("native"), starts_with(PREAMBLE[:-1])),
    Row(Unknown("tls"), starts_with(b"\x16\x03")),
    Row(Unknown("http"), starts_with(*_HTTP_VERBS)),
    Row(Unknown("ssh"), starts_with(b"SSH-")),
    Row(Known("pickle_relay"), _opens_relay),
    Row(Known("muca_json"), _opens_object),
    Row(Known("unicast_base64"), starts_with(*_USERNAME)),
    Row(Known("mystic_cli"), _may_be_name),
    Row(Unknown("text"), _is_text),
    Row(Unknown("binary"), starts_with(b"")),
)


def detect(data: bytes, final: bool = False) -> Detected:
    """What the first bytes of a connection show. With `final` nothing more will come, so that there is an answer."""
    first = data[:MAX_FIRST_BYTES]
    for row in ROWS if first else ():
        verdict = row.matches(first)
        if verdict is None and not final and len(first) < MAX_FIRST_BYTES:
            return _NEED_MORE
        if verdict:
            return row.answer
    return _SILENT if final else _NEED_MORE
