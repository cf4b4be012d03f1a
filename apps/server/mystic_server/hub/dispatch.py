"""The gateway: every request of every connection passes here once, before anything is decided.

Logged in? Fast enough? Not while something bigger of the same session is under way? Only then is it decided, or
answered from the world, the past or the file area. While there is something that a peer may not do yet, its socket
isn't read: a peer that is too fast waits in its own kernel.
"""

import ipaddress
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial

from msgspec.structs import replace

from mystic_server.domain import policy
from mystic_server.domain.decide import Change, Newcomer, decide, decide_end, decide_login
from mystic_server.domain.events import Event, Left, LingerEnded
from mystic_server.domain.queries import list_groups, list_users
from mystic_server.domain.refusals import Decision
from mystic_server.domain.world import World
from mystic_server.hub.auth import NONCE_BYTES, proves_key
from mystic_server.hub.countdown import Countdown
from mystic_server.hub.fanout import Fanout
from mystic_server.hub.past import Past
from mystic_server.hub.rates import Pace, Rates
from mystic_server.hub.sending import Files, OfferUdp, Sending
from mystic_server.hub.sessions import Clock, Peer, Peers, Witness
from mystic_server.log.base import EventLog
from mystic_server.net.connection import Connection
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import (
    AddMember,
    Bye,
    CreateGroup,
    Fetch,
    GetHistory,
    Hello,
    JoinGroup,
    LeaveGroup,
    ListFolder,
    ListGroups,
    ListUsers,
    Login,
    Logout,
    Ok,
    OpenDownload,
    Ping,
    Pong,
    Post,
    Refused,
    RemoveMember,
    Reply,
    Request,
    Seen,
    SendFile,
    Shutdown,
    Welcome,
)
from mysticproto.wire import Item, Local

MAX_BACKLOG = 4_000
"""Drafts without a result before new requests wait."""
MAX_BACKLOG_BYTES = 640 * 1024
"""The same in bytes: a batch must find room in the queue of whoever reads at all, so it is less than one may hold."""
MAX_FAILED_LOGINS = 8
MAX_READS = 64
"""What of an unframed wire may wait. It is read on all the same, since not reading would glue requests together; what
is more than that is refused."""
PAIRED = "paired"
"""`Welcome.text` for the second connection of a session."""
_BACKLOG_PAUSE_S = 0.005


class Identity:
    """What this server is to its clients, and this process to the log."""

    def __init__(self, name: str, version: str, server_id: bytes, node: int, epoch: int) -> None:
        self.name = name
        self.version = version
        self.server_id = server_id
        self.node = node
        self.epoch = epoch


def now_us() -> int:
    """The time that events carry."""
    return time.time_ns() // 1000


class Gateway:
    """See the module. Connections belong to it: it is their `Owner`."""

    def __init__(
        self,
        clock: Clock,
        world: World,
        log: EventLog,
        files: Files,
        peers: Peers,
        witness: Witness,
        identity: Identity,
        send_queue_soft: int,
        rates: Rates | None,
        offer_udp: OfferUdp,
        countdown: Countdown | None,
    ) -> None:
        self._clock = clock
        self._world = world
        self._log = log
        self._files = files
        self._peers = peers
        self._witness = witness
        self._send_queue_soft = send_queue_soft
        self._rates = rates
        self._identity = identity
        self._past = Past(world, log, self._waited_for)
        self.sending = Sending(clock, world, files, witness, offer_udp, self._work_soon)
        self._countdown = countdown
        self._ending: set[int] = set()  # sessions whose end is on its way through the log
        self._giving_up: set[int] = set()  # lost ones of which the same holds
        self._farewell: Bye | None = None
        self._handlers: dict[type, Callable[[Peer, Request], None]] = _handlers(self)
        self.fanout = Fanout(clock, world, log, peers, witness, self._answered, self._unstored)

    # What happens on a connection.

    def opened(self, connection: Connection) -> None:
        """A wire is spoken: greet."""
        assert connection.wire
        pace = Pace(self._rates, self._clock.now) if self._rates else None
        peer = Peer(connection, connection.wire, secrets.token_bytes(NONCE_BYTES), pace, self._work_soon)
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
            elif not isinstance(item, Local):
                peer.answer(item, Refused(item.n, Code.LIMIT_REACHED, "That was too fast: it was not done."))

    def drained(self, connection: Connection) -> None:
        """The peer has taken everything."""
        if peer := self._peers.of(connection):
            self._past.go_on(peer)
            self._work(peer)

    def closed(self, connection: Connection, cause: str) -> None:
        """The connection is gone; a session that was on it is lost, unless it said goodbye."""
        peer = self._peers.of(connection)
        if peer:
            self.sending.connection_ended(peer, cause)
        self._witness.disconnected(connection, peer.name if peer else "", cause)
        if peer is None:
            return
        self._peers.remove(connection)
        self._past.forget(peer)
        self._unpair(peer)
        if peer.session and not peer.is_second:
            session = peer.session
            self._peers.release(peer)
            self.end_session(session, "lost")

    # Sessions.

    def end_session(self, session: int, cause: str) -> None:
        """Proposes the end of a session, once."""
        alive = self._world.sessions.get(session)
        if alive and session not in self._ending:
            self._ending.add(session)
            self.fanout.propose(decide_end(self._world, alive, cause, self._ending), now_us())

    def end_lingering(self) -> None:
        """Gives up what lost sessions kept, a minute after their loss; to be called every second or so."""
        self._ending &= self._world.sessions.keys()
        self._giving_up &= self._world.lost.keys()
        now = now_us()
        for session in self._world.lost.values():
            # Also when the clock was put back by more than that.
            if abs(now - session.lost_us) >= policy.LINGER_US and session.id not in self._giving_up:
                self._giving_up.add(session.id)
                self.fanout.propose(LingerEnded(session.id), now)

    def stop(self, bye: Bye) -> None:
        """Says goodbye to everybody, also to who comes from now on, and ends their sessions."""
        self._farewell = bye
        self.fanout.flush()
        for peer in self._peers:
            session = 0 if peer.is_second else peer.session
            self._peers.release(peer)
            peer.end(bye)
            if session:
                self.end_session(session, "stopped")

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

    def _work_soon(self, peer: Peer) -> None:
        """For whoever may be inside of `_work` now, or at the end of a tick that nothing else would follow."""
        self._clock.call_later(0.0, partial(self._work, peer))

    def _time_has_come(self, peer: Peer) -> None:
        peer.is_waiting_for_time = False
        self._work(peer)

    def _must_wait(self, peer: Peer) -> bool:
        if peer.is_barred or peer.is_waiting_for_time or (peer.is_fetching and isinstance(peer.waiting[0], SendFile)):
            return True
        if peer.is_asking and type(peer.waiting[0]) in policy.LONG_ANSWERS:
            return True
        if peer.connection.queue.bytes_held <= self._send_queue_soft:
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

    def _propose(self, peer: Peer, request: Request, decision: Decision) -> None:
        if isinstance(decision, Refused):
            self._answer_now(peer, request, decision)
        else:
            self.fanout.propose(decision, now_us(), peer, request)

    def _answer_now(self, peer: Peer, request: Request, reply: Reply) -> None:
        peer.is_barred = False
        peer.answer(request, reply)

    # Results of what was proposed.

    def _answered(self, peer: Peer, request: Request, reply: Reply) -> None:
        """A barrier has been applied, or was refused on the way."""
        peer.is_barred = False
        if isinstance(request, Login) and isinstance(reply, Welcome):
            self._welcome(peer, request, reply)
        elif isinstance(request, Login) and request.pair and (first := self._unpaired(peer, request.name)):
            self._pair(first, peer, request)  # both had asked at once
        else:
            peer.answer(request, reply)
            if isinstance(request, Logout):
                for each in (peer, peer.other):
                    if each:
                        each.end(Bye("left", "Goodbye."))
        self._work(peer)

    def _welcome(self, peer: Peer, request: Login, welcome: Welcome) -> None:
        peer.user, peer.name = welcome.user.id, welcome.user.name
        if not peer.connection.is_open:
            self.end_session(welcome.session, "lost")
            return
        after = self._world.users[peer.user].left_seq if request.waiting else request.after
        is_behind = 0 <= after < welcome.upto and (after > 0 or not request.waiting)
        text = f"Welcome to {self._identity.name}, {peer.name}! Type 'mystic help' for commands."
        peer.answer(request, replace(welcome, catching_up=is_behind, text=text))
        self._peers.bind(peer, welcome.session)
        if is_behind:
            self._past.catch_up(peer, after, welcome.upto, request.waiting)

    def _waited_for(self, peer: Peer, authors: Collection[int]) -> None:
        """A user who was away has now got what these users had said."""
        seen = Seen(self._world.users[peer.user].ref)
        for session in (session for author in authors for session in self._world.watching(author)):
            if other := self._peers.of_session(session):
                other.answer(None, seen)

    def _unstored(self, event: Event) -> None:
        """The log could not take the end of a session; it must, some time."""
        match event:
            case Left(session, cause):
                self._ending.discard(session)
                self._clock.call_later(1.0, partial(self.end_session, session, cause))
            case LingerEnded(session):
                self._giving_up.discard(session)
            case _:
                pass

    # One method a request.

    def log_in(self, peer: Peer, request: Login) -> None:
        """Takes a name."""
        n = request.n
        if peer.session:
            self._answer_now(peer, request, Refused(n, Code.ALREADY_LOGGED_IN, "You are logged in already."))
            return
        if request.pair and (first := self._unpaired(peer, request.name)):
            self._pair(first, peer, request)
            return
        me = self._identity
        if request.key and not proves_key(request, peer.nonce, me.server_id):
            self._fail_login(peer, request, Refused(n, Code.BAD_SIGNATURE, "The signature is not this key's."))
            return
        newcomer = Newcomer(secrets.randbits(62) + 1, request.key, True, me.node, me.epoch)
        decision = decide_login(self._world, request, newcomer, self._ending)
        if isinstance(decision, Refused):
            self._fail_login(peer, request, decision)
        else:
            self.fanout.propose(decision, now_us(), peer, request)

    def _fail_login(self, peer: Peer, request: Login, refused: Refused) -> None:
        self._answer_now(peer, request, refused)
        peer.failed_logins += 1
        if peer.failed_logins >= MAX_FAILED_LOGINS:
            peer.end(Bye(Code.LIMIT_REACHED, "Too many attempts to log in."))

    def _unpaired(self, peer: Peer, name: str) -> Peer | None:
        """A peer of the same kind, host and name that has no second connection yet; a claimed name needs its key."""
        user = self._world.user_named(name)
        for session in self._world.watching(user.id) if user and not user.is_claimed else ():
            first = self._peers.of_session(session)
            if first and first.wire.name == peer.wire.name and first.host == peer.host and first.other is None:
                return first
        return None

    def _pair(self, first: Peer, second: Peer, request: Login) -> None:
        first.other, second.other = second, first
        second.is_second = True
        second.session, second.user, second.name = first.session, first.user, first.name
        user = self._world.users[first.user]
        welcome = Welcome(request.n, first.session, user.ref, user.role, self._world.applied, text=PAIRED)
        self._answer_now(second, request, welcome)

    def _unpair(self, peer: Peer) -> None:
        """A session that has two connections ends with either of them."""
        other, peer.other = peer.other, None
        if other:
            other.other = None
            if other.connection.is_open:
                other.connection.close("lost")

    def log_out(self, peer: Peer, request: Logout) -> None:
        """Leaves."""
        session = peer.session
        if peer.is_second and peer.other:
            self._peers.release(peer.other)
        self._peers.release(peer)
        self._ending.add(session)
        self._propose(peer, request, decide_end(self._world, self._world.sessions[session], "left", self._ending))

    def change(self, peer: Peer, request: Change) -> None:
        """Whatever becomes an event."""
        self._propose(peer, request, decide(self._world, self._world.sessions[peer.session], request, now_us()))

    def list_users(self, peer: Peer, request: ListUsers) -> None:
        """Who is here."""
        for part in list_users(self._world, request.n):
            peer.answer(request, part)

    def list_groups(self, peer: Peer, request: ListGroups) -> None:
        """Which groups there are."""
        for part in list_groups(self._world, request.n):
            peer.answer(request, part)

    def get_history(self, peer: Peer, request: GetHistory) -> None:
        """A page of the past."""
        peer.is_asking = True
        self._past.history(peer, request, partial(self._answer_at_length, peer, request))

    def list_folder(self, peer: Peer, request: ListFolder) -> None:
        """What is in a shared folder."""
        peer.is_asking = True
        self._files.list_folder(request.n, request.path, partial(self._answer_at_length, peer, request))

    def _answer_at_length(self, peer: Peer, request: Request, answer: Sequence[Reply] | Refused) -> None:
        """May be called in the request's own call, so what waits is not handled in here."""
        peer.is_asking = False
        for part in [answer] if isinstance(answer, Refused) else answer:
            peer.answer(request, part)
        if peer.waiting:
            self._work_soon(peer)

    def shutdown(self, peer: Peer, request: Shutdown) -> None:
        """Begins the countdown, if the operator lets peers on this machine do so."""
        if self._countdown is None or not ipaddress.ip_address(peer.host).is_loopback:
            peer.answer(request, Refused(request.n, Code.NOT_ALLOWED, "Only the server's operator may stop it."))
            return
        self._countdown.start()
        peer.answer(request, Ok(request.n))

    def ping(self, peer: Peer, request: Ping) -> None:
        """A sign of life."""
        peer.answer(request, Pong(request.n, now_us()))


def _handlers(gateway: Gateway) -> dict[type, Callable[[Peer, Request], None]]:
    """The command table: one row a request."""
    table: dict[type, Callable[..., None]] = {
        Login: gateway.log_in,
        Logout: gateway.log_out,
        Post: gateway.change,
        CreateGroup: gateway.change,
        JoinGroup: gateway.change,
        LeaveGroup: gateway.change,
        AddMember: gateway.change,
        RemoveMember: gateway.change,
        ListUsers: gateway.list_users,
        ListGroups: gateway.list_groups,
        GetHistory: gateway.get_history,
        ListFolder: gateway.list_folder,
        OpenDownload: gateway.sending.open_download,
        Fetch: gateway.sending.fetch,
        SendFile: gateway.sending.send_file,
        Shutdown: gateway.shutdown,
        Ping: gateway.ping,
    }
    return table
