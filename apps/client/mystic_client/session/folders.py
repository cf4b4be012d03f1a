"""Whole folders: walked first, then fetched file by file into the same structure here.

What lies here already and is the same is not fetched again, so that a second attempt only brings what is missing. A
file that can't be had doesn't keep the others from coming.
"""

import asyncio
import contextlib
from collections import deque
from pathlib import Path
from typing import Final

from msgspec import Struct

from mystic_client.session.connection import NotConnected, Session
from mystic_client.session.filenames import safe_name
from mystic_client.session.progress import Failed, Progress, Progressed, Teller
from mystic_client.session.transfers import BUSY, BUSY_S, RECONNECT_S, download
from mysticproto.errors import Code
from mysticproto.model import Folder, FolderEntry, ListFolder, Refused

AT_ONCE: Final = 4
"""Files that are fetched at the same time, as many as a server gives to one user."""
MAX_DEPTH: Final = 64
MAX_FILES: Final = 10_000
ROOT_NAME: Final = "Shared files"
"""What the root is called here."""


class SharedFile(Struct, frozen=True):
    """A file in the shared folder."""

    path: str
    size: int
    modified_us: int


async def walk(session: Session, path: str, *, patience_s: float | None = RECONNECT_S) -> list[SharedFile]:
    """All files in a shared folder and the folders in it, by path. Raises `Failed` and `NotConnected`."""
    found: list[SharedFile] = []
    folders = deque([(path, 0)])
    while folders:
        folder, depth = folders.popleft()
        if depth > MAX_DEPTH:
            raise Failed("too_many", f"the folders in {path} go too deep")
        for entry in await _entries(session, folder, patience_s):
            inner = f"{folder}/{entry.name}" if folder else entry.name
            if entry.kind == "folder":
                folders.append((inner, depth + 1))
            else:
                found.append(SharedFile(inner, entry.size, entry.modified_us))
        if len(found) + len(folders) > MAX_FILES:
            raise Failed("too_many", f"there are more than {MAX_FILES:,} files and folders in {path or 'there'}")
    return sorted(found, key=lambda file: file.path)


async def _entries(session: Session, path: str, patience_s: float | None) -> tuple[FolderEntry, ...]:
    for wait_s in (*BUSY_S, 0.0):
        reply = await _asked(session, path, patience_s)
        if not isinstance(reply, Refused) or reply.code not in BUSY:
            break
        await asyncio.sleep(wait_s)
    if isinstance(reply, Refused):
        raise Failed(reply.code, reply.text)
    if not isinstance(reply, Folder):
        raise Failed(Code.MALFORMED, "the server's answer makes no sense")
    if reply.total > len(reply.entries):
        raise Failed("too_many", f"there are too many files in {path or 'the shared folder'}")
    return reply.entries


async def _asked(session: Session, path: str, patience_s: float | None) -> object:
    """Asks once more if the connection broke."""
    with contextlib.suppress(NotConnected, TimeoutError):
        return await session.ask(lambda n: ListFolder(n, path))
    try:
        async with asyncio.timeout(patience_s):
            await session.online()
    except TimeoutError:
        raise NotConnected("the connection did not come back") from None
    return await session.ask(lambda n: ListFolder(n, path))


class FolderDownload:
    """One folder on its way here. `run` may be called again: what is here is not fetched again.

    `files`: what has become of each file, by path. `told_file` hears of every file, `progressed` of the whole, with
    `files` and `files_done` in the progress. `places`: held for each file that is being fetched.
    """

    def __init__(
        self,
        session: Session,
        path: str,
        into: Path,
        progressed: Progressed,
        *,
        told_file: Progressed = lambda _: None,
        over: str = "tcp",
        places: asyncio.Semaphore | None = None,
        patience_s: float | None = RECONNECT_S,
    ) -> None:
        self.files: dict[str, Progress] = {}
        self._session = session
        self._path = path
        self._into = into / (safe_name(path) if path else ROOT_NAME)
        self._teller = Teller(path, progressed)
        self._told_file = told_file
        self._over = over
        self._places = places or asyncio.Semaphore(AT_ONCE)
        self._patience_s = patience_s
        self._received = 0

    async def run(self) -> Progress:
        """Fetches what is not here; returns the last progress, "done", or "failed" if something is missing."""
        self._teller.tell(state="waiting", error="", code="", over="")
        try:
            files = await walk(self._session, self._path, patience_s=self._patience_s)
            await self._fetch_all(files)
        except asyncio.CancelledError:
            self._teller.tell(state="cancelled", left_s=None)
            raise
        except (Failed, NotConnected, OSError) as problem:
            self._teller.failed(problem)
        return self._teller.progress

    async def _fetch_all(self, files: list[SharedFile]) -> None:
        self._into.mkdir(parents=True, exist_ok=True)
        self.files = {file.path: self._known(file) for file in files}
        self._received = sum(progress.received for progress in self.files.values())
        self._teller.start("running", self._received, sum(file.size for file in files))
        self._tell_count()
        left = deque(file for file in files if self.files[file.path].state != "done")
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._fetch_some(left))
        self._conclude()

    def _known(self, file: SharedFile) -> Progress:
        """What this run of the program knows about it already."""
        before = self.files.get(file.path)
        if (
            before is not None
            and before.state == "done"
            and before.size == file.size
            and Path(before.saved_to).exists()
        ):
            return before
        return Progress(file.path, "queued", file.size)

    async def _fetch_some(self, left: deque[SharedFile]) -> None:
        while left:
            async with self._places:
                if left:
                    await self._fetch(left.popleft())

    async def _fetch(self, file: SharedFile) -> None:
        names = file.path.removeprefix(self._path).strip("/").split("/")[:-1]
        await download(
            self._session,
            file.path,
            self._into.joinpath(*map(safe_name, names)),
            self._heard,
            over=self._over,
            patience_s=self._patience_s,
        )

    def _heard(self, progress: Progress) -> None:
        before = self.files[progress.path]
        self.files[progress.path] = progress
        self._received += progress.received - before.received
        self._told_file(progress)
        if progress.over not in ("", self._teller.progress.over):
            self._teller.tell(over=progress.over)
        if progress.state == "done":
            self._tell_count()
        self._teller.moved(self._received)

    def _tell_count(self) -> None:
        done = sum(progress.state == "done" for progress in self.files.values())
        self._teller.tell(files=len(self.files), files_done=done, received=self._received)

    def _conclude(self) -> None:
        failed = [progress for progress in self.files.values() if progress.state != "done"]
        if failed:
            text = f"{len(failed)} of {len(self.files)} files failed; {failed[0].path}: {failed[0].error}"
            raise Failed(failed[0].code, text)
        verified = all(progress.verified for progress in self.files.values())
        self._teller.tell(state="done", left_s=None, saved_to=str(self._into), verified=verified)
