"""What is encrypted, what a key is compared with, and what the user is told."""

from __future__ import annotations

import ssl

import pytest

from mystic_client.session.heard import Address
from mystic_client.session.pins import Pins
from mystic_client.session.secure import (
    FingerprintChanged,
    Security,
    check,
    client_context,
    is_loopback,
    speaks_no_tls,
)

ONE, OTHER = (":".join([pair] * 32) for pair in ("ab", "cd"))
HERE = Address("chat.example", 12000)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.0.1", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("128.0.0.1", False),
    ],
)
def test_this_machine(host: str, is_here: bool) -> None:
    assert is_loopback(host) is is_here


def test_a_key_is_new_once_and_then_the_same_or_a_full_stop() -> None:
    pins = Pins()
    assert check(HERE, ONE, pins) == Security(ONE, is_new=True)
    assert check(HERE, ONE, pins) == Security(ONE)
    with pytest.raises(FingerprintChanged) as caught:
        check(HERE, OTHER, pins)
    assert (caught.value.host, caught.value.known, caught.value.seen) == (str(HERE), ONE, OTHER)
    assert (
        ONE in str(caught.value)
        and OTHER in str(caught.value)
        and "mystic --server chat.example:12000 trust" in str(caught.value)
    )
    assert check(HERE, ONE, pins) == Security(ONE), "what is known stays"


def test_when_another_program_meets_another_key_at_the_same_moment() -> None:
    class Late(Pins):
        def find(self, address: Address) -> None:
            return None

    pins = Late()
    pins.add(HERE, ONE)
    with pytest.raises(FingerprintChanged):
        check(HERE, OTHER, pins)


def test_what_the_user_is_told() -> None:
    assert Security().notice(HERE) == Security(ONE).notice(HERE) == ""
    assert Security(ONE, is_new=True).notice(HERE) == (
        f"First connection to chat.example:12000: the fingerprint of its key is {ONE}."
    )
    assert "not encrypted" in Security(is_exposed=True).notice(HERE)


def test_no_more_encryption_is_said_so() -> None:
    assert "does not encrypt at all" in str(FingerprintChanged("h:1", ONE, ""))


def test_tls_is_not_too_old() -> None:
    assert client_context().minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("reason", "is_plain"),
    [
        ("WRONG_VERSION_NUMBER", True),
        ("RECORD_LAYER_FAILURE", True),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", True),
        ("TLSV1_ALERT_INTERNAL_ERROR", False),
        ("SSLV3_ALERT_BAD_CERTIFICATE", False),
    ],
)
def test_how_a_server_fails_that_has_no_tls(reason: str, is_plain: bool) -> None:
    problem = ssl.SSLError(1, reason)
    problem.reason = reason
    assert speaks_no_tls(problem) is is_plain
