"""Placing: a whole file gets a free name in the shared folder, and never takes another file's.

A link gives the name: unlike a rename it fails where there is something already. Where the file systems differ the file
is copied first, under a hidden name in the folder it is for; where there are no links, the name is made as an empty
file first, which then is ours to replace. Folders on the way are made if they are missing; links are not followed.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count, islice

from mystic_server.files.tree import MAX_NAME_BYTES, FileId, PathRefused, Place, Tree, is_served
from mysticproto.errors import Code
from mysticproto.names import DEVICES

MAX_NAMES_TRIED = 1_000
FILE_MODE = 0o644
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def may_be_stored(name: str) -> bool:
    """Whether somebody may bring a file of this name: it is served, fits on every platform, and is no trap for whoever
    types it behind a command."""
    if not is_served(name) or name[0] in "-~ " or name[-1] in ". " or ":" in name:
        return False
    return name.partition(".")[0].rstrip().casefold() not in DEVICES


def free_names(name: str) -> Iterator[str]:
    """The name, then "name (1).txt" and so on, each within the limit of a name's bytes."""
    yield name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > 16:
        stem, dot, ending = name, "", ""
    for number in count(1):
        tail = f" ({number}){dot}{ending}"
        room = MAX_NAME_BYTES - len(tail.encode())
        yield stem.encode()[:room].decode(errors="ignore") + tail


def place(
    tree: Tree, folder: str, name: str, source: str, announce: Callable[[str, FileId], None]
) -> tuple[str, FileId]:
    """Gives the file at the path `source`, which is on disk, a free name in a folder of the tree; `source` may be left.

    Returns the name, and what the file is there. `announce` is told both before that, each time another name is tried.
    Raises PathRefused, and OSError when the disk is full or can't be written to.
    """
    with tree.folder(folder, make=True) as inside:
        staged = _staged(inside, source)
        try:
            file = _id_of(inside, staged)
            for free in islice(free_names(name), MAX_NAMES_TRIED):
                if _exists(inside, free):
                    continue
                announce(free, file)
                if _give_name(inside, staged, free):
                    sync_folder(inside)
                    return free, file
        finally:
            if staged != source:
                with suppress(FileNotFoundError):
                    _remove(inside, staged)
    raise PathRefused(Code.LIMIT_REACHED, f"There are {MAX_NAMES_TRIED} files of that name already.")


def sync_folder(place: Place) -> None:
    """Sees to it that the names in an open folder are on disk, where folders can be opened."""
    if isinstance(place, int):
        os.fsync(place)


def _staged(inside: Place, source: str) -> str:
    """The file in the file system that it is for: `source`, or a hidden copy in the folder."""
    there = os.fstat(inside) if isinstance(inside, int) else os.stat(inside)
    if os.stat(source).st_dev == there.st_dev:
        return source
    hidden = f".{os.path.basename(source)}"
    with suppress(FileNotFoundError):
        _remove(inside, hidden)
    try:
        with open(source, "rb") as whole, open(_create(inside, hidden), "wb") as copy:
            shutil.copyfileobj(whole, copy, 1024 * 1024)
            copy.flush()
            os.fsync(copy.fileno())
    except OSError:
        with suppress(FileNotFoundError):
            _remove(inside, hidden)
        raise
    return hidden


def _give_name(inside: Place, staged: str, name: str) -> bool:
    """False: there is something of that name."""
    try:
        if isinstance(inside, int):
            os.link(staged, name, src_dir_fd=inside, dst_dir_fd=inside, follow_symlinks=False)
        else:
            os.link(_within(inside, staged), _within(inside, name))
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _take_name(inside, staged, name)
    return True


def _take_name(inside: Place, staged: str, name: str) -> bool:
    """As `_give_name`, without links."""
    try:
        os.close(_create(inside, name))
    except FileExistsError:
        return False
    if isinstance(inside, int):
        os.replace(staged, name, src_dir_fd=inside, dst_dir_fd=inside)
    else:
        os.replace(_within(inside, staged), _within(inside, name))
    return True


def _create(inside: Place, name: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    if isinstance(inside, int):
        return os.open(name, flags, FILE_MODE, dir_fd=inside)
    return os.open(_within(inside, name), flags, FILE_MODE)


def _id_of(inside: Place, name: str) -> FileId:
    """Of a file in the folder, or at an absolute path."""
    if isinstance(inside, int):
        return FileId.seen(os.stat(name, dir_fd=inside, follow_symlinks=False))
    return FileId.seen(os.lstat(_within(inside, name)))


def _exists(inside: Place, name: str) -> bool:
    try:
        _id_of(inside, name)
    except FileNotFoundError:
        return False
    return True


def _remove(inside: Place, name: str) -> None:
    if isinstance(inside, int):
        os.unlink(name, dir_fd=inside)
    else:
        os.unlink(_within(inside, name))


def _within(inside: str, name: str) -> str:
    """Absolute names stay what they are."""
    return os.path.join(inside, name)
