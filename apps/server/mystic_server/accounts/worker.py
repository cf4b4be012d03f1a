"""A password child: makes and checks Argon2id hashes, which take 19 MiB and about 20 ms each on purpose.

    python -m mystic_server.accounts.worker DESCRIPTOR

Costs are the least that OWASP's Password Storage Cheat Sheet recommends. A name that has no password is checked against
a hash that nobody knows the password of, so that the time says nothing about who has one.
"""

import os
import secrets
import sys
import unicodedata
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mystic_server.accounts.messages import FromChild, Hashed, HashWork, ToChild, Verified, encode, to_child
from mystic_server.net.children import ParentLink

MEMORY_KIB = 19_456
ROUNDS = 2
LANES = 1
_NICENESS = 5  # chat comes first where the processors are busy


class Worker:
    """What the child does, apart from waiting."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._nobodys = hasher.hash(secrets.token_hex())

    def answer(self, work: ToChild) -> FromChild:
        """Does one thing, in the same time whatever comes of it."""
        # One password can be typed in several sequences of code points; RFC 8265 compares them after NFC.
        password = unicodedata.normalize("NFC", work.password)
        if isinstance(work, HashWork):
            return Hashed(work.number, self._hasher.hash(password))
        is_right = self._verify(work.hash or self._nobodys, password) and bool(work.hash)
        is_weak = is_right and self._hasher.check_needs_rehash(work.hash)
        return Verified(work.number, is_right, self._hasher.hash(password) if is_weak else "")

    def _verify(self, phc: str, password: str) -> bool:
        try:
            return self._hasher.verify(phc, password)
        except (VerificationError, InvalidHashError):
            return False


def main(arguments: list[str]) -> None:
    """The process."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    link = ParentLink.inherited(arguments[0])
    worker = Worker(PasswordHasher(ROUNDS, MEMORY_KIB, LANES))
    with suppress(BrokenPipeError, ConnectionResetError):  # the parent died while it was answered
        while (body := link.receive()) is not None:
            link.send(encode(worker.answer(to_child.decode(body))))


if __name__ == "__main__":
    main(sys.argv[1:])
