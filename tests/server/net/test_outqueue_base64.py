"""A file as base64 between other chunks: one text, however the kernel takes it, and what becomes of the file."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from mystic_server.net import outqueue
from mystic_server.net.outqueue import Base64Span, FileCutShort, OutQueue
from tests.server.net.test_outqueue import Recorder


def span(path: Path, data: bytes, offset: int = 0) -> Base64Span:
    path.write_bytes(data)
    return Base64Span(os.open(path, os.O_RDONLY), offset, len(data) - offset)


def all_of(queue: OutQueue, sock: Recorder) -> bytes:
    while queue:
        sock.flush(queue)
    return b"".join(sock.calls)


@pytest.mark.parametrize("at_once", [1, 3, 7, 10**9])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 6, 7, 12, 13, 100])
def test_it_is_one_text_however_it_is_read_and_sent(
    tmp_path: Path, size: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outqueue, "_BASE64_STEP_BYTES", 6)
    data = os.urandom(size)
    queue = OutQueue()
    outcomes: list[bool] = []
    file = span(tmp_path / "file", data)
    file.closed = outcomes.append
    for chunk in (b"before ", file, b" after"):
        queue.push(chunk)
    assert all_of(queue, Recorder(at_once=at_once)) == b"before " + base64.b64encode(data) + b" after"
    assert outcomes == [True] and file.fd == -1


def test_a_step_does_not_break_the_text() -> None:
    assert outqueue._BASE64_STEP_BYTES % 3 == 0


def test_a_full_kernel_loses_nothing(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    queue, sock = OutQueue(), Recorder(room=10)
    queue.push(span(tmp_path / "file", data))
    for _ in range(50):
        sock.flush(queue)
    sock.room = 10**9
    assert all_of(queue, sock) == base64.b64encode(data)
    assert queue.bytes_to_peer == len(base64.b64encode(data))


def test_it_costs_no_memory_that_is_counted(tmp_path: Path) -> None:
    queue = OutQueue()
    queue.push(span(tmp_path / "file", bytes(10_000)))
    queue.flush(Recorder(room=5), 0.0)
    assert queue.bytes_held == 0 and queue.sends_file
    queue.close()


@pytest.mark.parametrize("left", [0, 1, 4, 6])
def test_a_file_that_became_shorter_is_said_so(tmp_path: Path, left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outqueue, "_BASE64_STEP_BYTES", 6)
    outcomes: list[bool] = []
    queue = OutQueue()
    file = span(tmp_path / "file", bytes(20))
    file.closed = outcomes.append
    queue.push(file)
    os.truncate(tmp_path / "file", left)
    with pytest.raises(FileCutShort):
        all_of(queue, Recorder())
    queue.close()
    assert outcomes == [False] and file.fd == -1


def test_what_is_dropped_half_way_is_not_complete(tmp_path: Path) -> None:
    outcomes: list[bool] = []
    queue = OutQueue()
    file = span(tmp_path / "file", bytes(100))
    file.closed = outcomes.append
    queue.push(file)
    Recorder(room=133).flush(queue)
    queue.close()
    queue.close()
    assert outcomes == [False]
