"""What stands in for files, UDP offers and passwords in tests of the hub: each answers as and when it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mystic_server.accounts.passwords import Outcome, Passwords
from mystic_server.hub.sending import OutgoingFile, UdpEnded
from mystic_server.net.children import ChildProcess
from mystic_server.net.connection import Connection
from mystic_server.net.outqueue import FileSpan
from mysticproto import model
from mysticproto.errors import Code


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
