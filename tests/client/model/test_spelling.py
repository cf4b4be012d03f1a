"""Parts of typed commands."""

import pytest

from mystic_client.model.spelling import Spelling, first_word, maybe_seconds


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("30s", 30), ("10m", 600), ("10min", 600), ("2H", 7200), ("1w", 604_800), ("forever", 0), ("999999999w", 0)],
)
def test_spans_are_known_by_their_unit(word: str, seconds: int) -> None:
    assert maybe_seconds(word) == seconds


@pytest.mark.parametrize("word", ["", "90", "3monkeys", "rude", "m"])
def test_other_words_are_no_spans(word: str) -> None:
    assert maybe_seconds(word) is None


def test_the_first_word_and_the_rest() -> None:
    assert first_word("ana  two words") == ("ana", "two words")
    assert first_word("ana") == ("ana", "")


def test_usage_is_words_and_arguments() -> None:
    assert Spelling("/bans", "", "", lambda rest, usage: None).usage == "/bans"
