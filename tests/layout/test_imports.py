"""Who may import whom: read from the sources, and looked up in `sys.modules` of fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.layout.sources import PACKAGES, Module, imports_of, is_in, modules

CLOCKS_AND_CHANCE = ("time", "random", "secrets")
OUTSIDE_WORLD = (
    "asyncio", "concurrent", "http", "multiprocessing", "os", "pathlib", "select", "selectors",
    "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "urllib",
)  # fmt: skip
SCREEN = ("textual", "rich")
PROTO_WORDS = ("mysticproto.model", "mysticproto.errors", "mysticproto.names")

CHILDREN = "mystic_server.net.children"  # both ends of the line between the loop and a process of its own


@dataclass(frozen=True)
class Rule:
    """What the modules of a room may import of ours (themselves always), and what they may never import."""

    ours: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


# The most specific room that a module is in decides.
RULES = {
    "mysticproto": Rule(never=(*OUTSIDE_WORLD, *CLOCKS_AND_CHANCE, *SCREEN, "cryptography", "blake3")),
    "mysticproto.udp": Rule(("mysticproto",), never=(*OUTSIDE_WORLD, *CLOCKS_AND_CHANCE, *SCREEN)),
    "mystic_server.domain": Rule(PROTO_WORDS, never=(*OUTSIDE_WORLD, *CLOCKS_AND_CHANCE, *SCREEN)),
    "mystic_server.net": Rule(
        ("mysticproto.wire", "mysticproto.buffer", "mysticproto.udp", "mysticproto.errors", "mysticproto.detect"),
        never=("asyncio", "threading", *SCREEN),
    ),
    "mystic_server.net.datagram": Rule(  # a socket around the one older wire's part that is no stream
        ("mystic_server.net", "mysticproto.legacy.udp_send", "mysticproto.errors"),
        never=("asyncio", "threading", *SCREEN),
    ),
    "mystic_server.log": Rule(
        ("mystic_server.domain.events", CHILDREN, *PROTO_WORDS),
        never=("asyncio", "threading", *SCREEN),
    ),
    "mystic_server.log.store": Rule(  # the loop's side: starts the child and keeps its timers
        ("mystic_server.domain.events", "mystic_server.log", CHILDREN, "mystic_server.net.reactor", *PROTO_WORDS),
        never=("asyncio", "threading", "sqlite3", "mystic_server.log.sqlite", *SCREEN),
    ),
    "mystic_server.files": Rule(
        ("mystic_server.net.outqueue", CHILDREN, "mysticproto.udp", *PROTO_WORDS),
        never=("asyncio", "threading", *SCREEN),
    ),
    "mystic_server.files.datagrams": Rule(  # a process of its own with a loop of its own
        (
            "mystic_server.files.datagram_messages",
            "mystic_server.files.outlet",
            CHILDREN,
            "mystic_server.net.reactor",
            "mysticproto.udp",
            *PROTO_WORDS,
        ),
        never=("asyncio", "threading", *SCREEN),
    ),
    "mystic_server.files.outlet": Rule(  # of that process
        ("mystic_server.net.reactor", "mysticproto.udp", *PROTO_WORDS), never=("asyncio", "threading", *SCREEN)
    ),
    "mystic_server.accounts": Rule((CHILDREN, *PROTO_WORDS), never=("asyncio", "threading", *SCREEN)),
    "mystic_server.hub": Rule(
        (
            "mystic_server.accounts",
            "mystic_server.domain",
            "mystic_server.log.base",
            "mystic_server.log.words",
            "mystic_server.files",
            "mystic_server.net.connection",
            "mystic_server.net.outqueue",
            "mysticproto",
        ),
        never=("asyncio", "threading", "socket", "selectors", "sqlite3", *SCREEN),
    ),
    "mystic_server.config": Rule(("mysticproto",), never=("asyncio", "threading", *SCREEN)),
    "mystic_server.console": Rule(("mysticproto", "mystic_server.config"), never=("asyncio", "threading", "textual")),
    "mystic_server.view": Rule(
        ("mysticproto", "mystic_server.domain", "mystic_server.hub", "mystic_server.net", "mystic_server.console"),
        never=("asyncio", "threading", "textual"),
    ),
    "mystic_server.wires": Rule(  # composition, as the server is: the table of wires by name
        ("mysticproto", "mystic_server.net.connection", "mystic_server.net.tls"),
        never=("asyncio", "threading", *SCREEN),
    ),
    "mystic_server.server": Rule(
        (
            "mysticproto",
            *(f"mystic_server.{room}" for room in ("accounts", "domain", "net", "log", "files", "hub")),
            "mystic_server.config",
            "mystic_server.console",
            "mystic_server.view",
            "mystic_server.wires",
        ),
        never=("asyncio", "threading", "textual"),
    ),
    "mystic_server.__main__": Rule(
        (
            "mystic_server.server",
            "mystic_server.config",
            "mystic_server.console",
            "mystic_server.log.base",
        ),  # StoreError
        never=("asyncio", "threading", "textual"),
    ),
    "mystic_client.config": Rule(never=("textual",)),
    "mystic_client.model": Rule(PROTO_WORDS, never=("asyncio", "socket", "threading", *SCREEN)),
    "mystic_client.session": Rule(("mysticproto", "mystic_client.config"), never=SCREEN),
    "mystic_client.session.transfer_list": Rule(  # keeps what the user sees, as the user sees it
        ("mystic_client.session", "mystic_client.model.transfer", *PROTO_WORDS), never=SCREEN
    ),
    "mystic_client.cli": Rule(
        ("mysticproto", "mystic_client.session", "mystic_client.model", "mystic_client.config"), never=("textual",)
    ),
    "mystic_client.tui.messages": Rule(("mystic_client.model", *PROTO_WORDS)),
    "mystic_client.tui.widgets": Rule(("mystic_client.model", "mystic_client.tui.messages", *PROTO_WORDS)),
    "mystic_client.tui.screens": Rule(
        (
            "mystic_client.model",
            "mystic_client.tui.messages",
            "mystic_client.tui.keeper",  # what dialogs ask of the server
            "mystic_client.tui.widgets",
            *PROTO_WORDS,
        )
    ),
    "mystic_client.tui": Rule(("mystic_client", *PROTO_WORDS)),
    "mystic_client.__main__": Rule(("mystic_client",)),
}
EMPTY_PACKAGES = ("mysticproto", "mystic_server", "mystic_client")  # their __init__ holds no code, so all may name them
OLDER_WIRES = ("mysticproto.legacy",)
# What differs between wires is in them: only what puts the server together may know an older one by name.
MAY_KNOW_OLDER_WIRES = (
    "mysticproto.legacy",
    "mystic_server.wires",
    "mystic_server.server",
    "mystic_server.net.datagram",
)


def room_of(name: str) -> str | None:
    """The most specific room of RULES that a module is in."""
    return max((room for room in RULES if is_in(name, (room,))), key=len, default=None)


def complaint(module: Module, imported: str) -> str | None:
    """What is wrong with this module importing that name, or None."""
    room = room_of(module.name)
    if room is None:
        return None if module.name in EMPTY_PACKAGES else "belongs to no room"
    rule = RULES[room]
    if is_in(imported, rule.never):
        return f"{room} never imports {imported}"
    if not is_in(imported, tuple(PACKAGES)) or imported in EMPTY_PACKAGES:
        return None
    if is_in(imported, OLDER_WIRES) and not is_in(module.name, MAY_KNOW_OLDER_WIRES):
        return f"{room} never imports the older wires"
    return None if is_in(imported, (room, *rule.ours)) else f"{room} may not import {imported}"


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_import_only_what_their_room_may(package: str) -> None:
    wrong = [
        f"{module.shown}:{line}: {reason}"
        for module in modules()
        if is_in(module.name, (package,))
        for line, imported in imports_of(module)
        if (reason := complaint(module, imported))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_engine_sees_forbidden_imports() -> None:
    hub, cli = (
        Module(name, PACKAGES["mysticproto"] / "model.py") for name in ("mystic_server.hub.x", "mystic_client.cli")
    )
    assert complaint(hub, "mystic_server.net.reactor")
    assert complaint(hub, "mystic_client.model")
    assert complaint(cli, "textual.app")
    assert complaint(cli, "mysticproto.legacy.muca_json")
    assert complaint(cli, "mystic_client.session.connection") is None


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("mystic_server.wires", True),
        ("mystic_server.server", True),
        ("mystic_server.net.datagram", True),
        ("mystic_server.net.connection", False),
        ("mystic_server.hub.dispatch", False),
        ("mystic_server.domain.apply", False),
        ("mystic_server.files.transfer", False),
        ("mystic_server.config", False),
        ("mysticproto.detect", False),
        ("mystic_client.session.connection", False),
        ("mystic_client.tui.app", False),
    ],
)
def test_older_wires_are_known_where_the_server_is_put_together(name: str, may: bool) -> None:
    module = Module(name, PACKAGES["mysticproto"] / "model.py")
    assert (complaint(module, "mysticproto.legacy.udp_send") is None) is may


# (modules, what must not be loaded once they are imported)
LOADED = [
    ("mysticproto", ("mystic_server", "mystic_client", *SCREEN, "asyncio")),
    (
        "mystic_server.domain",
        ("mystic_server.net", "mystic_server.log", "mystic_server.hub", *OLDER_WIRES, "sqlite3", "selectors"),
    ),
    (
        "mystic_server.hub",
        (*OLDER_WIRES, "mystic_server.log.store", "mystic_server.log.sqlite", "sqlite3", "asyncio", "textual"),
    ),
    ("mystic_server", ("mystic_client", "textual", "asyncio")),
    ("mystic_client.model", ("mystic_server", "asyncio", *SCREEN)),
    ("mystic_client.session", ("mystic_server", "mysticproto.legacy", *SCREEN)),
    ("mystic_client.cli", ("mystic_server", "mysticproto.legacy", "mystic_client.tui", "textual")),
    ("mystic_client", ("mystic_server", "mysticproto.legacy")),
]
PROBE = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sys.modules)
"""


@pytest.mark.parametrize(("room", "unwanted"), LOADED, ids=[room for room, _ in LOADED])
def test_importing_a_room_loads_nothing_unwanted(room: str, unwanted: tuple[str, ...]) -> None:
    names = [
        module.name for module in modules() if is_in(module.name, (room,)) and not module.name.endswith("__main__")
    ]
    loaded = modules_loaded_by(names)
    assert [name for name in loaded if is_in(name, unwanted)] == []


def modules_loaded_by(names: list[str]) -> list[str]:
    """Names in `sys.modules` of a fresh interpreter that imported these."""
    if not names:
        return []
    path = os.pathsep.join(str(folder.parent) for folder in PACKAGES.values())
    probe = [sys.executable, "-c", PROBE, *names]
    done = subprocess.run(probe, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
