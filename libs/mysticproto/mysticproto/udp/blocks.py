"""BlockSet: which blocks of a file there are, one bit each, and the bounded list of runs that a START carries.

A file of 100 GB has 85 million blocks: 11 MB of bits. They are mostly one long run with holes near its end, so that a
datagram holds the runs that matter; what does not fit is sent once more.
"""

import re
from collections.abc import Iterable, Iterator

BIT = tuple(1 << position for position in range(8))
_UNIFORM_OR_MIXED = re.compile(rb"\xff+|\x00+|[^\x00\xff]+", re.DOTALL)
_NOT_WHOLE = re.compile(rb"[^\xff]", re.DOTALL)
_LONG_RUN = 64  # from here on whole bytes are quicker than bits
_VARINT_MAX_BYTES = 5  # block numbers have 32 bits


class BlockSet:
    """A set of the numbers 0 to `total`-1."""

    __slots__ = ("bits", "held", "total")

    def __init__(self, total: int) -> None:
        self.total = total
        self.held = 0
        self.bits = bytearray((total + 7) // 8)

    @classmethod
    def from_bytes(cls, total: int, data: bytes) -> "BlockSet":
        """What `to_bytes` gave. ValueError if it can't belong to that many blocks."""
        blocks = cls(total)
        if len(data) != len(blocks.bits) or (total % 8 and data[-1] >> total % 8):
            raise ValueError(f"{len(data)} bytes are no set of {total} blocks")
        blocks.bits[:] = data
        blocks.held = int.from_bytes(data, "little").bit_count()
        return blocks

    def to_bytes(self) -> bytes:
        """One bit per block, lowest first."""
        return bytes(self.bits)

    def __contains__(self, block: int) -> bool:
        return bool(self.bits[block >> 3] & BIT[block & 7])

    def lacks(self, first: int, count: int) -> bool:
        """Whether nothing of a run is in the set."""
        end = first + count
        bits = int.from_bytes(self.bits[first >> 3 : (end + 7) >> 3], "little") >> (first & 7)
        return not bits & ((1 << count) - 1)

    @property
    def complete(self) -> bool:
        return self.held == self.total

    def add(self, first: int, count: int = 1) -> int:
        """Adds a run, and says how many of it are new."""
        end = first + count
        if count < _LONG_RUN:
            return self.update(range(first, end))
        whole, rest = -(-first // 8), end // 8
        had = int.from_bytes(self.bits[whole:rest], "little").bit_count()
        self.bits[whole:rest] = b"\xff" * (rest - whole)
        new = (rest - whole) * 8 - had
        self.held += new
        return new + self.update(range(first, whole * 8)) + self.update(range(rest * 8, end))

    def update(self, numbers: Iterable[int]) -> int:
        """Adds these, and says how many are new."""
        bits, new = self.bits, 0
        for block in numbers:
            byte, bit = bits[block >> 3], BIT[block & 7]
            if not byte & bit:
                bits[block >> 3] = byte | bit
                new += 1
        self.held += new
        return new

    def gap_from(self, start: int) -> int:
        """The first number from `start` on that is not in the set; `total` if there is none."""
        while start < self.total and (found := _NOT_WHOLE.search(self.bits, start >> 3)):
            byte = found.start() * 8
            for block in range(max(start, byte), min(byte + 8, self.total)):
                if block not in self:
                    return block
            start = byte + 8
        return self.total

    def runs(self) -> Iterator[tuple[int, int]]:
        """Every maximal run as (first, end), end exclusive, in order."""
        first = end = 0
        for start, stop in self._pieces():
            if start != end:
                if end > first:
                    yield first, end
                first = start
            end = stop
        if end > first:
            yield first, end

    def missing(self) -> Iterator[tuple[int, int]]:
        """Every maximal run of numbers that are not in the set, as (first, end)."""
        reached = 0
        for first, end in self.runs():
            if first > reached:
                yield reached, first
            reached = end
        if reached < self.total:
            yield reached, self.total

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Runs in order that may touch each other: whole bytes at once, bits one by one."""
        for found in _UNIFORM_OR_MIXED.finditer(self.bits):
            first, piece = found.start() * 8, found.group()
            if piece[0] == 0xFF:
                yield first, first + len(piece) * 8
            elif piece[0]:
                for block in range(first, first + len(piece) * 8):
                    if self.bits[block >> 3] & BIT[block & 7]:
                        yield block, block + 1


def encode_runs(blocks: BlockSet, limit_bytes: int) -> bytes:
    """The longest runs in at most `limit_bytes`: for each the gap before it and its length, as varints."""
    room = limit_bytes // (2 * _VARINT_MAX_BYTES)
    longest = sorted(blocks.runs(), key=lambda run: run[0] - run[1])[:room]
    encoded, reached = bytearray(), 0
    for first, end in sorted(longest):
        encoded += _varint(first - reached) + _varint(end - first)
        reached = end
    return bytes(encoded)


def decode_runs(data: bytes, total: int) -> list[tuple[int, int]]:
    """Runs as (first, end), in order and apart. ValueError if they don't fit into `total` blocks."""
    numbers = list(_varints(data))
    if len(numbers) % 2:
        raise ValueError("a run without a length")
    runs, reached = [], 0
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        first = reached + gap
        reached = first + length
        if not length or reached > total:
            raise ValueError("a run outside of the file")
        runs.append((first, reached))
    return runs


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _varints(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if shift > 7 * _VARINT_MAX_BYTES:
            raise ValueError("a number that is too long")
        if not byte & 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("a number that is cut off")
