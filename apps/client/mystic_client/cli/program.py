"""One command, from its words to its exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING

from mystic_client.cli.status import Failure, Status
from mystic_client.cli.words import DEFAULT_SERVER, parse

if TYPE_CHECKING:
    from mystic_client.cli.visit import Place
    from mystic_client.session.heard import Address

DEFAULT_PORT = 12000


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    from mystic_client.cli.output import abandon, prepare, talk

    options = parse(arguments)
    prepare()
    try:
        return _run(options.run(_place(options), options))
    except Failure as failure:
        if str(failure):
            talk(str(failure))
        return failure.status
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    except BrokenPipeError:
        abandon()
        return Status.DONE


def _run(command: Coroutine[object, object, None]) -> int:
    """Runs to the end, or to SIGTERM, which ends the command as properly as Ctrl-C does."""
    import asyncio

    async def until_the_end() -> int:
        this = asyncio.current_task()
        assert this is not None
        loop = asyncio.get_running_loop()
        terminated = asyncio.Event()

        def end() -> None:
            terminated.set()
            this.cancel()

        if sys.platform != "win32":
            loop.add_signal_handler(signal.SIGTERM, end)
        try:
            await command
        except asyncio.CancelledError:
            if not terminated.is_set():
                raise
            return Status.TERMINATED
        return Status.DONE

    return asyncio.run(until_the_end())


def _place(options: argparse.Namespace) -> Place:
    from mystic_client.cli.visit import Place
    from mystic_client.config import ConfigError, load_config

    try:
        config = load_config(options.config)
    except ConfigError as problem:
        raise Failure(Status.USAGE, str(problem)) from None
    server = options.server or os.environ.get("MYSTIC_SERVER") or DEFAULT_SERVER
    name = options.name if options.name is not None else os.environ.get("MYSTIC_NAME") or default_name()
    return Place(_address(server), _checked(name), config)


def _address(server: str) -> Address:
    from mystic_client.session.heard import Address

    host, colon, port = server.rpartition(":")
    if not colon or server.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = server, str(DEFAULT_PORT)  # an IPv6 address needs brackets to have a port
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise Failure(Status.USAGE, f"{server!r} is not HOST:PORT")
    return Address(host, int(port))


def _checked(name: str) -> str:
    from mysticproto.names import NameRefused, check_user_name

    try:
        return check_user_name(name)
    except NameRefused as refused:
        raise Failure(Status.REFUSED, f"{name[:40]!r} can't be a name: {refused}") from None


def default_name() -> str:
    """The account's name, without what a name can't have."""
    import getpass
    import re

    from mysticproto.names import NameRefused, check_user_name

    try:
        account = getpass.getuser()
        return check_user_name(re.sub(r"[^A-Za-z0-9_.-]+", "-", account)[:32].strip("-."))
    except (NameRefused, KeyError, OSError, ImportError):
        return "guest"
