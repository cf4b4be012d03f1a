"""Uploads: a file of ours becomes a file in the shared folder, or one that a message brings to some people.

    hash  ->  OpenUpload  ->  own connection, Store(ticket), the bytes from the ticket's offset on  ->  Stored
                  ^                                   |  cut
                  +-----------------------------------+

The server knows an upload again by its name, size and hash, and says how much of it is there: so it goes on after a
cut, a restart of the server, and in a later run of the program. The client id makes sure that it is announced once.
"""

import asyncio
import contextlib
import os
import stat
import uuid
from io import FileIO
from pathlib import Path
from typing import Final

from msgspec import Struct

from mystic_client.session.connection import NotConnected, Session
from mystic_client.session.direct import Direct, follow, open_direct
from mystic_client.session.fetch import Cut
from mystic_client.session.gate import clean
from mystic_client.session.link import Lost
from mystic_client.session.local import Hashing
from mystic_client.session.progress import Failed, Progress, Progressed, Teller, sentence_of
from mystic_client.session.secure import FingerprintChanged
from mystic_client.session.transfers import ATTEMPTS, BUSY, BUSY_S, PASSING, RECONNECT_S
from mystic_client.session.verdict import FINGERPRINT_CHANGED
from mysticproto.errors import Code, ProtocolError
from mysticproto.model import (
    Bye,
    CancelUpload,
    OpenUpload,
    Refused,
    Store,
    Stored,
    ToGlobal,
    ToGroup,
    ToUsers,
    UploadTicket,
)

SILENCE_S = 30.0
"""Without taking a byte for this long the server counts as gone."""
SERVER_HASHES_BYTES_S: Final = 50 * 1024 * 1024
"""How slowly a server may verify what it got."""
MAX_READS: Final = 64
"""Reads that may come before the answer."""
CHANGED: Final = "the file was changed while it was being sent; nothing was stored"

_FAILURES = (Failed, NotConnected, OSError)


class Upload(Struct, frozen=True):
    """What is to be sent where: into the shared folder `folder`, to a conversation, or both.

    `name` is what to call it, by default as it is called here. The same `cid` again continues an earlier attempt.
    """

    file: Path
    folder: str = ""
    to: ToGlobal | ToUsers | ToGroup | None = None
    text: str = ""
    cid: bytes = b""
    name: str = ""


async def upload(
    session: Session, what: Upload, progressed: Progressed, *, patience_s: float | None = RECONNECT_S
) -> Progress:
    """Sends a file; returns the last progress, "done" (`saved_to`, `seq`) or "failed".

    `progressed` and `patience_s` are as for a download. Cancelling leaves what the server has for a later attempt.
    """
    return await _Uploading(session, what, progressed, patience_s).run()


async def forget_upload(session: Session, name: str, blake3: bytes) -> None:
    """Lets the server remove what it has of an upload that will not be gone on with."""
    with contextlib.suppress(NotConnected, TimeoutError):
        await session.ask(lambda n: CancelUpload(n, name, blake3))


class _Identity(Struct, frozen=True):
    """Which file it is, in which state."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, file: FileIO) -> "_Identity":
        seen = os.fstat(file.fileno())
        if not stat.S_ISREG(seen.st_mode):
            raise Failed("disk", "only files can be sent")
        return cls(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)


class _Uploading:
    def __init__(self, session: Session, what: Upload, progressed: Progressed, patience_s: float | None) -> None:
        self._session = session
        self._what = what
        self._name = what.name or what.file.name
        self._cid = what.cid or uuid.uuid4().bytes
        self._patience_s = patience_s
        self._teller = Teller(str(what.file), progressed)

    async def run(self) -> Progress:
        self._teller.tell()
        try:
            with _opened(self._what.file) as file:
                await self._work(file)
        except asyncio.CancelledError:
            self._teller.tell(state="cancelled", left_s=None)
            raise
        except _FAILURES as problem:
            self._teller.failed(problem)
        return self._teller.progress

    async def _work(self, file: FileIO) -> None:
        identity = _Identity.of(file)
        hashing = Hashing(file)
        self._teller.start("hashing", 0, identity.size)
        blake3 = await follow(hashing.run, hashing.stop, lambda: self._teller.moved(hashing.hashed))
        self._teller.tell(blake3=blake3, state="waiting", received=0, left_s=None)
        stored = await self._send_it(file, identity, blake3)
        self._teller.tell(
            state="done", received=identity.size, left_s=None, verified=True, saved_to=stored.path, seq=stored.seq
        )

    async def _send_it(self, file: FileIO, identity: _Identity, blake3: bytes) -> Stored:
        """In as many connections as it takes."""
        fruitless, furthest = 0, -1
        while True:
            try:
                ticket = await self._ticket(file, identity, blake3)
                fruitless = 0 if ticket.offset > furthest else fruitless
                furthest = max(furthest, ticket.offset)
                return await self._attempt(file, identity, ticket)
            except (Cut, NotConnected, TimeoutError) as problem:
                fruitless += 1
                if fruitless >= ATTEMPTS:
                    raise Failed("cut", f"the transfer was cut off: {sentence_of(problem)}") from None
            self._teller.tell(state="waiting", left_s=None)
            await self._reconnected()

    async def _ticket(self, file: FileIO, identity: _Identity, blake3: bytes) -> UploadTicket:
        _check_unchanged(file, identity)
        reply = await self._ask(identity.size, blake3)
        for wait_s in BUSY_S:
            if not isinstance(reply, Refused) or reply.code not in BUSY:
                break
            self._teller.tell(state="waiting", left_s=None)
            await asyncio.sleep(wait_s)
            reply = await self._ask(identity.size, blake3)
        if isinstance(reply, Refused):
            raise Failed(reply.code, reply.text)
        if not isinstance(reply, UploadTicket) or not 0 <= reply.offset <= identity.size:
            raise Failed(Code.MALFORMED, "the server's answer makes no sense")
        return reply

    async def _ask(self, size: int, blake3: bytes) -> object:
        what = self._what
        return await self._session.ask(
            lambda n: OpenUpload(n, self._name, size, blake3, what.folder, what.to, what.text, self._cid)
        )

    async def _attempt(self, file: FileIO, identity: _Identity, ticket: UploadTicket) -> Stored:
        try:
            direct = await open_direct(self._session.address, self._session.security)
        except Lost as lost:
            raise Cut(str(lost)) from None
        except FingerprintChanged as changed:
            raise Failed(FINGERPRINT_CHANGED, str(changed)) from None
        self._teller.start("running", ticket.offset, identity.size)
        sending = _Sending(direct, file, identity, ticket)
        try:
            return await follow(sending.run, direct.stop, lambda: self._show(sending))
        finally:
            direct.close()

    def _show(self, sending: "_Sending") -> None:
        if sending.sent < sending.size:
            self._teller.moved(sending.sent)
        elif self._teller.progress.state == "running":
            self._teller.tell(state="verifying", received=sending.sent, left_s=None)

    async def _reconnected(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._session.online()
        except TimeoutError:
            raise NotConnected("the connection did not come back") from None


class _Sending:
    """One connection, in a thread. `sent` says how far the file is out."""

    def __init__(self, direct: Direct, file: FileIO, identity: _Identity, ticket: UploadTicket) -> None:
        self.sent = ticket.offset
        self.size = identity.size
        self._direct = direct
        self._file = file
        self._identity = identity
        self._ticket = ticket.ticket

    def run(self) -> Stored:
        """Until the server has it. Raises `Cut`, `Failed` and `OSError`."""
        try:
            self._direct.say(Store(1, self._ticket), SILENCE_S)
            self._direct.send_file(self._file, self.sent, self.size, self._moved, SILENCE_S)
            _check_unchanged(self._file, self._identity)
            return self._answer()
        except Lost as lost:
            _check_unchanged(self._file, self._identity)
            raise Cut(str(lost)) from None
        except ProtocolError as problem:
            raise Failed(problem.code, f"the server's answer makes no sense: {problem.text}") from None

    def _moved(self, sent: int) -> None:
        self.sent = sent

    def _answer(self) -> Stored:
        patience_s = SILENCE_S + self.size / SERVER_HASHES_BYTES_S
        for _ in range(MAX_READS):
            for said in self._direct.read(patience_s):
                match clean(said):
                    case Stored() as stored:
                        return stored
                    case Refused(_, code, text) | Bye(code, text):
                        raise Cut(text) if code in PASSING else Failed(code, text)
        raise Failed(Code.MALFORMED, "the server says everything but that it has the file")


def _check_unchanged(file: FileIO, identity: _Identity) -> None:
    if _Identity.of(file) != identity:
        raise Failed(Code.FILE_CHANGED, CHANGED)


def _opened(path: Path) -> FileIO:
    """Without waiting for whoever writes into a pipe. Raises `OSError`."""
    return FileIO(path, opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))
