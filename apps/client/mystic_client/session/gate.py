"""The client's one gate: every word that a server says is cleaned here before anybody sees it.

All strings of all structs are cleaned, at any depth, as single lines; only the few fields of `_TEXTS` may have several
lines. A field that is added to the vocabulary tomorrow is therefore cleaned today. What a string means to programs
(codes, causes, paths of ordinary files) survives, since cleaning leaves ordinary characters alone.
"""

from typing import Any, Final, TypeVar

import msgspec

from mysticproto import model
from mysticproto.names import clean_line, clean_text

MAX_LINE_CHARS: Final = 4096
"""The longest path that a system takes."""
MAX_TEXT_CHARS: Final = model.MAX_TEXT_BYTES

_TEXTS: Final = frozenset(
    {
        (model.Message, "text"),
        (model.MessageEdited, "text"),
        (model.Notice, "text"),
        (model.Refused, "text"),
        (model.Welcome, "text"),
        (model.Bye, "text"),
    }
)

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def clean(said: _Struct) -> _Struct:
    """The same struct if all of it is clean, else a cleaned copy."""
    changed: dict[str, object] = {}
    for field in said.__struct_fields__:
        old = getattr(said, field)
        new = _cleaned_text(old) if (type(said), field) in _TEXTS else _cleaned(old)
        if new is not old:
            changed[field] = new
    return msgspec.structs.replace(said, **changed) if changed else said


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _cleaned_line(value)
    if isinstance(value, msgspec.Struct):
        return clean(value)
    if isinstance(value, tuple):
        items = tuple(_cleaned(item) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def _cleaned_line(line: str) -> str:
    return clean_line(line[: MAX_LINE_CHARS + 1], MAX_LINE_CHARS)


def _cleaned_text(text: str) -> str:
    return clean_text(text[:MAX_TEXT_CHARS])
