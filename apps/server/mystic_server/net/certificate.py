"""The server's own certificate: made at the first start, kept ever after, known to clients by its key's fingerprint.

Nobody signs it but itself, and no name in it means anything: a client remembers the fingerprint of the key that it met
first (as SSH does) and refuses another. So the file is as precious as the log: without it every client stops.
"""

import datetime
import hashlib
import os
import secrets
import ssl
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

FILE = "tls.pem"
_NAME = "mystic"
_LIFE_DAYS = 100 * 365
"""Clients look at the key alone; others shall not have to care either."""
_SLACK_DAYS = 2
"""Clocks differ."""


class CertificateError(Exception):
    """The file can't be made or used; the text is a sentence for the operator."""


class Certificate(Struct, frozen=True):
    """Where certificate and key are (PEM, one file), and the SHA-256 of the public key (its SubjectPublicKeyInfo)."""

    path: Path
    fingerprint: str
    """32 pairs of hexadecimal digits, with colons."""


def load_or_make_certificate(folder: Path) -> Certificate:
    """The certificate that is kept in `folder`, made if there is none. Raises CertificateError."""
    path = folder / FILE
    try:
        if not path.exists():
            _write(path, _make())
        return Certificate(path, _fingerprint(path))
    except OSError as error:
        raise CertificateError(f"The certificate {path} can't be used: {error.strerror or error}.") from None


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS 1.2 and newer with this certificate. Raises CertificateError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    # Older Pythons let an end without a farewell pass for one with it, so that somebody could cut words short.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.num_tickets = 0  # nobody resumes: connections live long
    try:
        context.load_cert_chain(certificate.path, password="")  # nobody is asked for a password
    except OSError:
        raise _damaged(certificate.path) from None
    return context


def _fingerprint(path: Path) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_pem_x509_certificate(path.read_bytes()).public_key()
    except ValueError:
        raise _damaged(path) from None
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest().hex(":")


def _damaged(path: Path) -> CertificateError:
    return CertificateError(
        f"{path} is damaged: it must have a certificate and its key. Restore it; without it, all clients that were "
        "here before will refuse to come back until they are told to trust the new one."
    )


def _make() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=_SLACK_DAYS))
        .not_valid_after(now + datetime.timedelta(days=_LIFE_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + secret


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, for nobody else to read."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink()
