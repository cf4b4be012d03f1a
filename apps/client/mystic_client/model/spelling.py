"""Spellings: how a command is typed, what follows its words, and what it does; with the small parsers they share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from mystic_client.model.spans import parse_span


class CommandError(Struct, frozen=True):
    """The line is no command that can be carried out; `text` says why, in a sentence for people."""

    text: str


Make: TypeAlias = Callable[[str, str], Any]
"""(what follows the words, usage) -> a command or a `CommandError`."""


class Spelling(Struct, frozen=True):
    """One way to type a command. `who` may use it: "" everybody, "owner" of a group, "operator"."""

    words: str
    arguments: str
    meaning: str
    make: Make
    who: str = ""

    @property
    def usage(self) -> str:
        return f"{self.words} {self.arguments}".rstrip()


_SPAN = re.compile(r"\d{1,9}(s|m|min|h|d|w)|forever", re.IGNORECASE)


def usage_error(usage: str) -> CommandError:
    """What was typed lacks something, or has too much."""
    return CommandError(f"Usage: {usage}")


def first_word(rest: str) -> tuple[str, str]:
    """The first word, and what follows it."""
    words = rest.split(maxsplit=1)
    return (words[0], words[1]) if len(words) == 2 else (rest, "")


def maybe_seconds(word: str) -> int | None:
    """What "30s", "10m", "2h", "3d" or "1w" mean, in seconds; 0 for "forever"; None if it is no such word."""
    try:
        return parse_span(word) if _SPAN.fullmatch(word) else None
    except ValueError:  # longer than anybody lives
        return 0
