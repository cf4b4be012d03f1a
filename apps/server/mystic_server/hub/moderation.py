"""Moderation: what operators do that the domain can't: connections from a banned network, and the server's own end."""

from mystic_server.accounts.throttle import place_of
from mystic_server.domain.addresses import is_within
from mystic_server.domain.decide_moderation import ban_bye, list_bans
from mystic_server.domain.events import Banned, Event
from mystic_server.domain.refusals import operator_refused
from mystic_server.domain.world import ban_key
from mystic_server.hub.countdown import Countdown
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import House, now_us
from mystic_server.hub.sessions import Peer
from mysticproto.errors import Code
from mysticproto.model import ListBans, Ok, Refused, Shutdown


class Moderation:
    """See the module."""

    def __init__(self, desk: Desk, house: House, countdown: Countdown) -> None:
        self._desk = desk
        self._house = house
        self._countdown = countdown

    def list_bans(self, peer: Peer, request: ListBans) -> None:
        """Who is kept out."""
        bans = list_bans(self._desk.world, self._desk.world.sessions[peer.session], request.n, now_us())
        for part in [bans] if isinstance(bans, Refused) else bans:
            peer.answer(request, part)

    def happened(self, event: Event) -> None:
        """Ends the connections from a network that has just been banned; operators come in from everywhere."""
        if not isinstance(event, Banned) or not (ban := self._desk.world.bans.get(ban_key(event.target))):
            return
        for peer in self._desk.peers:
            user = self._desk.world.users.get(peer.user)
            is_operator = user is not None and user.role == "operator"
            if ban.is_network and peer.session and not is_operator and is_within(peer.host, ban.target):
                session = 0 if peer.is_second else peer.session
                self._desk.peers.release(peer)
                peer.end(ban_bye(ban, now_us()))
                self._desk.end_session(session, "kicked")

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
