"""Moderation: what operators do that the domain can't, and the server's own end.

The domain ends sessions. What it doesn't know are connections: those from a network that has just been banned, and
those on which a file is on its way to somebody who has just been removed.
"""

from mystic_server.accounts.throttle import place_of
from mystic_server.domain.addresses import is_within
from mystic_server.domain.decide_moderation import ban_bye, list_bans
from mystic_server.domain.events import AccountDeleted, Banned, Event, Kicked
from mystic_server.domain.refusals import operator_refused
from mystic_server.domain.world import Ban, ban_key
from mystic_server.hub.countdown import Countdown
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import House, now_us
from mystic_server.hub.sending import Sending
from mystic_server.hub.sessions import Peer
from mysticproto.errors import Code
from mysticproto.model import ListBans, Ok, Refused, Shutdown


class Moderation:
    """See the module."""

    def __init__(self, desk: Desk, house: House, countdown: Countdown, sending: Sending) -> None:
        self._desk = desk
        self._sending = sending
        self._house = house
        self._countdown = countdown

    def list_bans(self, peer: Peer, request: ListBans) -> None:
        """Who is kept out."""
        bans = list_bans(self._desk.world, self._desk.world.sessions[peer.session], request.n, now_us())
        for part in [bans] if isinstance(bans, Refused) else bans:
            peer.answer(request, part)

    def happened(self, event: Event) -> None:
        """Ends what must end besides the sessions of who was removed; `event` has been applied, and held."""
        match event:
            case Kicked(user=user) | AccountDeleted(user=user):
                self._end_downloads(user)
            case Banned(target=target, user=user):
                ban = self._desk.world.bans.get(ban_key(target))
                if ban and ban.is_network:
                    self._end_network(ban)
                elif user:
                    self._end_downloads(user)
            case _:
                pass

    def _end_downloads(self, user: int) -> None:
        for peer in self._desk.peers:
            if peer.transfer and peer.transfer.user == user:
                self._sending.end_file(peer)

    def _end_network(self, ban: Ban) -> None:
        """Ends the connections from there; operators come in from everywhere."""
        for peer in self._desk.peers:
            if not is_within(peer.host, ban.target) or self._is_operator(peer):
                continue
            if peer.session:
                session = 0 if peer.is_second else peer.session
                self._desk.peers.release(peer)
                peer.end(ban_bye(ban, now_us()))
                self._desk.end_session(session, "kicked")
            self._sending.end_file(peer)

    def _is_operator(self, peer: Peer) -> bool:
        user = self._desk.world.users.get(peer.transfer.user if peer.transfer else peer.user)
        return user is not None and user.role == "operator"

    def shutdown(self, peer: Peer, request: Shutdown) -> None:
        """Begins the countdown, or ends it."""
        refused = self._stop_refused(peer, request)
        if refused:
            peer.answer(request, refused)
        elif not request.cancel:
            self._countdown.start()
            peer.answer(request, Ok(request.n))
        elif self._countdown.cancel():
            peer.answer(request, Ok(request.n))
        else:
            peer.answer(request, Refused(request.n, Code.NOT_ALLOWED, "The server isn't about to stop."))

    def _stop_refused(self, peer: Peer, request: Shutdown) -> Refused | None:
        if self._house.local_may_stop and place_of(peer.host).is_here:
            return None
        return operator_refused(self._desk.world.users[peer.user], request.n)
