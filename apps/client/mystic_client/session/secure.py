"""How a connection is protected: which ones are encrypted, whose key is at the other end, and what to say about it.

A server's key is its own, signed by nobody. So the handshake proves only that the other end has the key; whether it is
the right one is known by its fingerprint, from the first connection on.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import ssl

from msgspec import Struct

from mystic_client.session.heard import Address
from mystic_client.session.pins import Pins


class Security(Struct, frozen=True):
    """What protects a connection. `fingerprint`: the SHA-256 of the server's public key, empty if it is not encrypted.

    `is_new`: this key was not known before. `is_exposed`: not encrypted, though others may be able to listen.
    """

    fingerprint: str = ""
    is_new: bool = False
    is_exposed: bool = False

    def notice(self, address: Address) -> str:
        """What the user should be told, or nothing."""
        if self.is_exposed:
            return f"The connection to {address} is not encrypted: others on the way can read along."
        if self.is_new:
            return f"First connection to {address}: the fingerprint of its key is {self.fingerprint}."
        return ""


class FingerprintChanged(Exception):
    """A known server has another key than ever before, or (`seen` is empty) speaks in the clear all of a sudden."""

    def __init__(self, host: str, known: str, seen: str) -> None:
        now = f"it shows another one,\n  {seen}." if seen else "it does not encrypt at all."
        super().__init__(
            f"{host} is not the server that it was: its key had the fingerprint\n  {known}\nand now {now}\n"
            "Somebody may be in between, or the server was set up anew. Ask its operator; to trust it as it is now, "
            f"run: mystic --server {host} trust"
        )
        self.host = host
        self.known = known
        self.seen = seen


def is_loopback(host: str) -> bool:
    """Whether an address (in numbers) is this machine, so that nobody is in between."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def client_context() -> ssl.SSLContext:
    """TLS 1.2 and newer with any certificate: whose it is, is for `check` to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Older Pythons let an end without a farewell pass for one with it, so that somebody could cut words short.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def fingerprint_of(writer: asyncio.StreamWriter) -> str:
    """The SHA-256 of the other end's public key (its SubjectPublicKeyInfo), as pairs of digits; empty without one."""
    return fingerprint_of_certificate(writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b"")


def fingerprint_of_certificate(certificate: bytes) -> str:
    """The same of a certificate in DER."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest().hex(":")


def check(address: Address, fingerprint: str, pins: Pins) -> Security:
    """Compares what is known with what was seen, and remembers it the first time. Raises `FingerprintChanged`."""
    pin = pins.find(address)
    is_new = pin is None
    known = (pin or pins.add(address, fingerprint)).fingerprint
    if known != fingerprint:
        raise FingerprintChanged(str(address), known, fingerprint)
    return Security(fingerprint, is_new)


def speaks_no_tls(problem: ssl.SSLError) -> bool:
    """Whether this is how a server fails that has no TLS: words of its own, or an alert that says so."""
    reason = getattr(problem, "reason", "") or ""  # those that OpenSSL did not raise have none
    return "ALERT" not in reason or "HANDSHAKE_FAILURE" in reason
