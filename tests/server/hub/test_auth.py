"""Whether a device proves its key: for this connection, this server and this name, and nothing else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mystic_server.hub.auth import NONCE_BYTES, proves_key
from mysticproto.auth import login_challenge
from mysticproto.model import Login

NONCE, SERVER = b"n" * NONCE_BYTES, b"s" * 16
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def login(name: str = "dora", nonce: bytes = NONCE, server: bytes = SERVER) -> Login:
    signature = KEY.sign(login_challenge(nonce, server, name))
    return Login(1, name, KEY.public_key().public_bytes_raw(), signature)


def test_what_was_signed_for_another_server_s_key_proves_nothing() -> None:
    """It may have said to be this one, and have passed on this connection's nonce."""
    own, other = bytes(32).hex(":"), bytes([1] * 32).hex(":")
    signed = replace(login(), signature=KEY.sign(login_challenge(NONCE, SERVER, "dora", own)))
    assert proves_key(signed, NONCE, SERVER, own)
    assert not proves_key(signed, NONCE, SERVER, other)
    assert not proves_key(signed, NONCE, SERVER)
    assert not proves_key(login(), NONCE, SERVER, own)


def test_a_good_signature_proves_the_key() -> None:
    assert proves_key(login(), NONCE, SERVER)
    assert proves_key(login("Боб"), NONCE, SERVER)


@pytest.mark.parametrize(
    "signed",
    [
        login("emil"),
        login(nonce=b"m" * NONCE_BYTES),
        login(server=b"t" * 16),
        login(nonce=NONCE[:-1], server=b"n" + SERVER),
    ],
)
def test_a_signature_for_something_else_proves_nothing(signed: Login) -> None:
    assert not proves_key(replace(signed, name="dora"), NONCE, SERVER)


def test_another_s_key_is_not_proven() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert not proves_key(replace(login(), key=other), NONCE, SERVER)


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64, 10_000])
def test_keys_and_signatures_of_any_size_prove_nothing(size: int) -> None:
    assert not proves_key(replace(login(), key=b"k" * size), NONCE, SERVER)
    assert not proves_key(replace(login(), signature=b"s" * size), NONCE, SERVER)


def test_a_name_that_is_no_text_proves_nothing() -> None:
    assert not proves_key(replace(login(), name="\ud800"), NONCE, SERVER)


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_weak_keys_with_empty_signatures_prove_nothing(key: bytes) -> None:
    assert not proves_key(Login(1, "dora", key, b""), NONCE, SERVER)


@given(at=st.integers(0, 63), bit=st.integers(0, 7))
def test_one_wrong_bit_is_enough(at: int, bit: int) -> None:
    signature = bytearray(login().signature)
    signature[at] ^= 1 << bit
    assert not proves_key(replace(login(), signature=bytes(signature)), NONCE, SERVER)
