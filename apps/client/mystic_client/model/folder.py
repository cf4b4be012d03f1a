"""A shared folder as its browser shows it: where it is, what is in it, in which order."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from mysticproto.model import FolderEntry

COLUMNS: Final = ("name", "size", "modified")


class Listing(Struct, frozen=True):
    """A folder's contents. `path` is "" for the root; `state`: "asked", "shown" or "failed" (see `error`)."""

    path: str = ""
    entries: tuple[FolderEntry, ...] = ()
    state: str = "asked"
    error: str = ""

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """(name, path) of every folder on the way from the root, the root's name being "Shared files"."""
        parts = self.path.split("/") if self.path else []
        return [("Shared files", ""), *((part, "/".join(parts[: n + 1])) for n, part in enumerate(parts))]

    @property
    def parent(self) -> str | None:
        """The path of the folder around this one; None for the root."""
        return self.path.rpartition("/")[0] if self.path else None

    def path_of(self, entry: FolderEntry) -> str:
        """An entry's path from the root."""
        return f"{self.path}/{entry.name}" if self.path else entry.name


def fitting(entries: Iterable[FolderEntry], words: str) -> list[FolderEntry]:
    """Those in whose names all of these words are, in any case."""
    wanted = words.casefold().split()
    return [entry for entry in entries if all(word in entry.name.casefold() for word in wanted)]


def ordered(entries: Iterable[FolderEntry], column: str, *, down: bool = False) -> list[FolderEntry]:
    """Entries by a column, folders always first; `down`: the largest, latest or last first."""
    by_name = sorted(entries, key=lambda entry: entry.name.casefold(), reverse=down and column == "name")
    if column == "size":
        by_name.sort(key=lambda entry: entry.entries if entry.kind == "folder" else entry.size, reverse=down)
    elif column == "modified":
        by_name.sort(key=lambda entry: entry.modified_us, reverse=down)
    return sorted(by_name, key=lambda entry: entry.kind != "folder")
