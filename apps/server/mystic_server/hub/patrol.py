"""The patrol: every second or so, who has been silent, idle or stuck for too long.

Connections that have said nothing are limited by number rather than by a short clock: a person may be typing a name
into a program that connected first. A reader that makes no progress is cut off before its queue reaches the hard
limit; what it missed is in the log.
"""

from msgspec import Struct

from mystic_server.hub.sessions import Peers
from mystic_server.net.connection import Connection
from mysticproto.errors import Code
from mysticproto.model import Bye


class Patience(Struct, frozen=True, kw_only=True):
    """How long, in seconds; `silent` is how many may say nothing, `soft` and `total` are bytes in queues."""

    silent: int
    silent_s: float
    login_s: float
    idle_s: float
    soft: int
    total: int
    soft_s: float
    stuck_s: float
    file_stuck_s: float


class _Progress(Struct):
    """What a reader with a full queue had taken at a time."""

    since: float
    changed: float
    bytes_to_peer: int


class Patrol:
    """See the module."""

    def __init__(self, connections: set[Connection], peers: Peers, patience: Patience) -> None:
        self._connections = connections
        self._peers = peers
        self._patience = patience
        self._slow: dict[Connection, _Progress] = {}

    def walk(self, now: float) -> None:
        """Looks at everybody once."""
        silent = []
        for connection in list(self._connections):
            if connection.wire is None:
                silent.append(connection)
            else:
                self._look_at(connection, now)
        self._end_silent(silent, now)
        self._relieve()
        self._slow = {slow: progress for slow, progress in self._slow.items() if slow in self._connections}

    def _relieve(self) -> None:
        """Cuts off the largest queues until all together are within the limit."""
        held = sum(connection.queue.bytes_held for connection in self._connections)
        if held <= self._patience.total:
            return
        for connection in sorted(self._connections, key=lambda each: each.queue.bytes_held, reverse=True):
            held -= connection.queue.bytes_held
            connection.close("too_slow")
            if held <= self._patience.total:
                return

    def _end_silent(self, silent: list[Connection], now: float) -> None:
        silent.sort(key=lambda connection: connection.since)
        too_many = max(0, len(silent) - self._patience.silent)
        for at, connection in enumerate(silent):
            if at < too_many or now - connection.since > self._patience.silent_s:
                connection.close("silent")

    def _look_at(self, connection: Connection, now: float) -> None:
        peer = self._peers.of(connection)
        patience = self._patience
        if self._is_stuck(connection, now) or peer is None or not connection.is_open:
            return
        if peer.bytes_due is not None:
            if peer.bytes_due and now - connection.heard_at > patience.file_stuck_s:
                connection.close("silent")
            return
        login_s = patience.login_s if peer.wire.pings else patience.silent_s
        if not peer.session and now - connection.since > login_s:
            peer.end(Bye(Code.LOGIN_TIMEOUT, "Nobody logged in in time."))
        elif peer.session and peer.wire.pings and now - connection.heard_at > patience.idle_s:
            peer.end(Bye(Code.IDLE, "Nothing was heard for too long."))

    def _is_stuck(self, connection: Connection, now: float) -> bool:
        """Closes a reader that is too slow, and says whether it did. Last words that nobody reads must not keep a
        connection, however few they are."""
        queue, patience = connection.queue, self._patience
        is_ending = bool(queue) and not connection.is_open
        if queue.bytes_held <= patience.soft and not queue.sends_file and not is_ending:
            self._slow.pop(connection, None)
            return False
        progress = self._slow.setdefault(connection, _Progress(now, now, queue.bytes_to_peer))
        if queue.bytes_to_peer != progress.bytes_to_peer:
            progress.bytes_to_peer, progress.changed = queue.bytes_to_peer, now
        if queue.sends_file:
            is_stuck = now - progress.changed > patience.file_stuck_s
        else:
            is_stuck = now - progress.changed > patience.stuck_s or now - progress.since > patience.soft_s
        if not is_stuck:
            return False
        connection.close("too_slow")
        return True
