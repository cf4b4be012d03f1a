"""The operator's view: what the hub tells, in the console's words."""

import time

from mystic_server.console import Console, Status
from mystic_server.hub.sessions import FileTransfer, IncomingFile
from mystic_server.net.connection import Connection
from mystic_server.net.outqueue import OutQueue
from mysticproto.model import (
    FOR_EVER_US,
    AccountClaimed,
    AccountDeleted,
    Event,
    GroupCreated,
    GroupDeleted,
    GroupJoined,
    GroupLeft,
    GroupRenamed,
    Moderated,
    UserJoined,
    UserLeft,
)

_REASONS = {
    "finished": "closed",
    "lost": "lost",
    "too_slow": "did not read what it was sent",
    "silent": "said nothing for too long",
    "cut_short": "the file became shorter",
    "removed": "was removed",
    "fault": "a fault of the server",
}


class OperatorsView:
    """The hub's `Witness`."""

    def __init__(self, console: Console, now: float) -> None:
        self._console = console
        self._started_at = self._reported_at = now
        self._messages = 0
        self._deliveries = 0
        self._file_bytes = 0
        self._sent_before = 0  # by connections whose transfer is over
        self._transfers: dict[Connection, OutQueue] = {}
        self._in_datagrams = 0

    def told(self, event: Event) -> None:
        """Who came and went, what became of groups and names, and what operators did."""
        match event:
            case UserJoined(user=user):
                self._console.joined(user.name)
            case UserLeft(user=user, cause=cause):
                self._console.left(user.name, cause)
            case GroupCreated(group=group, by=user):
                self._console.group("created", group.name, user.name)
            case GroupJoined(group=group, user=user):
                self._console.group("joined", group.name, user.name)
            case GroupLeft(group=group, user=user):
                self._console.group("left", group.name, user.name)
            case GroupDeleted(group=group):
                self._console.group("deleted", group.name)
            case GroupRenamed(group=group, by=user):
                self._console.group("renamed", group.name, user.name)
            case AccountClaimed(user=user, role=role, by=by):
                self._console.account(user.name, f"made {role}", by.name if by else "")
            case AccountDeleted(user=user, by=by):
                self._console.account(user.name, "deleted", by.name if by else "")
            case Moderated(act=act, by=by, target=target, reason=reason, until_us=until_us):
                self._console.moderated(act, target, by.name, reason, _until(until_us))
            case _:
                pass

    def connected(self, connection: Connection) -> None:
        """Somebody is there."""
        self._console.connected(*connection.address)

    def disconnected(self, connection: Connection, name: str, cause: str) -> None:
        """Somebody is gone."""
        came, went = connection.bytes_from_peer, connection.queue.bytes_to_peer
        self._console.disconnected(*connection.address, name, _REASONS.get(cause, cause), came, went)

    def login_failed(self, connection: Connection, name: str, why: str) -> None:
        """Somebody was not let in."""
        self._console.login_failed(*connection.address, name, why)

    def transfer_started(self, connection: Connection, name: str, transfer: FileTransfer) -> None:
        """A file is on its way."""
        self._transfers[connection] = connection.queue
        self._console.transfer_started(name, transfer.path, transfer.size, transfer.start.offset)

    def transfer_finished(
        self, connection: Connection, name: str, transfer: FileTransfer, complete: bool, seconds: float
    ) -> None:
        """A file has left for the client, or not."""
        self._transfers.pop(connection)
        sent = connection.queue.bytes_to_peer
        self._sent_before += sent
        wanted = transfer.size - transfer.start.offset
        if complete:
            self._console.transfer_finished(name, transfer.path, wanted, seconds)
        else:
            self._console.transfer_failed(name, transfer.path, min(sent, wanted), wanted, "the connection ended")

    def datagrams_started(self, name: str, transfer: FileTransfer, held: int) -> None:
        """A file is on its way in datagrams."""
        self._in_datagrams += 1
        self._console.transfer_started(name, transfer.path, transfer.size, held)

    def datagrams_moved(self, count: int) -> None:
        """Some of it has come."""
        self._sent_before += count

    def datagrams_ended(self, name: str, transfer: FileTransfer, came: int, seconds: float, why: str) -> None:
        """It has come, or not."""
        self._in_datagrams -= 1
        if why:
            self._console.transfer_failed(name, transfer.path, came, transfer.size, why)
        else:
            self._console.transfer_finished(name, transfer.path, came, seconds)

    def upload_started(self, connection: Connection, name: str, upload: IncomingFile, left: int) -> None:
        """Somebody brings a file."""
        self._console.upload_started(name, _place(upload), upload.size, upload.size - left)

    def upload_finished(self, connection: Connection, name: str, upload: IncomingFile, seconds: float) -> None:
        """It has come whole."""
        self._console.upload_finished(name, _place(upload), upload.size, seconds)

    def upload_failed(self, connection: Connection, name: str, upload: IncomingFile, left: int) -> None:
        """It hasn't."""
        self._console.upload_failed(name, _place(upload), upload.size - left, upload.size)

    def report(
        self,
        now: float,
        *,
        connections: int,
        users: int,
        groups: int,
        messages: int,
        deliveries: int,
    ) -> None:
        """Once a second: the status line. Counters are totals since the start; the line shows what a second brought."""
        file_bytes = self._sent_before + sum(queue.bytes_to_peer for queue in self._transfers.values())
        span_s = max(now - self._reported_at, 1e-3)
        self._console.status(
            Status(
                connections,
                users,
                groups,
                (messages - self._messages) / span_s,
                (deliveries - self._deliveries) / span_s,
                len(self._transfers) + self._in_datagrams,
                max(0, file_bytes - self._file_bytes) / span_s,
                now - self._started_at,
            )
        )
        self._reported_at, self._messages, self._deliveries = now, messages, deliveries
        self._file_bytes = file_bytes


def _place(upload: IncomingFile) -> str:
    """Where a file is, or is to go."""
    return upload.path or "/".join(filter(None, (upload.folder, upload.name)))


def _until(time_us: int) -> str:
    """The end of a ban or a mute, empty if it has none."""
    if not 0 < time_us < FOR_EVER_US:
        return ""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time_us / 1_000_000))
