"""What a device signs to prove that a name is its own."""

_DOMAIN = b"mystic login 1\0"
_ENCRYPTED_DOMAIN = b"mystic login 1 tls\0"


def login_challenge(nonce: bytes, server_id: bytes, name: str, fingerprint: str = "") -> bytes:
    """The bytes that `Login.signature` signs (Ed25519): bound to this connection, this server and this name.

    `fingerprint`: of the server's key on an encrypted connection, as pairs of hexadecimal digits with colons; there it
    is signed too. A server can say that it has another one's id and pass on its nonce, but it can't have its key: so
    what is signed for it is worth nothing there. The fixed first words keep a signature made here from meaning anything
    anywhere else.
    """
    domain = _ENCRYPTED_DOMAIN + bytes.fromhex(fingerprint.replace(":", "")) if fingerprint else _DOMAIN
    return domain + len(nonce).to_bytes(2) + nonce + len(server_id).to_bytes(2) + server_id + name.encode()
