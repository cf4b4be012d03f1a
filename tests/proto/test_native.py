from __future__ import annotations

import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto import model, native
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import FromServer, Refused, Request
from mysticproto.native import PREAMBLE, FrameReader, NativeClient, NativeWire, encode_frame
from mysticproto.wire import Item, Local, Raw, Role
from tests.proto.vocabulary import FROM_SERVER, MESSAGE, REQUESTS, answers, requests

PING = encode_frame(model.Ping(1))


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4) + body


def greeted() -> NativeWire:
    wire = NativeWire()
    assert wire.feed(PREAMBLE, 0.0) == []
    return wire


def heard(item: Item) -> FromServer:
    """What the client understands of an answer that the wire gave by itself."""
    assert isinstance(item, Local)
    said, fault = NativeClient().feed(
        PREAMBLE + b"".join(bytes(chunk) for chunk in item.chunks if isinstance(chunk, bytes))
    )
    assert fault is None
    [one] = said
    return one


def fault_code(items: list[Item]) -> Code:
    assert isinstance(items[-1], ProtocolError)
    return items[-1].code


# Client and server understand each other.


@given(st.lists(requests, max_size=4))
def test_the_server_hears_what_the_client_asks(asked: list[Request]) -> None:
    client = NativeClient()
    heard = NativeWire().feed(client.opening() + b"".join(map(client.request, asked)), 0.0)
    raw_from = next((at + 1 for at, one in enumerate(asked) if isinstance(one, model.Store)), len(asked))
    rest = b"".join(map(client.request, asked[raw_from:]))
    assert heard == [*asked[:raw_from], *([Raw(rest)] if rest else [])]


@given(st.binary(max_size=300), st.integers(0, 300))
def test_behind_store_there_are_only_bytes(file: bytes, cut: int) -> None:
    sent = PREAMBLE + encode_frame(model.Store(1, b"t" * 16)) + file
    wire = NativeWire()
    items = wire.feed(sent[:cut], 0.0) + wire.feed(sent[cut:], 0.0)
    assert items[0] == model.Store(1, b"t" * 16)
    assert b"".join(item.data for item in items[1:] if isinstance(item, Raw)) == file
    assert all(isinstance(item, Raw) for item in items[1:])


@given(st.lists(answers, max_size=4))
def test_the_client_hears_what_the_server_says(said: list[FromServer]) -> None:
    client = NativeClient()
    heard_so_far, fault = client.feed(PREAMBLE + b"".join(map(encode_frame, said)))
    raw_from = next((at + 1 for at, one in enumerate(said) if isinstance(one, model.FileStart)), len(said))
    assert (heard_so_far, fault) == (said[:raw_from], None)


def test_the_server_speaks_first() -> None:
    assert NativeWire().opened(0.0) == [Local((PREAMBLE,))]


def test_answers_and_events_are_frames() -> None:
    wire = NativeWire()
    assert wire.answer(model.Ping(1), model.Pong(1, 5)) == (encode_frame(model.Pong(1, 5)),)
    assert wire.answer(None, model.Bye("idle", "x")) == (encode_frame(model.Bye("idle", "x")),)
    assert wire.encode(MESSAGE, Role.OTHER) == (encode_frame(MESSAGE),)


def test_an_event_is_encoded_once_for_all_roles() -> None:
    wire = NativeWire()
    first = wire.encode(MESSAGE, Role.AUTHOR)
    assert wire.encode(MESSAGE, Role.OTHER) is first
    assert wire.encode(MESSAGE, Role.BYSTANDER) is first
    assert wire.encode(model.Notice("x"), Role.OTHER) != first


def test_the_wire_waits_for_nothing_but_bytes() -> None:
    wire = greeted()
    assert wire.feed(PING[:-1], 0.0) == []
    assert wire.next_deadline() is None
    assert wire.eof(0.0) == []


# The preamble.


@pytest.mark.parametrize("cut", range(len(PREAMBLE) + 1))
def test_the_preamble_may_come_in_pieces(cut: int) -> None:
    wire = NativeWire()
    assert wire.feed(PREAMBLE[:cut], 0.0) == []
    assert wire.feed(PREAMBLE[cut:] + PING, 0.0) == [model.Ping(1)]


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"G", Code.WRONG_PROTOCOL),
        (b"GET / HTTP/1.1\r\n\r\n", Code.WRONG_PROTOCOL),
        (b"\xffMYSTI\x01", Code.WRONG_PROTOCOL),
        (b"\xffMYSTIC\x00", Code.UNSUPPORTED_VERSION),
        (b"\xffMYSTIC\x02", Code.UNSUPPORTED_VERSION),
        (b"\xffMYSTIC\xff" + PING, Code.UNSUPPORTED_VERSION),
    ],
)
def test_any_other_opening_ends_the_conversation(start: bytes, code: Code) -> None:
    wire = NativeWire()
    items = wire.feed(start, 0.0)
    assert len(items) == 1
    assert fault_code(items) == code
    client = NativeClient()
    said, fault = client.feed(start)
    assert said == [] and fault is not None and fault.code == code


# Frames that make no sense.

POST = b"\x94\xa4post\x01"
COLLIDING = [b"\xcf" + (i * (2**61 - 1) % 2**64).to_bytes(8) + b"\x01" for i in range(6500)]
SENSELESS = {
    "empty": (b"", 0, Code.MALFORMED),
    "not an array": (b"\xa4ping", 0, Code.MALFORMED),
    "a map": (b"\x81\xa4ping\x01", 0, Code.MALFORMED),
    "no number": (b"\x91\xa4ping", 0, Code.MALFORMED),
    "the number is a float": (b"\x92\xa4ping\xcb" + bytes(8), 0, Code.MALFORMED),
    "the number is a bool": (b"\x92\xa4ping\xc3", 0, Code.MALFORMED),
    "the kind is a number": (b"\x92\x05\x07", 0, Code.MALFORMED),
    "the kind is not UTF-8": (b"\x92\xa2\xff\xfe\x07", 0, Code.MALFORMED),
    "unknown kind": (b"\x92\xa6jabber\x07", 7, Code.UNKNOWN_REQUEST),
    "unknown kind with more": (b"\x93\xa6jabber\x07\xa1x", 7, Code.UNKNOWN_REQUEST),
    "an answer": (b"\x93\xa4pong\x07\x00", 7, Code.UNKNOWN_REQUEST),
    "unknown target": (POST + b"\x91\xa2to\xa1x", 1, Code.MALFORMED),
    "a field is missing": (b"\x92\xa5login\x07", 7, Code.MALFORMED),
    "a field of another type": (b"\x93\xa5login\x07\x08", 7, Code.MALFORMED),
    "text as bytes": (POST + b"\x91\xa9to_global\xc4\x01x", 1, Code.MALFORMED),
    "text that is not UTF-8": (POST + b"\x91\xa9to_global\xa2\xff\xfe", 1, Code.MALFORMED),
    "text with a lone surrogate": (POST + b"\x91\xa9to_global\xa3\xed\xa0\x80", 1, Code.MALFORMED),
    "trailing bytes": (b"\x92\xa4ping\x07\x00", 0, Code.MALFORMED),
    "a text longer than the frame": (POST + b"\x91\xa9to_global\xdb\xff\xff\xff\xffx", 1, Code.MALFORMED),
    "names without end": (POST + b"\x92\xa8to_users\xdd\xff\xff\xff\xff\xa1a", 0, Code.MALFORMED),
    "an array without end": (b"\xdd\xff\xff\xff\xff\xa4ping\x07", 0, Code.MALFORMED),
    "nested deeply": (b"\x91" * 60_000, 0, Code.MALFORMED),
    "nested deeply where nobody looks": (b"\x93\xa4ping\x07" + b"\x91" * 60_000 + b"\x01", 0, Code.MALFORMED),
    "keys that collide": (
        b"\x92\xde\x19\x64"
        + b"".join(b"\xcf" + (i * (2**61 - 1) % 2**64).to_bytes(8) + b"\x01" for i in range(6500))
        + b"\x07",
        0,
        Code.MALFORMED,
    ),
    "a number of 64 bits": (b"\x92\xa6jabber\xcf" + b"\xff" * 8, 2**64 - 1, Code.UNKNOWN_REQUEST),
}


@pytest.mark.parametrize(("body", "n", "code"), SENSELESS.values(), ids=SENSELESS)
def test_a_senseless_frame_is_refused_and_the_next_one_heard(body: bytes, n: int, code: Code) -> None:
    first, second = greeted().feed(frame(body) + PING, 0.0)
    refused = heard(first)
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert refused.n in (0, n)
    assert refused.n == n or code == Code.MALFORMED
    assert len(refused.text) <= 300
    assert second == model.Ping(1)


def test_too_many_senseless_frames_end_the_conversation() -> None:
    wire = greeted()
    items = wire.feed(frame(b"\x01") * (native.MAX_FAULTS + 5) + PING, 0.0)
    assert [type(item) for item in items] == [Local] * native.MAX_FAULTS + [ProtocolError]
    assert fault_code(items) == Code.MALFORMED
    assert wire.feed(PING, 0.0) == []


# Frames that are too large.


def test_the_largest_frame_is_heard() -> None:
    empty = len(encode_frame(model.Post(1, model.ToGlobal(), "")))
    post = model.Post(1, model.ToGlobal(), "x" * (native.MAX_REQUEST_BYTES + 4 - empty - 2))
    assert len(encode_frame(post)) == native.MAX_REQUEST_BYTES + 4
    assert greeted().feed(encode_frame(post), 0.0) == [post]


@pytest.mark.parametrize("length", [native.MAX_REQUEST_BYTES + 1, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_frame_above_the_limit_ends_the_conversation_before_it_comes(length: int) -> None:
    wire = greeted()
    items = wire.feed(PING + length.to_bytes(4), 0.0)
    assert items[0] == model.Ping(1)
    assert fault_code(items) == Code.FRAME_TOO_LARGE
    assert wire.feed(PING, 0.0) == []


def test_a_full_read_of_small_frames_behind_an_unfinished_one_is_fine() -> None:
    large = encode_frame(model.Post(1, model.ToGlobal(), "x" * 65_000))
    wire = greeted()
    assert wire.feed(large[:-1], 0.0) == []
    assert len(wire.feed(large[-1:] + PING * 100_000, 0.0)) == 100_001


def test_a_claimed_length_reserves_no_memory() -> None:
    client = NativeClient()
    client.feed(PREAMBLE)
    tracemalloc.start()
    assert client.feed(native.MAX_ANSWER_BYTES.to_bytes(4)) == ([], None)
    assert tracemalloc.get_traced_memory()[1] < 10_000
    tracemalloc.stop()


def test_the_client_has_a_limit_too() -> None:
    client = NativeClient()
    said, fault = client.feed(PREAMBLE + encode_frame(model.Pong(1, 2)) + (native.MAX_ANSWER_BYTES + 1).to_bytes(4))
    assert said == [model.Pong(1, 2)]
    assert fault is not None and fault.code == Code.FRAME_TOO_LARGE


# What only the client meets.


def test_the_client_passes_over_what_a_newer_server_says() -> None:
    newer = frame(msgspec.msgpack.encode(["typing_indicator", 3, {"a": 1}]))
    said, fault = NativeClient().feed(PREAMBLE + newer + encode_frame(model.Pong(1, 2)))
    assert (said, fault) == ([model.Pong(1, 2)], None)


@pytest.mark.parametrize(
    "body",
    [b"", b"\x01", b"\x92\xa4pong\xa1x", b"\x93\xa6notice\xa2\xff\xfe\x00", b"\x93\xa4pong\x01" + b"\x91" * 60_000],
)
def test_a_server_that_makes_no_sense_is_left(body: bytes) -> None:
    said, fault = NativeClient().feed(PREAMBLE + encode_frame(model.Pong(1, 2)) + frame(body))
    assert said == [model.Pong(1, 2)]
    assert fault is not None and fault.code == Code.MALFORMED


@pytest.mark.parametrize("cut", range(120))
def test_the_bytes_behind_a_file_start_are_nobodys_frames(cut: int) -> None:
    start = model.FileStart(1, 60, 0)
    raw = PING * 6
    stream = PREAMBLE + encode_frame(model.Hello(b"n", b"i", "s", "v")) + encode_frame(start) + raw
    client = NativeClient()
    said = []
    for piece in (stream[:cut], stream[cut:]):
        heard_now, fault = client.feed(piece)
        assert fault is None
        said += heard_now
    assert said[1:] == [start]
    assert client.take_rest() == raw


# Everything else.


@pytest.mark.parametrize("said", [*REQUESTS, *FROM_SERVER], ids=lambda said: type(said).__name__)
def test_a_frame_is_its_length_and_its_body(said: Request | FromServer) -> None:
    whole = encode_frame(said)
    reader = FrameReader(native.MAX_ANSWER_BYTES)
    reader.feed(PREAMBLE + whole)
    assert reader.maybe_frame() == whole[4:] == msgspec.msgpack.encode(said)
    assert reader.maybe_frame() is None
