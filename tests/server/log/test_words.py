"""What is looked for, read from what was typed, and what a text has of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.log.base import Word
from mystic_server.log.words import MAX_QUERY_CHARS, MAX_WORDS, fold, has_words, tokens, words_of


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("anna", (Word("anna", True),)),
        ("anna ", (Word("anna"),)),
        ("Anna TOMO", (Word("anna"), Word("tomo", True))),
        ('"see  you!" soon', (Word("see you"), Word("soon", True))),
        ('soon "see you"', (Word("soon"), Word("see you"))),
        ('"not closed', (Word("not closed"),)),
        ("e-mail x", (Word("e mail"), Word("x"))),
        ("no 日", (Word("no"), Word("日", True))),
        ("née", (Word("nee", True),)),
        ("!!! anna ...", (Word("anna"),)),
        ('NOT (a OR b*) NEAR/2 "c', (Word("not"), Word("a"), Word("or"), Word("b"), Word("near 2"), Word("c"))),
    ],
)
def test_what_was_typed_becomes_words(typed: str, words: tuple[Word, ...]) -> None:
    assert words_of(typed) == words


@pytest.mark.parametrize(
    "typed", ["", "   ", "!?", '""', '"', "\0", "a" * (MAX_QUERY_CHARS + 1), "a " * (MAX_WORDS + 1)]
)
def test_what_can_t_be_looked_for_is_none(typed: str) -> None:
    assert words_of(typed) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World_wide 42!", ["hello", "world", "wide", "42"]),
        ("Straße ÉTÉ привёт ﬁne", ["strasse", "ete", "привет", "fine"]),
        ("नमस्ते 日本語 😀ok", ["नमस्ते", "日本語", "ok"]),
        ("", []),
    ],
)
def test_a_text_s_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert tokens(fold(text)) == tokens(text)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("see you", True),
        ("you see ", True),
        ('"see you"', True),
        ('"you see"', False),
        ("tomo", True),
        ("tomo ", False),
        ("to-morr", False),
        ("see tomorrow nothing", False),
        ("ann", False),
        ("e-ma", True),
        ("e-ma ", False),
    ],
)
def test_a_text_has_all_words_or_it_is_not_found(typed: str, found: bool) -> None:
    words = words_of(typed)
    assert words is not None
    assert has_words("I'll SEE you tomorrow, my e-mail works", words) is found
