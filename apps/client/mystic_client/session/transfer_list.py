"""TransferList: all downloads and uploads of one user on one server, as a list that survives the program.

    queued -> waiting | hashing | running | verifying -> done | failed
       ^ paused, at any time                                cancelled

The owner calls `take_up` at every `Online`: the list is read from its file, and what had not ended goes on. Only
some files move at the same time, the rest is queued. What happens is told through one callback, at most ten times a
second for each transfer.
"""

import asyncio
import contextlib
import os
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from mystic_client.model.transfer import ENDED, Transfer
from mystic_client.session.connection import Session
from mystic_client.session.filenames import safe_name
from mystic_client.session.folders import FolderDownload
from mystic_client.session.local import hash_of
from mystic_client.session.partial import forget_parts, origin
from mystic_client.session.progress import Progress, sentence_of
from mystic_client.session.transfer_file import MAX_KEPT, Kept, load_transfers, save_transfers
from mystic_client.session.transfers import download
from mystic_client.session.uploads import Upload, forget_upload, upload
from mysticproto.model import ToGlobal, ToGroup, ToUsers

FILE: Final = "transfers"
DOWN_AT_ONCE: Final = 4
UP_AT_ONCE: Final = 2
"""Files that move at the same time: as many as a server takes of one user."""
SAVE_AFTER_S: Final = 0.3

DAMAGED: Final = "this is not what the server had: the file was changed or damaged here"


class ListFull(Exception):
    """There are too many transfers that have not ended."""


class _Entry:
    """A transfer with what runs for it. `wanted`: what a cancelled task is to leave behind."""

    def __init__(self, number: int, kept: Kept) -> None:
        self.kept = kept
        self.shown = _shown(number, kept)
        self.task: asyncio.Task[None] | None = None
        self.wanted = ""
        self.folder: FolderDownload | None = None


class TransferList:
    """`changed(transfer)` is called whenever one line of the list is to be drawn anew, or (`is_listed`) is gone.

    `into`: the folder for downloads. Methods that name a transfer that is gone, or in another state, do nothing.
    """

    def __init__(self, session: Session, into: Path, changed: Callable[[Transfer], None]) -> None:
        self._session = session
        self._into = into
        self._changed = changed
        self._entries: dict[int, _Entry] = {}
        self._last_number = 0
        self._places = {"down": asyncio.Semaphore(DOWN_AT_ONCE), "up": asyncio.Semaphore(UP_AT_ONCE)}
        self._path: Path | None = None
        self._was_taken_up = False
        self._saving: asyncio.TimerHandle | None = None
        self._tidying: set[asyncio.Task[None]] = set()

    # What there is.

    @property
    def transfers(self) -> list[Transfer]:
        """All of them, the latest first."""
        return [entry.shown for entry in reversed(self._entries.values())]

    def is_listed(self, number: int) -> bool:
        """Whether there is such a transfer (any more)."""
        return number in self._entries

    def files_of(self, number: int) -> list[Transfer]:
        """The files of a folder that is being downloaded, as far as they are known in this run; all numbered 0."""
        entry = self._entries.get(number)
        if entry is None or entry.folder is None:
            return []
        return [_with(Transfer(0, file.path), file, entry.kept.over) for file in entry.folder.files.values()]

    # What the user does. All of these return at once.

    def download(self, path: str, *, over: str = "tcp", message: int = 0, called: str = "") -> int:
        """Fetches a shared file, or what the message brought; returns its number. Raises `ListFull`.

        What is being fetched already is not fetched twice.
        """
        return self._add(Kept("download", path, over=over, message=message, called=called, into=str(self._into)))

    def download_folder(self, path: str, *, over: str = "tcp") -> int:
        """Fetches a shared folder with all that is in it; returns its number. Raises `ListFull`."""
        return self._add(Kept("folder", path, over=over, into=str(self._into)))

    def upload(
        self,
        file: Path,
        *,
        folder: str = "",
        to: ToGlobal | ToUsers | ToGroup | None = None,
        text: str = "",
        whither: str = "",
    ) -> int:
        """Sends a file into a shared folder, to a conversation, or both; returns its number. Raises `ListFull`.

        `whither` says so in words.
        """
        cid = uuid.uuid4().bytes
        kept = Kept("upload", str(file.absolute()), folder=folder, to=to, text=text, cid=cid, whither=whither)
        return self._add(kept)

    def pause(self, number: int) -> None:
        """Stops a transfer for now; what has come, or gone, is kept."""
        entry = self._entries.get(number)
        if entry is not None and entry.shown.can_pause:
            self._end(entry, "paused")

    def resume(self, number: int) -> None:
        """Goes on with what was paused."""
        entry = self._entries.get(number)
        if entry is not None and entry.shown.can_resume:
            self._start(entry)

    def cancel(self, number: int) -> None:
        """Gives a transfer up; what came of it is thrown away, but for a folder's files that are whole."""
        entry = self._entries.get(number)
        if entry is not None and not entry.shown.ended:
            self._end(entry, "cancelled")

    def retry(self, number: int) -> None:
        """Tries once more what has failed or was cancelled."""
        entry = self._entries.get(number)
        if entry is not None and entry.shown.can_retry:
            self._start(entry)

    def verify(self, number: int) -> None:
        """Compares what lies here with the hash that the server gave, once more."""
        entry = self._entries.get(number)
        if entry is not None and entry.shown.can_verify and entry.task is None:
            self._show(entry, state="verifying")
            self._run(entry, self._verify(entry))

    def remove(self, number: int) -> None:
        """Takes a transfer off the list, and gives it up if it hasn't ended."""
        self.cancel(number)
        entry = self._entries.pop(number, None)
        if entry is not None:
            self._changed(entry.shown)
            self._save_soon()

    def clear(self) -> None:
        """Takes off all that is done or was cancelled."""
        for number, entry in list(self._entries.items()):
            if entry.shown.state in ("done", "cancelled"):
                self.remove(number)

    # Its life.

    def take_up(self) -> None:
        """Reads the list of the server that the session has just found, unless it is the same, and goes on with it."""
        path = self._session.maybe_file(FILE)
        if self._was_taken_up and path == self._path:
            return
        if self._was_taken_up:
            self._leave()
        self._was_taken_up, self._path = True, path
        new, self._entries = list(self._entries.values()), {}
        for kept in load_transfers(path) if path is not None else []:
            self._insert(kept)
        for entry in new:
            self._entries[entry.shown.number] = entry
        for entry in list(self._entries.values()):
            self._changed(entry.shown)
            if entry.task is None and not entry.shown.ended and entry.shown.state != "paused":
                self._start(entry)

    async def stop(self) -> None:
        """Stops all of it, as at the program's end: what has not ended goes on at the next start."""
        tasks = [*self._leave(), *self._tidying]
        if tasks:
            await asyncio.wait(tasks)

    def _leave(self) -> list[asyncio.Task[None]]:
        self._save()
        entries, self._entries = list(self._entries.values()), {}
        tasks = [entry.task for entry in entries if entry.task is not None]
        for entry in entries:
            entry.wanted = "left"
        for task in tasks:
            task.cancel()
        return tasks

    # Work.

    def _add(self, kept: Kept) -> int:
        for number, entry in self._entries.items():
            if not entry.shown.ended and _is_same(entry.kept, kept):
                return number
        self._make_room()
        entry = self._insert(kept)
        self._start(entry)
        return entry.shown.number

    def _make_room(self) -> None:
        ended = [number for number, entry in self._entries.items() if entry.shown.ended]
        if len(self._entries) >= MAX_KEPT and not ended:
            raise ListFull(f"There are {MAX_KEPT} transfers under way already.")
        for number in ended[: len(self._entries) - MAX_KEPT + 1]:
            self.remove(number)

    def _insert(self, kept: Kept) -> _Entry:
        self._last_number += 1
        entry = self._entries[self._last_number] = _Entry(self._last_number, kept)
        return entry

    def _start(self, entry: _Entry) -> None:
        if entry.task is not None:  # it is being stopped
            entry.wanted = "again"
            return
        self._show(entry, state="queued", error="", note="", speed_bytes_s=0.0, left_s=None)
        self._run(entry, self._work(entry))

    def _run(self, entry: _Entry, work: Coroutine[object, object, None]) -> None:
        entry.wanted = ""
        entry.task = asyncio.create_task(work, name=f"transfer-{entry.shown.number}")
        entry.task.add_done_callback(lambda _: self._finished(entry))

    def _end(self, entry: _Entry, state: str) -> None:
        """Paused or cancelled."""
        entry.wanted = state
        if entry.task is not None:
            entry.task.cancel()
        received = 0 if state == "cancelled" else entry.shown.received
        self._show(entry, state=state, left_s=None, speed_bytes_s=0.0, received=received)
        if entry.task is None:
            self._finished(entry)

    def _finished(self, entry: _Entry) -> None:
        entry.task = None
        if entry.wanted == "again":
            self._start(entry)
        elif entry.wanted == "cancelled":
            entry.wanted = ""
            self._forget(entry.kept)

    def _forget(self, kept: Kept) -> None:
        """Throws away what came of a transfer."""
        if kept.kind == "download" and kept.state != "done":
            with contextlib.suppress(OSError):
                name = safe_name(kept.called or kept.path)
                forget_parts(Path(kept.into), name, self._session.server_id, origin(kept.path, kept.message))
        elif kept.kind == "upload" and kept.blake3:
            task = asyncio.create_task(forget_upload(self._session, Path(kept.path).name, kept.blake3))
            self._tidying.add(task)
            task.add_done_callback(self._tidying.discard)

    async def _work(self, entry: _Entry) -> None:
        kept = entry.kept

        def heard(progress: Progress) -> None:
            self._heard(entry, progress)

        if kept.kind == "folder":
            if entry.folder is None:
                entry.folder = self._folder(entry, heard)
            await entry.folder.run()
            return
        async with self._places["up" if kept.kind == "upload" else "down"]:
            if kept.kind == "upload":
                what = Upload(Path(kept.path), kept.folder, kept.to, kept.text, kept.cid)
                await upload(self._session, what, heard, patience_s=None)
            else:
                await download(
                    self._session,
                    kept.called or kept.path,
                    Path(kept.into),
                    heard,
                    over=kept.over,
                    message=kept.message,
                    patience_s=None,
                )

    def _folder(self, entry: _Entry, heard: Callable[[Progress], None]) -> FolderDownload:
        return FolderDownload(
            self._session,
            entry.kept.path,
            Path(entry.kept.into),
            heard,
            over=entry.kept.over,
            places=self._places["down"],
            patience_s=None,
        )

    async def _verify(self, entry: _Entry) -> None:
        kept = entry.kept
        try:
            ours = await hash_of(Path(kept.saved_to))
        except OSError as problem:
            self._show(entry, state="failed", error=sentence_of(problem), verified=False)
            return
        if kept.blake3 and ours != kept.blake3:
            self._show(entry, state="failed", error=DAMAGED, verified=False)
        else:
            self._show(entry, state="done")

    # What becomes of it.

    def _heard(self, entry: _Entry, progress: Progress) -> None:
        if progress.state == "cancelled" or entry.wanted:
            return
        entry.kept.blake3 = progress.blake3 or entry.kept.blake3
        if progress.seq:
            entry.kept.message = progress.seq
        self._put(entry, _with(entry.shown, progress, entry.kept.over))

    def _show(self, entry: _Entry, **changes: object) -> None:
        self._put(entry, replace(entry.shown, **changes))

    def _put(self, entry: _Entry, shown: Transfer) -> None:
        if self._entries.get(shown.number) is not entry:
            return
        is_other_state = shown.state != entry.shown.state or entry.kept.state != shown.state
        entry.shown = shown
        for name in _KEPT_OF_SHOWN:
            setattr(entry.kept, name, getattr(shown, name))
        if is_other_state:
            self._save_soon()
        self._changed(shown)

    def _save_soon(self) -> None:
        if self._path is not None and self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER_S, self._save)

    def _save(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        if self._path is not None:
            save_transfers(self._path, [entry.kept for entry in self._entries.values()])


_KEPT_OF_SHOWN: Final = ("state", "size", "saved_to", "verified", "error", "note", "files", "files_done")


def _is_same(one: Kept, other: Kept) -> bool:
    """Whether two transfers would do the same."""
    fields = ("kind", "path", "message", "into", "folder", "to")
    return all(getattr(one, field) == getattr(other, field) for field in fields)


def _shown(number: int, kept: Kept) -> Transfer:
    shown = Transfer(number, kept.path, kind=kept.kind, over=kept.over, whither=kept.whither, called=kept.called)
    shown = replace(shown, message=kept.message, **{name: getattr(kept, name) for name in _KEPT_OF_SHOWN})
    if kept.state not in (*ENDED, "paused"):
        return replace(shown, state="queued")
    return replace(shown, received=kept.size) if kept.state == "done" else shown


def _with(shown: Transfer, progress: Progress, asked_over: str) -> Transfer:
    return replace(
        shown,
        over=progress.over or asked_over,
        state=progress.state,
        size=progress.size,
        received=progress.received,
        speed_bytes_s=progress.speed_bytes_s,
        left_s=progress.left_s,
        saved_to=progress.saved_to,
        verified=progress.verified,
        error=progress.error,
        note=progress.note,
        files=progress.files,
        files_done=progress.files_done,
        message=progress.seq or shown.message,
        whither=_shortened(progress.saved_to) if shown.kind != "upload" else shown.whither,
    )


def _shortened(path: str) -> str:
    """The path as people write it, with ~ for their own folder."""
    home = str(Path.home())
    return "~" + path[len(home) :] if home and path.startswith(home + os.sep) else path
