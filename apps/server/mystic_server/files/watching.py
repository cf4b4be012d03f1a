"""Watching: which of some folders something has changed in.

The library's own thread collects what the kernel says of the folders; it is asked once in a while, and answers at once.
Only the folders themselves are watched, not what is below them. One that is missing is looked for again at each asking,
and has changed when it is there. Where the kernel won't watch any more, that thread looks at the folders by itself.
"""

import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import NamedTuple

from watchfiles import watch
from watchfiles.main import FileChange

from mystic_server.files.tree import PathRefused, Tree, names_of

POLL_S = 0.25
"""Between two askings."""
_ANSWER_AT_ONCE_MS = 1


class _There(NamedTuple):
    """A folder that is there: where really, and which one."""

    real: str
    inode: int


class Watching:
    """See the module. Paths are as in requests, "" for the shared folder itself."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._wanted: tuple[str, ...] = ()
        self._paths: dict[str, _There] = {}
        self._changes: Generator[set[FileChange], None, None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is anything to ask for."""
        return bool(self._wanted)

    def want(self, wanted: Sequence[str]) -> None:
        """Watches these folders and no others."""
        self._wanted = tuple(wanted)
        self._begin(self._there())

    def poll(self) -> list[str]:
        """The folders in which something has changed since it was asked last."""
        there = self._there()
        changed = {path for path, _ in there.items() ^ self._paths.items()}
        is_other = bool(changed)
        changed |= self._heard()
        if is_other:
            self._begin(there)
        return [path for path in self._wanted if path in changed]

    def close(self) -> None:
        """Watches nothing any more."""
        self._wanted = ()
        self._begin({})

    def _there(self) -> dict[str, "_There"]:
        found = {}
        for path in self._wanted:
            with suppress(PathRefused), self._tree.folder(path) as place:
                seen = os.fstat(place) if isinstance(place, int) else os.stat(place)
                real = os.path.join(os.path.realpath(self._tree.root), *names_of(path))
                found[path] = _There(real, seen.st_ino)
        return found

    def _begin(self, there: dict[str, "_There"]) -> None:
        if self._changes:
            self._changes.close()
        self._paths = there
        folders = [each.real for each in there.values()]
        for by_polling in (False, True):
            self._changes = _watch(folders, by_polling) if folders else None
            self._heard()  # nothing yet, but only now the folders are watched
            if self._changes:
                return

    def _heard(self) -> set[str]:
        if self._changes is None:
            return set()
        try:
            changes = [path for _, path in next(self._changes)]
        except (OSError, RuntimeError, StopIteration):  # the kernel watches too much already, or one went just now
            self._changes = None
            return set()
        touched = {*changes, *map(os.path.dirname, changes)}
        return {path for path, there in self._paths.items() if there.real in touched}


def _watch(folders: Sequence[str], by_polling: bool) -> Generator[set[FileChange], None, None]:
    return watch(
        *folders,
        watch_filter=None,
        debounce=_ANSWER_AT_ONCE_MS,
        step=_ANSWER_AT_ONCE_MS,
        rust_timeout=_ANSWER_AT_ONCE_MS,
        yield_on_timeout=True,
        force_polling=by_polling or None,
        recursive=False,
        ignore_permission_denied=True,
    )
