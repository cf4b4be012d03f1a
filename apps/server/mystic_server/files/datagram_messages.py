"""What the server and its datagram child say to each other. The file itself comes beside `Offer`, as a descriptor."""

from typing import TypeAlias

import msgspec
from msgspec import Struct


class Offer(Struct, array_like=True, frozen=True, tag="offer"):
    """Let `peer_host` fetch this file by these terms, at the address of this machine that the peer knows.

    Answered by `Waiting` or `Unavailable`.
    """

    cid: int
    secret: bytes
    block: int
    size: int
    local_host: str
    peer_host: str


class Withdraw(Struct, array_like=True, frozen=True, tag="withdraw"):
    """Who asked for it is gone: it may end by itself within a moment, then it is ended. Answered by `Ended`, unless it
    was over already."""

    cid: int


class Waiting(Struct, array_like=True, frozen=True, tag="waiting"):
    """The file waits on this port."""

    cid: int
    port: int


class Unavailable(Struct, array_like=True, frozen=True, tag="unavailable"):
    """It can't be had: why, in a sentence."""

    cid: int
    why: str


class Moved(Struct, array_like=True, frozen=True, tag="moved"):
    """The peer has so many bytes of it now; said once when it starts, and then now and then."""

    cid: int
    held: int


class Ended(Struct, array_like=True, frozen=True, tag="ended"):
    """It is over. `why` is empty if the peer has all of it."""

    cid: int
    held: int
    why: str = ""


ToChild: TypeAlias = Offer | Withdraw
FromChild: TypeAlias = Waiting | Unavailable | Moved | Ended

encode = msgspec.msgpack.Encoder().encode
to_child: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
