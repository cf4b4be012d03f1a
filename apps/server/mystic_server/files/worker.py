"""The file child: lists folders, hashes files and watches folders, so that the server never waits for the disk.

    python -m mystic_server.files.worker DESCRIPTOR SHARED

Several files are hashed or searched by turns, a slice each; before every slice what has come in meanwhile is done, so
that a listing waits for one slice at most and a short file isn't kept back by a long one. Watched folders are asked
about between all of this, a few times a second.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from mystic_server.files import messages
from mystic_server.files.hashes import SLICE_BYTES, Hashing
from mystic_server.files.messages import (
    Changed,
    FromChild,
    Hashed,
    HashWork,
    Listed,
    ListWork,
    NotListed,
    Searched,
    SearchWork,
    WatchWork,
    encode,
    to_child,
)
from mystic_server.files.search import Searching
from mystic_server.files.tree import FileId, PathRefused, Tree
from mystic_server.files.watching import POLL_S, Watching
from mystic_server.net.children import ParentLink

_NICENESS = 5  # chat comes first where the processors are busy


class Worker:
    """What the child does, apart from waiting."""

    def __init__(self, tree: Tree, send: Callable[[bytes], None]) -> None:
        self._tree = tree
        self._send = send
        self._reading: deque[tuple[int, Hashing | Searching]] = deque()
        self._buffer = memoryview(bytearray(SLICE_BYTES))
        self._watching = Watching(tree)
        self._poll_at = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether there is a file to go on with."""
        return bool(self._reading)

    @property
    def wait_s(self) -> float | None:
        """How long it may wait for more work; None: for ever."""
        return max(0.0, self._poll_at - time.monotonic()) if self._watching.is_on else None

    def look_around(self) -> None:
        """Says what has changed in the folders that are watched, if it is time for that."""
        if self._watching.is_on and time.monotonic() >= self._poll_at:
            self._poll_at = time.monotonic() + POLL_S
            for path in self._watching.poll():
                self._answer(Changed(path))

    def take(self, body: bytes) -> None:
        """Does what was asked, or puts it with the files to read."""
        work = to_child.decode(body)
        if isinstance(work, ListWork):
            self._answer(self._list(work))
        elif isinstance(work, WatchWork):
            self._watching.want(work.paths)
            self._answer(messages.Watching(work.number))
        else:
            self._begin(work)

    def step(self) -> None:
        """Reads one slice of the file whose turn it is."""
        number, reading = self._reading.popleft()
        answer = self._hash(number, reading) if isinstance(reading, Hashing) else self._search(number, reading)
        if answer is None:
            self._reading.append((number, reading))
            return
        reading.close()
        self._answer(answer)

    def _hash(self, number: int, hashing: Hashing) -> Hashed | None:
        try:
            digest = hashing.step(self._buffer)
        except (OSError, ValueError):
            digest = b""
        return None if digest is None else Hashed(number, digest, hashing.settled)

    def _search(self, number: int, searching: Searching) -> Searched | None:
        try:
            found = searching.step(self._buffer)
        except (OSError, ValueError):
            return Searched(number, None)
        return None if found is None else Searched(number, found)

    def close(self) -> None:
        """Lets go of the files."""
        for _, reading in self._reading:
            reading.close()
        self._reading.clear()
        self._watching.close()

    def _list(self, work: ListWork) -> Listed | NotListed:
        try:
            listing = self._tree.list_folder(work.path)
        except PathRefused as refused:
            return NotListed(work.number, refused.code, refused.text)
        return Listed(work.number, listing.entries, listing.total)

    def _begin(self, work: HashWork | SearchWork) -> None:
        fd = self._maybe_open(work.path, work.file)
        if isinstance(work, HashWork):
            if fd is None:
                self._answer(Hashed(work.number, b""))
            else:
                self._reading.append((work.number, Hashing(fd, work.file)))
        elif fd is None:
            self._answer(Searched(work.number, None))
        else:
            self._reading.append((work.number, Searching(fd, work.file.size, work.needle)))

    def _maybe_open(self, path: str, file: FileId) -> int | None:
        """The file, unless it is gone or another one."""
        try:
            fd = self._tree.open_file(path)
        except PathRefused:
            return None
        if FileId.of(fd) == file:
            return fd
        os.close(fd)
        return None

    def _answer(self, said: FromChild) -> None:
        self._send(encode(said))


def run(worker: Worker, link: ParentLink) -> None:
    """Works until the parent wants no more."""
    while not link.ended:
        worker.look_around()
        body = _next(worker, link)
        if body is not None:
            worker.take(body)
        elif worker.is_busy and not link.ended:
            worker.step()
    worker.close()


def _next(worker: Worker, link: ParentLink) -> bytes | None:
    """What is to be done next; None: nothing has come yet, or the end."""
    wait_s = worker.wait_s
    if worker.is_busy:
        return link.maybe_receive()
    if wait_s is not None and not link.has_something(wait_s):
        return None
    return link.receive()


def main(arguments: list[str]) -> None:
    """The process."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    link = ParentLink.inherited(arguments[0])
    with suppress(BrokenPipeError, ConnectionResetError):  # the parent died while it was answered
        run(Worker(Tree(arguments[1]), link.send), link)


if __name__ == "__main__":
    main(sys.argv[1:])
