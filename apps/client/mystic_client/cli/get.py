"""`mystic get`: files and folders, verified."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mystic_client.cli.meter import Meter
from mystic_client.cli.output import show, talk
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, visiting
from mystic_client.model.text import counted, size_in_words
from mystic_client.session.connection import Session
from mystic_client.session.folders import FolderDownload
from mystic_client.session.progress import Progress
from mystic_client.session.transfers import download
from mysticproto.errors import Code
from mysticproto.model import Folder, ListFolder

AT_ONCE: Final = 4
_NO_SERVER: Final = ("not_connected", "cut")


async def get(
    place: Place, paths: Sequence[str], output: str, *, over: str = "tcp", message: int = 0, folders: bool = False
) -> None:
    """Saves where `output` says, over what is there, or under the user's downloads; prints where that is.

    What several paths bring goes into the folder `output`, as does what is in a folder; nothing there is replaced.
    """
    into, save_as = _target(place, output, only_one=len(paths) < 2 and not folders)
    async with visiting(place) as visit:
        with Meter() as meter:
            getting = _Getting(visit.session, into, save_as, over, meter, message)
            done = await getting.all(list(paths) or [""], folders=folders)
    failed = [progress for progress in done if progress.state != "done"]
    for progress in done:
        if progress.state == "done":
            talk(_outcome(progress))
        elif len(done) > 1:
            talk(f"{progress.path}: {progress.error}")
    show(progress.saved_to for progress in done if progress.state == "done")
    if failed:
        status = Status.NO_SERVER if all(one.code in _NO_SERVER for one in failed) else Status.REFUSED
        text = failed[0].error if len(done) == 1 else f"{len(failed)} of {len(done)} did not come"
        raise Failure(status, text)


def _target(place: Place, output: str, *, only_one: bool) -> tuple[Path, str]:
    """The folder, and the file's name in it if the user has chosen one."""
    target = Path(output)
    if not output:
        return place.downloads, ""
    if target.is_dir() or not only_one or output.endswith(("/", os.sep)):
        return target, ""
    return target.parent, target.name


def _outcome(progress: Progress) -> str:
    verified = "verified" if progress.verified else "NOT verified: the server gave no hash"
    count = f"{counted(progress.files, 'file')}, " if progress.files else ""
    note = f"; {progress.note}" if progress.note else ""
    return f"{count}{size_in_words(progress.size)}, {verified}{note}"


class _Getting:
    def __init__(self, session: Session, into: Path, save_as: str, over: str, meter: Meter, message: int) -> None:
        self._session = session
        self._into = into
        self._save_as = save_as
        self._over = over
        self._meter = meter
        self._message = message
        self._places = asyncio.Semaphore(AT_ONCE)

    async def all(self, paths: list[str], *, folders: bool) -> list[Progress]:
        return list(await asyncio.gather(*(self._one(path, is_folder=folders) for path in paths)))

    async def _one(self, path: str, *, is_folder: bool) -> Progress:
        bare = path.strip("/")
        if is_folder or path.endswith("/"):
            return await self._folder(bare)
        async with self._places:
            done = await self._file(bare)
        if done.code == Code.FILE_NOT_FOUND and not self._message and await self._is_folder(bare):
            return await self._folder(bare)
        return done

    async def _file(self, path: str) -> Progress:
        return await download(
            self._session,
            path,
            self._into,
            self._meter.told,
            save_as=self._save_as,
            over=self._over,
            message=self._message,
        )

    async def _folder(self, path: str) -> Progress:
        if self._save_as:
            self._into, self._save_as = self._into / self._save_as, ""
        folder = FolderDownload(self._session, path, self._into, self._meter.told, over=self._over, places=self._places)
        return await folder.run()

    async def _is_folder(self, path: str) -> bool:
        return isinstance(await self._session.ask(lambda n: ListFolder(n, path)), Folder)
