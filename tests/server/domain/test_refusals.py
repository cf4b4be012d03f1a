"""Parts of sentences that several refusals have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.domain.refusals import because, cleaned_reason, how_long, name_claimed, shown
from mystic_server.domain.world import User
from mysticproto.model import FOR_EVER_US, MAX_REASON_CHARS
from mysticproto.names import clean_line


@pytest.mark.parametrize(
    ("left_s", "words"),
    [
        (0.5, " for the next second"),
        (1, " for the next second"),
        (1.5, " for the next 2 seconds"),
        (60, " for the next minute"),
        (3_599, " for the next 60 minutes"),
        (3_601, " for the next 2 hours"),
        (86_400, " for the next day"),
        (-5, " for the next second"),
    ],
)
def test_how_long_something_lasts_yet(left_s: float, words: str) -> None:
    assert how_long(7_000_000 + int(left_s * 1_000_000), 7_000_000) == words


def test_what_lasts_for_ever_has_no_end() -> None:
    assert how_long(FOR_EVER_US, 7) == ""


def test_a_reason_ends_a_sentence() -> None:
    assert because("spam") == ": spam"
    assert because("") == "."


@given(reason=st.text())
def test_a_reason_is_one_clean_line(reason: str) -> None:
    cleaned = cleaned_reason(reason)
    assert cleaned == clean_line(cleaned) and len(cleaned) <= MAX_REASON_CHARS


@given(name=st.text())
def test_a_name_that_somebody_typed_is_clean(name: str) -> None:
    assert shown(name) == clean_line(shown(name))


def test_whose_name_it_is_says_what_to_do_next() -> None:
    refused = name_claimed(7, User(1, "ana"))
    assert (refused.n, refused.about) == (7, "ana")
    assert "password" in refused.text and "another name" in refused.text
