"""The server's side of the shared folder: listings, tickets, and what a file connection sends.

A download has two halves. `open_download` opens the file and gives a one-time ticket for it; the descriptor is kept
with the ticket, so that whatever happens to the name, the bytes are those that were promised. `redeem` turns the ticket
into a `Transfer`, whose span the file connection sends. From ticket to `Transfer.finished` a download takes one of the
places that its user and the server have. Listing and hashing are the child's work (`worker`); while the child is down
both are refused, and hashes that were promised are asked for once more when it is up again.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from mystic_server.files.hashes import HashCache
from mystic_server.files.messages import (
    Changed,
    Hashed,
    HashWork,
    Listed,
    ListWork,
    NotListed,
    Searched,
    SearchWork,
    Watching,
    WatchWork,
    encode,
    from_child,
)
from mystic_server.files.tree import FileId, PathRefused, Tree, is_path
from mystic_server.net.outqueue import Base64Span, FileSpan
from mysticproto.errors import Code
from mysticproto.model import FileHashed, FileStart, Folder, FolderEntry, Refused, Ticket
from mysticproto.names import clean_line

CHILD_MODULE = "mystic_server.files.worker"
"""What the child runs; its argument is the shared folder."""
TICKET_BYTES = 16
MAX_PART = 500
"""Entries in one `Folder` reply."""
_ABOUT_CHARS = 200
_HASH_ATTEMPTS = 2


class ChildLike(Protocol):
    """What of a `net.children.ChildProcess` is needed."""

    @property
    def is_up(self) -> bool: ...

    def send(self, body: bytes) -> None: ...


class FileLimits(Struct, frozen=True):
    """How much at once."""

    downloads: int = 64
    """Tickets and running transfers in all; each holds a descriptor."""
    downloads_per_user: int = 4
    ticket_life_s: float = 60.0
    listings_waiting: int = 64
    hashes_waiting: int = 64
    hashes_waiting_per_user: int = 8


class Transfer:
    """A redeemed ticket: `start` is said first, then `span` is sent. `finished` MUST be called once it is over."""

    def __init__(self, start: FileStart, span: FileSpan, path: str, user: int, freed: Callable[[int], None]) -> None:
        self.start = start
        self.span = span
        self.path = path
        self.size = start.size
        self.user = user
        self.complete = False
        """Whether it was sent to its end; known once it is finished."""
        self._freed: Callable[[int], None] | None = freed

    def finished(self, complete: bool) -> None:
        """Gives the place back and closes the file; may be called again."""
        self.span.close()
        if self._freed:
            self.complete = complete
            self._freed(self.user)
            self._freed = None


class _Held(Struct):
    """A ticket that nobody has redeemed yet."""

    user: int
    path: str
    fd: int
    file: FileId
    expires_at: float


class _Wanted(Struct):
    """A file whose hash is asked for, and who waits for it."""

    number: int
    path: str
    file: FileId
    waiting: list[tuple[int, Callable[[FileHashed], None]]]
    attempts: int = 1


class _Asked(Struct):
    """A listing that is asked for."""

    n: int
    path: str
    answered: Callable[[list[Folder] | Refused], None]


class _Opened(Struct):
    """A file that is to be sent in line and is being searched first."""

    transfer: Transfer
    file: FileId
    answered: Callable[[Transfer | Refused], None]


class FileArea:
    """See the module. The owner of the child passes on its `received`, `came_up` and `went_down`."""

    def __init__(
        self, child: ChildLike, shared: Path, random_bytes: Callable[[int], bytes], limits: FileLimits | None = None
    ) -> None:
        self._child = child
        self._tree = Tree(str(shared))
        self._random_bytes = random_bytes
        self._limits = limits or FileLimits()
        self._cache = HashCache()
        self._tickets: dict[bytes, _Held] = {}  # in the order of their expiry
        self._places: Counter[int] = Counter()
        self._listings: dict[int, _Asked] = {}
        self._wanted: dict[tuple[str, FileId], _Wanted] = {}
        self._searched: dict[int, _Opened] = {}
        self._last_number = 0
        self._watched: tuple[str, ...] = ()
        self._watches: dict[int, Callable[[], None]] = {}
        self.on_change: Callable[[str], None] = lambda path: None
        """Called with a watched folder in which something came, went or changed."""

    # Requests.

    def list_folder(self, n: int, path: str, answered: Callable[[list[Folder] | Refused], None]) -> None:
        """Asks for a folder's contents, in parts; `answered` is called once, in here if it is refused at once."""
        if not self._child.is_up:
            answered(_unavailable(n, path))
        elif len(self._listings) >= self._limits.listings_waiting:
            answered(_refused(n, Code.LIMIT_REACHED, "Too many people ask for folders just now; try again.", path))
        elif not is_path(path):
            answered(_refused(n, Code.FILE_NOT_FOUND, "There is nothing of that name in the shared folder.", path))
        else:
            number = self._next_number()
            self._listings[number] = _Asked(n, path, answered)
            self._child.send(encode(ListWork(number, path)))

    def open_download(
        self,
        n: int,
        user: int,
        path: str,
        now: float,
        answered: Callable[[Ticket | Refused], None],
        hashed: Callable[[FileHashed], None],
    ) -> None:
        """Opens a file and gives a ticket for it; `answered` is called in here.

        If the ticket has no hash, `hashed` is called once later; the hash in it is empty if the file could not be read
        to its end in the state that the ticket is for.
        """
        if refused := self._no_place(n, user, path):
            answered(refused)
            return
        try:
            fd = self._tree.open_file(path)
        except PathRefused as error:
            answered(_refused(n, error.code, error.text, path))
            return
        file = FileId.of(fd)
        known = self._cache.get(path, file)
        if not known and self._too_many_hashes(user, path, file):
            os.close(fd)
            answered(_refused(n, Code.LIMIT_REACHED, "Too many files wait for their hashes; try again later.", path))
            return
        answered(Ticket(n, self._keep(user, path, fd, file, now), path, file.size, file.modified_us, known))
        if not known:
            self._want_hash(user, path, file, hashed)

    def open_own(
        self,
        n: int,
        user: int,
        name: str,
        fd: int,
        blake3: bytes,
        now: float,
        answered: Callable[[Ticket | Refused], None],
    ) -> None:
        """The same for a file that is open already, and becomes this area's; `answered` is called in here."""
        if refused := self._no_place(n, user, name):
            os.close(fd)
            answered(refused)
            return
        file = FileId.of(fd)
        answered(Ticket(n, self._keep(user, name, fd, file, now), name, file.size, file.modified_us, blake3))

    def open_inline(
        self,
        n: int,
        user: int,
        path: str,
        avoid: bytes,
        as_base64: bool,
        answered: Callable[[Transfer | Refused], None],
    ) -> None:
        """Opens a file that is sent on the connection that asks for it; file_unfit if it contains `avoid`.

        `answered` is called in here, or when the file has been searched.
        """
        if refused := self._no_place(n, user, path):
            answered(refused)
            return
        try:
            fd = self._tree.open_file(path)
        except PathRefused as error:
            answered(_refused(n, error.code, error.text, path))
            return
        file = FileId.of(fd)
        self._places[user] += 1
        span = (Base64Span if as_base64 else FileSpan)(fd, 0, file.size)
        transfer = Transfer(FileStart(n, file.size, 0), span, path, user, self._free)
        if not avoid:
            answered(transfer)
            return
        number = self._next_number()
        self._searched[number] = _Opened(transfer, file, answered)
        self._child.send(encode(SearchWork(number, path, file, avoid)))

    def watch(self, paths: Collection[str], begun: Callable[[], None]) -> None:
        """Watches these folders, and no others, from the moment on that `begun` is called; see `on_change`. They need
        not be there."""
        self._watched = tuple(path for path in paths if is_path(path))
        self._watch(begun)

    def _watch(self, begun: Callable[[], None]) -> None:
        number = self._next_number()
        self._watches[number] = begun
        if self._child.is_up:
            self._child.send(encode(WatchWork(number, self._watched)))

    def redeem(self, n: int, ticket: bytes, offset: int, now: float) -> Transfer | Refused:
        """Uses a ticket up, whether it can be granted or not."""
        held = self._tickets.pop(ticket, None)
        if held is None:
            return _refused(n, Code.BAD_TICKET, "This ticket is not valid, or not any more.", "")
        refused = self._why_not(n, held, offset, now)
        if refused:
            self._drop(held)
            return refused
        span = FileSpan(held.fd, offset, held.file.size - offset)
        return Transfer(FileStart(n, held.file.size, offset), span, held.path, held.user, self._free)

    # Time and the end.

    def expire(self, now: float) -> None:
        """Drops tickets whose time is over."""
        while self._tickets and (ticket := next(iter(self._tickets))) and self._tickets[ticket].expires_at <= now:
            self._drop(self._tickets.pop(ticket))

    def next_deadline(self) -> float | None:
        """When `expire` has something to do, or None."""
        return next((held.expires_at for held in self._tickets.values()), None)

    def close(self) -> None:
        """Drops all tickets; nothing is answered any more."""
        for held in self._tickets.values():
            os.close(held.fd)
        self._tickets.clear()
        for opened in self._searched.values():
            opened.transfer.finished(complete=False)
        self._searched.clear()
        self._listings.clear()
        self._wanted.clear()

    @property
    def downloads(self) -> int:
        """Places in use: tickets and running transfers."""
        return self._places.total()

    # The child.

    def received(self, body: bytes) -> None:
        """A message of the child."""
        said = from_child.decode(body)
        if isinstance(said, Hashed):
            self._hash_came(said)
        elif isinstance(said, Searched):
            self._search_ended(said.number, said.found)
        elif isinstance(said, Watching):
            self._watches.pop(said.number)()
        elif isinstance(said, Changed):
            if said.path in self._watched:
                self.on_change(said.path)
        elif asked := self._listings.pop(said.number, None):
            asked.answered(_listing_answer(asked, said))

    def came_up(self) -> None:
        """The child runs again: asks for the hashes that are still wanted, and for what is watched."""
        if self._watched or self._watches:
            earlier, self._watches = self._watches, {}
            self._watch(partial(self._watches_again, list(earlier.values())))
        for wanted in list(self._wanted.values()):
            self._child.send(encode(HashWork(wanted.number, wanted.path, wanted.file)))

    def went_down(self) -> None:
        """The child died: refuses listings, and gives up hashes that were asked for twice."""
        listings, self._listings = self._listings, {}
        for asked in listings.values():
            asked.answered(_unavailable(asked.n, asked.path))
        for number in list(self._searched):
            self._search_ended(number, None)
        for key, wanted in list(self._wanted.items()):
            wanted.attempts += 1
            if wanted.attempts > _HASH_ATTEMPTS:
                self._tell_hash(self._wanted.pop(key), b"")

    def _search_ended(self, number: int, found: bool | None) -> None:
        opened = self._searched.pop(number, None)
        if opened is None:
            return
        transfer = opened.transfer
        if found is False and FileId.of(transfer.span.fd) == opened.file:  # what was searched is what will be sent
            opened.answered(transfer)
            return
        transfer.finished(complete=False)
        text = "This file can't be sent in this way." if found else "The file could not be read; ask for it again."
        code = Code.FILE_UNFIT if found else Code.FILES_UNAVAILABLE
        opened.answered(_refused(transfer.start.n, code, text, transfer.path))

    def _watches_again(self, begun: list[Callable[[], None]]) -> None:
        """After a time in which nobody watched, anything may have changed."""
        for each in begun:
            each()
        for path in self._watched:
            self.on_change(path)

    # Places and tickets.

    def _no_place(self, n: int, user: int, path: str) -> Refused | None:
        if not self._child.is_up:
            return _unavailable(n, path)
        if self._places[user] >= self._limits.downloads_per_user:
            text = f"You have {self._places[user]} downloads already; wait until one is over."
            return _refused(n, Code.LIMIT_REACHED, text, path)
        if self.downloads >= self._limits.downloads:
            return _refused(n, Code.LIMIT_REACHED, "The server has too many downloads; try again later.", path)
        return None

    def _keep(self, user: int, path: str, fd: int, file: FileId, now: float) -> bytes:
        ticket = self._random_bytes(TICKET_BYTES)
        self._tickets[ticket] = _Held(user, path, fd, file, now + self._limits.ticket_life_s)
        self._places[user] += 1
        return ticket

    def _why_not(self, n: int, held: _Held, offset: int, now: float) -> Refused | None:
        if held.expires_at <= now:
            return _refused(n, Code.BAD_TICKET, "This ticket is not valid any more.", held.path)
        if FileId.of(held.fd) != held.file:
            return _refused(n, Code.FILE_CHANGED, "The file has changed since; ask for it again.", held.path)
        if not 0 <= offset <= held.file.size:
            text = f"The file has {held.file.size} bytes, so it can't be sent from byte {offset} on."
            return _refused(n, Code.FILE_CHANGED, text, held.path)
        return None

    def _drop(self, held: _Held) -> None:
        os.close(held.fd)
        self._free(held.user)

    def _free(self, user: int) -> None:
        self._places[user] -= 1
        if not self._places[user]:
            del self._places[user]

    # Hashes.

    def _too_many_hashes(self, user: int, path: str, file: FileId) -> bool:
        waiting = Counter(waiter for wanted in self._wanted.values() for waiter, _ in wanted.waiting)
        if waiting[user] >= self._limits.hashes_waiting_per_user:
            return True
        return (path, file) not in self._wanted and len(self._wanted) >= self._limits.hashes_waiting

    def _want_hash(self, user: int, path: str, file: FileId, hashed: Callable[[FileHashed], None]) -> None:
        wanted = self._wanted.get((path, file))
        if wanted:
            wanted.waiting.append((user, hashed))
            return
        number = self._next_number()
        self._wanted[path, file] = _Wanted(number, path, file, [(user, hashed)])
        self._child.send(encode(HashWork(number, path, file)))

    def _hash_came(self, said: Hashed) -> None:
        wanted = next((wanted for wanted in self._wanted.values() if wanted.number == said.number), None)
        if not wanted:
            return
        del self._wanted[wanted.path, wanted.file]
        if said.blake3 and said.settled:
            self._cache.put(wanted.path, wanted.file, said.blake3)
        self._tell_hash(wanted, said.blake3)

    def _tell_hash(self, wanted: _Wanted, digest: bytes) -> None:
        news = FileHashed(wanted.path, wanted.file.size, wanted.file.modified_us, digest)
        for _, hashed in wanted.waiting:
            hashed(news)

    def _next_number(self) -> int:
        self._last_number += 1
        return self._last_number


def in_parts(n: int, path: str, entries: tuple[FolderEntry, ...], total: int) -> list[Folder]:
    """A listing as replies, one at least."""
    starts = range(0, max(1, len(entries)), MAX_PART)
    return [
        Folder(n, path, entries[start : start + MAX_PART], total, start + MAX_PART < len(entries)) for start in starts
    ]


def _listing_answer(asked: _Asked, said: Listed | NotListed) -> list[Folder] | Refused:
    if isinstance(said, Listed):
        return in_parts(asked.n, asked.path, said.entries, said.total)
    return _refused(asked.n, Code(said.code), said.text, asked.path)


def _unavailable(n: int, path: str) -> Refused:
    return _refused(n, Code.FILES_UNAVAILABLE, "The server can't reach its files just now; try again.", path)


def _refused(n: int, code: Code, text: str, path: str) -> Refused:
    return Refused(n, code, text, clean_line(path[: 2 * _ABOUT_CHARS], _ABOUT_CHARS))
