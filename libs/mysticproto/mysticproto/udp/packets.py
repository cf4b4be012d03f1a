"""Datagrams as they are on the wire: the header, and the bodies of those that are not file.

    header, 16 bytes, in clear but authenticated: type u8, flags u8 (0), cid u32, pn u48, block u32, all big-endian
    body, encrypted, then the 16 bytes of its tag

| type | from | body |
| HELLO | client | zeros, so that the datagram has 1200 bytes |
| CHALLENGE | server | token (8) |
| START | client | token (8), pn of the challenge u64, runs of blocks that the client has (`blocks.encode_runs`) |
| DATA | server | block number `block` of the file; `block` is 0 in all others |
| REPORT | client | largest pn u64, clock_us u64, hold_us u32, first pn u64, bitmap from that pn on |
| DONE | both | nothing: the client has all, the server knows |
| ABORT | both | reason u8 (`state.Reason`) |

`pn` starts at 1 in each direction, rises with every datagram and is never used twice under a key.
"""

import struct
from typing import NamedTuple

from mysticproto.errors import Code, ProtocolError
from mysticproto.model import UdpTerms
from mysticproto.udp.state import Reason

HELLO, CHALLENGE, START, DATA, REPORT, DONE, ABORT = range(1, 8)
HEADER = struct.Struct(">BBIHII")  # pn as its upper 16 bits, which stay 0, and its lower 32
HEADER_BYTES = HEADER.size
TAG_BYTES = 16
OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
HELLO_BYTES = 1200
DATAGRAM_BYTES = 1200  # the longest of what is not DATA
SECRET_BYTES = 32
TOKEN_BYTES = 8
BLOCK_BYTES_MIN, BLOCK_BYTES_MAX = 256, 8940  # to the smallest path of IPv4, to an Ethernet of jumbo frames
BLOCKS_MAX = 1 << 32
PN_MAX = (1 << 32) - 1
REPORT_BITS_MAX = 9_000

_CID = struct.Struct(">I")
_START = struct.Struct(">8sQ")
_REPORT = struct.Struct(">QQIQ")
RUNS_BYTES_MAX = DATAGRAM_BYTES - OVERHEAD_BYTES - _START.size


class Report(NamedTuple):
    """What the receiver has seen. `bitmap`: bit i says whether pn `first + i` arrived.

    `clock_us`: when the last one did, on a clock of the receiver's; `hold_us`: how long ago `largest` arrived when this
    was sent. `largest` is the last bit.
    """

    largest: int
    clock_us: int
    hold_us: int
    first: int
    bitmap: int


def peek_cid(datagram: bytes | memoryview) -> int | None:
    """Which transfer it claims to belong to; None if it is no datagram of ours. Nothing is authenticated yet."""
    if len(datagram) < OVERHEAD_BYTES:
        return None
    return int(_CID.unpack_from(datagram, 2)[0])


def check_terms(terms: UdpTerms, size: int) -> int:
    """How many blocks a file of `size` bytes has. ProtocolError if no transfer can have these terms."""
    if len(terms.secret) != SECRET_BYTES or not BLOCK_BYTES_MIN <= terms.block <= BLOCK_BYTES_MAX:
        raise ProtocolError(Code.MALFORMED, "a transfer in datagrams has unusable terms")
    total = -(-size // terms.block)
    if size < 0 or total > BLOCKS_MAX or not 0 <= terms.cid < 1 << 32:
        raise ProtocolError(Code.MALFORMED, "a file is too large for datagrams")
    return total


def encode_start(token: bytes, challenge_pn: int, runs: bytes) -> bytes:
    return _START.pack(token, challenge_pn) + runs


def decode_start(body: bytes) -> tuple[bytes, int, bytes]:
    """(token, pn of the challenge, runs). ValueError if it is too short."""
    if len(body) < _START.size:
        raise ValueError("a START that is cut off")
    token, challenge_pn = _START.unpack_from(body)
    return token, challenge_pn, body[_START.size :]


def encode_report(report: Report) -> bytes:
    """At most `REPORT_BITS_MAX` bits of bitmap."""
    bitmap = report.bitmap.to_bytes(-(-report.bitmap.bit_length() // 8), "little")
    return _REPORT.pack(*report[:4]) + bitmap


def decode_report(body: bytes) -> Report:
    """ValueError if no receiver can have made it."""
    if not _REPORT.size <= len(body) <= _REPORT.size + (REPORT_BITS_MAX + 7) // 8:
        raise ValueError("a report of an impossible length")
    largest, clock_us, hold_us, first = _REPORT.unpack_from(body)
    bitmap = int.from_bytes(body[_REPORT.size :], "little")
    if first < 1 or bitmap.bit_length() != largest - first + 1:
        raise ValueError("a report whose largest datagram has not arrived")
    return Report(largest, clock_us, hold_us, first, bitmap)


def decode_reason(body: bytes) -> Reason:
    """Never fails: a number of a later version is UNKNOWN."""
    known = frozenset(Reason)
    return Reason(body[0]) if body and body[0] in known else Reason.UNKNOWN
