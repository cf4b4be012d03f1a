"""What goes between the server and its password children keeps passwords out of sight."""

from __future__ import annotations

import pytest

from mystic_server.accounts.messages import FromChild, Hashed, HashWork, ToChild, Verified, VerifyWork

SECRET = "correct horse battery"
SAID: tuple[ToChild | FromChild, ...] = (
    HashWork(1, SECRET),
    VerifyWork(2, SECRET, SECRET),
    Hashed(3, SECRET),
    Verified(4, True, SECRET),
)


@pytest.mark.parametrize("said", SAID, ids=lambda said: type(said).__name__)
def test_nothing_shows_a_password_when_it_is_printed(said: ToChild | FromChild) -> None:
    assert SECRET not in repr(said) and SECRET not in str(said) and SECRET not in f"{[said]}"
    assert str(said.number) in repr(said)
