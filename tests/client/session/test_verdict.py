"""Which ends are final."""

from __future__ import annotations

import pytest

from mystic_client.session.verdict import LOST, Ending, is_final, of_nonsense
from mysticproto.errors import Code, ProtocolError


@pytest.mark.parametrize(
    ("code", "first", "later"),
    [
        (LOST, False, False),
        (Code.STOPPING, False, False),
        (Code.SERVER_FULL, False, False),
        (Code.STORE_UNAVAILABLE, False, False),
        (Code.NAME_IN_USE, True, False),
        (Code.TOO_MANY_SESSIONS, True, False),
        (Code.NAME_INVALID, True, True),
        (Code.BAD_SIGNATURE, True, True),
        (Code.REPLACED, True, True),
        (Code.MALFORMED, True, True),
        ("left", True, True),
        ("a code of tomorrow", True, True),
    ],
)
def test_what_is_final(code: str, first: bool, later: bool) -> None:
    ending = Ending(code, "")
    assert (is_final(ending, after_a_break=False), is_final(ending, after_a_break=True)) == (first, later)


def test_another_protocol_is_final_and_a_stumble_is_not() -> None:
    assert is_final(of_nonsense(ProtocolError(Code.WRONG_PROTOCOL, "?")), after_a_break=True)
    assert is_final(of_nonsense(ProtocolError(Code.UNSUPPORTED_VERSION, "?")), after_a_break=True)
    assert not is_final(of_nonsense(ProtocolError(Code.MALFORMED, "?")), after_a_break=False)
    assert not is_final(of_nonsense(ProtocolError(Code.FRAME_TOO_LARGE, "?")), after_a_break=False)
