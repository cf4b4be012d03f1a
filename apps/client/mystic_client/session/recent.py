"""The servers that a user connected to lately, for the connect screen: a small file of the client's state."""

import contextlib
import os
import secrets
from pathlib import Path

import msgspec
from msgspec import Struct

FILE_NAME = "recent.json"
MAX_KEPT = 10
_MAX_BYTES = 64 * 1024


class Recent(Struct, frozen=True):
    """Somewhere to connect to, as whom."""

    name: str
    host: str
    port: int


def recent_servers(state_folder: Path) -> list[Recent]:
    """The latest first. A file that can't be read is as good as none."""
    try:
        data = (state_folder / FILE_NAME).read_bytes()[:_MAX_BYTES]
        return msgspec.json.decode(data, type=list[Recent])[:MAX_KEPT]
    except (OSError, msgspec.MsgspecError):
        return []


def remember_server(state_folder: Path, used: Recent) -> None:
    """Puts one first. Where nothing can be written, nothing is remembered."""
    kept = [used, *(known for known in recent_servers(state_folder) if known != used)][:MAX_KEPT]
    draft = state_folder / f"{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_bytes(msgspec.json.encode(kept))
        draft.replace(state_folder / FILE_NAME)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
