"""What a device signs to prove that a name is its own."""

_DOMAIN = b"mystic login 1\0"


def login_challenge(nonce: bytes, server_id: bytes, name: str) -> bytes:
    """The bytes that `Login.signature` signs (Ed25519): bound to this connection, this server and this name.

    The fixed first words keep a signature made here from meaning anything anywhere else.
    """
    return _DOMAIN + len(nonce).to_bytes(2) + nonce + len(server_id).to_bytes(2) + server_id + name.encode()
