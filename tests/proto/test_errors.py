from __future__ import annotations

import re

from mysticproto.errors import Code, ProtocolError


def test_codes_are_words_for_programs() -> None:
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in Code)
    assert all(code == code.name.lower() for code in Code)


def test_an_error_says_what_to_answer() -> None:
    error = ProtocolError(Code.FRAME_TOO_LARGE, "too large")
    assert (error.code, error.text, str(error)) == ("frame_too_large", "too large", "too large")
