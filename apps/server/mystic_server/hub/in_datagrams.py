"""InDatagrams: one file on its way in datagrams, from its request to its end.

The request is answered when the file waits for the peer, or can't be had in this way. It ends soon after the connection
that asked for it, unless it ends by itself.
"""

from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from mystic_server.files.offers import Route, Watcher, Withdrawal
from mystic_server.hub.sessions import Clock, FileTransfer, Peer, Witness
from mysticproto.errors import Code
from mysticproto.model import OpenDownload, Refused, Ticket, UdpTerms

OfferDatagrams: TypeAlias = Callable[[int, int, Route, Watcher], Withdrawal]
"""Offers a file (descriptor, size) to a peer in datagrams; see `files.offers`."""


class InDatagrams:
    """See the module; a `files.offers.Watcher`. `over(self)` is called once, when it has ended or never was."""

    def __init__(
        self,
        clock: Clock,
        witness: Witness,
        peer: Peer,
        request: OpenDownload,
        ticket: Ticket,
        transfer: FileTransfer,
        over: Callable[["InDatagrams"], None],
    ) -> None:
        self._clock = clock
        self._witness = witness
        self._peer = peer
        self._request = request
        self._ticket = ticket
        self._transfer = transfer
        self._over = over
        self.withdraw: Withdrawal = lambda: None
        """To be set by whoever offers it."""
        self._name = peer.name
        self._began = clock.now
        self._first_held: int | None = None
        self._held = 0

    def waiting(self, terms: UdpTerms) -> None:
        """The ticket is ready. It stays good for nothing else: the place that it held is this transfer's."""
        self._peer.answer(self._request, replace(self._ticket, udp=terms))

    def unavailable(self, why: str) -> None:
        """TCP will have to do."""
        self._finished(complete=False)
        about = self._ticket.path
        self._peer.answer(self._request, Refused(self._request.n, Code.UDP_UNAVAILABLE, why, about))

    def moved(self, held: int) -> None:
        """The peer has so much."""
        if self._first_held is None:
            self._first_held = self._held = held
            self._began = self._clock.now
            self._witness.datagrams_started(self._name, self._transfer, held)
        self._witness.datagrams_moved(held - self._held)
        self._held = held

    def ended(self, held: int, why: str) -> None:
        """The place is free; nobody is told about a file that was never begun."""
        if self._first_held is not None:
            self.moved(max(held, self._held))
            came, seconds = self._held - self._first_held, self._clock.now - self._began
            self._witness.datagrams_ended(self._name, self._transfer, came, seconds, why)
        self._finished(complete=not why)

    def _finished(self, *, complete: bool) -> None:
        self._transfer.finished(complete)
        self._over(self)
