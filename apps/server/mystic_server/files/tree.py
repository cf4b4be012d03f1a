"""The shared folder: what a request's path may name, how it is opened, and what a listing says.

The rule. A name that is not clean text, is hidden (".x"), is unfinished ("x.part"), or holds what separates names on
any platform is neither listed nor served. Links inside the share are neither followed nor listed, wherever they lead;
the shared folder itself may be one. Only regular files are opened; pipes, sockets and devices are not even tried.

How. Every name is opened relative to its folder's descriptor and without following links, so nothing can be exchanged
between a check and its use. Where the platform has no such calls (Windows) each step is looked at first, and the opened
file must be the one that was seen.
"""

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TypeAlias

from msgspec import Struct

from mysticproto.errors import Code
from mysticproto.model import FolderEntry
from mysticproto.names import DEVICES, clean_line

MAX_NAME_BYTES = 255
MAX_PATH_CHARS = 4096
MAX_DEPTH = 64
MAX_LISTED = 10_000
"""Entries of one listing."""
MAX_LISTED_BYTES = 768 * 1024
"""Names and figures of one listing, which has to wait in its reader's queue as a whole."""
MAX_COUNTED = 10_000
"""Entries that are counted in one folder."""
MAX_COUNTED_IN_ALL = 100_000
"""Entries that are counted in all folders of one listing; later folders say 0."""

HAS_FOLDER_DESCRIPTORS = os.open in os.supports_dir_fd and os.scandir in os.supports_fd and hasattr(os, "O_NOFOLLOW")

Place: TypeAlias = int | str
"""A folder that is open: its descriptor, or its path where there are no descriptors of folders."""

_CLOSED_ON_EXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOSED_ON_EXEC
_FILE_FLAGS = (
    os.O_RDONLY
    | _CLOSED_ON_EXEC
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENXIO)
_REPARSE_POINT = 0x400  # Windows: links, junctions and what else stands for another place
_DRIVE = re.compile("[A-Za-z]:")
_DIGITS = re.compile("([0-9]+)")
_ENTRY_OVERHEAD_BYTES = 32


class PathRefused(Exception):
    """What the path names can't be had. `code` is for programs, `text` a sentence for people."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class FileId(Struct, array_like=True, frozen=True):
    """Which file it is, in which state: as long as this is the same, so are the contents."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, fd: int) -> "FileId":
        """Of an open file."""
        return cls.seen(os.fstat(fd))

    @classmethod
    def seen(cls, seen: os.stat_result) -> "FileId":
        """Of a file as it was seen."""
        return cls(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)

    @property
    def modified_us(self) -> int:
        """As the vocabulary gives times."""
        return self.mtime_ns // 1000


class Listing(Struct, frozen=True):
    """A folder's contents, folders first, in natural order; `total` is more than the entries if a limit cut them."""

    entries: tuple[FolderEntry, ...]
    total: int


def is_served(name: str) -> bool:
    """Whether a file or folder of this name may be listed and asked for."""
    if not name or name[0] == "." or len(name) > MAX_NAME_BYTES or "/" in name or "\\" in name:
        return False
    if name[-5:].casefold() == ".part" or _DRIVE.match(name) or clean_line(name) != name:
        return False
    return len(name.encode()) <= MAX_NAME_BYTES and not (sys.platform == "win32" and _is_odd_on_windows(name))


def _is_odd_on_windows(name: str) -> bool:
    """Devices, streams of a file, and spellings that Windows takes for another name."""
    return ":" in name or name[-1] in ". " or name.partition(".")[0].rstrip().casefold() in DEVICES


def is_path(path: str) -> bool:
    """Whether a request's path can be something in the share; "" is the shared folder itself."""
    if len(path) > MAX_PATH_CHARS or path.count("/") >= MAX_DEPTH:
        return False
    return not path or all(map(is_served, path.split("/")))


def names_of(path: str) -> list[str]:
    """The names that a request's path consists of, none for the shared folder itself. Raises PathRefused."""
    if not is_path(path):
        raise _not_found()
    return path.split("/") if path else []


def natural_key(name: str) -> list[str | int]:
    """Sorts without regard to case, and numbers by value: "file 9" before "File 10"."""
    parts = _DIGITS.split(name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


class Tree:
    """See the module. `by_descriptor` False: as on platforms without descriptors of folders."""

    def __init__(self, root: str, by_descriptor: bool = HAS_FOLDER_DESCRIPTORS) -> None:
        self.root = root
        self._by_descriptor = by_descriptor

    def open_file(self, path: str) -> int:
        """A descriptor of the regular file, for reading; the caller's to close. Raises PathRefused."""
        names = names_of(path)
        if not names:
            raise _is_a_folder()
        with _explained(), self._folder(names[:-1]) as place:
            seen = _look(place, names[-1])
            if stat.S_ISDIR(seen.st_mode):
                raise _is_a_folder()
            if not _is_regular(seen):
                raise _not_found()
            return _open_regular(place, names[-1], seen)

    def list_folder(self, path: str) -> Listing:
        """What is in a folder, "" for the shared folder itself. Raises PathRefused."""
        names = names_of(path)
        with _explained(), self._folder(names, to_list=True) as place:
            return _list(place)

    def look_at(self, path: str) -> FileId | None:
        """What there is, without opening it; None: no regular file. Raises PathRefused."""
        names = names_of(path)
        with _explained(), self._folder(names[:-1]) as place:
            seen = _look(place, names[-1]) if names else None
            return FileId.seen(seen) if seen and _is_regular(seen) else None

    @contextmanager
    def folder(self, path: str, make: bool = False) -> Iterator[Place]:
        """A folder, open for as long as the caller needs it; `make`: those missing on the way to it are made. Raises
        PathRefused; what the caller itself raises passes through."""
        names = names_of(path)
        with _explained():
            place = self._open_root()
        try:
            for name in names:
                with _explained():
                    inner = _enter_or_make(place, name) if make else _enter(place, name)
                _leave(place)
                place = inner
            yield place
        finally:
            _leave(place)

    @contextmanager
    def _folder(self, names: list[str], to_list: bool = False) -> Iterator[Place]:
        """Walks down to a folder and keeps it open for the caller."""
        place = self._open_root()
        try:
            for depth, name in enumerate(names):
                if to_list and depth == len(names) - 1 and _is_regular(_look(place, name)):
                    raise PathRefused(Code.NOT_A_FOLDER, "That is a file, not a folder.")
                inner = _enter(place, name)
                _leave(place)
                place = inner
            yield place
        finally:
            _leave(place)

    def _open_root(self) -> Place:
        try:
            return (
                os.open(self.root, _FOLDER_FLAGS) if self._by_descriptor else os.path.realpath(self.root, strict=True)
            )
        except OSError as error:
            if error.errno in _FULL:
                raise
            raise PathRefused(
                Code.FILES_UNAVAILABLE, "The server's shared folder can't be read at the moment."
            ) from None


# Steps in an open folder, by its descriptor or by its path.


def _look(place: Place, name: str) -> os.stat_result:
    if isinstance(place, int):
        return os.stat(name, dir_fd=place, follow_symlinks=False)
    return os.lstat(os.path.join(place, name))


def _enter(place: Place, name: str) -> Place:
    if isinstance(place, int):
        return os.open(name, _FOLDER_FLAGS | _NO_FOLLOW, dir_fd=place)
    if not _is_folder(_look(place, name)):
        raise NotADirectoryError(errno.ENOTDIR, "not a folder")
    return os.path.join(place, name)


def _enter_or_make(place: Place, name: str) -> Place:
    try:
        return _enter(place, name)
    except FileNotFoundError:
        with suppress(FileExistsError):  # somebody else was quicker
            if isinstance(place, int):
                os.mkdir(name, 0o755, dir_fd=place)
                os.fsync(place)
            else:
                os.mkdir(os.path.join(place, name), 0o755)
    return _enter(place, name)


def _leave(place: Place) -> None:
    if isinstance(place, int):
        os.close(place)


def _open_regular(place: Place, name: str, seen: os.stat_result) -> int:
    if isinstance(place, int):
        fd = os.open(name, _FILE_FLAGS | _NO_FOLLOW, dir_fd=place)
    else:
        fd = os.open(os.path.join(place, name), _FILE_FLAGS | _NO_FOLLOW)
    opened = os.fstat(fd)
    if not stat.S_ISREG(opened.st_mode) or not (isinstance(place, int) or os.path.samestat(seen, opened)):
        os.close(fd)
        raise _not_found()
    return fd


def _is_regular(seen: os.stat_result) -> bool:
    return stat.S_ISREG(seen.st_mode) and not _is_elsewhere(seen)


def _is_folder(seen: os.stat_result) -> bool:
    return stat.S_ISDIR(seen.st_mode) and not _is_elsewhere(seen)


def _is_elsewhere(seen: os.stat_result) -> bool:
    return bool(getattr(seen, "st_file_attributes", 0) & _REPARSE_POINT)


# Listings.


def _list(place: Place) -> Listing:
    entries: list[FolderEntry] = []
    total = 0
    uncounted = MAX_COUNTED_IN_ALL
    with os.scandir(place) as found:
        for item in islice(found, MAX_COUNTED_IN_ALL):
            if not _is_listed(item):
                continue
            total += 1
            if total <= MAX_LISTED and (entry := _entry(place, item, min(uncounted, MAX_COUNTED))):
                entries.append(entry)
                uncounted -= entry.entries
    entries.sort(key=lambda entry: (entry.kind != "folder", natural_key(entry.name), entry.name))
    kept = _within_bytes(entries)
    return Listing(tuple(kept), max(total, len(kept)))


def _is_listed(item: os.DirEntry[str]) -> bool:
    try:
        kind = item.is_file(follow_symlinks=False) or item.is_dir(follow_symlinks=False)
    except OSError:
        return False
    return kind and is_served(item.name)


def _entry(place: Place, item: os.DirEntry[str], max_counted: int) -> FolderEntry | None:
    """None: it vanished meanwhile, or stands for a place elsewhere."""
    try:
        seen = item.stat(follow_symlinks=False)
    except OSError:
        return None
    if _is_elsewhere(seen):
        return None
    modified_us = seen.st_mtime_ns // 1000
    if stat.S_ISDIR(seen.st_mode):
        return FolderEntry(item.name, "folder", 0, modified_us, _count(place, item.name, max_counted))
    return FolderEntry(item.name, "file", seen.st_size, modified_us)


def _count(place: Place, name: str, at_most: int) -> int:
    """Entries of a folder in an open folder; 0 if it can't be read."""
    if at_most <= 0:
        return 0
    try:
        inner = _enter(place, name)
    except OSError:
        return 0
    try:
        with os.scandir(inner) as found:
            return sum(map(_is_listed, islice(found, at_most)))
    except OSError:
        return 0
    finally:
        _leave(inner)


def _within_bytes(entries: list[FolderEntry]) -> list[FolderEntry]:
    size = 0
    for place, entry in enumerate(entries):
        size += len(entry.name.encode()) + _ENTRY_OVERHEAD_BYTES
        if size > MAX_LISTED_BYTES:
            return entries[:place]
    return entries


# What went wrong, in words.


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise PathRefused(Code.LIMIT_REACHED, "The server has too many files open; try again later.") from None
        if error.errno in DISK_FULL:
            raise PathRefused(Code.DISK_FULL, "The server's disk is full.") from None
        if error.errno in _ABSENT:
            raise _not_found() from None
        raise PathRefused(Code.FILES_UNAVAILABLE, "The server can't read this from its disk.") from None


def _not_found() -> PathRefused:
    return PathRefused(Code.FILE_NOT_FOUND, "There is nothing of that name in the shared folder.")


def _is_a_folder() -> PathRefused:
    return PathRefused(Code.FILE_NOT_FOUND, "That is a folder, not a file.")
