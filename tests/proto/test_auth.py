from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.auth import login_challenge

parts = st.tuples(st.binary(max_size=40), st.binary(max_size=40), st.text(st.characters(codec="utf-8"), max_size=40))


def test_the_challenge_is_fixed() -> None:
    expected = b"mystic login 1\0" + b"\0\2no" + b"\0\3srv" + "аna".encode()
    assert login_challenge(b"no", b"srv", "аna") == expected


def test_on_an_encrypted_connection_the_server_s_key_is_in_it() -> None:
    fingerprint = bytes(range(32))
    expected = b"mystic login 1 tls\0" + fingerprint + b"\0\2no" + b"\0\3srv" + b"ana"
    assert login_challenge(b"no", b"srv", "ana", fingerprint.hex(":")) == expected


@given(parts, parts)
def test_two_logins_never_sign_the_same(one: tuple[bytes, bytes, str], other: tuple[bytes, bytes, str]) -> None:
    assert (login_challenge(*one) == login_challenge(*other)) == (one == other)


def test_a_signature_is_for_one_server_one_connection_and_one_name() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signature = key.sign(login_challenge(b"nonce", b"server", "ana"))
    key.public_key().verify(signature, login_challenge(b"nonce", b"server", "ana"))
    for other in ((b"other", b"server", "ana"), (b"nonce", b"other", "ana"), (b"nonce", b"server", "bob")):
        with pytest.raises(InvalidSignature):
            key.public_key().verify(signature, login_challenge(*other))
