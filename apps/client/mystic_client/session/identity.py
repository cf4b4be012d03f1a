"""The device's key: made once, kept in a file that only its owner can read.

`cryptography` is loaded at the first use, so that programs which never log in start fast.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = "device.key"
SEED_BYTES = 32


class IdentityError(Exception):
    """The key's file can't be read or written, or doesn't hold a key."""


class Identity:
    """An Ed25519 key pair."""

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key: Ed25519PrivateKey = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(data)


def load_or_make_identity(folder: Path) -> Identity:
    """The identity kept in `folder`, made if there is none. Two programs that start at once get the same one."""
    path = folder / KEY_FILE
    try:
        seed = _read(path)
        if seed is None:
            _write_new(path, secrets.token_bytes(SEED_BYTES))
            seed = _read(path)
    except OSError as problem:
        raise IdentityError(f"the device's key {path} can't be used: {problem.strerror or problem}") from problem
    if seed is None or len(seed) != SEED_BYTES:
        raise IdentityError(f"{path} does not hold a device key; move it away to get a new one")
    return Identity(seed)


def _read(path: Path) -> bytes | None:
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _write_new(path: Path, seed: bytes) -> None:
    """Makes the file whole or not at all; leaves one that another program made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(seed.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            draft.replace(path)
