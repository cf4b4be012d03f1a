"""The file child: lists folders and hashes files, so that the server never waits for the disk.

    python -m mystic_server.files.worker DESCRIPTOR SHARED

Several files are hashed by turns, a slice each; before every slice what has come in meanwhile is done, so that a
listing waits for one slice at most and a short file isn't kept back by a long one.
"""

import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from mystic_server.files.hashes import SLICE_BYTES, Hashing
from mystic_server.files.messages import FromChild, Hashed, HashWork, Listed, ListWork, NotListed, encode, to_child
from mystic_server.files.tree import FileId, PathRefused, Tree
from mystic_server.net.children import ParentLink

_NICENESS = 5  # chat comes first where the processors are busy


class Worker:
    """What the child does, apart from waiting."""

    def __init__(self, tree: Tree, send: Callable[[bytes], None]) -> None:
        self._tree = tree
        self._send = send
        self._hashing: deque[tuple[int, Hashing]] = deque()
        self._buffer = memoryview(bytearray(SLICE_BYTES))

    @property
    def is_busy(self) -> bool:
        """Whether there is something to hash."""
        return bool(self._hashing)

    def take(self, body: bytes) -> None:
        """Does what was asked, or puts it with the files to hash."""
        work = to_child.decode(body)
        if isinstance(work, ListWork):
            self._answer(self._list(work))
        else:
            self._begin(work)

    def step(self) -> None:
        """Hashes one slice of the file whose turn it is."""
        number, hashing = self._hashing.popleft()
        try:
            digest = hashing.step(self._buffer)
        except (OSError, ValueError):
            digest = b""
        if digest is None:
            self._hashing.append((number, hashing))
            return
        hashing.close()
        self._answer(Hashed(number, digest, hashing.settled))

    def close(self) -> None:
        """Lets go of the files."""
        for _, hashing in self._hashing:
            hashing.close()
        self._hashing.clear()

    def _list(self, work: ListWork) -> Listed | NotListed:
        try:
            listing = self._tree.list_folder(work.path)
        except PathRefused as refused:
            return NotListed(work.number, refused.code, refused.text)
        return Listed(work.number, listing.entries, listing.total)

    def _begin(self, work: HashWork) -> None:
        try:
            fd = self._tree.open_file(work.path)
        except PathRefused:
            self._answer(Hashed(work.number, b""))
            return
        if FileId.of(fd) != work.file:
            os.close(fd)
            self._answer(Hashed(work.number, b""))
            return
        self._hashing.append((work.number, Hashing(fd, work.file)))

    def _answer(self, said: FromChild) -> None:
        self._send(encode(said))


def run(worker: Worker, link: ParentLink) -> None:
    """Works until the parent wants no more."""
    while not link.ended:
        body = link.maybe_receive() if worker.is_busy else link.receive()
        if body is not None:
            worker.take(body)
        elif worker.is_busy and not link.ended:
            worker.step()
    worker.close()


def main(arguments: list[str]) -> None:
    """The process."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    link = ParentLink.inherited(arguments[0])
    with suppress(BrokenPipeError, ConnectionResetError):  # the parent died while it was answered
        run(Worker(Tree(arguments[1]), link.send), link)


if __name__ == "__main__":
    main(sys.argv[1:])
