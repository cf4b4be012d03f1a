"""`mystic ls`, `mystic users`, `mystic groups`: one question, one answer."""

import time

import msgspec

from mystic_client.cli.output import show
from mystic_client.cli.tail import iso_time
from mystic_client.cli.visit import Place, visiting
from mystic_client.model.text import counted, size_in_words, stamp
from mysticproto.model import Folder, FolderEntry, GroupInfo, Groups, ListFolder, ListGroups, ListUsers, UserInfo, Users


async def ls(place: Place, folder: str, *, as_json: bool) -> None:
    """What is in a shared folder: size or number of entries, time of change, name; folders end with a slash."""
    async with visiting(place) as visit:
        listing = await visit.ask(lambda n: ListFolder(n, folder.strip("/")))
    entries = listing.entries if isinstance(listing, Folder) else ()
    show(entry_as_json(entry) for entry in entries) if as_json else show(folder_lines(entries))


async def users(place: Place, *, known: bool = False) -> None:
    """Who is here, one name a line; with `known` also who is away, and since when."""
    async with visiting(place) as visit:
        answer = await visit.ask(lambda n: ListUsers(n, known))
    show(map(user_line, answer.users)) if isinstance(answer, Users) else None


async def groups(place: Place) -> None:
    """Which groups there are: `name: member, member`."""
    async with visiting(place) as visit:
        answer = await visit.ask(ListGroups)
    show(group_line(info) for info in answer.groups) if isinstance(answer, Groups) else None


def user_line(info: UserInfo) -> str:
    """The name; behind a tab, for who is away, when they were last here (ISO 8601, UTC)."""
    if info.here:
        return info.user.name
    return f"{info.user.name}\taway since {iso_time(info.last_seen_us)}"


def group_line(info: GroupInfo) -> str:
    """`name: member, member`; neither can contain a colon or a comma."""
    return f"{info.group.name}: {', '.join(member.name for member in info.members)}"


def folder_lines(entries: tuple[FolderEntry, ...]) -> list[str]:
    """Columns for people."""
    now_us = time.time_ns() // 1000
    sizes = [counted(e.entries, "entry", "entries") if e.kind == "folder" else size_in_words(e.size) for e in entries]
    width = max(map(len, sizes), default=0)
    return [
        f"{size:>{width}}  {stamp(entry.modified_us, now_us):<10}  {entry.name}{'/' if entry.kind == 'folder' else ''}"
        for size, entry in zip(sizes, entries, strict=True)
    ]


def entry_as_json(entry: FolderEntry) -> str:
    """One JSON object: name, kind, size (bytes), modified (ISO 8601, UTC), entries."""
    line = {
        "name": entry.name,
        "kind": entry.kind,
        "size": entry.size,
        "modified": iso_time(entry.modified_us),
        "entries": entry.entries,
    }
    return msgspec.json.encode(line).decode()
