"""What the app needs of the world around it, as one value: tests and pictures give another one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from mystic_client.model.choice import Choice
from mystic_client.model.transfer import Transfer
from mystic_client.session.heard import Address, Heard
from mystic_client.tui.line import Speaks
from mystic_client.tui.moves import Moves
from mystic_client.tui.widgets.clock import Clock

Connect: TypeAlias = Callable[[Address, str, Callable[[list[Heard]], None], str], Speaks]
Carry: TypeAlias = Callable[[Speaks, Path, Callable[[Transfer], None]], Moves]


class Outside(Struct, frozen=True):
    """What can be done out there.

    `connect(address, name, heard, password)` makes a session, `carry(session, folder, changed)` the list of its
    transfers, `forget(host, port)` lets a server whose key has changed be met as if for the first time. All may raise
    `OSError`. `reveal(folder)` opens a folder on the desktop; "" or why not. `shares_read` says whether others learn
    what the user has read, `keep_shares_read` keeps another wish for this run and the next ones, or says why only for
    this one.
    """

    connect: Connect
    carry: Carry
    reveal: Callable[[Path], str]
    downloads_of: Callable[[str], Path]
    recent: Callable[[], Sequence[Choice]]
    remember: Callable[[Choice], None]
    forget: Callable[[str, int], object]
    shares_read: Callable[[], bool]
    keep_shares_read: Callable[[bool], str]
    clock: Clock
    theme: str = ""
    keeps_global: bool = False
