"""The wires that `test_wires.py` holds to the Wire contract, each with conversations that its peers have."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from mysticproto import native
from mysticproto.legacy import muca_json, mystic_cli
from mysticproto.legacy.muca_json import MucaWire
from mysticproto.legacy.mystic_cli import MysticCliWire
from mysticproto.native import PREAMBLE, NativeWire, encode_frame
from mysticproto.wire import Wire
from tests.proto.vocabulary import REQUESTS


class WireCase(Struct, frozen=True):
    """One wire."""

    name: str
    make: Callable[[], Wire]
    opening: bytes
    """What a peer sends first, before its first request; may be empty."""
    conversation: tuple[bytes, ...]
    """What a peer sends afterwards: each piece gives one item."""
    endless: bytes
    """The beginning of a piece that is longer than the wire allows, however long it goes on; `filler` goes on."""
    filler: bytes
    long_piece: bytes
    """A piece close to the limit."""
    is_framed: bool = True
    """Whether pieces are told apart by what they say; else each read is one, and how they are cut matters."""


NATIVE = WireCase(
    name="native",
    make=NativeWire,
    opening=PREAMBLE,
    conversation=(*map(encode_frame, REQUESTS), b"\0\0\0\2\x91\1", b"\0\0\0\0", b"\0\0\0\x07\x92\xa4nope\1"),
    endless=(native.MAX_REQUEST_BYTES + 1).to_bytes(4),
    filler=encode_frame(REQUESTS[-1]),
    long_piece=native.MAX_REQUEST_BYTES.to_bytes(4) + b"\xc1" * native.MAX_REQUEST_BYTES,
)

_MUCA_SEND = b'{"CMD":"SEND","MSG":"hi}{\\n","TO":["ann@x.y","bob"],"FROM":"bob"}'
MUCA_JSON = WireCase(
    name="muca_json",
    make=MucaWire,
    opening=b"",
    conversation=(
        b'{"CMD": "JOIN", "UN": "Ann", "UID": "ann@hku.hk"}',
        _MUCA_SEND,
        b'{"CMD":"SEND","MSG":"\\u007d{","TO":[]}',
        b'{"CMD":"JOIN"}\r\n',
        b"hello",
        b'{"CMD":1}',
    ),
    endless=b'{"CMD":"SEND","TO":[],"MSG":"',
    filler=b"x" * 1000,
    long_piece=b'{"CMD":"SEND","TO":[],"MSG":"' + b"x" * (muca_json.MAX_REQUEST_BYTES - 50) + b'"}',
)

MYSTIC_CLI = WireCase(
    name="mystic_cli",
    make=MysticCliWire,
    opening=b"",
    conversation=(
        b"ana",
        b"hello",
        "h\u00e9 \u20ac".encode(),
        b"mystic",
        b"mystic pm bob hi",
        b"\xff",
        b"mystic disconnect",
    ),
    endless=b"x" * mystic_cli.MAX_MESSAGE_BYTES,
    filler=b"x",
    long_piece=b"x" * mystic_cli.MAX_MESSAGE_BYTES,
    is_framed=False,
)

WIRES = (NATIVE, MYSTIC_CLI, MUCA_JSON)
