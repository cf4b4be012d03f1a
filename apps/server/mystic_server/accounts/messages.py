"""What the server and its password children say to each other. Nothing of it shows a password when it is printed."""

from typing import TypeAlias

import msgspec
from msgspec import Struct


class _Secret(Struct, array_like=True, frozen=True):
    """What must not appear in a log or a traceback."""

    number: int

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.number}>"


class HashWork(_Secret, array_like=True, frozen=True, tag="hash"):
    """Hash a new password; answered by `Hashed`."""

    password: str


class VerifyWork(_Secret, array_like=True, frozen=True, tag="verify"):
    """Is it the password of this hash? An empty hash is nobody's, and takes as long; answered by `Verified`."""

    password: str
    hash: str


class Hashed(_Secret, array_like=True, frozen=True, tag="hashed"):
    """An Argon2id hash in PHC form, with the salt and the costs in it."""

    hash: str


class Verified(_Secret, array_like=True, frozen=True, tag="verified"):
    """`renewed`: a hash of the same password, if the old one was made with less cost than new ones are."""

    is_right: bool
    renewed: str = ""


ToChild: TypeAlias = HashWork | VerifyWork
FromChild: TypeAlias = Hashed | Verified

encode = msgspec.msgpack.Encoder().encode
to_child: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
