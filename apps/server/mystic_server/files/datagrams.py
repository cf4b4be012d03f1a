"""The datagram child: sends files over UDP, so that its ticks of a millisecond don't disturb the chat.

    python -m mystic_server.files.datagrams DESCRIPTOR PORT...

The loop passes open files with the terms of their transfers. Each address of this machine that peers have connected to
has one socket (`Outlet`) for all transfers, on the first of the PORTs that is free there, so that answers come from
where the peer expects them. A datagram belongs to a transfer by its number and its source's host, before any
cryptography. Nothing is sent to an address that has not proved itself, but for the proof (`mysticproto.udp.sender`).

A transfer that is over is kept for a moment, because the client's last word may have to be answered again. One whose
chat connection has ended is withdrawn: it gets a moment too, because a client that has all of the file may be quicker
with its goodbye there than with its last word here. Then it is ended, and the client told.
"""

import os
import secrets
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial

from mystic_server.files.datagram_messages import (
    Ended,
    FromChild,
    Moved,
    Offer,
    Unavailable,
    Waiting,
    Withdraw,
    encode,
    to_child,
)
from mystic_server.files.outlet import Outlet, bind
from mystic_server.net.children import ParentLink
from mystic_server.net.reactor import Reactor, Timer
from mysticproto.errors import ProtocolError
from mysticproto.model import UdpTerms
from mysticproto.udp.packets import peek_cid
from mysticproto.udp.sender import Sender
from mysticproto.udp.state import Reason, State

LINGER_S = 2.0
WITHDRAWN_S = 2.0
"""A last word is said for a second, and needs half a round trip."""
TELL_EVERY_S = 1.0
OUTLETS_MAX = 64
ENTROPY_BYTES = 32


class Download:
    """One file on its way, as the reactor's handler of its timer."""

    def __init__(
        self,
        offer: Offer,
        sender: Sender,
        fd: int,
        outlet: Outlet,
        reactor: Reactor,
        pump: Callable[["Download"], None],
    ) -> None:
        self.offer = offer
        self.sender = sender
        self.outlet = outlet
        self.timer: Timer | None = None
        self.held = -1
        """Bytes of the peer's that the loop knows of; -1 before it has started."""
        self.is_over = False
        self.is_cut = False
        """Whether it was withdrawn, and its moment is over."""
        self._fd = fd
        self._reactor = reactor
        self._pump = pump

    @property
    def bytes_confirmed(self) -> int:
        """What the peer has, as far as it has said so; the last block counts as a whole one."""
        if self.sender.state is State.DONE:  # it has said so in one word
            return self.offer.size
        return min(self.offer.size, self.sender.blocks_confirmed * self.offer.block)

    @property
    def why(self) -> str:
        """Why it is over; nothing if the peer has all."""
        reason = self.sender.reason
        return "" if reason is None else "the connection ended" if self.is_cut else reason.sentence

    def abort(self) -> None:
        """Our own mistake: this transfer ends."""
        self.sender.abort(Reason.UNKNOWN, self._reactor.now)
        self._pump(self)

    def ready(self, readable: bool, writable: bool) -> None:
        """It has no descriptor that is watched."""

    def close_file(self) -> None:
        """May be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Datagrams:
    """What the child does; see the module. `say` tells the loop."""

    def __init__(self, reactor: Reactor, ports: Sequence[int], say: Callable[[FromChild], None]) -> None:
        self._reactor = reactor
        self._ports = ports
        self._say = say
        self._outlets: dict[str, Outlet] = {}
        self._downloads: dict[int, Download] = {}

    def offer(self, offer: Offer, fd: int) -> None:
        """Waits for the peer; the descriptor is this object's from now on."""
        try:
            outlet = self._outlet(offer.local_host)
            terms = UdpTerms(outlet.port, offer.cid, offer.secret, offer.block)
            read = partial(_read_at, fd)
            sender = Sender(terms, offer.size, read, secrets.token_bytes(ENTROPY_BYTES), self._reactor.now)
        except (OSError, ProtocolError) as error:
            os.close(fd)
            self._say(Unavailable(offer.cid, _why(error)))
            return
        download = Download(offer, sender, fd, outlet, self._reactor, self._pump)
        self._downloads[offer.cid] = download
        self._say(Waiting(offer.cid, outlet.port))
        self._plan(download)

    def withdraw(self, cid: int) -> None:
        """Ends it soon, unless it ends by itself."""
        download = self._downloads.get(cid)
        if download and not download.is_over:
            cut = partial(self._reactor.guard, download, partial(self._cut, download))
            self._reactor.call_later(WITHDRAWN_S, cut)

    def tell(self) -> None:
        """Says how far the transfers are."""
        self._reactor.call_later(TELL_EVERY_S, self.tell)
        for download in self._downloads.values():
            if download.held >= 0 and not download.is_over:
                self._tell_held(download)

    def close(self) -> None:
        """Ends all transfers, and says so to their clients."""
        for download in list(self._downloads.values()):
            download.sender.abort(Reason.CANCELLED, self._reactor.now)
            download.outlet.send(download.sender.take(self._reactor.now))
            download.close_file()
        self._downloads.clear()
        for outlet in self._outlets.values():
            outlet.close()

    # The network.

    def _heard(self, outlet: Outlet, datagram: bytes, address: tuple[str, int]) -> None:
        download = self._downloads.get(peek_cid(datagram) or 0)
        if download is None or download.outlet is not outlet or address[0] != download.offer.peer_host:
            return
        self._reactor.guard(download, partial(self._hear, download, datagram, address))

    def _hear(self, download: Download, datagram: bytes, address: tuple[str, int]) -> None:
        download.sender.received(datagram, address, self._reactor.now)
        self._pump(download)

    def _flowing(self, outlet: Outlet) -> None:
        for download in list(self._downloads.values()):
            if download.outlet is outlet:
                self._pump(download)

    def _pump(self, download: Download) -> None:
        """Sends what may be sent now, and plans the next time."""
        sender = download.sender
        if not download.outlet.is_blocked:
            download.outlet.send(sender.take(self._reactor.now))
        if download.held < 0 and sender.state in (State.RUNNING, State.DONE):
            self._tell_held(download)
        if sender.state in (State.DONE, State.FAILED):
            self._end(download)
        else:
            self._plan(download)

    def _plan(self, download: Download) -> None:
        """One timer, which is only made anew for an earlier time; one that comes too early finds nothing to do."""
        deadline = download.sender.next_deadline()
        timer = download.timer
        if deadline is None or download.outlet.is_blocked or (timer and timer.when <= deadline):
            return
        if timer:
            timer.cancel()
        download.timer = self._reactor.call_at(
            deadline, partial(self._reactor.guard, download, partial(self._time_has_come, download))
        )

    def _time_has_come(self, download: Download) -> None:
        download.timer = None
        if not download.is_over:
            self._pump(download)

    # The loop.

    def _tell_held(self, download: Download) -> None:
        held = download.bytes_confirmed
        if held != download.held:
            download.held = held
            self._say(Moved(download.offer.cid, held))

    def _cut(self, download: Download) -> None:
        if not download.is_over:
            download.is_cut = True
            download.sender.abort(Reason.CANCELLED, self._reactor.now)
            self._pump(download)

    def _end(self, download: Download) -> None:
        if download.is_over:
            return
        download.is_over = True
        download.close_file()
        self._say(Ended(download.offer.cid, download.bytes_confirmed, download.why))
        self._reactor.call_later(LINGER_S, partial(self._forget, download.offer.cid))

    def _forget(self, cid: int) -> None:
        del self._downloads[cid]

    # Sockets.

    def _outlet(self, host: str) -> Outlet:
        """The socket at this address of ours. Raises OSError if there can't be one."""
        outlet = self._outlets.get(host)
        if outlet is None:
            if len(self._outlets) >= OUTLETS_MAX:
                raise OSError("there are too many addresses")
            outlet = self._outlets[host] = Outlet(self._reactor, bind(host, self._ports), self._heard, self._flowing)
        return outlet


class Parent:
    """The reactor's handler of the line to the loop, whose end is the end of everything."""

    def __init__(self, reactor: Reactor, link: ParentLink, datagrams: Datagrams) -> None:
        self._reactor = reactor
        self._link = link
        self._datagrams = datagrams

    def ready(self, readable: bool, writable: bool) -> None:
        """Takes what has come."""
        for body in self._link.receive_all():
            match to_child.decode(body):
                case Offer() as offer:
                    self._datagrams.offer(offer, self._link.files.popleft())
                case Withdraw(cid):
                    self._datagrams.withdraw(cid)
        if self._link.ended:
            self._reactor.stop()

    def abort(self) -> None:
        """What it says can't be used: another child will have more luck."""
        self._reactor.stop()


def _read_at(fd: int, offset: int, count: int) -> bytes:
    return os.pread(fd, count, offset)


def _why(error: OSError | ProtocolError) -> str:
    if isinstance(error, ProtocolError):
        return f"{error.text}."
    return f"The server has no port for it: {error.strerror or error}."


def main(arguments: list[str]) -> None:
    """The process."""
    link = ParentLink.inherited(arguments[0])
    reactor = Reactor(traceback.print_exception)
    datagrams = Datagrams(reactor, [int(port) for port in arguments[1:]], lambda said: link.send(encode(said)))
    reactor.register(link, Parent(reactor, link, datagrams))
    datagrams.tell()
    try:
        reactor.run()
        datagrams.close()
    except (BrokenPipeError, ConnectionResetError):  # the parent died while it was told something
        pass
    finally:
        reactor.close()


if __name__ == "__main__":
    main(sys.argv[1:])
