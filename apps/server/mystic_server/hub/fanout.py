"""Fanout: committed events, in log order, become changes of the world and bytes on their way to everybody concerned.

Each event is applied, then encoded once per wire and role. What goes to the same audience one after the other in one
tick is joined, once per wire, and every peer gets it in one write: that is where most of the speed comes from. The
batch must be sent before anything else to somebody in it, so that everybody hears everything in log order; only the
plain `Ok` of a message may overtake it, since its number says where it belongs.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mystic_server.domain.apply import apply, is_void
from mystic_server.domain.apply_posts import receipt
from mystic_server.domain.events import Event, Left, Posted, body_bytes
from mystic_server.domain.outcome import Applied, Delivery
from mystic_server.domain.receipts import Watermarks
from mystic_server.domain.world import Audience, World
from mystic_server.hub.rates import TokenBucket
from mystic_server.hub.sessions import Clock, Peer, Peers, Witness
from mystic_server.log.base import Draft, Duplicate, EventLog, Rejected, Result, Stored
from mysticproto.model import (
    AccountClaimed,
    AccountDeleted,
    Message,
    Passing,
    Refused,
    Reply,
    Request,
    Roster,
    Store,
    UserJoined,
    UserLeft,
)
from mysticproto.model import Event as Said
from mysticproto.wire import Chunks, Role, Wire

_CACHED_AUDIENCES = 64
_ROSTERS_PER_SECOND = 1.0
_ROSTERS_AT_ONCE = 10.0
"""A roster is long, and some of its readers need pauses between its parts."""
_ROSTER_CHANGES = {UserJoined, UserLeft, AccountClaimed, AccountDeleted}


class Pending(Struct, frozen=True, gc=False):
    """A draft that has no result yet, and who waits for it."""

    event: Event
    peer: Peer | None
    request: Request | None


class WireGroup(Struct, frozen=True):
    """Those of an audience that speak one wire."""

    wire: Wire
    peers: list[Peer]


class Hearers(Struct, frozen=True):
    """An audience's peers: those that hear the same as others of their wire, and those that each hear their own."""

    shared: list[WireGroup]
    personal: list[Peer]


class Fanout:
    """See the module.

    `answered(peer, request, reply)` passes on what an asker gets for anything but a message; `unstored(event)` is told
    which event the log did not take though nobody waits for it, `happened(event)` of all that was told but messages.
    """

    def __init__(
        self,
        clock: Clock,
        world: World,
        log: EventLog,
        peers: Peers,
        witness: Witness,
        watermarks: Watermarks,
        answered: Callable[[Peer, Request, Reply], None],
        unstored: Callable[[Event], None],
        happened: Callable[[Event], None],
    ) -> None:
        self._clock = clock
        self._world = world
        self._log = log
        self._peers = peers
        self._witness = witness
        self._watermarks = watermarks
        self._answered = answered
        self._unstored = unstored
        self._happened = happened
        self._pending: dict[int, Pending] = {}
        self._next_token = 1
        self._groups: dict[Audience, Hearers] = {}
        self._groups_version = -1
        self._batch: list[list[bytes]] = []
        self._batch_groups: list[WireGroup] = []
        self._has_roster_changed = False
        self._is_roster_waiting = False
        self._rosters = TokenBucket(_ROSTERS_PER_SECOND, _ROSTERS_AT_ONCE, clock.now)
        self.pending_bytes = 0
        """Of drafts without a result, about."""
        self.messages = 0
        """Messages applied since the start."""
        self.deliveries = 0
        """Copies of them that were sent on."""

    @property
    def pending(self) -> int:
        """Drafts without a result."""
        return len(self._pending)

    def propose(self, event: Event, time_us: int, peer: Peer | None = None, request: Request | None = None) -> None:
        """Sends an event to the log; what follows comes with its result."""
        token, self._next_token = self._next_token, self._next_token + 1
        self._pending[token] = Pending(event, peer, request)
        self.pending_bytes += body_bytes(event)
        self._log.append(Draft(token, time_us, event))

    def on_results(self, results: Sequence[Result]) -> None:
        """The log's answers, in its order."""
        for result in results:
            pending = self._pending.pop(result.token)
            self.pending_bytes -= body_bytes(pending.event)
            match result:
                case Stored():
                    self._stored(result, pending)
                case Duplicate():
                    self._duplicate(result, pending)
                case Rejected():
                    self._rejected(result, pending)
        rows = self._world.take_dirty()
        if self._watermarks.forget_groups(rows):
            rows += self._watermarks.take_dirty()
        self._log.save(rows, self._world.applied)

    def tell(self, said: Passing, audience: Audience) -> None:
        """Says something that is not kept."""
        self.flush()
        hearers = self._grouped(audience)
        for group in hearers.shared:
            chunks = group.wire.encode(said, Role.OTHER)
            for peer in group.peers:
                _push(peer, chunks)
        for peer in hearers.personal:
            peer.tell(said, Role.OTHER, self._clock.now)

    def end_tick(self) -> None:
        """Sends what gathered in this tick."""
        self.flush()
        if self._has_roster_changed and not self._is_roster_waiting:
            self._tell_roster_in_time()

    def _tell_roster_in_time(self) -> None:
        wait_s = self._rosters.wait_s(self._clock.now)
        self._is_roster_waiting = bool(wait_s)
        if wait_s:
            self._clock.call_later(wait_s, self._tell_roster_in_time)
            return
        self._has_roster_changed = False
        self._tell_roster()

    def _tell_roster(self) -> None:
        followers = [group for group in self._grouped(self._world.everyone()).shared if group.wire.follows_roster]
        if not followers:
            return
        self._rosters.spend()
        roster = Roster(tuple(self._world.users_here()))
        for group in followers:
            chunks = group.wire.encode(roster, Role.OTHER)
            for peer in group.peers:
                _push(peer, chunks)

    def flush(self) -> None:
        """Sends the batch: at the end of a tick, and before anything that must not overtake it."""
        batch, groups = self._batch, self._batch_groups
        if not batch:
            return
        self._batch, self._batch_groups = [], []
        for chunks, group in zip(batch, groups, strict=True):
            data = b"".join(chunks)
            for peer in group.peers:
                peer.connection.deliver(data)

    # Results.

    def _stored(self, stored: Stored, pending: Pending) -> None:
        applied = apply(self._world, stored.committed)
        if is_void(stored.committed.event, applied):
            self._log.void(stored.committed)
        for delivery in applied.deliveries:
            self._deliver(delivery)
        if type(stored.committed.event) is Posted:
            self.messages += 1
        elif applied.answer:
            self.flush()
        if applied.answer and self._ends_asker(applied, pending):
            self._answer_last(pending, applied.answer)
        elif applied.answer:
            self._answer(pending, applied.answer)
        self._end_sessions(applied)
        if applied.deliveries and type(stored.committed.event) is not Posted:
            self._happened(stored.committed.event)

    def _duplicate(self, duplicate: Duplicate, pending: Pending) -> None:
        assert type(pending.event) is Posted
        self._answer(pending, receipt(self._world, duplicate.seq, duplicate.time_us, pending.event))

    def _rejected(self, rejected: Rejected, pending: Pending) -> None:
        if pending.peer:
            self._answer(pending, Refused(0, rejected.code, rejected.text))
        if pending.peer is None or type(pending.event) is Left:
            self._unstored(pending.event)

    def _answer(self, pending: Pending, reply: Reply) -> None:
        peer, request = pending.peer, pending.request
        if peer is None or request is None:
            return
        numbered = replace(reply, n=request.n)
        if type(pending.event) is Posted and type(request) is not Store:
            peer.answer(request, numbered)
        else:
            self._answered(peer, request, numbered)

    def _ends_asker(self, applied: Applied, pending: Pending) -> bool:
        """Whether who asked for it is among those whose sessions it ends: they gave up their name, or this device."""
        peers = [self._peers.of_session(ending.session) for ending in applied.endings]
        return pending.peer is not None and pending.peer in peers

    def _answer_last(self, pending: Pending, reply: Reply) -> None:
        """Nothing else that such an asker has waiting is handled any more."""
        if pending.peer and pending.request:
            pending.peer.answer(pending.request, replace(reply, n=pending.request.n))

    def _end_sessions(self, applied: Applied) -> None:
        for ending in applied.endings:
            self.flush()
            peer = self._peers.of_session(ending.session)
            for each in (peer, peer.other if peer else None):
                if each:
                    self._peers.release(each)
                    each.end(ending.bye)

    # Out to everybody.

    def _deliver(self, delivery: Delivery) -> None:
        event, to, author = delivery.event, delivery.to, delivery.author
        hearers = self._grouped(to)
        for peer in hearers.personal:
            peer.tell(event, Role.AUTHOR if peer.session in author else Role.OTHER, self._clock.now)
        groups = hearers.shared
        others = [group.wire.encode(event, Role.OTHER) for group in groups]
        if type(event) is Message:
            self.deliveries += len(to)
            if self._is_alike(event, groups, others, author, to):
                self._add_to_batch(groups, others)
                return
        else:
            self._witness.told(event)
            self._has_roster_changed |= type(event) in _ROSTER_CHANGES
        self.flush()
        for group, chunks in zip(groups, others, strict=True):
            for peer in group.peers:
                if peer.session not in author:
                    _push(peer, chunks)
        self._deliver_to(author, event, Role.AUTHOR, to)
        strangers = [id for id in delivery.bystanders.sessions if id not in to.members and id not in author]
        self._deliver_to(strangers, event, Role.BYSTANDER, to)

    def _is_alike(
        self, event: Said, groups: list[WireGroup], others: list[Chunks], author: Sequence[int], to: Audience
    ) -> bool:
        """Whether the author's copies are the others' too, so that nobody has to be told apart."""
        if not all(session in to.members for session in author):
            return False
        return all(
            (not author or group.wire.encode(event, Role.AUTHOR) is chunks)
            and all(type(chunk) is bytes for chunk in chunks)
            for group, chunks in zip(groups, others, strict=True)
        )

    def _add_to_batch(self, groups: list[WireGroup], others: list[Chunks]) -> None:
        if groups is not self._batch_groups:
            self.flush()
            self._batch_groups = groups
            self._batch = [[] for _ in groups]
        for batch, chunks in zip(self._batch, others, strict=True):
            batch.extend(chunk for chunk in chunks if type(chunk) is bytes)

    def _deliver_to(self, sessions: Sequence[int], event: Said, role: Role, told: Audience) -> None:
        """To single sessions; personal peers among `told` have it already."""
        encoded: dict[str, Chunks] = {}
        for session in sessions:
            peer = self._peers.of_session(session)
            if peer and peer.wire.is_personal:
                if session not in told.members:
                    peer.tell(event, role, self._clock.now)
            elif peer:
                if peer.wire.name not in encoded:
                    encoded[peer.wire.name] = peer.wire.encode(event, role)
                _push(peer, encoded[peer.wire.name])

    def _grouped(self, audience: Audience) -> Hearers:
        """The audience's peers by wire; the same list as long as nothing has changed."""
        if self._groups_version != self._peers.version or len(self._groups) > _CACHED_AUDIENCES:
            self._groups.clear()
            self._groups_version = self._peers.version
        groups = self._groups.get(audience)
        if groups is None:
            groups = self._groups[audience] = self._group(audience)
        return groups

    def _group(self, audience: Audience) -> Hearers:
        by_wire: dict[str, WireGroup] = {}
        peers = [peer for session in audience.sessions if (peer := self._peers.of_session(session))]
        for peer in peers:
            if not peer.wire.is_personal:
                by_wire.setdefault(peer.wire.name, WireGroup(peer.wire, [])).peers.append(peer)
        return Hearers(list(by_wire.values()), [peer for peer in peers if peer.wire.is_personal])


def _push(peer: Peer, chunks: Chunks) -> None:
    for chunk in chunks:
        peer.connection.push(chunk)
