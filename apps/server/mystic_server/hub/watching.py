"""Watching: sessions that want to know when something changes in a shared folder, one folder each.

They are told at most twice a second of the same folder; what changes in between is told once that time is over.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol

from mystic_server.hub.desk import Desk
from mystic_server.hub.sessions import Peer
from mysticproto.errors import Code
from mysticproto.model import FolderChanged, Ok, Refused, WatchFolder

MAX_FOLDERS = 256
"""That are watched at once."""
INTERVAL_S = 0.5
_MAX_PATH_CHARS = 4096


class Watcher(Protocol):
    """The file area, as far as it watches folders."""

    on_change: Callable[[str], None]

    def watch(self, paths: Collection[str], begun: Callable[[], None]) -> None:
        """These folders and no others, from the moment on that `begun` is called."""


class WatchedFolders:
    """See the module."""

    def __init__(self, desk: Desk, watcher: Watcher) -> None:
        self._desk = desk
        self._watcher = watcher
        self._watchers: dict[str, set[Peer]] = {}
        self._folder_of: dict[Peer, str] = {}
        self._quiet: dict[str, bool] = {}  # folders that were just told of: whether they have changed again
        watcher.on_change = self._changed

    def watch(self, peer: Peer, request: WatchFolder) -> None:
        """This session is told of that folder, and of no other one, as soon as it is answered."""
        path = request.path
        if request.on and path not in self._watchers and len(self._watchers) >= MAX_FOLDERS:
            text = "Too many folders are watched already; look at it again by yourself."
            peer.answer(request, Refused(request.n, Code.LIMIT_REACHED, text))
            return
        if len(path) > _MAX_PATH_CHARS:
            peer.answer(request, Refused(request.n, Code.FILE_NOT_FOUND, "There can't be a folder of that name."))
            return
        before = set(self._watchers)
        self._leave(peer)
        if request.on:
            self._watchers.setdefault(path, set()).add(peer)
            self._folder_of[peer] = path
        answer = partial(self._desk.answer_at_length, peer, request, [Ok(request.n)])
        if before == self._watchers.keys():
            peer.answer(request, Ok(request.n))
        else:
            peer.is_asking = True
            self._watcher.watch(list(self._watchers), answer)

    def connection_ended(self, peer: Peer) -> None:
        """Nobody is there who could be told."""
        before = set(self._watchers)
        self._leave(peer)
        if before != self._watchers.keys():
            self._watcher.watch(list(self._watchers), lambda: None)

    def _leave(self, peer: Peer) -> None:
        path = self._folder_of.pop(peer, None)
        if path is not None:
            self._watchers[path].discard(peer)
            if not self._watchers[path]:
                del self._watchers[path]

    def _changed(self, path: str) -> None:
        if path in self._quiet:
            self._quiet[path] = True
            return
        self._quiet[path] = False
        self._desk.clock.call_later(INTERVAL_S, partial(self._may_tell_again, path))
        for peer in self._watchers.get(path, ()):
            peer.answer(None, FolderChanged(path))

    def _may_tell_again(self, path: str) -> None:
        if self._quiet.pop(path):
            self._changed(path)
