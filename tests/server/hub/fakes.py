"""What stands in for files, UDP offers and passwords in tests of the hub: each answers as and when it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeVar

from mystic_server.accounts.passwords import Outcome, Passwords
from mystic_server.files.upload_messages import Begin, Begun, FromChild, Known, ToChild, encode, to_child
from mystic_server.files.uploads import UploadArea, UploadLimits
from mystic_server.hub.sending import OutgoingFile, UdpEnded
from mystic_server.net.children import ChildProcess
from mystic_server.net.connection import Connection
from mystic_server.net.outqueue import FileSpan
from mysticproto import model
from mysticproto.errors import Code

_Kind = TypeVar("_Kind")


class Transfer:
    """A file on its way."""

    def __init__(self, n: int, span: FileSpan, path: str, user: int) -> None:
        self.start = model.FileStart(n, span.count, 0)
        self.span = span
        self.path = path
        self.size = span.count
        self.user = user
        self.outcomes: list[bool] = []

    def finished(self, complete: bool) -> None:
        self.span.close()
        self.outcomes.append(complete)


class Inline(NamedTuple):
    """A file that somebody asked for on their own connection."""

    n: int
    user: int
    path: str
    avoid: bytes
    as_base64: bool
    answered: Callable[[OutgoingFile | model.Refused], None]


class FakeFiles:
    """A file area that answers as it is told, when it is told."""

    def __init__(self) -> None:
        self.inline: list[Inline] = []
        self.listings: list[Callable[[list[model.Folder] | model.Refused], None]] = []
        self.opened: list[tuple[int, str, Callable[[model.Ticket | model.Refused], None]]] = []
        self.hashed: list[Callable[[model.FileHashed], None]] = []
        self.transfers: dict[bytes, Callable[[int], OutgoingFile]] = {}
        self.own: list[tuple[str, int, bytes]] = []
        """Files that were open already: name, descriptor (closed), hash."""
        self.watched: list[set[str]] = []
        self.on_change: Callable[[str], None] = lambda path: None

    def watch(self, paths: Collection[str], begun: Callable[[], None]) -> None:
        self.watched.append(set(paths))
        begun()

    def open_own(
        self,
        n: int,
        user: int,
        name: str,
        fd: int,
        blake3: bytes,
        now: float,
        answered: Callable[[model.Ticket | model.Refused], None],
    ) -> None:
        size = os.fstat(fd).st_size
        os.close(fd)
        self.own.append((name, fd, blake3))
        answered(model.Ticket(n, b"t" * 16, name, size, 0, blake3))

    def list_folder(self, n: int, path: str, answered: Callable[[list[model.Folder] | model.Refused], None]) -> None:
        self.listings.append(answered)

    def open_download(
        self,
        n: int,
        user: int,
        path: str,
        now: float,
        answered: Callable[[model.Ticket | model.Refused], None],
        hashed: Callable[[model.FileHashed], None],
    ) -> None:
        self.opened.append((user, path, answered))
        self.hashed.append(hashed)

    def open_inline(
        self,
        n: int,
        user: int,
        path: str,
        avoid: bytes,
        as_base64: bool,
        answered: Callable[[OutgoingFile | model.Refused], None],
    ) -> None:
        self.inline.append(Inline(n, user, path, avoid, as_base64, answered))

    def redeem(self, n: int, ticket: bytes, offset: int, now: float) -> OutgoingFile | model.Refused:
        make = self.transfers.pop(ticket, None)
        return make(n) if make else model.Refused(n, Code.BAD_TICKET, "No.")


class FakeChild:
    """A storing child that keeps what it is told; the test answers."""

    def __init__(self) -> None:
        self.is_up = True
        self.told: list[ToChild] = []

    def send(self, body: bytes) -> None:
        assert self.is_up
        self.told.append(to_child.decode(body))


class FakeUploads(UploadArea):
    """The upload area itself, with a child that answers as it is told; tickets and ids are counted."""

    def __init__(self, folder: Path = Path("uploads"), limits: UploadLimits | None = None) -> None:
        self.child = FakeChild()
        numbers = count(1)
        super().__init__(self.child, folder, lambda size: next(numbers).to_bytes(size, "big"), limits or UploadLimits())
        self.says(Known((), False))

    def says(self, said: FromChild) -> None:
        """The child says something."""
        self.received(encode(said))

    def takes(self, kind: type[_Kind]) -> list[_Kind]:
        """What the child was told of one kind; it is forgotten."""
        told: list[object] = list(self.child.told)
        self.child.told = [each for each in self.child.told if not isinstance(each, kind)]
        return [each for each in told if isinstance(each, kind)]

    def begins(self, offset: int = 0) -> Begin:
        """Answers what was asked last: so much is here already."""
        begin = self.takes(Begin)[-1]
        self.says(Begun(begin.number, offset, begin.upload))
        return begin


class Offer:
    """A file that waits on a UDP port; it is ended by the test, or closed by the hub."""

    def __init__(self, connection: Connection, span: FileSpan, ended: UdpEnded) -> None:
        self.port = 54_321
        self.connection = connection
        self.span = span
        self.is_over = False
        self._ended = ended

    def ends(self, code: Code | None = None, text: str = "") -> None:
        self.is_over = True
        self._ended(code, text)

    def close(self) -> None:
        if not self.is_over:
            self.ends(Code.TOO_SLOW, "The transfer was ended.")


class FakePasswords(Passwords):
    """Passwords whose hash says what they are; answered when the test says so, or at once."""

    def __init__(self) -> None:
        super().__init__(_no_child)
        self.is_held = False
        self.is_down = False
        self.renewed = ""
        """The hash that shall replace whichever is checked."""
        self.checked: list[tuple[str, str]] = []
        """Every hash that was asked about, and with which password."""
        self._held: list[Callable[[], None]] = []

    def hash(self, password: str, answered: Callable[[Outcome], None]) -> None:
        self._answer(Outcome(hash=f"hash of {password}"), answered)

    def verify(self, hash: str, password: str, answered: Callable[[Outcome], None]) -> None:
        self.checked.append((hash, password))
        is_right = hash == f"hash of {password}" or (bool(self.renewed) and hash == self.renewed)
        self._answer(Outcome(is_right, self.renewed if is_right and hash != self.renewed else ""), answered)

    def answers(self) -> None:
        """What was held."""
        held, self._held = self._held, []
        for answer in held:
            answer()

    def _answer(self, outcome: Outcome, answered: Callable[[Outcome], None]) -> None:
        outcome = Outcome(code=Code.PASSWORDS_UNAVAILABLE) if self.is_down else outcome
        if self.is_held:
            self._held.append(lambda: answered(outcome))
        else:
            answered(outcome)


def _no_child(
    heard: Callable[[bytes], None], came_up: Callable[[], None], went_down: Callable[[], None]
) -> ChildProcess:
    raise AssertionError("a test of the hub hashes nothing")
