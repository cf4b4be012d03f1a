"""Two keys from a ticket's secret, one for each direction: sealing datagrams, opening them, and refusing replays.

AES-256-GCM over the body with the header as associated data; nonce = 4 bytes of salt, then the pn as 8 bytes. Each
direction counts its own pns up from 1, so that no nonce is used twice; a secret serves one attempt at one transfer.

Opening costs an allocation more than `decrypt_into` would, and is as fast; but on a forged tag that one has already
written unauthenticated bytes into its destination.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mysticproto.model import UdpTerms
from mysticproto.udp.packets import HEADER, HEADER_BYTES, OVERHEAD_BYTES, PN_MAX

_KEY_BYTES, _SALT_BYTES = 32, 4
_PN_IN_HEADER = slice(6, 12)


class KeyUsedUp(Exception):
    """No pn is left under this key."""


class Sealer:
    """One direction, at its sending end. `next_pn` is that of the next datagram."""

    __slots__ = ("_cid", "_encrypt", "_salt", "next_pn")

    def __init__(self, key: bytes, salt: bytes, cid: int) -> None:
        self._encrypt = AESGCM(key).encrypt
        self._salt = salt + bytes(2)  # the upper 2 of the nonce's 8 bytes of pn
        self._cid = cid
        self.next_pn = 1

    def seal(self, kind: int, body: bytes | memoryview, block: int = 0) -> bytes:
        """One datagram."""
        return b"".join(self.sealed_pair(kind, body, block))

    def sealed_pair(self, kind: int, body: bytes | memoryview, block: int = 0) -> tuple[bytes, bytes]:
        """One datagram as its header and the rest, for those who join many."""
        pn = self.next_pn
        if pn > PN_MAX:
            raise KeyUsedUp
        self.next_pn = pn + 1
        header = HEADER.pack(kind, 0, self._cid, 0, pn, block)
        return header, self._encrypt(self._salt + header[_PN_IN_HEADER], body, header)

    @property
    def used_up(self) -> bool:
        return self.next_pn > PN_MAX

    def skip(self) -> int:
        """Leaves out one pn, and says which."""
        self.next_pn += 1
        return self.next_pn - 1


class Opener:
    """One direction, at its receiving end."""

    __slots__ = ("_cid", "_decrypt", "_salt")

    def __init__(self, key: bytes, salt: bytes, cid: int) -> None:
        self._decrypt = AESGCM(key).decrypt
        self._salt = salt + bytes(2)
        self._cid = cid

    def header(self, datagram: bytes | memoryview) -> tuple[int, int, int] | None:
        """(type, pn, block) as the datagram claims; None if it can't be one of ours."""
        if len(datagram) < OVERHEAD_BYTES:
            return None
        kind, flags, cid, high, pn, block = HEADER.unpack_from(datagram)
        return (kind, pn, block) if cid == self._cid and not flags and not high else None

    def open(self, datagram: bytes | memoryview) -> bytes | None:
        """The body; None if it is forged or damaged."""
        header = bytes(datagram[:HEADER_BYTES])
        try:
            return self._decrypt(self._salt + header[_PN_IN_HEADER], datagram[HEADER_BYTES:], header)
        except InvalidTag:
            return None


def server_keys(terms: UdpTerms, size: int) -> tuple[Sealer, Opener]:
    """What the server seals and opens with."""
    from_client, from_server = _derive(terms, size)
    return Sealer(*from_server, terms.cid), Opener(*from_client, terms.cid)


def client_keys(terms: UdpTerms, size: int) -> tuple[Sealer, Opener]:
    """What the client seals and opens with."""
    from_client, from_server = _derive(terms, size)
    return Sealer(*from_client, terms.cid), Opener(*from_server, terms.cid)


def _derive(terms: UdpTerms, size: int) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """(key, salt) from the client and from the server; sides that disagree about the terms can't open anything."""
    one = _KEY_BYTES + _SALT_BYTES
    info = b"mystic udp 1 %d %d %d" % (terms.cid, terms.block, size)
    made = HKDF(SHA256(), 2 * one, salt=None, info=info).derive(terms.secret)
    client, server = made[:one], made[one:]
    return (client[:_KEY_BYTES], client[_KEY_BYTES:]), (server[:_KEY_BYTES], server[_KEY_BYTES:])
