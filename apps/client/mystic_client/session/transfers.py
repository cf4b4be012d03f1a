"""Downloads: a file of the server's shared folder becomes a verified file in a folder of ours.

    ask for a ticket  ->  own connection, Fetch(ticket, offset)  ->  <name>.<identity>.part  ->  verify  ->  rename
         ^                          |  cut
         +--------------------------+

A cut is no failure as long as some bytes come with each attempt: the next one goes on where the last one stopped, also
in a later run of the program. The hash is computed while the bytes come and is compared with the server's own, which
the ticket carries, or which the server says on the chat connection as soon as it has it.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from mystic_client.session.connection import NotConnected, Session
from mystic_client.session.fetch import Cut, FetchRefused, fetch
from mystic_client.session.filenames import safe_name
from mystic_client.session.partial import Busy, PartialFile, partial_path
from mystic_client.session.speed import Speed
from mysticproto.errors import Code
from mysticproto.model import OpenDownload, Refused, Ticket

ATTEMPTS = 3
"""Attempts in a row that may bring nothing."""
RECONNECT_S = 30.0
"""How long an interrupted download waits for the session to come back."""
HASH_PATIENCE_S = 30.0
SERVER_HASHES_BYTES_S = 50 * 1024 * 1024
"""How slowly a server may compute a hash that we still wait for."""
REPORT_EVERY_S = 0.1


class Progress(Struct, frozen=True):
    """How far a download is. `state`: "waiting", "running", "verifying", "done", "failed" or "cancelled".

    `verified` is False in the end if the server never said its hash. `code` of a failure: an `errors.Code`,
    "not_connected", "cut", "wrong_hash" or "disk".
    """

    path: str
    state: str
    size: int = 0
    received: int = 0
    speed_bytes_s: float = 0.0
    left_s: float | None = None
    saved_to: str = ""
    verified: bool = False
    error: str = ""
    code: str = ""


class _Failed(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


async def download(
    session: Session,
    path: str,
    folder: Path,
    progressed: Callable[[Progress], None],
    *,
    save_as: str = "",
) -> Progress:
    """Fetches `path` into `folder`, made if it is missing; returns the last progress, "done" or "failed".

    The file's own name is made harmless, and never takes the place of another file; `save_as` is the user's own name
    for it and replaces. `progressed` is called at every change of state and at most ten times a second in between.
    Cancelling leaves the `.part` for a later attempt.
    """
    return await _Download(session, path, folder, progressed, save_as).run()


_FAILURES = (_Failed, FetchRefused, NotConnected, Busy, OSError)


def _sentence(problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        return "the server does not answer"
    if isinstance(problem, OSError):
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror or str(problem)
    return str(problem)


def _code(problem: Exception) -> str:
    match problem:
        case _Failed() | FetchRefused():
            return problem.code
        case NotConnected() | TimeoutError():
            return "not_connected"
    return "disk"


class _Download:
    def __init__(
        self, session: Session, path: str, folder: Path, progressed: Callable[[Progress], None], save_as: str
    ) -> None:
        self._session = session
        self._path = path
        self._folder = folder
        self._tell = progressed
        self._save_as = save_as
        self._name = save_as or safe_name(path)
        self._progress = Progress(path, "waiting")
        self._part: PartialFile | None = None
        self._speed = Speed()
        self._reported_s = 0.0

    async def run(self) -> Progress:
        self._report()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            ticket = await self._gather()
            await self._verify_and_publish(ticket)
        except asyncio.CancelledError:
            self._report(state="cancelled", left_s=None)
            raise
        except _FAILURES as problem:
            self._report(state="failed", left_s=None, error=_sentence(problem), code=_code(problem))
        finally:
            if self._part is not None:
                self._part.close()
        return self._progress

    async def _gather(self) -> Ticket:
        """Gets all bytes into the partial file, in as many connections as it takes."""
        fruitless = 0
        while True:
            before = self._received
            try:
                return await self._attempt()
            except (Cut, NotConnected) as problem:
                fruitless = 0 if self._received > before else fruitless + 1
                if fruitless >= ATTEMPTS:
                    raise _Failed("cut", f"the transfer was cut off: {problem}") from None
            self._report(state="waiting", left_s=None)
            await self._reconnected()

    async def _attempt(self) -> Ticket:
        ticket = await self._ticket()
        part = await self._partial(ticket)
        self._speed.start(part.received, asyncio.get_running_loop().time())
        self._report(state="running", size=ticket.size, received=part.received)
        await self._fetch(ticket, part)
        return ticket

    @property
    def _received(self) -> int:
        return self._part.received if self._part is not None else 0

    async def _ticket(self) -> Ticket:
        reply = await self._session.ask(lambda n: OpenDownload(n, self._path))
        if isinstance(reply, Refused):
            raise _Failed(reply.code, reply.text)
        if not isinstance(reply, Ticket) or reply.size < 0:
            raise _Failed(Code.MALFORMED, "the server's answer makes no sense")
        return reply

    async def _partial(self, ticket: Ticket) -> PartialFile:
        """The partial file of exactly what the ticket is for: the one at hand, an earlier attempt's, or a new one."""
        path = partial_path(
            self._folder, self._name, self._session.server_id, ticket.path, ticket.size, ticket.modified_us
        )
        if self._part is not None and self._part.path == path:
            return self._part
        if self._part is not None:
            self._part.close()
        self._part = PartialFile(path, ticket.size)
        await self._part.resume()
        missing = ticket.size - self._part.received
        if shutil.disk_usage(self._folder).free < missing:
            raise _Failed("disk", f"there is no room for {missing} bytes in {self._folder}")
        return self._part

    async def _fetch(self, ticket: Ticket, part: PartialFile) -> None:
        async with contextlib.aclosing(
            fetch(self._session.address, self._session.security, ticket.ticket, part.received, ticket.size)
        ) as pieces:
            async for data in pieces:
                part.write(data)
                self._moved(part.received)

    async def _reconnected(self) -> None:
        try:
            async with asyncio.timeout(RECONNECT_S):
                await self._session.online()
        except TimeoutError:
            raise NotConnected("the connection did not come back") from None

    async def _verify_and_publish(self, ticket: Ticket) -> None:
        part = self._part
        assert part is not None
        self._report(state="verifying", received=part.received, left_s=None)
        theirs = await self._hash(ticket)
        if theirs and theirs != part.digest():
            part.discard()
            raise _Failed("wrong_hash", "what arrived is not what the server has; it was thrown away")
        saved = part.publish(self._folder, self._name, replace=bool(self._save_as))
        self._report(state="done", saved_to=str(saved), verified=bool(theirs))

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
        except (TimeoutError, NotConnected, _Failed):
            return b""

    async def _same_file(self, ticket: Ticket) -> Ticket:
        again = await self._ticket()
        if (again.size, again.modified_us) != (ticket.size, ticket.modified_us):
            raise _Failed(Code.FILE_CHANGED, "the file has changed")
        return again

    def _moved(self, received: int) -> None:
        now_s = asyncio.get_running_loop().time()
        self._speed.moved(received, now_s)
        self._progress = msgspec.structs.replace(
            self._progress,
            received=received,
            speed_bytes_s=self._speed.bytes_s,
            left_s=self._speed.left_s(self._progress.size - received),
        )
        if now_s - self._reported_s >= REPORT_EVERY_S:
            self._reported_s = now_s
            self._tell(self._progress)

    def _report(self, **changes: object) -> None:
        self._progress = msgspec.structs.replace(self._progress, **changes)
        self._tell(self._progress)
