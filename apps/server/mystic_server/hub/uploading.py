"""Uploading: files that people bring, and the messages that announce them.

Leave to bring one is asked for on a chat connection. The bytes come on a connection of their own, behind its only
request; they go on to the upload area as fast as that takes them, and meanwhile wait like requests of a peer that may
not go on. Once the file is in its place the message is posted, if there is one; then the connection is answered, and
ends. Of a file whose message was never heard of the log is asked in the end.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from mystic_server.domain.decide_uploads import announcement_refused, decide_upload
from mystic_server.domain.events import (
    AccountDeleted,
    Banned,
    Committed,
    Deleted,
    Event,
    Kicked,
    Posted,
    SharedFile,
)
from mystic_server.files.upload_messages import Upload
from mystic_server.files.uploads import Answered, Ended, Incoming
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import now_us
from mystic_server.hub.sessions import Peer
from mystic_server.log.base import Page, PostedQuery
from mystic_server.net.connection import Connection
from mysticproto.errors import Code
from mysticproto.model import CancelUpload, Ok, OpenUpload, Refused, Reply, Store, Stored
from mysticproto.wire import Raw


class Uploads(Protocol):
    """The upload area, as the hub needs it; see `files.uploads`."""

    on_unannounced: Callable[[Upload], None]

    def open(
        self, request: OpenUpload, user: int, now: float, now_us: int, note: object, answered: Answered
    ) -> None: ...

    def redeem(self, n: int, ticket: bytes, now: float) -> Incoming | Refused: ...

    def cancel(self, user: int, name: str, blake3: bytes) -> bool: ...

    def open_kept(self, id: str, size: int) -> int | None: ...

    def announced(self, upload: Upload, seq: int) -> None: ...

    def give_up(self, upload: Upload) -> None: ...

    def message_deleted(self, seq: int) -> None: ...

    def end_all(self, user: int) -> None: ...


class _Arriving:
    """A file that is coming on a connection."""

    def __init__(self, request: Store, incoming: Incoming) -> None:
        self.request = request
        self.incoming = incoming
        self.is_stored = False


class Uploading:
    """See the module. `who_may`: "members", "operators" or "off"; `work(peer)`: it may go on now."""

    def __init__(self, desk: Desk, uploads: Uploads, who_may: str, work: Callable[[Peer], None]) -> None:
        self._desk = desk
        self._uploads = uploads
        self._who_may = who_may
        self._work = work
        self._arriving: dict[Connection, _Arriving] = {}
        self._announcing: dict[Peer, Upload] = {}
        uploads.on_unannounced = self._look_for_message

    def open(self, peer: Peer, request: OpenUpload) -> None:
        """A ticket to bring a file with."""
        world, session = self._desk.world, self._desk.world.sessions[peer.session]
        decision = decide_upload(world, session, request, self._who_may, now_us())
        if isinstance(decision, Refused):
            peer.answer(request, decision)
            return
        answered = partial(peer.answer, request)
        self._uploads.open(request, peer.user, self._desk.clock.now, now_us(), decision, answered)

    def cancel(self, peer: Peer, request: CancelUpload) -> None:
        """Gives up what was begun."""
        if self._uploads.cancel(peer.user, request.name, request.blake3):
            peer.answer(request, Ok(request.n))
        else:
            peer.answer(request, Refused(request.n, Code.FILE_NOT_FOUND, "There is no such upload to give up."))

    def store(self, peer: Peer, request: Store) -> None:
        """The file itself, on a connection that does nothing else."""
        if peer.session:
            self._end(peer, request, Refused(request.n, Code.BAD_TICKET, "Bring a file on a connection of its own."))
            return
        incoming = self._uploads.redeem(request.n, request.ticket, self._desk.clock.now)
        if isinstance(incoming, Refused):
            self._end(peer, request, incoming)
            return
        user = self._desk.world.users.get(incoming.upload.user)
        peer.name = user.name if user else ""
        peer.bytes_due = incoming.left
        self._arriving[peer.connection] = _Arriving(request, incoming)
        incoming.moved = partial(self._moved, peer)
        incoming.ended = partial(self._ended, peer)
        self._desk.witness.upload_started(peer.connection, peer.name, incoming.upload, incoming.left)
        incoming.begin()

    def must_wait(self, peer: Peer) -> bool:
        """Whether the next bytes of this peer's file may not be taken yet."""
        arriving = self._arriving.get(peer.connection)
        return arriving is not None and arriving.incoming.is_full

    def take(self, peer: Peer, raw: Raw) -> None:
        """Bytes of the file."""
        arriving = self._arriving.get(peer.connection)
        if arriving is None:
            return  # behind a ticket that was refused
        if len(raw.data) > arriving.incoming.left:
            arriving.incoming.finished()
            text = "More has come than the file was said to have."
            self._end(peer, arriving.request, Refused(arriving.request.n, Code.MALFORMED, text))
            return
        arriving.incoming.write(raw.data)
        peer.bytes_due = arriving.incoming.left

    def connection_ended(self, peer: Peer) -> None:
        """What came on this connection has ended, or was cut off."""
        arriving = self._arriving.pop(peer.connection, None)
        if arriving is None:
            return
        arriving.incoming.finished()
        if not arriving.is_stored:
            self._desk.witness.upload_failed(
                peer.connection, peer.name, arriving.incoming.upload, arriving.incoming.left
            )

    def happened(self, event: Event) -> None:
        """A message that is deleted takes its file with it; who is sent away brings nothing more."""
        match event:
            case Deleted(message=message):
                self._uploads.message_deleted(message)
            case Kicked(user=user) | Banned(user=user) | AccountDeleted(user=user):
                self._uploads.end_all(user)
            case _:
                pass

    def announced(self, peer: Peer, request: Store, reply: Reply) -> None:
        """What came of the message that brings a file. The connection may be gone already."""
        upload = self._announcing.pop(peer)
        if isinstance(reply, Ok):
            self._uploads.announced(upload, reply.seq)
            reply = Stored(request.n, upload.path, reply.seq)
        self._end(peer, request, reply)

    def _moved(self, peer: Peer) -> None:
        if peer.waiting:
            self._work(peer)

    def _ended(self, peer: Peer, ended: Ended) -> None:
        arriving = self._arriving[peer.connection]
        request = arriving.request
        if ended.code:
            refused = Refused(request.n, ended.code, ended.text, ended.upload.name)
            self._end(peer, request, refused)
            return
        arriving.is_stored = True
        self._desk.witness.upload_finished(
            peer.connection, peer.name, ended.upload, self._desk.clock.now - peer.connection.since
        )
        message = arriving.incoming.note
        if isinstance(message, Posted):
            self._announce(peer, request, message, ended.upload)
        else:
            self._end(peer, request, Stored(request.n, ended.upload.path))

    def _announce(self, peer: Peer, request: Store, message: Posted, upload: Upload) -> None:
        now = now_us()
        if refused := announcement_refused(self._desk.world, request.n, message, now):
            self._end(peer, request, refused)
            return
        id = upload.id if upload.keeps else ""
        file = SharedFile(upload.name, upload.size, upload.blake3, upload.path, id)
        self._announcing[peer] = upload
        self._desk.fanout.propose(replace(message, file=file), now, peer, request)

    def _look_for_message(self, upload: Upload) -> None:
        self._desk.log.posted(PostedQuery(upload.user, upload.cid), partial(self._looked_up, upload))

    def _looked_up(self, upload: Upload, page: Page) -> None:
        if page.failed or upload.id in {each.id for each in self._announcing.values()}:
            return
        for stored in page.events:
            if _brings(stored, upload):
                self._uploads.announced(upload, stored.seq)
                return
        self._uploads.give_up(upload)

    def _end(self, peer: Peer, request: Store, reply: Reply) -> None:
        """The only answer."""
        peer.answer(request, reply)
        peer.connection.finish()


def _brings(stored: Committed, upload: Upload) -> bool:
    """Whether this is a message that still has this file."""
    if stored.amended and stored.amended.deleted:
        return False
    return isinstance(stored.event, Posted) and stored.event.file is not None and stored.event.file.id == upload.id
