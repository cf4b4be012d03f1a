"""Downloads: a file of the server's becomes a verified file in a folder of ours.

    ask for a ticket  ->  own connection, Fetch(ticket, offset)  ->  <name>.<identity>.part  ->  verify  ->  rename
         ^            ->  or datagrams, by the ticket's terms                    |  cut
         +-----------------------------------------------------------------------+

A cut is no failure as long as some bytes come with each attempt: the next one goes on where the last one stopped, also
in a later run of the program. The hash is compared with the server's own, which the ticket carries, or which the server
says on the chat connection as soon as it has it. A file that lies there already and is the same is not fetched.
"""

import asyncio
import contextlib
import shutil
from pathlib import Path
from typing import Final

from mystic_client.session import datagrams
from mystic_client.session.connection import NotConnected, Session
from mystic_client.session.direct import follow
from mystic_client.session.fetch import Cut, FetchRefused, FetchUdp, UdpFailed, fetch, give_back
from mystic_client.session.filenames import safe_name
from mystic_client.session.local import hash_of, same_sized
from mystic_client.session.partial import Busy, PartialFile, forget_parts, origin, partial_path
from mystic_client.session.progress import Failed, Progress, Progressed, Teller, sentence_of
from mysticproto.errors import Code
from mysticproto.model import OpenDownload, Refused, Ticket

__all__ = ["Progress", "download"]

ATTEMPTS: Final = 3
"""Attempts in a row that may bring nothing."""
RECONNECT_S: Final = 30.0
"""How long an interrupted download waits for the session to come back, unless it is told to be more patient."""
HASH_PATIENCE_S = 30.0
SERVER_HASHES_BYTES_S: Final = 50 * 1024 * 1024
"""How slowly a server may compute a hash that we still wait for."""
BUSY: Final = (Code.LIMIT_REACHED, Code.FILES_UNAVAILABLE)
"""Refusals that pass by themselves: when another transfer has ended, or a server that has just started is ready."""
BUSY_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""How long to wait between questions then; a ticket that nobody used holds a place for a minute."""
PASSING: Final = (Code.BAD_TICKET, Code.STOPPING, Code.FILES_UNAVAILABLE)
"""Refusals on a file's own connection that another ticket can help with, such as after a restart of the server."""
SHORT_RTT_S: Final = 0.010
"""On shorter ways TCP is the faster one."""

ALREADY_THERE: Final = "it was there already"
CHANGED: Final = "the file changed on the server: started anew"
DAMAGED: Final = "what had come before was damaged: started anew"
MAX_RESTARTS: Final = 3


async def download(
    session: Session,
    path: str,
    folder: Path,
    progressed: Progressed,
    *,
    save_as: str = "",
    over: str = "tcp",
    message: int = 0,
    patience_s: float | None = RECONNECT_S,
    fetch_udp: FetchUdp | None = None,
) -> Progress:
    """Fetches `path` into `folder`, made if it is missing; returns the last progress, "done" or "failed".

    With `message` it is the file that this message brought; `path` only says what to call it. The file's own name is
    made harmless, and never takes the place of another file; `save_as` is the user's own name for it and replaces.
    `over`: "tcp", "udp", or "auto" for what suits the way. `progressed` is called at every change of state and at most
    ten times a second in between. `patience_s`: how long to wait for a lost connection, None: as long as it takes.
    `fetch_udp`: what brings a file in datagrams, instead of `datagrams.fetch_udp`.
    Cancelling leaves the `.part` for a later attempt.
    """
    return await _Download(session, path, folder, progressed, save_as, over, message, patience_s, fetch_udp).run()


_FAILURES = (Failed, NotConnected, Busy, OSError)


class _Download:
    def __init__(
        self,
        session: Session,
        path: str,
        folder: Path,
        progressed: Progressed,
        save_as: str,
        over: str,
        message: int,
        patience_s: float | None,
        fetch_udp: FetchUdp | None,
    ) -> None:
        self._session = session
        self._path = path
        self._folder = folder
        self._save_as = save_as
        self._over = over
        self._message = message
        self._patience_s = patience_s
        self._fetch_udp = fetch_udp or datagrams.fetch_udp
        self._teller = Teller(path, progressed)
        self._part: PartialFile | None = None
        self._may_be_there = not save_as
        self._was_damaged = False

    async def run(self) -> Progress:
        self._teller.tell()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            await self._work()
        except asyncio.CancelledError:
            self._teller.tell(state="cancelled", left_s=None)
            raise
        except _FAILURES as problem:
            self._teller.failed(problem)
        finally:
            if self._part is not None:
                self._part.close()
        return self._teller.progress

    async def _work(self) -> None:
        for _ in range(MAX_RESTARTS):
            ticket = await self._gather()
            if ticket is None or await self._is_published(ticket):
                return
        raise Failed(Code.FILE_CHANGED, "the file changes on the server again and again")

    # Getting it.

    async def _gather(self) -> Ticket | None:
        """Gets all bytes into the partial file, in as many connections as it takes; None if they were here already."""
        fruitless = 0
        while True:
            before = self._received
            try:
                return await self._attempt()
            except (Cut, NotConnected, TimeoutError, FetchRefused) as problem:
                if isinstance(problem, FetchRefused) and problem.code not in PASSING:
                    raise
                fruitless = 0 if self._received > before else fruitless + 1
                if fruitless >= ATTEMPTS:
                    raise Failed("cut", f"the transfer was cut off: {sentence_of(problem)}") from None
            self._teller.tell(state="waiting", left_s=None)
            await self._reconnected()

    async def _attempt(self) -> Ticket | None:
        if self._may_be_there and await self._is_there():
            return None
        self._may_be_there = False
        over = await self._chosen_over()
        ticket = await self._ticket(over)
        part = await self._partial(ticket, in_order=ticket.udp is None)
        if ticket.udp is None:
            self._begin(part.received, ticket, "tcp")
            await fetch(self._session.address, self._session.security, ticket.ticket, part, self._teller.moved)
        else:
            await self._in_datagrams(ticket, part)
        return ticket

    @property
    def _received(self) -> int:
        return self._part.received if self._part is not None else 0

    def _begin(self, received: int, ticket: Ticket, over: str) -> None:
        self._teller.start("running", received, ticket.size)
        self._teller.tell(over=over)

    async def _chosen_over(self) -> str:
        if self._over == "auto":
            self._over = "tcp" if await self._session.measure_rtt() < SHORT_RTT_S else "udp"
        return self._over

    def _not_over_udp(self, why: str) -> None:
        self._over = "tcp"
        self._teller.tell(note=f"over TCP: {why}")

    async def _in_datagrams(self, ticket: Ticket, part: PartialFile) -> None:
        assert ticket.udp is not None
        part.scatter(ticket.udp.block)
        self._begin(part.received, ticket, "udp")
        try:
            await self._fetch_udp(self._session, ticket, part, self._held)
        except UdpFailed as failed:
            self._not_over_udp(str(failed))
            raise Cut(str(failed)) from None

    def _held(self, received: int) -> None:
        assert self._part is not None
        self._part.received = received
        self._teller.moved(received)

    async def _ticket(self, over: str = "tcp") -> Ticket:
        reply = await self._ask_for_ticket(over)
        for wait_s in BUSY_S:
            if not isinstance(reply, Refused) or reply.code not in BUSY:
                break
            self._teller.tell(state="waiting", left_s=None)
            await asyncio.sleep(wait_s)
            reply = await self._ask_for_ticket(over)
        if isinstance(reply, Refused) and reply.code == Code.UDP_UNAVAILABLE:
            self._not_over_udp(reply.text)
            return await self._ticket()
        if isinstance(reply, Refused):
            raise Failed(reply.code, reply.text)
        if not isinstance(reply, Ticket) or reply.size < 0:
            raise Failed(Code.MALFORMED, "the server's answer makes no sense")
        if over == "udp" and reply.udp is None:
            self._not_over_udp("the server does not offer datagrams")
        return reply

    async def _ask_for_ticket(self, over: str) -> object:
        path = "" if self._message else self._path
        return await self._session.ask(lambda n: OpenDownload(n, path, over, self._message))

    def _name(self, ticket: Ticket) -> str:
        return self._save_as or safe_name(self._path or ticket.path)

    async def _partial(self, ticket: Ticket, *, in_order: bool) -> PartialFile:
        """The partial file of exactly what the ticket is for: the one at hand, an earlier attempt's, or a new one."""
        server_id = self._session.server_id
        what = origin(ticket.path, self._message)
        path = partial_path(self._folder, self._name(ticket), server_id, what, ticket.size, ticket.modified_us)
        part = self._part
        if part is None or part.path != path:
            if self._part is not None:
                self._part.close()
            if forget_parts(self._folder, self._name(ticket), server_id, what, but=path):
                self._teller.tell(note=CHANGED)
            self._part = part = PartialFile(path, ticket.size)
            part.count()
        if in_order and not part.is_in_order:
            self._teller.tell(state="waiting", size=ticket.size)
            await follow(part.gather, part.stop, lambda: None)
        missing = ticket.size - part.received
        if shutil.disk_usage(self._folder).free < missing:
            raise Failed("disk", f"there is no room for {missing} bytes in {self._folder}")
        return part

    async def _reconnected(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._session.online()
        except TimeoutError:
            raise NotConnected("the connection did not come back") from None

    # What is here already.

    async def _is_there(self) -> bool:
        """Whether a file of this name lies here already and is the same."""
        if self._path and not (self._folder / safe_name(self._path)).exists():
            return False
        ticket = await self._ticket()
        await give_back(self._session.address, self._session.security, ticket.ticket, ticket.size)
        candidates = same_sized(self._folder, self._name(ticket), ticket.size)
        theirs = await self._hash(ticket) if candidates else b""
        for place in candidates:
            self._teller.tell(state="verifying", size=ticket.size)
            if theirs and await hash_of(place) == theirs:
                self._done(place, theirs, ticket.size, note=ALREADY_THERE)
                return True
        return False

    def _done(self, place: Path, theirs: bytes, size: int, **changes: object) -> None:
        self._teller.tell(
            state="done", saved_to=str(place), size=size, received=size, left_s=None, verified=bool(theirs), **changes
        )
        self._teller.tell(blake3=theirs)

    # What has come.

    async def _is_published(self, ticket: Ticket) -> bool:
        """Whether it was what the server has, and now has its name; else everything is to be fetched anew."""
        part = self._part
        assert part is not None
        self._teller.tell(state="verifying", received=part.received, left_s=None)
        if not part.is_in_order:
            await follow(part.hash_rest, part.stop, lambda: None)
        theirs, ours = await self._hash(ticket), part.digest()
        if theirs != ours and (note := await self._why_anew(ticket, part, theirs)):
            part.discard()
            self._part = None
            self._teller.tell(note=note, state="waiting", received=0)
            return False
        saved = part.publish(self._folder, self._name(ticket), replace=bool(self._save_as))
        self._done(saved, theirs, ticket.size)
        self._teller.tell(blake3=ours)
        return True

    async def _why_anew(self, ticket: Ticket, part: PartialFile, theirs: bytes) -> str:
        """Why what has come is wrong, as far as another attempt may help; nothing if it merely can't be verified."""
        if theirs and part.was_there and not self._was_damaged:
            self._was_damaged = True
            return DAMAGED
        with contextlib.suppress(NotConnected, TimeoutError, Failed):
            again = await self._ticket()
            if (again.size, again.modified_us) != (ticket.size, ticket.modified_us):
                return CHANGED
        if theirs:
            part.discard()
            raise Failed("wrong_hash", "what arrived is not what the server has; it was thrown away")
        return ""

    async def _hash(self, ticket: Ticket) -> bytes:
        """The server's own hash, or nothing if it doesn't come. After a break it comes with another ticket."""
        try:
            async with asyncio.timeout(HASH_PATIENCE_S + ticket.size / SERVER_HASHES_BYTES_S):
                while not ticket.blake3:
                    try:
                        return await self._session.file_hash(ticket.path, ticket.size, ticket.modified_us)
                    except NotConnected:
                        await self._session.online()
                    with contextlib.suppress(NotConnected):
                        ticket = await self._same_file(ticket)
                return ticket.blake3
        except (TimeoutError, NotConnected, Failed):
            return b""

    async def _same_file(self, ticket: Ticket) -> Ticket:
        again = await self._ticket()
        if (again.size, again.modified_us) != (ticket.size, ticket.modified_us):
            raise Failed(Code.FILE_CHANGED, "the file has changed")
        return again
