"""Receipts: how far people have got in their conversations, told to those concerned and kept with the world's tables.

What moves within a tenth of a second is told once, and within a second it is saved once. A crash may cost that second:
a watermark that is a bit low is put right by the next one.
"""

from msgspec import Struct
from msgspec.structs import replace

from mystic_server.domain.receipts import Reached, Watermarks, decide_mark, marked, receipts
from mystic_server.hub.desk import Desk
from mystic_server.hub.sessions import Peer
from mysticproto.model import GetReceipts, Mark, Ok, Refused

TELL_DELAY_S = 0.1
SAVE_DELAY_S = 1.0


class _News(Struct):
    """What of somebody's watermarks has moved and isn't told yet. `by`: the only peer that said so, None if several."""

    request: Mark
    moved: Reached
    hearers: tuple[int, ...]
    by: Peer | None


class Marking:
    """See the module."""

    def __init__(self, desk: Desk, watermarks: Watermarks) -> None:
        self._desk = desk
        self.watermarks = watermarks
        self._news: dict[tuple[str, int], _News] = {}
        self._is_save_due = False

    def mark(self, peer: Peer, request: Mark) -> None:
        """Moves a user's watermarks on."""
        world = self._desk.world
        session = world.sessions[peer.session]
        hearers = decide_mark(world, session, request)
        if isinstance(hearers, Refused):
            peer.answer(request, hearers)
            return
        if not peer.shares_read:
            request = replace(request, private=True)
        moved = self.watermarks.mark(session.user, request)
        peer.answer(request, Ok(request.n))
        if moved:
            self.watermarks.confirm(session.user, moved.delivered)
            self._note(peer, request, session.user, moved, hearers)

    def get(self, peer: Peer, request: GetReceipts) -> None:
        """How far everybody in a conversation has got."""
        session = self._desk.world.sessions[peer.session]
        peer.answer(request, receipts(self._desk.world, session, request, self.watermarks, peer.shares_read))

    def save(self) -> None:
        """Hands what has moved to the log."""
        self._is_save_due = False
        if rows := self.watermarks.take_dirty():
            self._desk.log.save(rows, self._desk.world.applied)

    def _note(self, peer: Peer, request: Mark, user: int, moved: Reached, hearers: tuple[int, ...]) -> None:
        if not self._news:
            self._desk.clock.call_later(TELL_DELAY_S, self._tell)
        if not self._is_save_due:
            self._is_save_due = True
            self._desk.clock.call_later(SAVE_DELAY_S, self.save)
        key = (request.conversation, user)
        if earlier := self._news.get(key):
            moved = _further(earlier.moved, moved)
        by = peer if earlier is None or earlier.by is peer else None
        self._news[key] = _News(request, moved, hearers, by)

    def _tell(self) -> None:
        news, self._news = self._news, {}
        for (_, user), each in news.items():
            for hearer in each.hearers:
                self._tell_user(user, each, hearer)

    def _tell_user(self, user: int, news: _News, hearer: int) -> None:
        world = self._desk.world
        for session in world.watching(hearer):
            peer = self._desk.peers.of_session(session)
            if peer is None or peer is news.by:
                continue
            said = marked(world, news.request, user, news.moved, hearer, peer.shares_read)
            if said:
                peer.answer(None, said)


def _further(one: Reached, other: Reached) -> Reached:
    return Reached(
        max(one.delivered, other.delivered), max(one.read, other.read), max(one.shared_read, other.shared_read)
    )
