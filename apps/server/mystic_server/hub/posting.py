"""Posting: messages on their way into the log, and those that are in it already.

A client that never heard of its message sends it again, under the same client id. If that would be refused by now
(its author was muted meanwhile, the group is gone), the log is asked first: what is stored was said, and is answered as
it was, or would have been, the first time.
"""

from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from mystic_server.domain.apply_posts import receipt
from mystic_server.domain.decide import decide
from mystic_server.domain.events import Committed, Posted
from mystic_server.hub.desk import Desk
from mystic_server.hub.house import now_us
from mystic_server.hub.sessions import Peer
from mystic_server.log.base import Page, PostedQuery
from mysticproto.errors import Code
from mysticproto.model import CLIENT_ID_BYTES, Announce, Post, Refused, Reply
from mysticproto.names import clean_text

Saying: TypeAlias = Post | Announce


class Posting:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def post(self, peer: Peer, request: Saying) -> None:
        """Says something. What follows in the same session need not wait for it."""
        session = self._desk.world.sessions[peer.session]
        decision = decide(self._desk.world, session, request, now_us())
        if isinstance(decision, Refused) and len(request.cid) == CLIENT_ID_BYTES:
            query = PostedQuery(session.user, request.cid)
            self._desk.log.posted(query, partial(self._looked_up, peer, request, decision))
        else:
            self._desk.propose(peer, request, decision)

    def _looked_up(self, peer: Peer, request: Saying, refused: Refused, page: Page) -> None:
        stored = next((each for each in page.events if _says(each, request)), None)
        answer: Reply = refused
        if page.failed:  # not refused for good: it may be stored all the same
            answer = Refused(request.n, Code.STORE_UNAVAILABLE, page.failed)
        elif stored and isinstance(stored.event, Posted):
            answer = replace(receipt(self._desk.world, stored.seq, stored.time_us, stored.event), n=request.n)
        peer.answer(request, answer)


def _says(stored: Committed, request: Saying) -> bool:
    """Whether a message has these words. Of one that was deleted nobody can say any more."""
    if stored.amended and stored.amended.deleted:
        return True
    return isinstance(stored.event, Posted) and stored.event.text == clean_text(request.text)
