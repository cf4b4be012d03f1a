"""Lists: who is here and which groups there are, streamed no faster than the peer reads.

A list of everybody can be longer than what may wait for one peer. So the next part is made when the last one has left,
and a peer has one list under way at a time (`policy.LONG_ANSWERS`).
"""

from collections.abc import Iterator

from msgspec import Struct

from mystic_server.domain.queries import list_groups, list_users
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import now_us
from mystic_server.hub.sessions import Peer
from mysticproto.model import Groups, ListGroups, ListUsers, Users


class _Listing(Struct):
    """What a peer is being sent: it still has to get the rest of these parts."""

    request: ListUsers | ListGroups
    parts: Iterator[Users | Groups]


class Lists:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way: dict[Peer, _Listing] = {}

    def users(self, peer: Peer, request: ListUsers) -> None:
        """Begins to say who is here."""
        self._begin(peer, _Listing(request, list_users(self._desk.world, request.n, request.known, now_us())))

    def groups(self, peer: Peer, request: ListGroups) -> None:
        """Begins to say which groups there are."""
        self._begin(peer, _Listing(request, list_groups(self._desk.world, request.n)))

    def go_on(self, peer: Peer) -> None:
        """The peer has taken what it was sent."""
        if peer in self._under_way:
            self._send_part(peer, self._under_way[peer])

    def forget(self, peer: Peer) -> None:
        """The peer is gone."""
        self._under_way.pop(peer, None)

    def _begin(self, peer: Peer, listing: _Listing) -> None:
        peer.is_asking = True
        self._under_way[peer] = listing
        self._send_part(peer, listing)

    def _send_part(self, peer: Peer, listing: _Listing) -> None:
        part = next(listing.parts)
        if part.more:
            peer.connection.tell_when_drained()
        else:
            del self._under_way[peer]
        peer.answer(listing.request, part)
        if not part.more:
            self._desk.looked_up(peer)
