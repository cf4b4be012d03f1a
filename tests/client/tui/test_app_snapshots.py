"""A few screens as pictures. `pytest --snapshot-update` draws them anew; look at them before you commit them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from mystic_client.model.choice import Choice
from mystic_client.session.heard import Waiting
from mystic_client.tui.app import MysticApp
from mysticproto.model import AccountClaimed, GroupHandedOver
from tests.support.fake_session import ANA, DEV, NOON_US, OWN, FakeServer
from tests.support.sample import later, sample_server
from tests.support.screenshots import HERE, PICTURES, USED, settle

Scene = Callable[[Pilot[None], FakeServer], Awaitable[None]]


async def _lost(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(Waiting("the server went away", 91_000.0))
    await pilot.press("h", "i", "enter")
    await settle(pilot)


async def _lists(pilot: Pilot[None], server: FakeServer) -> None:
    await pilot.press("f2", "down", "space", "down", "space")
    await settle(pilot)


async def _offers(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(*later())
    await pilot.press("f7", "slash")
    await settle(pilot)


async def _group(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(*later(), GroupHandedOver(26, NOON_US, DEV, ANA, OWN))
    await pilot.press("alt+2", "f5", "down")
    await settle(pilot)


async def _person(pilot: Pilot[None], server: FakeServer) -> None:
    server.session.say(AccountClaimed(19, NOON_US, OWN, "operator"), *later())
    await pilot.press("f2", "down", "f5")
    await settle(pilot)


async def _changed(pilot: Pilot[None], server: FakeServer) -> None:
    known = ":".join(f"{number:02x}" for number in range(32))
    server.session.end("fingerprint_changed", "", known, known.replace("1", "2"))
    await settle(pilot)


async def _help(pilot: Pilot[None], server: FakeServer) -> None:
    await pilot.press("f1")
    await settle(pilot)


SCENES: dict[str, tuple[Choice, tuple[int, int], Scene]] = {
    **PICTURES,
    "lost": (HERE, (100, 24), _lost),
    "lists-narrow": (HERE, (80, 24), _lists),
    "offers-light": (HERE, (110, 30), _offers),
    "group": (HERE, (80, 24), _group),
    "person": (HERE, (100, 30), _person),
    "fingerprint": (HERE, (80, 24), _changed),
    "help": (HERE, (100, 44), _help),
}


@pytest.mark.parametrize("name", SCENES)
def test_screens(name: str, snap_compare: Callable[..., bool]) -> None:
    choice, size, scene = SCENES[name]
    server = sample_server()

    async def before(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await scene(pilot, server)

    assert snap_compare(MysticApp(choice, server.outside(USED)), terminal_size=size, run_before=before)
