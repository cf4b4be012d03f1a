"""Attached: the file that a message has brought, for those who may read the message, which is looked up first."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from mystic_server.domain.decide_uploads import decide_fetch
from mystic_server.hub.desk import Desk
from mystic_server.hub.sessions import Peer
from mystic_server.log.base import Page
from mysticproto.errors import Code
from mysticproto.model import OpenDownload, Refused, Ticket


class Keeper(Protocol):
    """The upload area, as far as it has files of messages."""

    def open_kept(self, id: str, size: int) -> int | None: ...


class Opener(Protocol):
    """The file area, as far as it gives tickets for what is open already."""

    def open_own(
        self,
        n: int,
        user: int,
        name: str,
        fd: int,
        blake3: bytes,
        now: float,
        answered: Callable[[Ticket | Refused], None],
    ) -> None: ...


class Giver(Protocol):
    """Who answers with tickets; see `sending`."""

    def open_download(self, peer: Peer, request: OpenDownload) -> None: ...

    def answer_download(self, peer: Peer, request: OpenDownload, opened: Ticket | Refused) -> None: ...


class Attached:
    """See the module."""

    def __init__(self, desk: Desk, keeper: Keeper, opener: Opener, giver: Giver) -> None:
        self._desk = desk
        self._keeper = keeper
        self._opener = opener
        self._giver = giver

    def open_download(self, peer: Peer, request: OpenDownload) -> None:
        """A ticket for a shared file, or for the one of a message."""
        if not request.message:
            self._giver.open_download(peer, request)
            return
        if not 0 < request.message <= self._desk.world.applied:
            self._found(peer, request, Page(()))
            return
        peer.is_asking = True
        self._desk.log.message(request.message, partial(self._looked_up, peer, request))

    def _looked_up(self, peer: Peer, request: OpenDownload, page: Page) -> None:
        if page.failed:
            peer.answer(request, Refused(request.n, Code.STORE_UNAVAILABLE, page.failed))
        else:
            self._found(peer, request, page)
        self._desk.looked_up(peer)

    def _found(self, peer: Peer, request: OpenDownload, page: Page) -> None:
        session = self._desk.session_of(peer)
        if session is None:
            return
        file = decide_fetch(self._desk.world, session, request, page.events[0] if page.events else None)
        if isinstance(file, Refused):
            peer.answer(request, file)
            return
        if file.path:
            self._giver.open_download(peer, replace(request, path=file.path))
            return
        fd = self._keeper.open_kept(file.id, file.size)
        if fd is None:
            text = "The server does not have this file any more."
            peer.answer(request, Refused(request.n, Code.FILE_NOT_FOUND, text, file.name))
            return
        now, answered = self._desk.clock.now, partial(self._giver.answer_download, peer, request)
        self._opener.open_own(request.n, peer.user, file.name, fd, file.blake3, now, answered)
