"""Certificates for tests that speak TLS: as a server makes its own, in a folder that is gone afterwards."""

from __future__ import annotations

import functools
import ssl
import tempfile
from pathlib import Path
from typing import NamedTuple

from mystic_server.net.certificate import load_or_make_certificate, server_context


class ServerTls(NamedTuple):
    """What a server speaks TLS with, and what it is known by."""

    context: ssl.SSLContext
    fingerprint: str


@functools.cache
def server_tls(which: str = "") -> ServerTls:
    """One for all tests, and another one for every name."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = load_or_make_certificate(Path(folder))
        return ServerTls(server_context(certificate), certificate.fingerprint)
