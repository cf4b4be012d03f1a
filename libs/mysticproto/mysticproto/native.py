"""Mystic's own wire: eight opening bytes, then frames of a 4-byte big-endian length and the msgpack of one struct.

Both directions open with `PREAMBLE`; its last byte is the version. `NativeWire` is the server's end, `NativeClient` the
client's: the same frames with the vocabulary exchanged. A frame that is well delimited but makes no sense is refused and
the conversation goes on, up to `MAX_FAULTS` times; a frame above the limit ends it.
"""

import struct
from typing import Any, Final

import msgspec

from mysticproto.buffer import BufferFull, ReceiveBuffer
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import Bye, Event, FromServer, Passing, Refused, Reply, Request
from mysticproto.wire import Chunks, Item, Local, Role

PREAMBLE: Final = b"\xffMYSTIC\x01"
MAX_REQUEST_BYTES: Final = 64 * 1024
"""A frame from a client."""
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""A frame from a server: a history page of 500 long messages fits."""
MAX_FAULTS: Final = 8
"""Senseless frames that one connection may send."""

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[FromServer] = msgspec.msgpack.Decoder(FromServer)


def encode_frame(said: Request | FromServer) -> bytes:
    """One frame, length and all."""
    body = _encoder.encode(said)
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Cuts a peer's bytes into frame bodies, after checking the preamble that must come first."""

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        # One whole frame may wait for its last byte while a full read of 256 KiB arrives.
        self._unused = ReceiveBuffer(max_frame_bytes + _LENGTH.size + len(PREAMBLE) + 256 * 1024)
        self._greeted = False

    def feed(self, data: bytes) -> tuple[list[bytes], ProtocolError | None]:
        """Whole frames in order, and what ended them if something did."""
        try:
            self._unused.feed(data)
        except BufferFull:
            return [], ProtocolError(Code.FRAME_TOO_LARGE, "more bytes than a conversation may hold back")
        if not self._greeted:
            fault = self._greet()
            if fault or not self._greeted:
                return [], fault
        return self._frames()

    def take_rest(self) -> bytes:
        """What came after the last whole frame: the raw bytes behind `FileStart`."""
        return self._unused.take_all()

    def _greet(self) -> ProtocolError | None:
        start = self._unused.peek(len(PREAMBLE))
        if not PREAMBLE.startswith(start) and start[:-1] != PREAMBLE[:-1]:
            return ProtocolError(Code.WRONG_PROTOCOL, "this is not Mystic's own wire")
        if len(start) < len(PREAMBLE):
            return None
        if start != PREAMBLE:
            return ProtocolError(Code.UNSUPPORTED_VERSION, f"version {start[-1]} of the wire is not spoken here")
        self._unused.maybe_take_exactly(len(PREAMBLE))
        self._greeted = True
        return None

    def maybe_frame(self) -> bytes | None:
        """The next whole frame, if there is one and it is within the limit."""
        head = self._unused.peek(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        length = _LENGTH.unpack(head)[0]
        if length > self._max_frame_bytes or len(self._unused) < _LENGTH.size + length:
            return None
        self._unused.maybe_take_exactly(_LENGTH.size)
        return self._unused.maybe_take_exactly(length)

    def _frames(self) -> tuple[list[bytes], ProtocolError | None]:
        frames = []
        while (frame := self.maybe_frame()) is not None:
            frames.append(frame)
        head = self._unused.peek(_LENGTH.size)
        if len(head) == _LENGTH.size and (length := _LENGTH.unpack(head)[0]) > self._max_frame_bytes:
            text = f"a frame of {length} bytes is larger than the limit of {self._max_frame_bytes}"
            return frames, ProtocolError(Code.FRAME_TOO_LARGE, text)
        return frames, None


class NativeWire:
    """The server's end of one native connection."""

    name = "native"
    alone_gap_s = 0.0

    def __init__(self) -> None:
        self._reader = FrameReader(MAX_REQUEST_BYTES)
        self._faults = 0
        self._last_encoded: tuple[Event | Passing | None, Chunks] = (None, ())

    def opened(self, now: float) -> list[Item]:
        """The preamble; `Hello` is the server's to say, since it holds a nonce."""
        return [Local((PREAMBLE,))]

    def feed(self, data: bytes, now: float) -> list[Item]:
        """Requests, refusals of senseless frames, and perhaps the error that ends it all."""
        frames, fault = self._reader.feed(data)
        items: list[Item] = []
        for frame in frames:
            items.append(self._request(frame))
            if self._faults > MAX_FAULTS:
                fault = ProtocolError(Code.MALFORMED, "too many senseless frames")
                break
        if fault:
            items.append(fault)
        return items

    def eof(self, now: float) -> list[Item]:
        """Nothing: a frame that was cut off is dropped."""
        return []

    def next_deadline(self) -> float | None:
        """None: this wire never waits for anything but bytes."""
        return None

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """One frame."""
        return (encode_frame(reply),)

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """One frame, the same for every role; bystanders are told too, so that lists of groups stay true."""
        if self._last_encoded[0] is not event:
            self._last_encoded = (event, (encode_frame(event),))
        return self._last_encoded[1]

    def _request(self, frame: bytes) -> Item:
        try:
            return _requests.decode(frame)
        except msgspec.MsgspecError as problem:
            self._faults += 1
            return Local((encode_frame(_refusal(frame, problem)),))


def _refusal(frame: bytes, problem: Exception) -> Refused:
    """Says what is wrong with a frame, under the number it carries if that can still be read."""
    try:
        parts: Any = msgspec.msgpack.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[1], int):
        return Refused(0, Code.MALFORMED, "the frame is not a request")
    n = parts[1] if -(2**63) <= parts[1] < 2**63 else 0
    if "Invalid value" in str(problem) and str(problem).endswith("$[0]`"):
        return Refused(n, Code.UNKNOWN_REQUEST, "this server does not know that request")
    return Refused(n, Code.MALFORMED, f"the request is malformed: {problem}"[:300])


class NativeClient:
    """The client's end of one native connection."""

    def __init__(self) -> None:
        self._reader = FrameReader(MAX_ANSWER_BYTES)

    def opening(self) -> bytes:
        """The first bytes to send."""
        return PREAMBLE

    def request(self, request: Request) -> bytes:
        """One frame."""
        return encode_frame(request)

    def feed(self, data: bytes) -> tuple[list[FromServer], ProtocolError | None]:
        """What the server said, and what ended it if it stopped making sense.

        Kinds that this version doesn't know are passed over: a newer server may say more.
        """
        frames, fault = self._reader.feed(data)
        said = []
        for frame in frames:
            try:
                said.append(_answers.decode(frame))
            except msgspec.MsgspecError as problem:
                if "Invalid value" in str(problem) and str(problem).endswith("$[0]`"):
                    continue
                return said, ProtocolError(Code.MALFORMED, f"the server said something malformed: {problem}"[:300])
        return said, fault

    def take_rest(self) -> bytes:
        """Raw bytes behind the frames fed so far."""
        return self._reader.take_rest()
