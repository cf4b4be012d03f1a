"""Whether a device proves the key that it names. Ed25519 verification takes about a tenth of a millisecond, in the
loop."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mysticproto.auth import login_challenge
from mysticproto.model import Login

NONCE_BYTES = 16


def proves_key(request: Login, nonce: bytes, server_id: bytes, fingerprint: str = "") -> bool:
    """Whether the login's signature is by its key, for this connection, this server and this name.

    `fingerprint`: of the server's own key, if the connection is encrypted.
    """
    try:
        key = Ed25519PublicKey.from_public_bytes(request.key)
        key.verify(request.signature, login_challenge(nonce, server_id, request.name, fingerprint))
    except (InvalidSignature, ValueError):
        return False
    return True
