"""The gateway: every request of every connection passes here once, before anything is decided.

Logged in? Fast enough? Not while something bigger of the same session is under way? Only then is it decided, or
answered from the world, the past or the file area. While there is something that a peer may not do yet, its socket
isn't read: a peer that is too fast waits in its own kernel. What a request needs besides is in the modules beside this
one, by subject; the command table at the end names them.
"""

import secrets
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import get_args

from mystic_server.accounts.passwords import Passwords
from mystic_server.accounts.throttle import Throttle
from mystic_server.domain import policy
from mystic_server.domain.decide import Change, decide
from mystic_server.domain.decide_accounts import list_devices
from mystic_server.domain.events import Event
from mystic_server.domain.receipts import Watermarks
from mystic_server.domain.world import World
from mystic_server.hub.amending import Amending
from mystic_server.hub.attached import Attached
from mystic_server.hub.auth import NONCE_BYTES
from mystic_server.hub.countdown import Countdown
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import House, Identity, now_us
from mystic_server.hub.in_datagrams import OfferDatagrams
from mystic_server.hub.lists import Lists
from mystic_server.hub.login import Logins
from mystic_server.hub.moderation import Moderation
from mystic_server.hub.past import Past
from mystic_server.hub.posting import Posting
from mystic_server.hub.rates import Pace
from mystic_server.hub.receipts import Marking
from mystic_server.hub.sending import Files, OfferUdp, Sending
from mystic_server.hub.sessions import Clock, Peer, Peers, Witness
from mystic_server.hub.uploading import Uploading, Uploads
from mystic_server.hub.watching import WatchedFolders
from mystic_server.log.base import EventLog
from mystic_server.net.connection import Connection
from mysticproto import model
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import (
    Bye,
    GetHistory,
    Hello,
    ListConversations,
    ListDevices,
    ListFolder,
    Logout,
    Ping,
    Pong,
    Refused,
    Reply,
    Request,
    Search,
    Seen,
    SendFile,
    Store,
)
from mysticproto.wire import Item, Local, Raw

MAX_BACKLOG = 4_000
"""Drafts without a result before new requests wait."""
MAX_BACKLOG_BYTES = 640 * 1024
"""The same in bytes: a batch must find room in the queue of whoever reads at all, so it is less than one may hold."""
MAX_READS = 64
"""What of an unframed wire may wait. It is read on all the same, since not reading would glue requests together; what
is more than that is refused."""
_BACKLOG_PAUSE_S = 0.005


class Gateway:
    """See the module. Connections belong to it: it is their `Owner`."""

    def __init__(
        self,
        clock: Clock,
        world: World,
        log: EventLog,
        files: Files,
        uploads: Uploads,
        peers: Peers,
        witness: Witness,
        identity: Identity,
        house: House,
        offer_udp: OfferUdp,
        countdown: Countdown,
        passwords: Passwords,
        throttle: Throttle,
        watermarks: Watermarks,
        offer_datagrams: OfferDatagrams | None = None,
    ) -> None:
        self._clock = clock
        self._world = world
        self._log = log
        self._files = files
        self._peers = peers
        self._witness = witness
        self._house = house
        self._identity = identity
        self._farewell: Bye | None = None
        desk = Desk(clock, world, log, peers, witness, watermarks, self._answered, self._happened, self._work)
        self.desk = desk
        self.fanout = desk.fanout
        self._past = Past(world, log, watermarks, self._waited_for)
        self._lists = Lists(desk)
        self.logins = Logins(desk, identity, house, passwords, throttle, self._past)
        self.marking = Marking(desk, watermarks)
        self._posting = Posting(desk)
        self._amending = Amending(desk)
        self.sending = Sending(clock, world, files, witness, offer_udp, desk.work_soon, offer_datagrams)
        self._moderation = Moderation(desk, house, countdown, self.sending)
        self._attached = Attached(desk, uploads, files, self.sending)
        self._uploading = Uploading(desk, uploads, house.uploads, self._work)
        self._watched = WatchedFolders(desk, files)
        self._handlers: dict[type, Callable[[Peer, Request], None]] = self._command_table()

    # What happens on a connection.

    def opened(self, connection: Connection) -> None:
        """A wire is spoken: greet."""
        assert connection.wire
        rates = self._house.rates
        pace = Pace(rates, self._clock.now) if rates else None
        peer = Peer(connection, connection.wire, secrets.token_bytes(NONCE_BYTES), pace, self.desk.work_soon)
        self._peers.add(peer)
        me = self._identity
        peer.answer(None, Hello(peer.nonce, me.server_id, me.name, me.version))
        if self._farewell:
            peer.end(self._farewell)

    def received(self, connection: Connection, items: list[Item]) -> None:
        """The peer has said something."""
        peer = self._peers.of(connection)
        if peer is None:
            return
        if peer.wire.is_framed or len(peer.waiting) < MAX_READS:
            peer.waiting.extend(items)
        else:
            self._refuse_hasty(peer, items)
        self._work(peer)

    def _refuse_hasty(self, peer: Peer, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, ProtocolError):
                peer.waiting.append(item)
            elif not isinstance(item, Local | Raw):
                peer.answer(item, Refused(item.n, Code.LIMIT_REACHED, "That was too fast: it was not done."))

    def drained(self, connection: Connection) -> None:
        """The peer has taken everything."""
        if peer := self._peers.of(connection):
            self._past.go_on(peer)
            self._lists.go_on(peer)
            self._work(peer)

    def closed(self, connection: Connection, cause: str) -> None:
        """The connection is gone; a session that was on it is lost, unless it said goodbye."""
        peer = self._peers.of(connection)
        if peer:
            self.sending.connection_ended(peer, cause)
            self._uploading.connection_ended(peer)
            self._watched.connection_ended(peer)
        self._witness.disconnected(connection, peer.name if peer else "", cause)
        if peer is None:
            return
        self._peers.remove(connection)
        self._past.forget(peer)
        self._lists.forget(peer)
        self._unpair(peer)
        if peer.session and not peer.is_second:
            session = peer.session
            self._peers.release(peer)
            self.desk.end_session(session, "lost")

    def _unpair(self, peer: Peer) -> None:
        """A session that has two connections ends with either of them."""
        other, peer.other = peer.other, None
        if other:
            other.other = None
            if other.connection.is_open:
                other.connection.close("lost")

    # The whole.

    def stop(self, bye: Bye) -> None:
        """Says goodbye to everybody, also to who comes from now on, and ends their sessions."""
        self._farewell = bye
        self.marking.save()
        self.fanout.flush()
        for peer in self._peers:
            session = 0 if peer.is_second else peer.session
            self._peers.release(peer)
            peer.end(bye)
            if session:
                self.desk.end_session(session, "stopped")

    # The queue of one peer.

    def _work(self, peer: Peer) -> None:
        """Handles what a peer may do now; called again whenever one of the reasons to wait is gone."""
        while peer.waiting and peer.connection.is_open and not self._must_wait(peer):
            wait_s = self._wait_for(peer, peer.waiting[0])
            if wait_s:
                peer.is_waiting_for_time = True
                self._clock.call_later(wait_s, partial(self._time_has_come, peer))
                break
            self._take(peer, peer.waiting.popleft())
        if peer.waiting and peer.wire.is_framed:
            peer.connection.pause()
        else:
            peer.connection.resume()

    def _time_has_come(self, peer: Peer) -> None:
        peer.is_waiting_for_time = False
        self._work(peer)

    def _must_wait(self, peer: Peer) -> bool:
        if isinstance(peer.waiting[0], Raw):
            return self._uploading.must_wait(peer)
        if peer.is_barred or peer.is_waiting_for_time or (peer.is_fetching and isinstance(peer.waiting[0], SendFile)):
            return True
        if peer.is_asking and type(peer.waiting[0]) in policy.LONG_ANSWERS:
            return True
        if peer.connection.queue.bytes_held <= self._house.send_queue_soft:
            return False
        peer.connection.tell_when_drained()
        return True

    def _wait_for(self, peer: Peer, item: Item) -> float:
        """Seconds until this may be handled."""
        if self._log.backlog() > MAX_BACKLOG or self.fanout.pending_bytes > MAX_BACKLOG_BYTES:
            return _BACKLOG_PAUSE_S
        if peer.pace is None or isinstance(item, ProtocolError):
            return 0.0
        return peer.pace.wait_s(item, self._clock.now)

    def _take(self, peer: Peer, item: Item) -> None:
        # What had to wait is as good as heard now: nobody is idle whom we keep waiting.
        peer.connection.heard_at = self._clock.now
        if isinstance(item, ProtocolError):
            peer.end(Bye(item.code, item.text))
            return
        if peer.pace:
            peer.pace.spend(item)
        if isinstance(item, Local):
            for chunk in item.chunks:
                peer.connection.push(chunk)
        elif isinstance(item, Raw):
            self._uploading.take(peer, item)
        else:
            self._handle(peer, item)

    def _handle(self, peer: Peer, request: Request) -> None:
        kind = type(request)
        if not peer.session and kind not in policy.BEFORE_LOGIN:
            peer.answer(request, Refused(request.n, Code.NOT_LOGGED_IN, "Log in first."))
            return
        if kind in policy.BARRIERS:
            peer.is_barred = True
        self._handlers[kind](peer, request)

    # Results of what was proposed.

    def _answered(self, peer: Peer, request: Request, reply: Reply) -> None:
        """Something has been applied, or was refused on the way."""
        if isinstance(request, Store):
            self._uploading.announced(peer, request, reply)
            return
        if type(request) in policy.BARRIERS:
            peer.is_barred = False
        if not self.logins.answered(peer, request, reply):
            peer.answer(request, reply)
            if isinstance(request, Logout):
                for each in (peer, peer.other):
                    if each:
                        each.end(Bye("left", "Goodbye."))
        self._work(peer)

    def _happened(self, event: Event) -> None:
        self._moderation.happened(event)
        self._uploading.happened(event)

    def _waited_for(self, peer: Peer, authors: Collection[int]) -> None:
        """A user who was away has now got what these users had said."""
        seen = Seen(self._world.users[peer.user].ref)
        for session in (session for author in authors for session in self._world.watching(author)):
            if other := self._peers.of_session(session):
                other.answer(None, seen)

    # One method a request, as far as it needs no module of its own.

    def _change(self, peer: Peer, request: Change) -> None:
        """Whatever becomes an event."""
        decision = decide(self._world, self._world.sessions[peer.session], request, now_us())
        self.desk.propose(peer, request, decision)

    def _list_devices(self, peer: Peer, request: ListDevices) -> None:
        peer.answer(request, list_devices(self._world, self._world.sessions[peer.session], request.n))

    def _get_history(self, peer: Peer, request: GetHistory) -> None:
        self._past.history(peer, request, self._at_length(peer, request))

    def _search(self, peer: Peer, request: Search) -> None:
        self._past.search(peer, request, self._at_length(peer, request))

    def _list_conversations(self, peer: Peer, request: ListConversations) -> None:
        self._past.conversations(peer, request, self._at_length(peer, request))

    def _list_folder(self, peer: Peer, request: ListFolder) -> None:
        self._files.list_folder(request.n, request.path, self._at_length(peer, request))

    def _at_length(self, peer: Peer, request: Request) -> Callable[[Sequence[Reply] | Refused], None]:
        """What answers a request whose answer takes its time."""
        peer.is_asking = True
        return partial(self.desk.answer_at_length, peer, request)

    def _ping(self, peer: Peer, request: Ping) -> None:
        peer.answer(request, Pong(request.n, now_us()))

    def _command_table(self) -> dict[type, Callable[[Peer, Request], None]]:
        """One row a request."""
        table: dict[type, Callable[..., None]] = {
            model.Login: self.logins.log_in,
            model.Logout: self.logins.log_out,
            model.SetPassword: self.logins.set_password,
            model.Post: self._posting.post,
            model.Announce: self._posting.post,
            model.Edit: self._amending.edit,
            model.Delete: self._amending.delete,
            model.Mark: self.marking.mark,
            model.GetReceipts: self.marking.get,
            model.ListBans: self._moderation.list_bans,
            model.Shutdown: self._moderation.shutdown,
            model.ListUsers: self._lists.users,
            model.ListGroups: self._lists.groups,
            model.ListDevices: self._list_devices,
            model.GetHistory: self._get_history,
            model.Search: self._search,
            model.ListConversations: self._list_conversations,
            model.ListFolder: self._list_folder,
            model.OpenDownload: self._attached.open_download,
            model.Fetch: self.sending.fetch,
            model.OpenUpload: self._uploading.open,
            model.Store: self._uploading.store,
            model.CancelUpload: self._uploading.cancel,
            model.WatchFolder: self._watched.watch,
            model.SendFile: self.sending.send_file,
            model.Ping: self._ping,
        }
        return dict.fromkeys(get_args(Change), self._change) | table
