"""What is said once and kept nowhere, so that it has no number."""

from typing import TypeAlias

from mysticproto.model.base import Said
from mysticproto.model.places import UserInfo, UserRef

__all__ = [
    "Bye",
    "FileHashed",
    "FolderChanged",
    "Hello",
    "Marked",
    "Notice",
    "Passing",
    "Roster",
    "Seen",
    "StoppingIn",
]


class Hello(Said, frozen=True, tag="hello"):
    """The server's first words on the native wire: what a login must sign, and who is speaking."""

    nonce: bytes
    server_id: bytes
    server_name: str
    version: str


class FileHashed(Said, frozen=True, tag="file_hashed"):
    """The BLAKE3 hash (32 bytes) of a file that this session asked a ticket for, once the server has computed it."""

    path: str
    size: int
    modified_us: int
    blake3: bytes


class FolderChanged(Said, frozen=True, tag="folder_changed"):
    """Something came, went or changed in a shared folder that this session watches."""

    path: str


class Notice(Said, frozen=True, tag="notice"):
    """The server's own words to everybody."""

    text: str


class Seen(Said, frozen=True, tag="seen"):
    """A user who was away has now got something that this session's user had said with `Post.receipt`."""

    by: UserRef


class Marked(Said, frozen=True, tag="marked"):
    """How far somebody has got in a direct conversation of this user's; or the user, on another device of theirs.

    0: that watermark is not said.
    """

    conversation: str
    user: UserRef
    delivered: int = 0
    read: int = 0


class Roster(Said, frozen=True, tag="roster"):
    """Everybody who is here, said anew at every change to wires that keep no list of their own."""

    users: tuple[UserInfo, ...]


class StoppingIn(Said, frozen=True, tag="stopping_in"):
    """The server will stop after so many seconds; 0: not after all."""

    seconds: int


class Bye(Said, frozen=True, tag="bye"):
    """The last words on a connection, with the reason for its end."""

    code: str
    text: str


Passing: TypeAlias = Hello | FileHashed | FolderChanged | Notice | Seen | Marked | Roster | StoppingIn | Bye
