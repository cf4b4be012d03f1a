"""The server's certificate: made once, kept for ever, private, and known by its key."""

from __future__ import annotations

import datetime
import hashlib
import os
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mystic_server.net.certificate import FILE, CertificateError, load_or_make_certificate, server_context


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    made = load_or_make_certificate(tmp_path)
    content = (tmp_path / FILE).read_bytes()
    assert load_or_make_certificate(tmp_path) == made
    assert (tmp_path / FILE).read_bytes() == content
    assert os.listdir(tmp_path) == [FILE]
    assert server_context(made).minimum_version == ssl.TLSVersion.TLSv1_2


def test_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    load_or_make_certificate(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_every_server_has_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = (load_or_make_certificate(tmp_path / name) for name in ("a", "b"))
    assert one.fingerprint != other.fingerprint


def test_the_fingerprint_is_that_of_the_public_key(tmp_path: Path) -> None:
    made = load_or_make_certificate(tmp_path)
    certificate = x509.load_pem_x509_certificate((tmp_path / FILE).read_bytes())
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert made.fingerprint.replace(":", "") == hashlib.sha256(spki).hexdigest()
    assert len(made.fingerprint.split(":")) == 32


def test_it_lives_long(tmp_path: Path) -> None:
    load_or_make_certificate(tmp_path)
    certificate = x509.load_pem_x509_certificate((tmp_path / FILE).read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_before_utc < now
    assert certificate.not_valid_after_utc > now + datetime.timedelta(days=3650)


@pytest.mark.parametrize("content", ["", "nonsense", "half", "no key", "another key"])
def test_a_damaged_file_is_the_operators_to_mend(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE
    load_or_make_certificate(tmp_path)
    whole = path.read_text()
    certificate, line, _ = whole.partition("-----BEGIN PRIVATE KEY-----")
    (tmp_path / "other").mkdir()
    load_or_make_certificate(tmp_path / "other")
    other = (tmp_path / "other" / FILE).read_text().partition(line)[2]
    damaged = {"half": whole[: len(whole) // 3], "no key": certificate, "another key": certificate + line + other}
    path.write_text(damaged.get(content, content))
    with pytest.raises(CertificateError, match=rf"{FILE} is damaged: .*\.$"):
        server_context(load_or_make_certificate(tmp_path))
    assert path.read_text() == damaged.get(content, content), "it is left as it is"


def test_an_encrypted_key_asks_nobody_for_a_password(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    load_or_make_certificate(tmp_path)
    path = tmp_path / FILE
    whole = path.read_bytes()
    key = load_pem_private_key(whole, None)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    path.write_bytes(whole.partition(b"-----BEGIN PRIVATE KEY-----")[0] + secret)
    with pytest.raises(CertificateError, match="damaged"):
        server_context(load_or_make_certificate(tmp_path))


def test_a_file_that_cant_be_read_or_written_has_a_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(CertificateError, match=r"can't be used: .*\.$"):
        load_or_make_certificate(tmp_path)
    with pytest.raises(CertificateError, match=r"can't be used: .*\.$"):
        load_or_make_certificate(tmp_path / "missing")
