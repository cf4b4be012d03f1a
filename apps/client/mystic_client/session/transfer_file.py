"""The list of transfers on disk: one small file, written whole, so that a list survives the program.

It lies beside the notebook of the same place. Progress is not kept: how much of a file is there, its `.part` knows, or
the server.
"""

import contextlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from mystic_client.session.whole_files import read_at_most, set_aside, write_whole
from mysticproto.model import ToGlobal, ToGroup, ToUsers

MAX_KEPT: Final = 500
"""Transfers in a list."""
_MAX_FILE_BYTES: Final = 16 * 1024 * 1024


class Kept(Struct):
    """A transfer as it is kept; the fields are those of `model.transfer.Transfer` and of what was asked for.

    `into`: the folder here that a download goes to. `folder`, `to`, `text` and `cid` are an upload's.
    """

    kind: str
    path: str
    state: str = "queued"
    size: int = 0
    over: str = "tcp"
    message: int = 0
    called: str = ""
    into: str = ""
    folder: str = ""
    to: ToGlobal | ToUsers | ToGroup | None = None
    text: str = ""
    cid: bytes = b""
    whither: str = ""
    saved_to: str = ""
    verified: bool = False
    error: str = ""
    note: str = ""
    blake3: bytes = b""
    files: int = 0
    files_done: int = 0


def load_transfers(path: Path) -> list[Kept]:
    """What is kept there, the oldest first; a damaged file is set aside."""
    try:
        data = read_at_most(path, _MAX_FILE_BYTES)
        return msgspec.json.decode(data, type=list[Kept])[-MAX_KEPT:] if data else []
    except (OSError, msgspec.MsgspecError):
        set_aside(path)
        return []


def save_transfers(path: Path, transfers: list[Kept]) -> None:
    """Keeps these in the place of what was kept; a disk that is full is no reason to stop."""
    with contextlib.suppress(OSError):
        write_whole(path, msgspec.json.encode(transfers))
