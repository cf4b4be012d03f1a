"""What the app needs of the world around it, as one value: tests and pictures give another one."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from mystic_client.model.choice import Choice
from mystic_client.session.heard import Address, Heard
from mystic_client.session.transfers import Progress
from mystic_client.tui.line import Speaks
from mystic_client.tui.widgets.clock import Clock

Connect: TypeAlias = Callable[[Address, str, Callable[[list[Heard]], None], str], Speaks]
Bring: TypeAlias = Callable[[Speaks, str, Path, Callable[[Progress], None]], Awaitable[Progress]]


class Outside(Struct, frozen=True):
    """What can be done out there.

    `connect(address, name, heard, password)` makes a session, `bring(session, path, folder, progressed)` fetches a
    file, `forget(host, port)` lets a server whose key has changed be met as if for the first time. All may raise
    `OSError`.
    """

    connect: Connect
    bring: Bring
    downloads_of: Callable[[str], Path]
    recent: Callable[[], Sequence[Choice]]
    remember: Callable[[Choice], None]
    forget: Callable[[str, int], object]
    clock: Clock
    theme: str = ""
    keeps_global: bool = False
    shares_read: bool = True
