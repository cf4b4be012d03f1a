"""What people look for, in words: read from what they typed, and found in a text.

    anna "see you" tomo     all of: anna; see and you next to each other; a word that begins with tomo

A token is a run of letters, digits and the marks that belong to them, without regard to case and accents (`fold`). What
stands between tokens means nothing, so `e-mail` is the two tokens e and mail, next to each other. Nothing that is typed
is an operator.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from mystic_server.log.base import Word

MAX_WORDS = 16
MAX_QUERY_CHARS = 300

_PARTS = re.compile(r'"([^"]*)"?|([^\s"]+)')
_ASCII_TOKENS = re.compile(r"[a-z0-9]+")
_FIRST_ACCENT = 200
"""Of the canonical combining classes: from here on marks stand above and below letters of any script. Those before are
vowels and signs of one script, without which its words are others."""


def words_of(typed: str) -> tuple[Word, ...] | None:
    """What to look for; None if nothing in it can be looked for, or it is too much."""
    if len(typed) > MAX_QUERY_CHARS:
        return None
    found = []
    for match in _PARTS.finditer(typed):
        words = tokens(match[1] if match[2] is None else match[2])
        if words:
            is_last = match[2] is not None and match.end() == len(typed)
            found.append(Word(" ".join(words), is_last and _begins_few_words(words[-1])))
    return tuple(found) if 0 < len(found) <= MAX_WORDS else None


def _begins_few_words(token: str) -> bool:
    """One letter of an alphabet begins a tenth of all words; one of other scripts can be a word."""
    return len(token) > 1 or not token.isascii()


def fold(text: str) -> str:
    """The text without the differences that don't matter: case, accents, forms of one character."""
    if text.isascii():
        return text.lower()
    return "".join(map(_without_accent, unicodedata.normalize("NFKD", text.casefold()))).casefold()


def tokens(text: str) -> list[str]:
    """Its tokens, folded, in order."""
    folded = fold(text)
    if folded.isascii():
        return _ASCII_TOKENS.findall(folded)
    return "".join(map(_token_char, folded)).split()


def has_words(text: str, words: Iterable[Word]) -> bool:
    """Whether all of them are in a text."""
    there = tokens(text)
    return all(_stands_in(word.text.split(), word.is_prefix, there) for word in words)


@lru_cache(4096)
def _without_accent(char: str) -> str:
    return "" if unicodedata.combining(char) >= _FIRST_ACCENT else char


@lru_cache(4096)
def _token_char(char: str) -> str:
    kind = unicodedata.category(char)
    return char if kind[0] in "LNM" or kind == "Co" else " "


def _stands_in(wanted: list[str], is_prefix: bool, there: list[str]) -> bool:
    *firsts, last = wanted
    for at in range(len(there) - len(firsts)):
        candidate = there[at + len(firsts)]
        if (candidate.startswith(last) if is_prefix else candidate == last) and there[at : at + len(firsts)] == firsts:
            return True
    return False
