"""Plain data in pickle's format, read without Python's unpickler, which does whatever a pickle says.

`read` knows the opcodes that pickle writes for None, booleans, numbers, strings, lists, tuples and dicts in protocols 0
to 5, and refuses every other before it has any effect: none of them calls, imports or names anything. It gives what
`pickle.loads` would give for the same bytes, or `NotPlain`. It is stricter where that costs no pickle of plain data:

- only strings come back from the memo, so that values are trees: no cycles, and no small pickle of a huge value
- dict keys are strings, whose hashes can't be chosen; integers have 64 bits; text has no lone surrogates
- nothing may be left over: not on the stack, not behind the end
- sizes and depth are limited, and a length is compared with what is there before anything is made of it

`row` and `listing` write lists of tuples, in protocol 2, which every Python 3 reads.
"""

import re
import struct
from collections.abc import Callable, Iterable
from math import isinf
from typing import Final, TypeAlias, TypeVar

MAX_BYTES: Final = 64 * 1024
MAX_OPCODES: Final = 20_000
MAX_DEPTH: Final = 16
MAX_ITEMS: Final = 4_096
"""In all lists, tuples and dicts together."""
MAX_TEXT_BYTES: Final = 16 * 1024
"""One string as it stands in the pickle."""
MAX_MEMO: Final = MAX_OPCODES
_PROTOCOLS = 5
_INT64 = range(-(2**63), 2**63)

Plain: TypeAlias = "bool | int | float | str | list[Plain] | tuple[Plain, ...] | dict[str, Plain] | None"
_Item = TypeVar("_Item")


class NotPlain(ValueError):
    """These bytes are no pickle of plain data, or too large a one. The text says what is wrong, for logs."""


class _Slot:
    """A value on the stack, and how deep it goes: 0 for what holds nothing."""

    __slots__ = ("depth", "value")

    def __init__(self, value: Plain, depth: int = 0) -> None:
        self.value = value
        self.depth = depth


def read(data: bytes) -> Plain:
    """The value of one pickle, all of `data`. Raises `NotPlain`, and nothing else."""
    if len(data) > MAX_BYTES:
        raise NotPlain(f"more than {MAX_BYTES} bytes")
    return _Reader(data).read()


class _Reader:
    """Pickle's stack machine. What a MARK covers is set aside in `_below`, out of reach for everything above it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._stack: list[_Slot] = []
        self._below: list[list[_Slot]] = []
        self._memo: dict[int, str | None] = {}
        self._items = 0

    def read(self) -> Plain:
        for _ in range(MAX_OPCODES):
            opcode = self._take(1)
            if opcode == b".":
                return self._result()
            operation = _OPERATIONS.get(opcode)
            if operation is None:
                raise NotPlain(f"opcode {opcode!r} is not for plain data")
            operation(self)
        raise NotPlain(f"more than {MAX_OPCODES} opcodes")

    def _result(self) -> Plain:
        if self._at != len(self._data) or self._below or len(self._stack) != 1:
            raise NotPlain("something is left over at the end")
        return self._stack[0].value

    # The bytes.

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise NotPlain("cut off")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _number(self, bytes_wide: int, signed: bool = False) -> int:
        return int.from_bytes(self._take(bytes_wide), "little", signed=signed)

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self._at, self._at + MAX_TEXT_BYTES + 1)
        if end < 0:
            raise NotPlain("a line has no end")
        line = self._data[self._at : end]
        self._at = end + 1
        return line

    # The stack.

    def push(self, value: Plain) -> None:
        """Puts a value without contents on the stack."""
        self._stack.append(_Slot(value))

    def _pop(self) -> _Slot:
        if not self._stack:
            raise NotPlain("nothing to take from the stack")
        return self._stack.pop()

    def _top(self, kind: type[_Item]) -> tuple[_Slot, _Item]:
        slot = self._stack[-1] if self._stack else None
        if slot is None or not isinstance(slot.value, kind):
            raise NotPlain(f"there is no {kind.__name__} to put something into")
        return slot, slot.value

    def _contain(self, container: _Slot, contents: Iterable[_Slot]) -> None:
        for slot in contents:
            self._items += 1
            container.depth = max(container.depth, slot.depth + 1)
        if container.depth > MAX_DEPTH:
            raise NotPlain(f"deeper than {MAX_DEPTH}")
        if self._items > MAX_ITEMS:
            raise NotPlain(f"more than {MAX_ITEMS} items")

    def mark(self) -> None:
        """MARK: what follows belongs together."""
        self._below.append(self._stack)
        self._stack = []

    def pop(self) -> None:
        """POP: drops a value, or a mark that covers nothing."""
        if self._stack or not self._below:
            self._pop()
        else:
            self.covered()

    def push_list(self, contents: list[_Slot]) -> None:
        """EMPTY_LIST, LIST."""
        slot = _Slot([each.value for each in contents])
        self._contain(slot, contents)
        self._stack.append(slot)

    def push_tuple(self, contents: list[_Slot]) -> None:
        """EMPTY_TUPLE, TUPLE1 to 3, TUPLE."""
        slot = _Slot(tuple(each.value for each in contents))
        self._contain(slot, contents)
        self._stack.append(slot)

    def push_dict(self, contents: list[_Slot]) -> None:
        """EMPTY_DICT, DICT."""
        self._stack.append(_Slot({}))
        self.set_items(contents)

    def append(self, contents: list[_Slot]) -> None:
        """APPEND, APPENDS: into the list below them."""
        slot, items = self._top(list)
        items.extend(each.value for each in contents)
        self._contain(slot, contents)

    def set_items(self, contents: list[_Slot]) -> None:
        """SETITEM, SETITEMS: keys and values by turns, into the dict below them."""
        slot, items = self._top(dict)
        keys, values = contents[::2], contents[1::2]
        if len(keys) != len(values):
            raise NotPlain("a key without a value")
        for key, value in zip(keys, values, strict=True):
            if not isinstance(key.value, str):
                raise NotPlain("a key that is no string")
            items[key.value] = value.value
        self._contain(slot, values)

    def covered(self) -> list[_Slot]:
        """Takes the last mark away, and what it covered. By itself this is POP_MARK."""
        if not self._below:
            raise NotPlain("no mark")
        covered, self._stack = self._stack, self._below.pop()
        return covered

    def last(self, count: int) -> list[_Slot]:
        """The topmost values, in the order of their coming."""
        return [self._pop() for _ in range(count)][::-1]

    # The memo.

    def put(self, index: int) -> None:
        """PUT and the like: remembers the topmost value, if it is a string."""
        if not self._stack:
            raise NotPlain("nothing to remember")
        if not 0 <= index <= MAX_MEMO:
            raise NotPlain("a place in the memo that no pickle of this size needs")
        value = self._stack[-1].value
        self._memo[index] = value if isinstance(value, str) else None

    def memoize(self) -> None:
        """MEMOIZE: `put` at the next place."""
        self.put(len(self._memo))

    def get(self, index: int) -> None:
        """GET and the like."""
        value = self._memo.get(index)
        if value is None:
            raise NotPlain("only strings come back from the memo")
        self.push(value)

    # Arguments.

    def protocol(self) -> None:
        """PROTO."""
        if self._number(1) > _PROTOCOLS:
            raise NotPlain("a protocol of the future")

    def frame(self) -> None:
        """FRAME: so many bytes are here, which is all that a frame says to somebody who has them all."""
        if self._number(8) > len(self._data) - self._at:
            raise NotPlain("cut off")

    def integer(self, bytes_wide: int, signed: bool = False) -> int:
        """A number of fixed width, least significant byte first."""
        return self._number(bytes_wide, signed)

    def push_long(self, length: int) -> None:
        """LONG1, LONG4."""
        if not 0 <= length <= 8:
            raise NotPlain("an integer of more than 64 bits")
        self.push(self._number(length, signed=True))

    def decimal(self, suffix: bytes = b"") -> int:
        """A number as text, in the only way in which pickle writes it."""
        line = self._line().removesuffix(suffix)
        if len(line) > 20 or not _DECIMAL.fullmatch(line) or int(line) not in _INT64:
            raise NotPlain("not a decimal number of 64 bits")
        return int(line)

    def push_text_int(self) -> None:
        """INT: also how protocols 0 and 1 write booleans."""
        if self._data[self._at : self._at + 3] in (b"00\n", b"01\n"):
            self.push(self._line() == b"01")
        else:
            self.push(self.decimal())

    def push_float(self) -> None:
        """BINFLOAT."""
        (value,) = struct.unpack(">d", self._take(8))
        self.push(value)

    def push_text_float(self) -> None:
        """FLOAT."""
        line = self._line()
        if not _FLOAT.fullmatch(line):
            raise NotPlain("not a float")
        value = float(line)
        if isinf(value) and b"inf" not in line:
            raise NotPlain("a float beyond all floats")
        self.push(value)

    def push_text(self, length: int) -> None:
        """BINUNICODE, SHORT_BINUNICODE."""
        if length > MAX_TEXT_BYTES:
            raise NotPlain(f"a string of more than {MAX_TEXT_BYTES} bytes")
        self.push(_decoded(self._take(length), "utf-8"))

    def push_escaped_text(self) -> None:
        """UNICODE."""
        self.push(_decoded(self._line(), "raw-unicode-escape"))


_DECIMAL = re.compile(rb"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(rb"-?([0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,4})?|inf)|nan")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        text.encode()
    except UnicodeError:
        raise NotPlain("not text") from None
    return text


_OPERATIONS: Final[dict[bytes, Callable[[_Reader], object]]] = {
    b"\x80": _Reader.protocol,
    b"\x95": _Reader.frame,
    b"(": _Reader.mark,
    b"0": _Reader.pop,
    b"1": _Reader.covered,
    b"N": lambda reader: reader.push(None),
    b"\x88": lambda reader: reader.push(True),
    b"\x89": lambda reader: reader.push(False),
    b"J": lambda reader: reader.push(reader.integer(4, signed=True)),
    b"K": lambda reader: reader.push(reader.integer(1)),
    b"M": lambda reader: reader.push(reader.integer(2)),
    b"\x8a": lambda reader: reader.push_long(reader.integer(1)),
    b"\x8b": lambda reader: reader.push_long(reader.integer(4, signed=True)),
    b"I": _Reader.push_text_int,
    b"L": lambda reader: reader.push(reader.decimal(b"L")),
    b"G": _Reader.push_float,
    b"F": _Reader.push_text_float,
    b"X": lambda reader: reader.push_text(reader.integer(4)),
    b"\x8c": lambda reader: reader.push_text(reader.integer(1)),
    b"V": _Reader.push_escaped_text,
    b"]": lambda reader: reader.push_list([]),
    b"l": lambda reader: reader.push_list(reader.covered()),
    b"a": lambda reader: reader.append(reader.last(1)),
    b"e": lambda reader: reader.append(reader.covered()),
    b")": lambda reader: reader.push_tuple([]),
    b"\x85": lambda reader: reader.push_tuple(reader.last(1)),
    b"\x86": lambda reader: reader.push_tuple(reader.last(2)),
    b"\x87": lambda reader: reader.push_tuple(reader.last(3)),
    b"t": lambda reader: reader.push_tuple(reader.covered()),
    b"}": lambda reader: reader.push_dict([]),
    b"d": lambda reader: reader.push_dict(reader.covered()),
    b"s": lambda reader: reader.set_items(reader.last(2)),
    b"u": lambda reader: reader.set_items(reader.covered()),
    b"p": lambda reader: reader.put(reader.decimal()),
    b"q": lambda reader: reader.put(reader.integer(1)),
    b"r": lambda reader: reader.put(reader.integer(4)),
    b"\x94": _Reader.memoize,
    b"g": lambda reader: reader.get(reader.decimal()),
    b"h": lambda reader: reader.get(reader.integer(1)),
    b"j": lambda reader: reader.get(reader.integer(4)),
}
"""By opcode, as `pickletools` names them. DUP, GLOBAL, REDUCE, BUILD, persistent ids, extensions and the rest are not
here, and neither is what only Python 2's strings, bytes, sets or texts of more than 4 GiB need."""


# Writing.


def row(at_s: float, author: str, text: str) -> bytes:
    """One entry of `listing`: a tuple of a float and two strings."""
    return b"G" + struct.pack(">d", at_s) + _text(author) + _text(text) + b"\x87"


def listing(rows: Iterable[bytes]) -> bytes:
    """The pickle of a list of `row`s."""
    return b"\x80\x02](" + b"".join(rows) + b"e."


def _text(text: str) -> bytes:
    data = text.encode(errors="replace")
    return b"X" + struct.pack("<I", len(data)) + data
