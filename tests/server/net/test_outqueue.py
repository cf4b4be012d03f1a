"""What a peer gets: in order, merged, counted, with silence where a wire wants it, and files between."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.net import outqueue
from mystic_server.net.outqueue import (
    MAX_SEND_BYTES,
    SPAN_BUDGET_BYTES,
    SPAN_LEAST_BYTES,
    FileCutShort,
    FileSpan,
    OutQueue,
)
from mysticproto.wire import Alone

Pair: TypeAlias = tuple[socket.socket, socket.socket]
KEPT = 64 * 1024


class Recorder:
    """A socket that takes at most `room` bytes, `at_once` per call, and remembers the calls."""

    def __init__(self, room: int = 10**9, at_once: int = 10**9) -> None:
        self.room = room
        self.at_once = at_once
        self.calls: list[bytes] = []

    def send(self, data: bytes | memoryview) -> int:
        count = min(len(data), self.room, self.at_once)
        if data and not count:
            raise BlockingIOError
        self.room -= count
        self.calls.append(bytes(data[:count]))
        return count

    def flush(self, queue: OutQueue, now: float = 0.0) -> float | None:
        return queue.flush(self, now)


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KEPT)
    with ours, theirs:
        yield ours, theirs


def queue_of(*chunks: bytes | Alone | FileSpan) -> OutQueue:
    queue = OutQueue()
    for chunk in chunks:
        queue.push(chunk)
    return queue


def span(path: Path, data: bytes, offset: int = 0) -> FileSpan:
    path.write_bytes(data)
    return FileSpan(os.open(path, os.O_RDONLY), offset, len(data) - offset)


def received(sock: socket.socket) -> bytes:
    data = b""
    try:
        while part := sock.recv(1 << 20):
            data += part
    except BlockingIOError:
        pass
    return data


def drained(queue: OutQueue, pair: Pair) -> bytes:
    """Everything that the queue gives, to a reader that reads."""
    data = b""
    while queue:
        queue.flush(pair[0], 0.0)
        data += received(pair[1])
    return data


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


# Bytes.


def test_what_is_pushed_waits_for_the_flush() -> None:
    queue, sock = queue_of(b"a", b"b"), Recorder()
    assert queue and queue.bytes_held == 2 and not sock.calls
    assert sock.flush(queue) is None
    assert not queue and (queue.bytes_held, queue.bytes_to_peer) == (0, 2)


def test_small_chunks_leave_in_one_send() -> None:
    sock = Recorder()
    sock.flush(queue_of(*[b"x" * 100] * 1000))
    assert [len(call) for call in sock.calls] == [100_000]


def test_one_send_has_a_limit() -> None:
    sock = Recorder()
    half = b"x" * (MAX_SEND_BYTES // 2)
    sock.flush(queue_of(half, half, b"y"))
    assert [len(call) for call in sock.calls] == [MAX_SEND_BYTES, 1]


@pytest.mark.parametrize("room", [0, 1, 5, 9, 10, 14, 15])
def test_what_the_kernel_does_not_take_stays(room: int) -> None:
    queue, sock = queue_of(b"0123456789", b"abcde"), Recorder(room)
    sock.flush(queue)
    assert (queue.bytes_held, queue.bytes_to_peer) == (15 - room, room)
    queue.push(b"!")
    sock.room = 100
    while queue:
        sock.flush(queue)
    assert b"".join(sock.calls) == b"0123456789abcde!"


@given(st.lists(st.binary(max_size=2000), max_size=30), st.integers(1, 5000), st.integers(1, 3000))
def test_however_the_kernel_takes_them_the_bytes_are_the_same(chunks: list[bytes], at_once: int, room: int) -> None:
    queue, sock = queue_of(*chunks), Recorder(room, at_once)
    for _ in range(sum(map(len, chunks)) // min(room, at_once) + len(chunks) + 2):
        sock.room = room
        sock.flush(queue)
        assert queue.bytes_held + queue.bytes_to_peer == sum(map(len, chunks))
    assert not queue
    assert b"".join(sock.calls) == b"".join(chunks)


def test_an_empty_chunk_is_no_obstacle(pair: Pair) -> None:
    assert drained(queue_of(b"", b"a", b"", b"b", b""), pair) == b"ab"


def test_a_dead_peer_is_the_callers_business(pair: Pair) -> None:
    pair[1].close()
    queue = queue_of(b"x")
    with pytest.raises(OSError):
        queue.flush(pair[0], 0.0)
    queue.close()
    assert not queue and queue.bytes_held == 0


# Silence.


def test_a_chunk_alone_has_silence_around_it() -> None:
    queue, sock = queue_of(b"before", Alone(b"alone"), b"after", b"too"), Recorder()
    queue.pace(0.5)
    assert sock.flush(queue, 10.0) == 10.5
    assert sock.calls == [b"before"]
    assert sock.flush(queue, 10.4) == 10.5
    assert sock.flush(queue, 10.5) == 11.0
    assert sock.calls == [b"before", b"alone"]
    assert sock.flush(queue, 11.0) is None
    assert sock.calls == [b"before", b"alone", b"aftertoo"]


def test_chunks_alone_follow_each_other_at_a_distance() -> None:
    queue, sock = queue_of(Alone(b"a"), Alone(b"b")), Recorder()
    queue.pace(1.0)
    assert [sock.flush(queue, now) for now in (0.0, 0.5, 1.0)] == [1.0, 1.0, None]
    assert sock.calls == [b"a", b"b"]
    queue.push(b"later")
    assert sock.flush(queue, 1.5) == 2.0
    assert sock.flush(queue, 5.0) is None


def test_a_chunk_alone_that_was_cut_goes_on_at_once() -> None:
    queue, sock = queue_of(Alone(b"alone"), b"x"), Recorder(2)
    queue.pace(1.0)
    assert sock.flush(queue, 0.0) is None
    sock.room = 100
    assert sock.flush(queue, 0.1) == 1.1
    assert sock.calls == [b"al", b"one"]
    assert queue.bytes_held == 1


def test_without_a_gap_alone_means_a_send_of_its_own() -> None:
    sock = Recorder()
    assert sock.flush(queue_of(b"a", b"b", Alone(b"c"), b"d", b"e")) is None
    assert sock.calls == [b"ab", b"c", b"de"]


# Files.


@pytest.fixture(params=[True, False], ids=["sendfile", "read and send"])
def with_sendfile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param and not hasattr(os, "sendfile"):
        pytest.skip("no sendfile here")
    monkeypatch.setattr(outqueue, "_HAS_SENDFILE", request.param)


@pytest.mark.usefixtures("with_sendfile")
class TestFiles:
    """The same with and without sendfile."""

    @pytest.mark.parametrize("size", [0, 1, KEPT, SPAN_BUDGET_BYTES, 3 * SPAN_BUDGET_BYTES + 1])
    def test_a_file_goes_between_bytes(self, pair: Pair, tmp_path: Path, size: int) -> None:
        data = os.urandom(size)
        file = span(tmp_path / "file", data)
        queue = queue_of(b"before", file, b"after")
        assert queue.bytes_held == 11
        assert drained(queue, pair) == b"before" + data + b"after"
        assert (queue.bytes_held, queue.bytes_to_peer) == (0, size + 11)
        assert not is_open(file.fd)

    def test_a_file_goes_from_its_offset(self, pair: Pair, tmp_path: Path) -> None:
        assert drained(queue_of(span(tmp_path / "file", b"0123456789", 4)), pair) == b"456789"

    def test_a_full_kernel_is_no_error(self, pair: Pair, tmp_path: Path) -> None:
        queue = queue_of(span(tmp_path / "file", bytes(10 * KEPT * 10)))
        for _ in range(50):
            assert queue.flush(pair[0], 0.0) is None
        assert queue and queue.sends_file
        assert 0 < queue.bytes_to_peer < 10 * KEPT * 10
        queue.close()

    def test_others_have_their_turn(self, tmp_path: Path) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            queue = queue_of(span(tmp_path / "file", bytes(4 * SPAN_BUDGET_BYTES)))
            queue.flush(ours, 0.0)
            assert queue.bytes_to_peer <= SPAN_BUDGET_BYTES
            queue.close()

    def test_who_comes_late_in_a_tick_gets_little(self, tmp_path: Path) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            queue = queue_of(span(tmp_path / "file", bytes(4 * SPAN_LEAST_BYTES)))
            queue.flush(ours, 0.0, is_late=True)
            assert 0 < queue.bytes_to_peer <= SPAN_LEAST_BYTES
            queue.close()

    def test_a_file_that_became_shorter_ends_it(self, pair: Pair, tmp_path: Path) -> None:
        file = span(tmp_path / "file", b"0123456789")
        os.truncate(tmp_path / "file", 4)
        queue = queue_of(file)
        with pytest.raises(FileCutShort):
            while queue:
                queue.flush(pair[0], 0.0)
        assert received(pair[1]) == b"0123"
        queue.close()

    def test_a_file_that_grew_is_sent_as_promised(self, pair: Pair, tmp_path: Path) -> None:
        queue = queue_of(span(tmp_path / "file", b"0123456789"))
        with (tmp_path / "file").open("ab") as file:
            file.write(b"more")
        assert drained(queue, pair) == b"0123456789"


def test_dropping_the_queue_closes_its_files(tmp_path: Path) -> None:
    first, second = span(tmp_path / "a", b"a"), span(tmp_path / "b", b"b")
    descriptors = first.fd, second.fd
    queue = queue_of(b"x", first, second)
    queue.close()
    queue.close()
    assert not any(map(is_open, descriptors)) and not queue


def test_it_says_when_a_file_is_next(tmp_path: Path) -> None:
    queue = queue_of(b"x", span(tmp_path / "file", b"data"))
    assert not queue.sends_file
    Recorder(1).flush(queue_of(b"x"))
    queue.close()
    queue = queue_of(span(tmp_path / "file", b"data"))
    assert queue.sends_file
    queue.close()
