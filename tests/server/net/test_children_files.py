"""Open files on their way to a child: each with its frame, and none of them left open anywhere."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mystic_server.net.children import CAN_PASS_FILES, ParentLink, pack_frame
from tests.server.net.test_children import Parent

pytestmark = pytest.mark.skipif(not CAN_PASS_FILES, reason="descriptors can't be passed here")


@pytest.fixture
def parent() -> Iterator[Parent]:
    parent = Parent(module="tests.server.net.file_child")
    parent.child.start()
    yield parent
    parent.child.stop()
    parent.reactor.close()


def test_each_frame_has_its_file(parent: Parent, tmp_path: Path) -> None:
    for number in range(100):
        path = tmp_path / str(number)
        path.write_text(f"file {number}")
        with path.open("rb") as file:
            while not parent.child.send_file(f"{number}: ".encode(), file.fileno()):
                parent.reactor.tick()
    parent.until(lambda: len(parent.heard) == 100)
    assert parent.heard == [f"{number}: file {number}".encode() for number in range(100)]


def test_a_child_that_does_not_read_gets_no_more(parent: Parent) -> None:
    with open(os.devnull, "rb") as file:
        parent.child.send(bytes(10_000_000))
        assert not parent.child.send_file(b"x", file.fileno())


def test_a_child_that_has_ended_gets_nothing(parent: Parent) -> None:
    os.kill(parent.child.pid, 9)
    with open(os.devnull, "rb") as file:
        while parent.child.is_up and parent.child.send_file(b"x", file.fileno()):
            pass
    parent.until(lambda: not parent.child.is_up)


def test_receiving_does_not_wait(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open(os.devnull, "rb") as file:
        link = ParentLink(theirs)
        assert link.fileno() == theirs.fileno()
        assert link.receive_all() == []
        frame = pack_frame(b"one") + pack_frame(b"two")
        socket.send_fds(ours, [frame[:5]], [file.fileno(), file.fileno()])
        assert link.receive_all() == [] and len(link.files) == 2
        ours.sendall(frame[5:])
        assert link.receive_all() == [b"one", b"two"]
        ours.sendall(pack_frame(b"last"))
        ours.shutdown(socket.SHUT_WR)
        assert link.receive_all() == [b"last"] and link.ended
        for fd in link.files:
            os.close(fd)


def test_a_broken_line_is_an_end() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"nobody will read this")
        ours.close()
        link = ParentLink(theirs)
        assert link.receive_all() == [] and link.ended
