"""What the server and its file child say to each other."""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from mystic_server.files.tree import FileId
from mysticproto.model import FolderEntry


class ListWork(Struct, array_like=True, frozen=True, tag="list"):
    """List a folder; answered by `Listed` or `NotListed`."""

    number: int
    path: str


class HashWork(Struct, array_like=True, frozen=True, tag="hash"):
    """Hash a file in that very state; answered by `Hashed`."""

    number: int
    path: str
    file: FileId


class SearchWork(Struct, array_like=True, frozen=True, tag="search"):
    """Look for bytes in a file in that very state; answered by `Searched`."""

    number: int
    path: str
    file: FileId
    needle: bytes


class WatchWork(Struct, array_like=True, frozen=True, tag="watch"):
    """Watch these folders and no others; answered by `Watching`. `Changed` says when something changes in one."""

    number: int
    paths: tuple[str, ...]


class Listed(Struct, array_like=True, frozen=True, tag="listed"):
    """A whole listing, see `tree.Listing`."""

    number: int
    entries: tuple[FolderEntry, ...]
    total: int


class NotListed(Struct, array_like=True, frozen=True, tag="not_listed"):
    """Why there is no listing: an `errors.Code` and a sentence."""

    number: int
    code: str
    text: str


class Hashed(Struct, array_like=True, frozen=True, tag="hashed"):
    """`blake3` is empty if the file can't be read in that state any more.

    `settled`: the file was last written long enough ago that another write would show in its time, so the hash may be
    remembered.
    """

    number: int
    blake3: bytes
    settled: bool = False


class Searched(Struct, array_like=True, frozen=True, tag="searched"):
    """Whether the bytes are in the file; None if it can't be read in that state any more."""

    number: int
    found: bool | None


class Watching(Struct, array_like=True, frozen=True, tag="watching"):
    """From now on what changes there is told."""

    number: int


class Changed(Struct, array_like=True, frozen=True, tag="changed"):
    """Something came, went or changed in a folder that is watched."""

    path: str


ToChild: TypeAlias = ListWork | HashWork | SearchWork | WatchWork
FromChild: TypeAlias = Listed | NotListed | Hashed | Searched | Watching | Changed

encode = msgspec.msgpack.Encoder().encode
to_child: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
