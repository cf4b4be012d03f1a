"""Past: history pages, and what a device has missed, streamed no faster than it reads.

The next part of a catch-up is asked for when the last one has left for the peer, so a device that was away for long
costs one page of memory. What may be read is decided when it is asked for, from the world as it is then.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from mystic_server.domain.events import Committed, Posted, body_bytes
from mystic_server.domain.queries import Scope, history_scope, missed_scope, waiting_scope
from mystic_server.domain.retelling import retell
from mystic_server.domain.world import World
from mystic_server.hub.sessions import Peer
from mystic_server.log.base import EventLog, HistoryQuery, MissedQuery, Page
from mysticproto.errors import Code
from mysticproto.model import MAX_HISTORY_PAGE, CatchUp, Event, GetHistory, History, Refused

PART_BYTES = 256 * 1024
"""In one part of a catch-up or one history page, about: whatever the limit in events, frames stay small."""
_MISSED_PART = 500


class _Gap(Struct):
    """What a device still has to be sent: everything between two numbers, both left out."""

    scope: Scope
    after: int
    upto: int
    is_asked: bool = False
    has_waited: bool = False


class Past:
    """See the module."""

    def __init__(self, world: World, log: EventLog, waited_for: Callable[[Peer, Collection[int]], None]) -> None:
        self._world = world
        self._log = log
        self._waited_for = waited_for
        self._behind: dict[Peer, _Gap] = {}

    def history(self, peer: Peer, request: GetHistory, answered: Callable[[Sequence[History] | Refused], None]) -> None:
        """Answers with a page, in the call itself only if it is refused."""
        scope = history_scope(self._world, self._world.sessions[peer.session], request)
        if isinstance(scope, Refused):
            answered(scope)
            return
        limit = min(max(1, request.limit), MAX_HISTORY_PAGE)
        before = min(max(0, request.before), 2**63 - 1)
        query = HistoryQuery(scope.conversations, before, scope.since, limit)
        self._log.history(query, lambda page: answered(self._page(request, page)))

    def catch_up(self, peer: Peer, after: int, upto: int, waiting: str = "") -> None:
        """Begins to send what lies between two numbers, both left out: `upto` is the peer's own login.

        `waiting`, see `Login`: then it is what waited for the name, and its authors learn that it has been seen.
        """
        session = self._world.sessions[peer.session]
        scope = waiting_scope(self._world, session, waiting, after) if waiting else missed_scope(self._world, session)
        self._behind[peer] = _Gap(scope, after, upto, has_waited=bool(waiting))
        self._ask_missed(peer)

    def go_on(self, peer: Peer) -> None:
        """The peer has taken what it was sent."""
        if peer in self._behind and not self._behind[peer].is_asked:
            self._ask_missed(peer)

    def forget(self, peer: Peer) -> None:
        """The peer is gone."""
        self._behind.pop(peer, None)

    def _page(self, request: GetHistory, page: Page) -> list[History] | Refused:
        if page.failed:
            return Refused(request.n, Code.STORE_UNAVAILABLE, page.failed)
        kept = _newest_that_fit(page.events)
        more = page.more or len(kept) < len(page.events)
        return [History(request.n, self._retold(kept), more)]

    def _ask_missed(self, peer: Peer) -> None:
        gap = self._behind[peer]
        gap.is_asked = True
        scope = gap.scope
        query = MissedQuery(scope.conversations, peer.user, scope.since, gap.after, gap.upto - 1, _MISSED_PART)
        self._log.missed(query, lambda page: self._send_missed(peer, page))

    def _send_missed(self, peer: Peer, page: Page) -> None:
        gap = self._behind.get(peer)
        if gap is None:
            return
        if page.failed:
            # What can't be read now is not skipped: the device keeps its number and connects again.
            peer.connection.close("fault")
            return
        events = _oldest_that_fit(page.events)
        more = page.more or len(events) < len(page.events)
        if more:
            gap.after, gap.is_asked = events[-1].seq, False
            peer.connection.tell_when_drained()
        else:
            del self._behind[peer]
        peer.answer(None, CatchUp(self._retold(events), gap.after if more else gap.upto, more))
        if gap.has_waited:
            authors = {
                event.event.author for event in events if isinstance(event.event, Posted) and event.event.receipt
            }
            self._waited_for(peer, authors - {peer.user})

    def _retold(self, events: Iterable[Committed]) -> tuple[Event, ...]:
        return tuple(said for event in events if (said := retell(self._world, event)))


def _oldest_that_fit(events: tuple[Committed, ...]) -> tuple[Committed, ...]:
    return events[: _fitting(events)]


def _newest_that_fit(events: tuple[Committed, ...]) -> tuple[Committed, ...]:
    return events[len(events) - _fitting(events[::-1]) :]


def _fitting(events: tuple[Committed, ...]) -> int:
    """How many of the first events stay within a part's size; one at least if there are any."""
    size = 0
    for count, committed in enumerate(events):
        size += body_bytes(committed.event)
        if size > PART_BYTES and count:
            return count
    return len(events)
