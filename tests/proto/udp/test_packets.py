"""Headers and bodies: what goes in comes out, and any other bytes are refused without harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysticproto.errors import ProtocolError
from mysticproto.udp import packets
from mysticproto.udp.packets import Report
from mysticproto.udp.state import Reason
from tests.proto.udp.links import terms_of


@given(st.integers(1, 1 << 40), st.integers(0, (1 << packets.REPORT_BITS_MAX - 1) - 1), st.integers(0, 1 << 50))
def test_reports_come_back(first: int, seen: int, clock_us: int) -> None:
    bitmap = seen << 1 | 1
    report = Report(first + bitmap.bit_length() - 1, clock_us, 17, first, bitmap)
    assert packets.decode_report(packets.encode_report(report)) == report


def test_the_longest_report_fits_into_a_datagram() -> None:
    longest = Report(packets.REPORT_BITS_MAX, 0, 0, 1, (1 << packets.REPORT_BITS_MAX) - 1)
    assert len(packets.encode_report(longest)) + packets.OVERHEAD_BYTES <= packets.DATAGRAM_BYTES


@given(st.binary(max_size=1400))
def test_any_bytes_are_a_sensible_report_or_refused(body: bytes) -> None:
    try:
        report = packets.decode_report(body)
    except ValueError:
        return
    assert 1 <= report.first <= report.largest + 1
    assert report.bitmap.bit_length() == report.largest - report.first + 1 <= packets.REPORT_BITS_MAX


@given(st.binary(min_size=8, max_size=8), st.integers(0, 1 << 48), st.binary(max_size=packets.RUNS_BYTES_MAX))
def test_a_start_comes_back_and_fits(token: bytes, pn: int, runs: bytes) -> None:
    body = packets.encode_start(token, pn, runs)
    assert packets.decode_start(body) == (token, pn, runs)
    assert len(body) + packets.OVERHEAD_BYTES <= packets.DATAGRAM_BYTES


def test_a_start_that_is_cut_off_is_refused() -> None:
    with pytest.raises(ValueError):
        packets.decode_start(bytes(15))


@pytest.mark.parametrize("body", [b"", bytes([200])])
def test_reasons_of_later_versions_are_unknown(body: bytes) -> None:
    assert packets.decode_reason(body) is Reason.UNKNOWN
    assert packets.decode_reason(bytes([Reason.STALLED])) is Reason.STALLED


def test_the_transfer_of_a_datagram_is_in_its_header() -> None:
    header = packets.HEADER.pack(packets.DATA, 0, 0xDEADBEEF, 0, 1, 2)
    assert packets.peek_cid(header + bytes(16)) == 0xDEADBEEF
    assert packets.peek_cid(header) is None


@pytest.mark.parametrize(("size", "total"), [(0, 0), (1, 1), (1168, 1), (1169, 2)])
def test_how_many_blocks_a_file_has(size: int, total: int) -> None:
    assert packets.check_terms(terms_of(), size) == total


@pytest.mark.parametrize(
    ("secret", "block", "cid", "size"),
    [
        (b"short", 1168, 1, 1),
        (b"s" * 32, 10, 1, 1),
        (b"s" * 32, 65_000, 1, 1),
        (b"s" * 32, 1168, -1, 1),
        (b"s" * 32, 1168, 1 << 32, 1),
        (b"s" * 32, 1168, 1, -1),
        (b"s" * 32, 256, 1, 1 << 50),
    ],
)
def test_unusable_terms_are_the_servers_fault(secret: bytes, block: int, cid: int, size: int) -> None:
    with pytest.raises(ProtocolError):
        packets.check_terms(terms_of(block, secret, cid), size)
