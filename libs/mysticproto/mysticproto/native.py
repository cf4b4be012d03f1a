"""Mystic's own wire: eight opening bytes, then frames of a 4-byte big-endian length and the msgpack of one struct.

Both directions open with `PREAMBLE`; its last byte is the version. `NativeWire` is the server's end, `NativeClient` the
client's: the same frames with the vocabulary exchanged. A frame that is well delimited but makes no sense is refused
and the conversation goes on, up to `MAX_FAULTS` times; a frame above the limit ends it. Behind `Store` there are no
frames any more: what follows is a file.
"""

import struct
from typing import Final, get_args

import msgspec

from mysticproto.buffer import BufferFull, ReceiveBuffer
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import Bye, Event, FileStart, FromServer, Passing, Refused, Reply, Request, Roster, Seen, Store
from mysticproto.wire import Chunks, Item, Local, Raw, Role

PREAMBLE: Final = b"\xffMYSTIC\x01"
MAX_REQUEST_BYTES: Final = 64 * 1024
"""A frame from a client."""
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""A frame from a server, which makes its pages fit."""
MAX_FAULTS: Final = 8
"""Senseless frames that one connection may send."""

_LENGTH = struct.Struct(">I")
_VERSION_AT = len(PREAMBLE) - 1
# msgspec lets invalid UTF-8 and deep nesting through as Python's own errors.
_SENSELESS = (msgspec.MsgspecError, ValueError, RecursionError)
_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[FromServer] = msgspec.msgpack.Decoder(FromServer)


class _Kind(msgspec.Struct, array_like=True):
    """How every frame begins."""

    kind: str


class _Head(_Kind, array_like=True):
    """How every request begins. Looking no further keeps a hostile frame from building anything."""

    n: int


_kinds = msgspec.msgpack.Decoder(_Kind)
_heads = msgspec.msgpack.Decoder(_Head)
_REQUEST_KINDS = frozenset(kind.__struct_config__.tag for kind in get_args(Request))
_ANSWER_KINDS = frozenset(kind.__struct_config__.tag for kind in get_args(FromServer))


def encode_frame(said: Request | FromServer) -> bytes:
    """One frame, length and all."""
    body = _encoder.encode(said)
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a peer's bytes into frame bodies, after checking the preamble that must come first."""

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._unused = ReceiveBuffer(_LENGTH.size + max_frame_bytes)
        self._greeted = False

    def feed(self, data: bytes) -> None:
        """Appends. Afterwards `maybe_frame` MUST be called until it gives None."""
        self._unused.feed(data)

    def maybe_frame(self) -> bytes | None:
        """The next frame's body, None while it is not complete. Raises `ProtocolError`, and then always does."""
        if not self._greeted and not self._greet():
            return None
        head = self._unused.maybe_peek(_LENGTH.size)
        if head is None:
            return None
        length = int.from_bytes(head)
        try:
            return self._unused.maybe_take_exactly(length, after=_LENGTH.size)
        except BufferFull:
            text = f"a frame of {length} bytes is larger than the limit of {self._max_frame_bytes}"
            raise ProtocolError(Code.FRAME_TOO_LARGE, text) from None

    def take_rest(self) -> bytes:
        """What came after the last whole frame: the raw bytes behind `FileStart`."""
        return self._unused.take_all()

    def _greet(self) -> bool:
        start = self._unused.maybe_peek(min(len(self._unused), len(PREAMBLE))) or b""
        if start[:_VERSION_AT] != PREAMBLE[: min(len(start), _VERSION_AT)]:
            raise ProtocolError(Code.WRONG_PROTOCOL, "this is not Mystic's own wire")
        if len(start) < len(PREAMBLE):
            return False
        if start != PREAMBLE:
            raise ProtocolError(Code.UNSUPPORTED_VERSION, f"version {start[-1]} of the wire is not spoken here")
        self._greeted = self._unused.maybe_take_exactly(len(PREAMBLE)) is not None
        return self._greeted


class NativeWire:
    """The server's end of one native connection."""

    name = "native"
    alone_gap_s = 0.0
    follows_roster = False
    is_personal = False
    file_coding = ""
    is_framed = True
    pings = True
    pairs = False
    is_over = False

    def __init__(self) -> None:
        self._reader = FrameReader(MAX_REQUEST_BYTES)
        self._faults = 0
        self._ended = False
        self._raw = False
        self._last_encoded: tuple[Event | Passing | None, Chunks] = (None, ())

    def opened(self, now: float) -> list[Item]:
        """The preamble; `Hello` is the server's to say, since it holds a nonce."""
        return [Local((PREAMBLE,))]

    def feed(self, data: bytes, now: float) -> list[Item]:
        """Requests, refusals of senseless frames, a file's bytes, and perhaps the error that ends it all."""
        items: list[Item] = []
        if self._raw:
            return [Raw(data)] if data else items
        if self._ended:
            return items
        self._reader.feed(data)
        try:
            while not self._raw and (frame := self._reader.maybe_frame()) is not None:
                items.append(self._request(frame))
                self._raw = isinstance(items[-1], Store)
            if self._raw and (rest := self._reader.take_rest()):
                items.append(Raw(rest))
        except ProtocolError as fault:
            self._ended = True
            items.append(fault)
        return items

    def eof(self, now: float) -> list[Item]:
        """Nothing: a frame that was cut off is dropped."""
        return []

    def next_deadline(self) -> float | None:
        """None: this wire never waits for anything but bytes."""
        return None

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """One frame; what only older wires have words for is left out."""
        return () if isinstance(reply, Seen | Roster) else (encode_frame(reply),)

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """One frame, the same for every role; bystanders are told too, so that lists of groups stay true."""
        if self._last_encoded[0] is not event:
            self._last_encoded = (event, (encode_frame(event),))
        return self._last_encoded[1]

    def take_follow_ups(self) -> list[Request]:
        """None: every question is the client's own."""
        return []

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        """As `encode`: nothing depends on the peer."""
        return self.encode(event, role)

    def _request(self, frame: bytes) -> Item:
        try:
            return _requests.decode(frame)
        except _SENSELESS as problem:
            self._faults += 1
            if self._faults > MAX_FAULTS:
                raise ProtocolError(Code.MALFORMED, "too many senseless frames") from None
            return Local((encode_frame(_refusal(frame, problem)),))


def _refusal(frame: bytes, problem: Exception) -> Refused:
    """Says what is wrong with a frame, under the number it carries if that can still be read."""
    try:
        head = _heads.decode(frame)
    except _SENSELESS:
        return Refused(0, Code.MALFORMED, "the frame is not a request")
    if head.kind not in _REQUEST_KINDS:
        return Refused(head.n, Code.UNKNOWN_REQUEST, "this server does not know that request")
    return Refused(head.n, Code.MALFORMED, f"the request is malformed: {problem}"[:300])


class NativeClient:
    """The client's end of one native connection."""

    def __init__(self) -> None:
        self._reader = FrameReader(MAX_ANSWER_BYTES)
        self._raw = False

    def opening(self) -> bytes:
        """The first bytes to send."""
        return PREAMBLE

    def request(self, request: Request) -> bytes:
        """One frame."""
        return encode_frame(request)

    def feed(self, data: bytes) -> tuple[list[FromServer], ProtocolError | None]:
        """What the server said, and what ended it if it stopped making sense.

        Kinds that this version doesn't know are passed over: a newer server may say more. Nothing is looked at behind a
        `FileStart`: raw bytes follow, which `take_rest` gives.
        """
        said: list[FromServer] = []
        self._reader.feed(data)
        try:
            while not self._raw and (frame := self._reader.maybe_frame()) is not None:
                self._hear(frame, said)
        except ProtocolError as fault:
            return said, fault
        return said, None

    def _hear(self, frame: bytes, said: list[FromServer]) -> None:
        try:
            said.append(_answers.decode(frame))
        except _SENSELESS as problem:
            if _is_unknown_answer(frame):
                return
            raise ProtocolError(Code.MALFORMED, f"the server said something malformed: {problem}"[:300]) from None
        self._raw = isinstance(said[-1], FileStart)

    def take_rest(self) -> bytes:
        """Raw bytes behind the frames fed so far."""
        return self._reader.take_rest()


def _is_unknown_answer(frame: bytes) -> bool:
    try:
        return _kinds.decode(frame).kind not in _ANSWER_KINDS
    except _SENSELESS:
        return False
