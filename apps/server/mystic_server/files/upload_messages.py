"""What the server and its storing child say to each other, and what is known of a file that somebody brings."""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from mystic_server.files.tree import FileId


class Upload(Struct, frozen=True, kw_only=True):
    """A file that somebody brings or has brought, as it is kept beside its bytes.

    `folder`: where it shall lie in the shared folder; `keeps`: nowhere, since it is sent to some people only. `cid`:
    the client id of the message that announces it. `path` and `file`: where it was put, and what it was then. `seq`:
    the message, 0 for none yet. `is_whole`: as it was seen when the folders were looked at.
    """

    id: str
    user: int
    name: str
    size: int
    blake3: bytes
    touched_us: int
    folder: str = ""
    keeps: bool = False
    cid: bytes = b""
    path: str = ""
    file: FileId | None = None
    seq: int = 0
    is_whole: bool = False


# Loop to child. `number` is that of one attempt: a later one of the same upload has another.


class Begin(Struct, array_like=True, frozen=True, tag="begin"):
    """Somebody will bring the rest; answered by `Begun` or `Failed`."""

    number: int
    upload: Upload


class Piece(Struct, array_like=True, frozen=True, tag="piece"):
    """The next bytes; answered by `Written` or `Failed`."""

    number: int
    data: bytes


class Finish(Struct, array_like=True, frozen=True, tag="finish"):
    """That was all; answered by `Finished` or `Failed`."""

    number: int


class Leave(Struct, array_like=True, frozen=True, tag="leave"):
    """The attempt is over; what was written stays."""

    number: int


class Drop(Struct, array_like=True, frozen=True, tag="drop"):
    """Nobody wants these any more."""

    ids: tuple[str, ...]


class Mark(Struct, array_like=True, frozen=True, tag="mark"):
    """Keeps what has become known of an upload."""

    upload: Upload


class Sweep(Struct, array_like=True, frozen=True, tag="sweep"):
    """Asks which uploads are not in the shared folder any more; answered by `Gone`."""


# Child to loop.


class Known(Struct, array_like=True, frozen=True, tag="known"):
    """The child's first words: all uploads; `more`: other parts follow."""

    uploads: tuple[Upload, ...]
    more: bool


class Begun(Struct, array_like=True, frozen=True, tag="begun"):
    """So much of it is here already. The upload may have changed: what was whole may be gone."""

    number: int
    offset: int
    upload: Upload


class Written(Struct, array_like=True, frozen=True, tag="written"):
    """So many more bytes are in the file."""

    number: int
    count: int


class Finished(Struct, array_like=True, frozen=True, tag="finished"):
    """The file is whole, verified, in its place, and on disk."""

    number: int
    upload: Upload


class Failed(Struct, array_like=True, frozen=True, tag="failed"):
    """The attempt is over: an `errors.Code` and a sentence. `is_dropped`: nothing of the upload is left."""

    number: int
    code: str
    text: str
    is_dropped: bool = False


class Gone(Struct, array_like=True, frozen=True, tag="gone"):
    """These have been taken out of the shared folder, or changed there; they are forgotten."""

    ids: tuple[str, ...]


ToChild: TypeAlias = Begin | Piece | Finish | Leave | Drop | Mark | Sweep
FromChild: TypeAlias = Known | Begun | Written | Finished | Failed | Gone

encode = msgspec.msgpack.Encoder().encode
to_child: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
from_child: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
