"""Past: history pages, searches, and what a device has missed, streamed no faster than it reads.

The next part of a catch-up is asked for when the last one has left for the peer, so a device that was away for long
costs one page of memory. What may be read is decided when it is asked for, from the world as it is then.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from mystic_server.domain.events import Committed, Deleted, Edited, Posted, body_bytes
from mystic_server.domain.queries import (
    Scope,
    conversations,
    history_scope,
    last_here,
    missed_scope,
    recent_scope,
    search_scope,
    waiting_scope,
)
from mystic_server.domain.receipts import Watermarks
from mystic_server.domain.retelling import retell
from mystic_server.domain.world import User, World
from mystic_server.hub.sessions import Peer
from mystic_server.log.base import EventLog, HistoryQuery, MissedQuery, Page, RecentQuery, SearchQuery
from mystic_server.log.words import words_of
from mysticproto.errors import Code
from mysticproto.model import (
    MAX_HISTORY_PAGE,
    MAX_SEARCH_PAGE,
    CatchUp,
    Conversations,
    Event,
    Found,
    GetHistory,
    History,
    ListConversations,
    Message,
    Refused,
    Reply,
    Search,
)

PART_BYTES = 256 * 1024
"""In one part of a catch-up or one page, about: whatever the limit in events, frames stay small."""
MAX_CONVERSATIONS = 200
"""In the list of somebody's conversations."""
_MISSED_PART = 500
_MAX_NUMBER = 2**63 - 1

Answered = Callable[[Sequence[Reply] | Refused], None]


class _Gap(Struct):
    """What a device still has to be sent: everything between two numbers, both left out."""

    scope: Scope
    after: int
    upto: int
    is_asked: bool = False
    has_waited: bool = False


class Past:
    """See the module. Questions are answered in the call itself only if they are refused."""

    def __init__(
        self,
        world: World,
        log: EventLog,
        watermarks: Watermarks,
        waited_for: Callable[[Peer, Collection[int]], None],
    ) -> None:
        self._world = world
        self._log = log
        self._watermarks = watermarks
        self._waited_for = waited_for
        self._behind: dict[Peer, _Gap] = {}

    # Questions.

    def history(self, peer: Peer, request: GetHistory, answered: Answered) -> None:
        """Answers with a page of one conversation."""
        scope = history_scope(self._world, self._world.sessions[peer.session], request)
        if isinstance(scope, Refused):
            answered(scope)
            return
        limit = min(max(1, request.limit), MAX_HISTORY_PAGE)
        before, after, around = map(_number, (request.before, request.after, request.around))
        query = HistoryQuery(scope.conversations, before, scope.since, limit, after, around)
        self._log.history(query, lambda page: answered(self._page(request, page)))

    def search(self, peer: Peer, request: Search, answered: Answered) -> None:
        """Answers with messages that have these words."""
        words = words_of(request.words)
        if words is None:
            text = "Search for a few words, or for several in “quotation marks” that stand together."
            answered(Refused(request.n, Code.BAD_SEARCH, text))
            return
        scope = search_scope(self._world, self._world.sessions[peer.session], request)
        if isinstance(scope, Refused):
            answered(scope)
            return
        query = SearchQuery(
            words,
            scope.conversations,
            scope.user,
            scope.since,
            scope.author,
            _number(request.since_us),
            _number(request.until_us),
            _number(request.before),
            min(max(1, request.limit), MAX_SEARCH_PAGE),
            scope.within,
        )
        self._log.search(query, lambda page: answered(self._found(request, page)))

    def conversations(self, peer: Peer, request: ListConversations, answered: Answered) -> None:
        """Answers with what somebody takes part in, the last used first."""
        scope = recent_scope(self._world, self._world.sessions[peer.session])
        query = RecentQuery(scope.user, scope.since, scope.groups, MAX_CONVERSATIONS)
        self._log.recent(query, lambda page: answered(self._recent(request, peer.user, page)))

    def _page(self, request: GetHistory, page: Page) -> list[History] | Refused:
        if page.failed:
            return Refused(request.n, Code.STORE_UNAVAILABLE, page.failed)
        events = page.events
        kept = _fitting(events) if request.after > 0 else _around_that_fit(events, request.around)
        more = page.more or kept[:1] != events[:1]
        newer = page.newer or kept[-1:] != events[-1:]
        return [History(request.n, self._retold(kept), more, newer)]

    def _found(self, request: Search, page: Page) -> list[Found] | Refused:
        if page.failed:
            return Refused(request.n, Code.STORE_UNAVAILABLE, page.failed)
        kept = _fitting(page.events)
        hits = tuple(said for said in self._retold(kept) if isinstance(said, Message) and not said.deleted)
        is_complete = not page.searched or 0 < request.before <= page.searched
        if len(kept) < len(page.events):
            return [Found(request.n, hits, True, kept[-1].seq, is_complete)]
        return [Found(request.n, hits, page.more, page.before if page.more else 0, is_complete)]

    def _recent(self, request: ListConversations, user: int, page: Page) -> list[Conversations] | Refused:
        if page.failed:
            return Refused(request.n, Code.STORE_UNAVAILABLE, page.failed)
        return [conversations(self._world, user, request.n, page.events, self._watermarks)]

    # What was missed.

    def confirmed(self, user: User) -> int:
        """The number up to which some device of this user has everything.

        Nobody has said so yet: then what they were here for counts, this time and from now on. A name that is nobody's
        may have another holder every time, so for it what it was here for counts always.
        """
        if not user.is_claimed:
            return last_here(user)
        if not self._watermarks.confirmed(user.id):
            self._watermarks.confirm(user.id, last_here(user))
        return self._watermarks.confirmed(user.id)

    def catch_up(self, peer: Peer, after: int, upto: int, waiting: str = "") -> None:
        """Begins to send what lies between two numbers, both left out: `upto` is the peer's own login.

        `waiting`, see `Login`: then it is what waited for the name, and its authors learn that it has been seen.
        """
        session = self._world.sessions[peer.session]
        if waiting:
            scope = waiting_scope(self._world, session, waiting, after)
        else:
            scope = missed_scope(self._world, session)
            if left := self._world.users[peer.user].left_seq:
                # The next holder of a name that is nobody's may have what waits for it, be it older than they are.
                scope = replace(scope, since=min(scope.since, left + 1))
        self._behind[peer] = _Gap(scope, after, upto, has_waited=bool(waiting))
        self._ask_missed(peer)

    def go_on(self, peer: Peer) -> None:
        """The peer has taken what it was sent."""
        if peer in self._behind and not self._behind[peer].is_asked:
            self._ask_missed(peer)

    def forget(self, peer: Peer) -> None:
        """The peer is gone."""
        self._behind.pop(peer, None)

    def _ask_missed(self, peer: Peer) -> None:
        gap = self._behind[peer]
        gap.is_asked = True
        scope = gap.scope
        query = MissedQuery(scope.conversations, peer.user, scope.since, gap.after, gap.upto - 1, _MISSED_PART)
        self._log.missed(query, partial(self._send_missed, peer))

    def _send_missed(self, peer: Peer, page: Page) -> None:
        gap = self._behind.get(peer)
        if gap is None:
            return
        if page.failed:
            # What can't be read now is not skipped: the device keeps its number and connects again.
            peer.connection.close("fault")
            return
        events = _fitting(page.events)
        more = page.more or len(events) < len(page.events)
        if more:
            gap.after, gap.is_asked = events[-1].seq, False
            peer.connection.tell_when_drained()
        else:
            del self._behind[peer]
        said = self._retold(each for each in events if not _is_of_before(each, gap.scope))
        peer.answer(None, CatchUp(said, gap.after if more else gap.upto, more))
        if gap.has_waited:
            authors = {
                event.event.author for event in events if isinstance(event.event, Posted) and event.event.receipt
            }
            self._waited_for(peer, authors - {peer.user})

    def _retold(self, events: Iterable[Committed]) -> tuple[Event, ...]:
        return tuple(said for event in events if (said := retell(self._world, event)))


def _is_of_before(committed: Committed, scope: Scope) -> bool:
    """It was said to an earlier holder of the name, be it with another text, and isn't for the present one."""
    event = committed.event
    if not isinstance(event, Posted | Edited | Deleted) or not (event.users or event.conversation in scope.bounded):
        return False
    return (committed.seq if isinstance(event, Posted) else event.message) < scope.since


def _number(asked: int) -> int:
    return min(max(0, asked), _MAX_NUMBER)


def _fitting(events: tuple[Committed, ...]) -> tuple[Committed, ...]:
    """As many of the first events as stay within a part's size; one at least if there are any."""
    size = 0
    for count, committed in enumerate(events):
        size += _size(committed)
        if size > PART_BYTES and count:
            return events[:count]
    return events


def _around_that_fit(events: tuple[Committed, ...], number: int) -> tuple[Committed, ...]:
    """As many events as fit, taken from that number (0: the last) towards both ends by turns."""
    middle = next((at for at, each in enumerate(events) if number and each.seq >= number), len(events))
    start, end, size = middle, middle, 0
    while start > 0 or end < len(events):
        takes_newer = end < len(events) and (start == 0 or end - middle <= middle - start)
        size += _size(events[end if takes_newer else start - 1])
        if size > PART_BYTES and end > start:
            break
        start, end = (start, end + 1) if takes_newer else (start - 1, end)
    return events[start:end]


def _size(committed: Committed) -> int:
    text = committed.amended.text if committed.amended else ""
    return body_bytes(committed.event) + len(text.encode())
