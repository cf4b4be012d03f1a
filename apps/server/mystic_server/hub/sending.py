"""Sending: files to peers, over a connection of their own with a ticket, or as older wires have it.

On an older wire a file stands in line between what the wire says before and after it, or waits on a UDP port. A peer
gets one of them at a time; its next request for a file waits.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol, TypeAlias

from msgspec.structs import replace

from mystic_server.domain.decide_moderation import ban_refused
from mystic_server.domain.world import User, World
from mystic_server.files.offers import Route
from mystic_server.hub.house import now_us
from mystic_server.hub.in_datagrams import InDatagrams, OfferDatagrams
from mystic_server.hub.sessions import Clock, FileTransfer, Peer, Witness
from mystic_server.net.connection import Connection
from mystic_server.net.outqueue import FileSpan
from mysticproto.errors import Code
from mysticproto.model import (
    Fetch,
    FileEnd,
    FileHashed,
    Folder,
    OpenDownload,
    Refused,
    SendFile,
    Ticket,
    UdpOffer,
)


class OutgoingFile(FileTransfer, Protocol):
    """A transfer as the file area gives it."""

    span: FileSpan


class UdpTransfer(Protocol):
    """A file that is offered on a UDP port."""

    port: int

    def close(self) -> None:
        """Ends it."""


UdpEnded: TypeAlias = Callable[[Code | None, str], None]
"""How an offer ended: with nothing if the peer has the file, else with a code and a sentence."""

OfferUdp: TypeAlias = Callable[[Connection, FileSpan, UdpEnded], UdpTransfer]
"""Offers a file on a UDP port to the host of a connection, and says how it ended. Raises OSError without a port."""


class Files(Protocol):
    """The file area, as the hub needs it; see `files.transfer`."""

    on_change: Callable[[str], None]

    def watch(self, paths: Collection[str], begun: Callable[[], None]) -> None:
        """Watches these folders and no others."""

    def list_folder(self, n: int, path: str, answered: Callable[[list[Folder] | Refused], None]) -> None:
        """Answers with the parts of a listing."""

    def open_download(
        self,
        n: int,
        user: int,
        path: str,
        now: float,
        answered: Callable[[Ticket | Refused], None],
        hashed: Callable[[FileHashed], None],
    ) -> None:
        """Answers with a ticket; the hash follows unless the ticket has it."""

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
        """The same for a file that is open already."""

    def open_inline(
        self,
        n: int,
        user: int,
        path: str,
        avoid: bytes,
        as_base64: bool,
        answered: Callable[[OutgoingFile | Refused], None],
    ) -> None:
        """Answers with a file to send on the connection that asks, unless it contains `avoid`."""

    def redeem(self, n: int, ticket: bytes, offset: int, now: float) -> OutgoingFile | Refused:
        """Turns a ticket into a transfer, once."""


class Sending:
    """See the module. `went_on(peer)`: what the peer has waiting may be handled now."""

    def __init__(
        self,
        clock: Clock,
        world: World,
        files: Files,
        witness: Witness,
        offer_udp: OfferUdp,
        went_on: Callable[[Peer], None],
        datagrams: OfferDatagrams | None = None,
    ) -> None:
        self._clock = clock
        self._world = world
        self._files = files
        self._witness = witness
        self._offer_udp = offer_udp
        self._went_on = went_on
        self._datagrams = datagrams
        self._in_datagrams: dict[Peer, set[InDatagrams]] = {}

    def open_download(self, peer: Peer, request: OpenDownload) -> None:
        """A ticket for a file."""
        self._files.open_download(
            request.n,
            peer.user,
            request.path,
            self._clock.now,
            partial(self.answer_download, peer, request),
            partial(peer.answer, None),
        )

    def answer_download(self, peer: Peer, request: OpenDownload, opened: Ticket | Refused) -> None:
        """Answers with the ticket; if the file is wanted in datagrams, as soon as it waits for the peer there."""
        if isinstance(opened, Refused) or request.over != "udp":
            peer.answer(request, opened)
            return
        transfer = self._files.redeem(request.n, opened.ticket, 0, self._clock.now)
        if isinstance(transfer, Refused):
            peer.answer(request, transfer)
            return
        over = partial(self._datagrams_over, peer)
        watcher = InDatagrams(self._clock, self._witness, peer, request, opened, transfer, over)
        self._in_datagrams.setdefault(peer, set()).add(watcher)
        if self._datagrams is None:
            watcher.unavailable("This server sends no datagrams.")
            return
        connection = peer.connection
        route = Route(connection.local_host, peer.host, connection.segment_bytes)
        watcher.withdraw = self._datagrams(transfer.span.fd, transfer.size, route, watcher)

    def fetch(self, peer: Peer, request: Fetch) -> None:
        """The file itself, on a connection that does nothing else."""
        if peer.session:
            peer.answer(request, Refused(request.n, Code.BAD_TICKET, "Fetch a file on a connection of its own."))
            return
        transfer = self._files.redeem(request.n, request.ticket, request.offset, self._clock.now)
        if isinstance(transfer, Refused):
            peer.answer(request, transfer)
            peer.connection.finish()
            return
        user = self._world.users.get(transfer.user)
        if user and (refused := self._why_not(request.n, user, peer)):
            transfer.finished(complete=False)
            peer.answer(request, refused)
            peer.connection.finish()
            return
        peer.name = user.name if user else ""
        peer.transfer = transfer
        peer.answer(request, transfer.start)
        peer.connection.push(transfer.span)
        self._witness.transfer_started(peer.connection, peer.name, transfer)
        peer.connection.finish()

    def _why_not(self, n: int, user: User, peer: Peer) -> Refused | None:
        """Since they got the ticket, the user may have been banned or their account deleted."""
        if user.is_gone:
            return Refused(n, Code.ACCOUNT_DELETED, f"The account {user.name} is deleted.", user.name)
        return ban_refused(self._world, n, user.name, peer.host, now_us())

    def end_file(self, peer: Peer) -> None:
        """Ends what is on its way to a peer who has been removed. What stands on the connection takes it along."""
        if peer.is_offered and peer.end_file:
            peer.end_file()
        elif peer.transfer:
            peer.connection.close("removed")

    def send_file(self, peer: Peer, request: SendFile) -> None:
        """A file on the connection itself, for wires that have it so."""
        coding = peer.wire.file_coding
        if not coding:
            peer.answer(request, Refused(request.n, Code.UNKNOWN_REQUEST, "Open a download instead."))
            return
        peer.is_fetching = True
        avoid = request.avoid if request.over == "tcp" else b""
        opened = partial(self._opened, peer, request)
        self._files.open_inline(request.n, peer.user, request.path, avoid, coding == "base64", opened)

    def connection_ended(self, peer: Peer, cause: str) -> None:
        """What was on its way on this connection, or beside it, has ended too; what is in datagrams will, soon."""
        for watcher in list(self._in_datagrams.get(peer, ())):
            watcher.withdraw()
        if peer.end_file:
            peer.end_file()
        elif peer.transfer:
            complete = cause == "finished" and not peer.connection.queue
            self._finish(peer, peer.transfer, peer.connection.since, complete)

    def _datagrams_over(self, peer: Peer, watcher: InDatagrams) -> None:
        theirs = self._in_datagrams[peer]
        theirs.discard(watcher)
        if not theirs:
            del self._in_datagrams[peer]

    def _opened(self, peer: Peer, request: SendFile, opened: OutgoingFile | Refused) -> None:
        if isinstance(opened, Refused):
            if opened.code == Code.FILE_UNFIT and request.can_udp:
                self.send_file(peer, replace(request, over="udp"))
                return
            self._refuse(peer, request, opened)
        elif not peer.connection.is_open:
            opened.finished(complete=False)
        else:
            peer.transfer = opened
            self._witness.transfer_started(peer.connection, peer.name, opened)
            (self._offer if request.over == "udp" else self._send_in_line)(peer, request, opened)

    def _send_in_line(self, peer: Peer, request: SendFile, opened: OutgoingFile) -> None:
        opened.span.closed = partial(self._finish, peer, opened, self._clock.now)
        peer.end_file = opened.span.close
        peer.answer(request, opened.start)
        peer.connection.push(opened.span)
        peer.answer(request, FileEnd(request.n, opened.size))

    def _offer(self, peer: Peer, request: SendFile, opened: OutgoingFile) -> None:
        ended = partial(self._udp_ended, peer, request, opened, self._clock.now)
        try:
            udp = self._offer_udp(peer.connection, opened.span, ended)
        except OSError as error:
            ended(Code.FILES_UNAVAILABLE, f"The server has no port for that: {error.strerror}.")
            return
        peer.end_file, peer.is_offered = udp.close, True
        peer.answer(request, UdpOffer(request.n, opened.size, udp.port))

    def _udp_ended(
        self, peer: Peer, request: SendFile, opened: OutgoingFile, began: float, code: Code | None, text: str
    ) -> None:
        self._finish(peer, opened, began, code is None)
        if code:
            self._refuse(peer, request, Refused(request.n, code, text, request.path))

    def _refuse(self, peer: Peer, request: SendFile, refused: Refused) -> None:
        peer.is_fetching = False
        peer.answer(request, refused)
        self._went_on(peer)

    def _finish(self, peer: Peer, transfer: FileTransfer, began: float, complete: bool) -> None:
        peer.transfer = peer.end_file = None
        peer.is_fetching = peer.is_offered = False
        self._witness.transfer_finished(peer.connection, peer.name, transfer, complete, self._clock.now - began)
        transfer.finished(complete)
        self._went_on(peer)
