"""The wires that `test_wires.py` holds to the Wire contract, each with conversations that its peers have."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from msgspec import Struct

from mysticproto import native
from mysticproto.legacy import chat_modes, muca_json, mystic_cli, pickle_data, pickle_frames, unicast_base64
from mysticproto.legacy.chat_modes import ChatModesWire
from mysticproto.legacy.muca_json import MucaJsonWire
from mysticproto.legacy.mystic_cli import MysticCliWire
from mysticproto.legacy.pickle_relay import PickleRelayWire
from mysticproto.legacy.unicast_base64 import UnicastBase64Wire
from mysticproto.model import Store
from mysticproto.native import PREAMBLE, NativeWire, encode_frame
from mysticproto.wire import Wire
from tests.proto.vocabulary import REQUESTS

FRAMED = [request for request in REQUESTS if not isinstance(request, Store)]
"""Behind `Store` there are no frames any more; see `tests/proto/test_native.py`."""


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
    conversation=(*map(encode_frame, FRAMED), b"\0\0\0\2\x91\1", b"\0\0\0\0", b"\0\0\0\x07\x92\xa4nope\1"),
    endless=(native.MAX_REQUEST_BYTES + 1).to_bytes(4),
    filler=encode_frame(REQUESTS[-1]),
    long_piece=native.MAX_REQUEST_BYTES.to_bytes(4) + b"\xc1" * native.MAX_REQUEST_BYTES,
)

_MUCA_SEND = b'{"CMD":"SEND","MSG":"hi}{\\n","TO":["ann@x.y","bob"],"FROM":"bob"}'
MUCA_JSON = WireCase(
    name="muca_json",
    make=MucaJsonWire,
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

UNICAST_BASE64 = WireCase(
    name="unicast_base64",
    make=UnicastBase64Wire,
    opening=b"",
    conversation=(
        *(
            b64encode(request) + b"<END>"
            for request in (
                b"USERNAME::ana",
                b"UNICAST::bob:hi",
                b"UNICAST::bob",
                b"BROADCAST::<END>",
                b"ACCESS::",
                b"DOWNLOAD::a.txt",
                b"HELLO::",
                b"\xff",
                b"EXIT::",
            )
        ),
        b"hello<END>",
        b"<<END>",
        b"\n<END>",
    ),
    endless=b64encode(b"BROADCAST::" + b"x" * unicast_base64.MAX_REQUEST_BYTES),
    filler=b"eHh4" * 100,
    long_piece=b64encode(b"BROADCAST::" + b"x" * (unicast_base64.MAX_REQUEST_BYTES // 4 * 3 - 20)) + b"<END>",
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

CHAT_MODES = WireCase(
    name="chat_modes",
    make=ChatModesWire,
    opening=b"",
    conversation=(
        b"ana",
        b"hello",
        "h\u00e9 \u20ac".encode(),
        b"\xff",
        b"/direct",
        b"bob~hi",
        b"hi",
        b"/exit",
        b"/group",
        b"n",
        b"crew~hi",
        b"/add bob",
        b"/kick bob",
        b"/exit",
        b"/leave",
    ),
    endless=b"x" * chat_modes.MAX_UNBOUNDED_BYTES,
    filler=b"x",
    long_piece=b"x" * chat_modes.MAX_LINE_BYTES,
    is_framed=False,
)

PICKLE_RELAY = WireCase(
    name="pickle_relay",
    make=PickleRelayWire,
    opening=b"",
    conversation=(
        pickle_frames.command("connect", "ann@hku.hk"),
        pickle_frames.message(pickle_data.listing([])),
        pickle_frames.message(b"\x8c\x02hi."),
        pickle_frames.message(pickle_data.row(1.5, "bob", "hi\x1f") + b"."),
        pickle_frames.command("shutdown"),
        pickle_frames.command("nonsense"),
        b"msg:4           1234",
        pickle_frames.command("disconnect"),
    ),
    endless=f"msg:{pickle_frames.MAX_BODY_BYTES + 1}".ljust(16).encode(),
    filler=b"x" * 1000,
    long_piece=f"msg:{pickle_frames.MAX_BODY_BYTES}".ljust(16).encode() + b"x" * pickle_frames.MAX_BODY_BYTES,
)

WIRES = (NATIVE, MYSTIC_CLI, UNICAST_BASE64, MUCA_JSON, CHAT_MODES, PICKLE_RELAY)
