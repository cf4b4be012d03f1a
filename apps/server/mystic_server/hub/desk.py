"""The desk: what the parts of the gateway share. Whatever shall be decided, proposed or answered passes over it."""

from collections.abc import Callable, Sequence
from functools import partial

from mystic_server.domain import policy
from mystic_server.domain.decide import decide_end
from mystic_server.domain.events import Event, Left, LingerEnded
from mystic_server.domain.receipts import Watermarks
from mystic_server.domain.refusals import Decision
from mystic_server.domain.world import Session, World
from mystic_server.hub.fanout import Fanout
from mystic_server.hub.house import now_us
from mystic_server.hub.sessions import Clock, Peer, Peers, Witness
from mystic_server.log.base import EventLog
from mysticproto.model import Refused, Reply, Request

_AGAIN_S = 1.0
"""Before an end is proposed again that the log could not take."""


class Desk:
    """See the module. `answered(peer, request, reply)` is told what came of a request, `happened(event)` of every event
    that was told and is no message, `work(peer)` that the peer may go on."""

    def __init__(
        self,
        clock: Clock,
        world: World,
        log: EventLog,
        peers: Peers,
        witness: Witness,
        watermarks: Watermarks,
        answered: Callable[[Peer, Request, Reply], None],
        happened: Callable[[Event], None],
        work: Callable[[Peer], None],
    ) -> None:
        self.clock = clock
        self.world = world
        self.log = log
        self.peers = peers
        self.witness = witness
        self.fanout = Fanout(clock, world, log, peers, witness, watermarks, answered, self._unstored, happened)
        self.ending: set[int] = set()
        """Sessions whose end is on its way through the log."""
        self._giving_up: set[int] = set()  # lost ones of which the same holds
        self._work = work

    def session_of(self, peer: Peer) -> Session | None:
        """The session that is on this connection; None if it has ended while something was looked up for it."""
        return self.world.sessions.get(peer.session)

    # Answers.

    def answer_now(self, peer: Peer, request: Request, reply: Reply) -> None:
        """The end of a request that changes more than a timeline: the next one may come."""
        peer.is_barred = False
        peer.answer(request, reply)
        if peer.waiting:
            self.work_soon(peer)

    def answer_at_length(self, peer: Peer, request: Request, answer: Sequence[Reply] | Refused) -> None:
        """The end of a request that took its time. May be called in the request's own call, so what waits is not
        handled in here."""
        for part in [answer] if isinstance(answer, Refused) else answer:
            peer.answer(request, part)
        self.looked_up(peer)

    def looked_up(self, peer: Peer) -> None:
        """What a request had to wait for is here."""
        peer.is_asking = False
        if peer.waiting:
            self.work_soon(peer)

    def work_soon(self, peer: Peer) -> None:
        """For whoever may be handled now, or at the end of a tick that nothing else would follow."""
        self.clock.call_later(0.0, partial(self._work, peer))

    # What goes to the log.

    def propose(self, peer: Peer, request: Request, decision: Decision) -> None:
        """An event goes to the log, a refusal to the asker."""
        if isinstance(decision, Refused):
            self.answer_now(peer, request, decision)
        else:
            self.fanout.propose(decision, now_us(), peer, request)

    def end_session(self, session: int, cause: str) -> None:
        """Proposes the end of a session, once."""
        alive = self.world.sessions.get(session)
        if alive and session not in self.ending:
            self.ending.add(session)
            self.fanout.propose(decide_end(self.world, alive, cause, self.ending), now_us())

    def end_lingering(self) -> None:
        """Gives up what lost sessions kept, a minute after their loss; to be called every second or so."""
        self.ending &= self.world.sessions.keys()
        self._giving_up &= self.world.lost.keys()
        now = now_us()
        for session in self.world.lost.values():
            # Also when the clock was put back by more than that.
            if abs(now - session.lost_us) >= policy.LINGER_US and session.id not in self._giving_up:
                self._giving_up.add(session.id)
                self.fanout.propose(LingerEnded(session.id), now)

    def _unstored(self, event: Event) -> None:
        """The log could not take the end of a session; it must, some time."""
        match event:
            case Left(session, cause):
                self.ending.discard(session)
                self.clock.call_later(_AGAIN_S, partial(self.end_session, session, cause))
            case LingerEnded(session):
                self._giving_up.discard(session)
            case _:
                pass
