"""Watching: which of some folders something has changed in.

The library's own thread collects what the kernel says of the folders; it is asked once in a while, and answers at once.
Only the folders themselves are watched, not what is below them. One that is missing is looked for again at each asking,
and has changed when it is there. Where the kernel won't watch any more, that thread looks at the folders by itself.
"""

import math
import os
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import NamedTuple

from watchfiles import watch
from watchfiles.main import FileChange

from mystic_server.files.tree import PathRefused, Tree, names_of

POLL_S = 0.25
"""Between two askings."""
OVERLAP_S = 0.2
"""How long the kernel may take to say what it has seen."""
_MAX_EARLIER = 4
_ANSWER_AT_ONCE_MS = 1


class _There(NamedTuple):
    """A folder that is there: where really, and which one."""

    real: str
    inode: int


class _Earlier(NamedTuple):
    """What was watched before something else was, and until when."""

    since: float
    changes: Generator[set[FileChange], None, None]
    paths: dict[str, _There]


class Watching:
    """See the module. Paths are as in requests, "" for the shared folder itself."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._wanted: tuple[str, ...] = ()
        self._paths: dict[str, _There] = {}
        self._changes: Generator[set[FileChange], None, None] | None = None
        self._untold: set[str] = set()  # what had changed when other folders were wanted
        self._earlier: deque[_Earlier] = deque()

    @property
    def is_on(self) -> bool:
        """Whether there is anything to ask for."""
        return bool(self._wanted)

    def want(self, wanted: Sequence[str]) -> None:
        """Watches these folders and no others; what had changed in them before is still told."""
        if not wanted:
            self.close()
            return
        known = self._paths
        self._wanted = tuple(wanted)
        self._begin(self._there())
        self._untold |= {path for path, there in known.items() if self._paths.get(path) != there}

    def poll(self) -> list[str]:
        """The folders in which something has changed since it was asked last."""
        there = self._there()
        changed = {path for path, _ in there.items() ^ self._paths.items()}
        if changed:
            self._begin(there)
        changed |= self._heard() | self._heard_earlier(time.monotonic() - OVERLAP_S)
        return [path for path in self._wanted if path in changed]

    def close(self) -> None:
        """Watches nothing any more."""
        self._wanted = ()
        self._start({})
        self._heard_earlier(math.inf)
        self._untold.clear()

    def _there(self) -> dict[str, "_There"]:
        found = {}
        for path in self._wanted:
            with suppress(PathRefused), self._tree.folder(path) as place:
                seen = os.fstat(place) if isinstance(place, int) else os.stat(place)
                real = os.path.join(os.path.realpath(self._tree.root), *names_of(path))
                found[path] = _There(real, seen.st_ino)
        return found

    def _begin(self, there: dict[str, "_There"]) -> None:
        """What was watched goes on being watched for a moment: nothing comes in between unseen."""
        self._start(there)
        if len(self._earlier) > _MAX_EARLIER:
            self._untold |= self._heard_earlier(self._earlier[0].since)

    def _start(self, there: dict[str, "_There"]) -> None:
        if self._changes:
            self._earlier.append(_Earlier(time.monotonic(), self._changes, self._paths))
        self._paths = there
        folders = [each.real for each in there.values()]
        for by_polling in (False, True):
            self._changes = _watch(folders, by_polling) if folders else None
            self._untold |= self._heard()  # only now the folders are watched
            if self._changes:
                return

    def _heard_earlier(self, until: float) -> set[str]:
        """What the earlier ones say; those that were replaced until then say it for the last time."""
        heard, self._untold = self._untold, set()
        for each in self._earlier:
            heard |= _heard_by(each.changes, each.paths) or set()
        while self._earlier and self._earlier[0].since <= until:
            self._earlier.popleft().changes.close()
        return heard

    def _heard(self) -> set[str]:
        heard = _heard_by(self._changes, self._paths) if self._changes else set()
        if heard is None:
            self._changes = None
        return heard or set()


def _heard_by(changes: Generator[set[FileChange], None, None], paths: dict[str, _There]) -> set[str] | None:
    """The folders in which something has changed; None: the kernel watches too much already, or one went just now."""
    try:
        changed = [path for _, path in next(changes)]
    except (OSError, RuntimeError, StopIteration):
        return None
    touched = {*changed, *map(os.path.dirname, changed)}
    return {path for path, there in paths.items() if there.real in touched}


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
