"""Amending: messages that are edited and deleted. The message is looked up in the log first, then it is decided."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mystic_server.domain.decide_amendments import decide_delete, decide_edit
from mystic_server.domain.events import Committed
from mystic_server.domain.refusals import Decision
from mystic_server.domain.world import Session, World
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import now_us
from mystic_server.hub.sessions import Peer
from mystic_server.log.base import Page
from mysticproto.errors import Code
from mysticproto.model import Delete, Edit, Refused

_Decide = Callable[[World, Session, Any, Committed | None, int], Decision]


class Amending:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def edit(self, peer: Peer, request: Edit) -> None:
        """Puts another text in the place of a message's."""
        self._look_up(peer, request, decide_edit)

    def delete(self, peer: Peer, request: Delete) -> None:
        """Takes a message away."""
        self._look_up(peer, request, decide_delete)

    def _look_up(self, peer: Peer, request: Edit | Delete, decide: _Decide) -> None:
        if not 0 < request.message <= self._desk.world.applied:
            self._decide(peer, request, decide, None)
            return
        peer.is_asking = True
        self._desk.log.message(request.message, partial(self._found, peer, request, decide))

    def _found(self, peer: Peer, request: Edit | Delete, decide: _Decide, page: Page) -> None:
        if page.failed:
            peer.answer(request, Refused(request.n, Code.STORE_UNAVAILABLE, page.failed))
        else:
            self._decide(peer, request, decide, page.events[0] if page.events else None)
        self._desk.looked_up(peer)

    def _decide(self, peer: Peer, request: Edit | Delete, decide: _Decide, original: Committed | None) -> None:
        session = self._desk.session_of(peer)
        if session is None:
            return
        decision = decide(self._desk.world, session, request, original, now_us())
        if isinstance(decision, Refused):
            peer.answer(request, decision)
        else:
            self._desk.fanout.propose(decision, now_us(), peer, request)
