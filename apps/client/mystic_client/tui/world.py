"""The world around the app as it is: real sessions, the settings, files in the platform's folders."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mystic_client.config import Config, ConfigError, keep_switch
from mystic_client.model.choice import Choice
from mystic_client.model.transfer import Transfer
from mystic_client.session.connection import Session
from mystic_client.session.heard import Address, Heard
from mystic_client.session.identity import IdentityError, load_or_make_identity
from mystic_client.session.memory import Memory
from mystic_client.session.pins import Pins, PinsError
from mystic_client.session.recent import Recent, recent_servers, remember_server
from mystic_client.session.transfer_list import TransferList
from mystic_client.tui.line import Speaks
from mystic_client.tui.outside import Outside
from mystic_client.tui.reveal import reveal
from mystic_client.tui.widgets.clock import Clock


def real_world(config: Config) -> Outside:
    """What the app is given outside of tests."""
    state = config.state_folder
    reading = _Reading(config)
    return Outside(
        connect=lambda address, name, heard, password: _connect(
            state, address, name, heard, password, shares_read=reading.is_shared
        ),
        carry=_carry,
        reveal=reveal,
        downloads_of=config.downloads_of,
        recent=lambda: _recent(state),
        remember=lambda choice: remember_server(state, Recent(choice.name, choice.host, choice.port)),
        forget=lambda host, port: _forget(state, host, port),
        shares_read=lambda: reading.is_shared,
        keep_shares_read=reading.keep,
        clock=Clock(lambda: time.time_ns() // 1000, pattern=config.settings.time_format),
        theme=config.settings.theme,
        keeps_global=config.settings.keep_hearing_global,
    )


class _Reading:
    """Whether others learn what the user has read: as it is now, and in the settings file."""

    def __init__(self, config: Config) -> None:
        self.is_shared = config.settings.share_read_receipts
        self._file = config.file

    def keep(self, is_shared: bool) -> str:
        self.is_shared = is_shared
        if self._file is None:
            return "There is no settings file to keep it in."
        try:
            keep_switch(self._file, "share_read_receipts", is_shared)
        except ConfigError as problem:
            return str(problem)
        return ""


def _connect(
    state: Path,
    address: Address,
    name: str,
    heard: Callable[[list[Heard]], None],
    password: str,
    *,
    shares_read: bool,
) -> Speaks:
    try:
        identity = load_or_make_identity(state)
    except IdentityError as problem:
        raise OSError(str(problem)) from problem
    return Session(
        address,
        name,
        identity,
        heard,
        memory=Memory(state),
        pins=Pins(state),
        password=password,
        shares_read=shares_read,
    )


def _forget(state: Path, host: str, port: int) -> None:
    try:
        Pins(state).forget(host, port)
    except PinsError as problem:
        raise OSError(str(problem)) from problem


def _carry(session: Speaks, folder: Path, changed: Callable[[Transfer], None]) -> TransferList:
    assert isinstance(session, Session)
    return TransferList(session, folder, changed)


def _recent(state: Path) -> Sequence[Choice]:
    return [Choice(used.name, used.host, used.port) for used in recent_servers(state)]
