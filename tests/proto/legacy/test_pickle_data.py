"""Plain data in pickles: everything that pickle writes of it is read, nothing else, and nothing differently."""

from __future__ import annotations

import pickle
import pickletools
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mysticproto.legacy.pickle_data import (
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_OPCODES,
    MAX_TEXT_BYTES,
    NotPlain,
    listing,
    read,
    row,
)
from tests.layout.sources import imports_of, is_in, modules

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
_KNOWN = """
PROTO FRAME STOP MARK POP POP_MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 INT LONG BINFLOAT FLOAT
BINUNICODE SHORT_BINUNICODE UNICODE EMPTY_LIST APPEND APPENDS LIST EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3 TUPLE
EMPTY_DICT SETITEM SETITEMS DICT PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET
"""
KNOWN_OPCODES = _KNOWN.split()
REFUSED_OPCODES = [opcode for opcode in pickletools.opcodes if opcode.name not in KNOWN_OPCODES]

texts = st.text(st.characters(codec="utf-8"), max_size=20)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), texts)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(texts, inner, max_size=5),
    ),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    """Equal in value and in type, all the way down; nan is itself."""
    return repr(one) == repr(other)


@settings(max_examples=max(300, settings().max_examples))
@given(value=values, protocol=st.sampled_from(PROTOCOLS), optimized=st.booleans(), in_python=st.booleans())
def test_what_pickle_writes_of_plain_data_is_read(value: Any, protocol: int, optimized: bool, in_python: bool) -> None:
    dumps = pickle._dumps if in_python else pickle.dumps  # type: ignore[attr-defined]
    data = dumps(value, protocol)
    assert same(read(pickletools.optimize(data) if optimized else data), value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_long_strings_and_many_places_in_the_memo_are_read(protocol: int) -> None:
    for value in (["x" * MAX_TEXT_BYTES], [f"text {number}" for number in range(400)] * 2, [2**63 - 1, -(2**63)]):
        assert read(pickle.dumps(value, protocol)) == value


# Against C pickle. Only what has been accepted is ever given to it.


def differs(data: bytes) -> bool:
    try:
        value = read(data)
    except NotPlain:
        return False
    return not same(value, pickle.loads(data))


SAMPLES: list[Any] = [
    ["hi", "hi", ("x", 1, None, True), {"a": [1.5, -3, 2**40], "b": {}}],
    (1_700_000_000.25, "ana", "text ☺\n\\u0041"),
    [[], (), {}, 255, 256, 65535, 65536, -1, 2**31, -(2**63), 1e300, float("inf")],
    [str(number) for number in range(300)],
    "a",
]
CORPUS = [pickle.dumps(sample, protocol) for sample in SAMPLES for protocol in PROTOCOLS]


def mutated(chance: random.Random) -> bytes:
    """A pickle of the corpus with a few bytes of it, or of another one, put elsewhere."""
    data = bytearray(chance.choice(CORPUS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        gone = chance.choice((0, 0, 1, 1, 2, 5))
        data[at : at + gone] = chance.choice(
            (
                b"",
                bytes([chance.randrange(256)]),
                bytes([chance.choice(b"(01NJKMIL.FGXV]lae)tud}sprqghj\x80\x85\x86\x87\x88\x89\x8a\x8b\x8c\x94\x95")]),
                (piece := chance.choice(CORPUS))[
                    (start := chance.randrange(len(piece))) : start + chance.randint(1, 9)
                ],
            )
        )
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_accepted_is_what_c_pickle_reads(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(5_000):
        assert not differs(data := mutated(chance)), data


@settings(max_examples=max(500, settings().max_examples))
@given(st.lists(st.sampled_from([opcode.code.encode("latin-1") for opcode in pickletools.opcodes]), max_size=12))
def test_rows_of_opcodes_are_read_as_c_pickle_reads_them(opcodes: list[bytes]) -> None:
    assert not differs(b"".join(opcodes) + b".")


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    assert not differs(data)
    assert not differs(b"\x80\x04" + data + b".")


@pytest.mark.parametrize(
    "data",
    [b"I060\n.", b"I+1\n.", b"I1_000\n.", "I٣\n.".encode(), b"I 1\n.", b"L060L\n.", b"I1\r\n.", b"F1e999\n.",
     b"F1_0.0\n.", b"F 1\n.", b"p01\n.", b"I\n.", b"F\n.", b"L\n."],
)  # fmt: skip
def test_numbers_are_read_only_as_pickle_writes_them(data: bytes) -> None:
    with pytest.raises(NotPlain):
        read(data)


# What is refused.


@pytest.mark.parametrize("opcode", REFUSED_OPCODES, ids=lambda opcode: opcode.name)
def test_other_opcodes_are_refused_before_they_do_anything(opcode: pickletools.OpcodeInfo) -> None:
    code = opcode.code.encode("latin-1")
    for before in (b"", b"\x80\x04", b"]", b"(", b"(]", b"Vos\nVsystem\n", b"K\x01K\x01"):
        for behind in (b"", b"\x00", b"os\nsystem\n.", b"\x01\x00\x00\x00x."):
            with pytest.raises(NotPlain):
                read(before + code + behind)


def test_the_opcodes_of_plain_data_are_known_and_no_others() -> None:
    known = {opcode.code.encode("latin-1") for opcode in pickletools.opcodes if opcode.name in KNOWN_OPCODES}
    for byte in range(256):
        with pytest.raises(NotPlain) as refused:
            read(bytes([byte]))
        assert ("is not for plain data" in str(refused.value)) == (bytes([byte]) not in known)


class Callee:
    """Would be called by an unpickler."""

    called = False

    def __repr__(self) -> str:
        return "Callee()"

    def __reduce__(self) -> Any:
        return (called, ())


def called() -> None:
    Callee.called = True


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [Callee(), [Callee()], {"a": Callee()}, b"bytes", {1, 2}, frozenset({1}), 1j, print, int, bytearray(b"x"), ...],
    ids=repr,
)
def test_objects_are_refused_and_not_made(value: Any, protocol: int) -> None:
    with pytest.raises(NotPlain):
        read(pickle.dumps(value, protocol))
    assert not Callee.called


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02]r\xff\xff\xff\x0f.",
        b"]p268435455\n.",
        b"]p-1\n.",
        b"X\xff\xff\xff\xffx.",
        b"\x8d" + struct.pack("<Q", 2**62) + b".",
        b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
        b"\x8b\xff\xff\xff\xff.",
        b"\x8b\x00\x00\x00\x10" + b"1" * 100 + b".",
        b"\x8a\x09" + b"1" * 9 + b".",
        b"I" + b"9" * 50_000 + b"\n.",
        b"L" + b"9" * 19 + b"L\n.",
    ],
    ids=["place", "text place", "negative place", "string", "long string", "frame", "negative integer", "integer",
         "65 bits", "digits", "64 bits and more"],
)  # fmt: skip
def test_claims_of_sizes_are_not_believed(data: bytes) -> None:
    with pytest.raises(NotPlain):
        read(data)


def nested(depth: int, kind: type) -> Any:
    value: Any = "leaf"
    for _ in range(depth):
        value = {"a": value} if kind is dict else kind([value])
    return value


@pytest.mark.parametrize("kind", [list, tuple, dict])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_depth_has_a_limit(kind: type, protocol: int) -> None:
    assert read(pickle.dumps(nested(MAX_DEPTH, kind), protocol)) == nested(MAX_DEPTH, kind)
    with pytest.raises(NotPlain):
        read(pickle.dumps(nested(MAX_DEPTH + 1, kind), protocol))


@pytest.mark.parametrize(
    "data",
    [
        b"]" * 10_000 + b"a" * 9_999 + b".",
        b"(" * 19_000 + b".",
        b"(" * 9_000 + b"t" * 9_000 + b".",
        b"N" * 19_999 + b".",
    ],
    ids=["lists", "marks", "tuples", "values"],
)
def test_heaps_of_opcodes_are_refused(data: bytes) -> None:
    with pytest.raises(NotPlain):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps([None] * (MAX_ITEMS + 1)),
        pickle.dumps([[None] * 2_000, (None,) * 2_000, dict.fromkeys(map(str, range(200)))]),
        pickle.dumps(["x" * (MAX_TEXT_BYTES + 1)]),
        pickle.dumps("x" * (MAX_TEXT_BYTES + 1), 0),
        b"N0" * (MAX_OPCODES // 2) + b"N.",
        pickle.dumps([letter * MAX_TEXT_BYTES for letter in "abcd"]),
    ],
    ids=["items", "items together", "text", "escaped text", "opcodes", "bytes"],
)
def test_sizes_have_limits(data: bytes) -> None:
    with pytest.raises(NotPlain, match="more than|no end"):
        read(data)


def test_what_is_just_within_the_limits_is_read() -> None:
    assert read(pickle.dumps([None] * MAX_ITEMS)) == [None] * MAX_ITEMS
    assert read(b"N0" * (MAX_OPCODES // 2 - 1) + b"N.") is None


def test_only_strings_are_shared() -> None:
    assert read(pickle.dumps(["x" * 3] * 5)) == ["xxx"] * 5
    loop: list[Any] = []
    loop.append(loop)
    knot: Any = ([],)
    knot[0].append(knot)
    bomb: Any = []
    for _ in range(12):
        bomb = [bomb, bomb]
    for value in (loop, knot, bomb, [(shared := (1, 2)), shared]):
        for protocol in PROTOCOLS:
            with pytest.raises(NotPlain):
                read(pickle.dumps(value, protocol))


@pytest.mark.parametrize(
    "value", [{1: 2}, {None: 1}, {1.5: 1}, {(1, 2): 3}, {True: 1}, {n * (2**61 - 1): 0 for n in range(3_000)}]
)
def test_keys_are_strings(value: Any) -> None:
    with pytest.raises(NotPlain):
        read(pickle.dumps(value))


@pytest.mark.parametrize(
    "data",
    [
        b"V\\ud800\n.",
        b"X\x03\x00\x00\x00\xed\xa0\x80.",
        b"\x8c\x02\xc0\xaf.",
        b"\x8c\x01\xff.",
        b"V\\u12\n.",
        pickle.dumps("\ud800", 0),
        pickle.dumps("\ud800", 4),
    ],
)
def test_text_is_text(data: bytes) -> None:
    with pytest.raises(NotPlain):
        read(data)


@pytest.mark.parametrize("data", [b"", b".", b"N", b"NN.", b"(N.", b"(.", b"N.N", b"N.\n", b"\x80\x06N.", b"\x80"])
def test_nothing_is_missing_or_left_over(data: bytes) -> None:
    with pytest.raises(NotPlain):
        read(data)


def test_a_mark_hides_what_is_below_it() -> None:
    for data in (b"](p0\n.", b"](Na.", b"](Na0.", b"N(0t.", b"]((Ne."):
        with pytest.raises(NotPlain):
            read(data)


# Writing.


@given(st.lists(st.tuples(st.floats(0, 1e10), texts, texts), max_size=5))
def test_listings_are_pickles_of_tuples(rows: list[tuple[float, str, str]]) -> None:
    data = listing(row(*each) for each in rows)
    assert same(pickle.loads(data), rows)
    assert same(read(data), rows)


def test_nothing_of_the_project_can_unpickle() -> None:
    unpicklers = ("pickle", "marshal", "shelve", "dill")
    users = [module.name for module in modules() for _, name in imports_of(module) if is_in(name, unpicklers)]
    assert users == []
