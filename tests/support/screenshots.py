"""Pictures of the client for the README, made by the client itself: python -m tests.support.screenshots [FOLDER]

The app that runs is the real one, with sample people and conversations in place of a server, and a clock that stands.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

os.environ["TEXTUAL_ANIMATIONS"] = "none"

from textual.pilot import Pilot

from mystic_client.model.choice import Choice
from mystic_client.tui.app import MysticApp
from tests.support.fake_session import FakeServer
from tests.support.sample import answers, later, sample_server, transfers

FONTS = "DejaVu Sans Mono, Menlo, Consolas, monospace"
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "img"
HERE = Choice("zoe", "mystic.example", 12000)
USED = (HERE, Choice("zoe", "192.168.1.20", 12000), Choice("night-owl", "files.example", 12000))


async def _chat(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(*later())
    await settle(pilot)


async def _files(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(*later())
    await pilot.press("f4")
    await settle(pilot)
    for transfer in transfers():
        server.transfers.put(transfer)
    await pilot.press("down", "space", "down", "down", "down", "space", "down")
    await settle(pilot)


async def _messages(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(*answers())
    await settle(pilot)
    await pilot.press("alt+up", "alt+up", "enter")
    await settle(pilot)


async def _search(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(*later())
    await pilot.press("ctrl+f", *"the", "enter")
    await settle(pilot)


async def _nothing(pilot: Pilot[None], server: FakeServer) -> None:
    await settle(pilot)


async def settle(pilot: Pilot[None]) -> None:
    """Until everything that is under way has been drawn."""
    for _ in range(4):
        await pilot.pause()
        if isinstance(pilot.app, MysticApp):
            pilot.app.flush()
    await pilot.pause()


PICTURES: dict[str, tuple[Choice, tuple[int, int], Callable[[Pilot[None], FakeServer], Awaitable[None]]]] = {
    "chat": (HERE, (120, 36), _chat),
    "files": (HERE, (120, 30), _files),
    "messages": (HERE, (120, 36), _messages),
    "search": (HERE, (120, 30), _search),
    "connect": (Choice("zoe"), (100, 28), _nothing),
    "chat-narrow": (HERE, (80, 24), _chat),
}


async def take(name: str) -> str:
    """One picture as SVG."""
    choice, size, scene = PICTURES[name]
    server = sample_server()
    app = MysticApp(choice, server.outside(USED))
    async with app.run_test(size=size, notifications=False) as pilot:
        await settle(pilot)
        await scene(pilot, server)
        return _with_common_fonts(app.export_screenshot(title="Mystic"))


def _with_common_fonts(svg: str) -> str:
    """Fonts that are on most machines, in place of one that would have to be loaded from elsewhere."""
    svg = re.sub(r"@font-face \{[^}]*\}\s*", "", svg)
    svg = svg.replace("<text ", '<text xml:space="preserve" ')
    return re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", svg)


async def main(folder: Path) -> None:
    """All pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (folder / f"{name}.svg").write_text(await take(name), encoding="utf-8")
        print(folder / f"{name}.svg")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
