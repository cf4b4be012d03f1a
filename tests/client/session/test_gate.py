"""Nothing that a server says reaches anybody uncleaned."""

from __future__ import annotations

import typing

import msgspec
import pytest

from mystic_client.session.gate import MAX_LINE_CHARS, MAX_TEXT_CHARS, clean
from mysticproto import model

EVIL = "a\x1b[2Jb\u202ec\nd\x00"
EVE = model.UserRef(3, EVIL)
KINDS = typing.get_args(model.FromServer)


def filled(kind: type) -> typing.Any:
    """A struct with evil words wherever words go."""
    values = {name: _filled(hint) for name, hint in typing.get_type_hints(kind).items()}
    return kind(**values)


def _filled(hint: typing.Any) -> typing.Any:
    if typing.get_origin(hint) is tuple:
        return (_filled(typing.get_args(hint)[0]),) * 2
    options = typing.get_args(hint)
    if options:
        return _filled(next(option for option in options if option is not type(None)))
    plain: dict[type, object] = {str: EVIL, int: 1, bytes: b"\x1b[2J", bool: True}
    return plain[hint] if hint in plain else filled(hint)


def words(value: typing.Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [word for name in value.__struct_fields__ for word in words(getattr(value, name))]
    return [word for item in value for word in words(item)] if isinstance(value, tuple) else []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_word_of_everything_is_cleaned(kind: type[msgspec.Struct]) -> None:
    cleaned: msgspec.Struct = clean(filled(kind))
    assert type(cleaned) is kind
    for word in words(cleaned):
        assert "\x1b" not in word and "\u202e" not in word and "\x00" not in word
    assert clean(cleaned) == cleaned


def test_texts_keep_their_lines_and_names_do_not() -> None:
    said = clean(model.Message(1, 1, EVE, model.Direct((EVE, EVE)), EVIL))
    assert said.text.count("\n") == 1
    assert "\n" not in "".join(words(said.conversation)) + said.author.name


def test_what_is_clean_is_not_copied_and_bytes_are_left_alone() -> None:
    said = model.Message(1, 1, model.UserRef(1, "ana"), model.Global(), "hi there", b"\x1b")
    assert clean(said) is said
    assert clean(model.Message(1, 1, EVE, model.Global(), "hi", b"\x1b[2J")).cid == b"\x1b[2J"


def test_words_without_end_are_cut() -> None:
    said = clean(model.Message(1, 1, model.UserRef(1, "x" * 10**6), model.Global(), "x" * 10**6))
    assert len(said.author.name) <= MAX_LINE_CHARS
    assert len(said.text) <= MAX_TEXT_CHARS
