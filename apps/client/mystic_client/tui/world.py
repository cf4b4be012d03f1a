"""The world around the app as it is: real sessions, the settings, files in the platform's folders."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mystic_client.config import Config
from mystic_client.model.choice import Choice
from mystic_client.session.connection import Session
from mystic_client.session.heard import Address, Heard
from mystic_client.session.identity import IdentityError, load_or_make_identity
from mystic_client.session.memory import Memory
from mystic_client.session.pins import Pins
from mystic_client.session.recent import Recent, recent_servers, remember_server
from mystic_client.session.transfers import Progress, download
from mystic_client.tui.line import Speaks
from mystic_client.tui.outside import Outside
from mystic_client.tui.widgets.clock import Clock


def real_world(config: Config) -> Outside:
    """What the app is given outside of tests."""
    state = config.state_folder
    return Outside(
        connect=lambda address, name, heard: _connect(state, address, name, heard),
        bring=_bring,
        downloads_of=config.downloads_of,
        recent=lambda: _recent(state),
        remember=lambda choice: remember_server(state, Recent(choice.name, choice.host, choice.port)),
        clock=Clock(lambda: time.time_ns() // 1000, pattern=config.settings.time_format),
        theme=config.settings.theme,
        keeps_global=config.settings.keep_hearing_global,
    )


def _connect(state: Path, address: Address, name: str, heard: Callable[[list[Heard]], None]) -> Speaks:
    try:
        identity = load_or_make_identity(state)
    except IdentityError as problem:
        raise OSError(str(problem)) from problem
    return Session(address, name, identity, heard, memory=Memory(state), pins=Pins(state))


async def _bring(session: Speaks, path: str, folder: Path, progressed: Callable[[Progress], None]) -> Progress:
    assert isinstance(session, Session)
    return await download(session, path, folder, progressed)


def _recent(state: Path) -> Sequence[Choice]:
    return [Choice(used.name, used.host, used.port) for used in recent_servers(state)]
