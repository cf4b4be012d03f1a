"""`mystic put`: a file, or all that is in a folder, into the shared folder or to people."""

import asyncio
import os
from pathlib import Path
from typing import Final

from mystic_client.cli.meter import Meter
from mystic_client.cli.output import show, talk
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, visiting
from mystic_client.model.text import size_in_words
from mystic_client.session.connection import Session
from mystic_client.session.progress import Progress
from mystic_client.session.uploads import Upload, upload
from mysticproto.model import ToGlobal, ToGroup, ToUsers

AT_ONCE: Final = 2
"""As many as a server takes of one user."""
MAX_FILES: Final = 10_000
_NO_SERVER: Final = ("not_connected", "cut")


async def put(
    place: Place, file: Path, folder: str | None, to: ToGlobal | ToGroup | ToUsers | None, text: str = ""
) -> None:
    """Prints where it lies in the shared folder, or the number of the message that brings it: `message 123`.

    Without a conversation it goes into the shared folder, at its root if no `folder` is said; with one it goes into
    the shared folder only if a `folder` is said.
    """
    what = _what(file, (folder or "").strip("/"), to, text)
    async with visiting(place) as visit:
        with Meter() as meter:
            done = await _send_all(visit.session, what, meter)
    failed = [progress for progress in done if progress.state != "done"]
    if len(done) > 1:
        for progress in failed:
            talk(f"{progress.path}: {progress.error}")
    show(_where(progress) for progress in done if progress.state == "done")
    if failed:
        status = Status.NO_SERVER if all(one.code in _NO_SERVER for one in failed) else Status.REFUSED
        raise Failure(status, failed[0].error if len(done) == 1 else f"{len(failed)} of {len(done)} were not sent")
    talk(f"{size_in_words(sum(progress.size for progress in done))}, verified by the server")


def _where(progress: Progress) -> str:
    return progress.saved_to or f"message {progress.seq}"


def _what(file: Path, folder: str, to: ToGlobal | ToGroup | ToUsers | None, text: str) -> list[Upload]:
    if not file.exists():
        raise Failure(Status.USAGE, f"{file}: there is no such file")
    if not file.is_dir():
        return [Upload(file, folder, to, text)]
    if to is not None:
        raise Failure(Status.USAGE, f"{file} is a folder; only files can be sent to people")
    root = f"{folder}/{file.resolve().name}".strip("/")
    found = [Upload(path, _inside(root, path.parent.relative_to(file))) for path in sorted(_files(file))]
    if not found:
        raise Failure(Status.USAGE, f"{file}: there are no files in it")
    return found


def _inside(root: str, folder: Path) -> str:
    return "/".join([root, *folder.parts])


def _files(folder: Path) -> list[Path]:
    """What a server would take: no hidden files, and no links."""
    found: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(at, name) for name in names if not name.startswith("."))
        found += [path for path in paths if path.is_file() and not path.is_symlink()]
        if len(found) > MAX_FILES:
            raise Failure(Status.USAGE, f"{folder}: there are more than {MAX_FILES:,} files in it")
    return found


async def _send_all(session: Session, what: list[Upload], meter: Meter) -> list[Progress]:
    places = asyncio.Semaphore(AT_ONCE)

    async def send(one: Upload) -> Progress:
        async with places:
            return await upload(session, one, meter.told)

    return list(await asyncio.gather(*map(send, what)))
