from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.errors import Code, ProtocolError
from mysticproto.legacy.objects import ObjectReader, read_object

LIMIT = 200
DEPTH = 4


def taken(pieces: list[bytes]) -> list[bytes | str]:
    """Everything that comes out of these pieces, up to the error."""
    reader = ObjectReader(LIMIT, DEPTH)
    out: list[bytes | str] = []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (raw := reader.maybe_take()) is not None:
                out.append(raw)
        except ProtocolError as fault:
            return [*out, fault.code]
    return out


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"{}", [b"{}"]),
        (b'{"a":1}{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b' \r\n\t{"a" : [1, {"b": {}}]}\n\n{}', [b'{"a" : [1, {"b": {}}]}', b"{}"]),
        (b'{"a":"}{"}{"b":"\\"}{\\\\"}', [b'{"a":"}{"}', b'{"b":"\\"}{\\\\"}']),
        (b'{"a":"[[[[[[["}', [b'{"a":"[[[[[[["}']),
        (b'{"a":"half', []),
        (b"x{}", [b"", b"{}"]),
        (b"x y ] } z{}z{}", [b"", b"{}", b"", b"{}"]),
        (b"xxx", [b""]),
        (b"{]{}", [b"{]", b"{}"]),
        (b"{" * 5, [Code.MALFORMED]),
        (b"{}" + b'{"a":' * 100_000, [b"{}", Code.MALFORMED]),
        (b"{" + b"[" * 100_000, [Code.MALFORMED]),
        (b'{"' + b"x" * 300, [Code.FRAME_TOO_LARGE]),
        (b'{"' + b"x" * 300 + b'"}', [Code.FRAME_TOO_LARGE]),
        (b'{"' + b"x" * (LIMIT - 4) + b'"}', [b'{"' + b"x" * (LIMIT - 4) + b'"}']),
        (b'{"' + b"x" * (LIMIT - 3) + b'"}', [Code.FRAME_TOO_LARGE]),
        (b'{"' + b"x" * 300 + b'":{{{{{{{', [Code.FRAME_TOO_LARGE]),
        (b"x" * 1000 + b"{}", [b"", b"{}"]),
    ],
)
def test_objects_are_cut_out(stream: bytes, expected: list[bytes | str]) -> None:
    assert taken([stream]) == expected
    for cut in range(min(len(stream), 400)):
        assert taken([stream[:cut], stream[cut:]]) == expected
    assert taken([bytes([byte]) for byte in stream[:400]] + [stream[400:]]) == expected


@given(
    st.lists(st.sampled_from([b"{", b"}", b'"', b"\\", b"[", b"]", b" ", b"x", b'{"a":"}"}']), max_size=30), st.data()
)
def test_every_cut_gives_the_same(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cut = data.draw(st.integers(0, len(stream)))
    assert taken([stream[:cut], stream[cut:]]) == taken([stream])


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"{]",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": ' + b"1" * 21 + b"}",
        b'{"a": ' + b"1" * 10_000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\x00"}',
        b'{"a": "\n"}',
        b"[1]",
        b'"a"',
        '{"a": 1}'.encode("utf-16"),
        b'\xef\xbb\xbf{"a": 1}',
    ],
)
def test_what_is_no_object(raw: bytes) -> None:
    assert read_object(raw) is None


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.one_of(st.text(), st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False)),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
    ),
    st.booleans(),
)
def test_what_is_an_object(value: dict[str, object], ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert read_object(raw) == value or b"\xed" in raw


@given(st.binary(max_size=40))
def test_arbitrary_bytes_raise_nothing(raw: bytes) -> None:
    assert isinstance(read_object(raw), dict | None)
    assert isinstance(read_object(b"{" + raw + b"}"), dict | None)
