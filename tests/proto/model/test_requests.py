"""What requests show of themselves."""

from __future__ import annotations

from mysticproto.model import Login, SetPassword


def test_nobody_s_secret_shows_when_a_request_is_printed() -> None:
    login = Login(3, "ana", b"key", b"signature", password="correct horse")
    assert repr(login) == "<Login 3 'ana'>"
    assert "horse" not in f"{[SetPassword(4, 'correct horse')]}"
