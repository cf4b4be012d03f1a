"""The words of the command line, and what becomes of them.

Commands are imported when they are called: `mystic --help` has nothing to wait for.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

from mystic_client.cli.status import Failure, Status

if TYPE_CHECKING:
    from mystic_client.cli.visit import Place
    from mystic_client.session.heard import Address
    from mysticproto.model import Target

DEFAULT_SERVER = "127.0.0.1:12000"
DEFAULT_PORT = 12000


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    from mystic_client.cli.output import abandon, prepare, talk

    options = _parser().parse_args(arguments)
    prepare()
    try:
        return _run(_command(options))
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mystic",
        description="Chat and files of a Mystic server, without a screen.",
        epilog="Exit status: 0 done, 1 refused or not found, 2 usage, 3 no server.",
        allow_abbrev=False,
    )
    parser.add_argument("--server", metavar="HOST:PORT", help=f"MYSTIC_SERVER, or {DEFAULT_SERVER}")
    parser.add_argument("--name", help="who to be: MYSTIC_NAME, or the name of your account")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings to use instead of the usual ones")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_send(commands)
    _add_tail(commands)
    ls = commands.add_parser("ls", help="list a shared folder")
    ls.add_argument("folder", metavar="FOLDER", nargs="?", default="")
    ls.add_argument("--json", action="store_true", help="one JSON object for each entry")
    get = commands.add_parser("get", help="fetch a shared file")
    get.add_argument("path", metavar="PATH")
    get.add_argument("-o", dest="output", metavar="FILE", default="", help="where to save it, instead of the downloads")
    commands.add_parser("users", help="list who is here")
    commands.add_parser("groups", help="list the groups and their members")
    commands.add_parser("chat", help="talk line by line")
    return parser


def _add_send(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    send = commands.add_parser("send", help="say something, to everybody unless told otherwise")
    send.add_argument("--to", metavar="USER", action="append", default=[], help="to this user; may be repeated")
    send.add_argument("--group", metavar="NAME", help="to this group")
    send.add_argument("--broadcast", action="store_true", help="to everybody, whatever group they are in")
    send.add_argument("text", metavar="TEXT", help="what to say, or - for each line of standard input")


def _add_tail(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    tail = commands.add_parser("tail", help="print messages as they come")
    tail.add_argument("--last", metavar="N", type=_count, default=0, help="first print the last N messages")
    tail.add_argument("--count", metavar="N", type=_count, default=0, help="end after N new messages")
    tail.add_argument("--json", action="store_true", help="one JSON object for each message")


def _count(word: str) -> int:
    count = int(word)
    if not 0 <= count <= 1_000_000:
        raise argparse.ArgumentTypeError("a number from 0 to 1000000 is wanted")
    return count


def _command(options: argparse.Namespace) -> Coroutine[object, object, None]:
    """The command as something to be awaited."""
    place = _place(options)
    match options.command:
        case "send":
            from mystic_client.cli.send import send

            return send(place, _target(options), options.text)
        case "tail":
            from mystic_client.cli.tail import tail

            return tail(place, options.last, options.count, as_json=options.json)
        case "get":
            from mystic_client.cli.get import get

            return get(place, options.path, options.output)
        case "chat":
            from mystic_client.cli.chat import chat

            return chat(place)
    from mystic_client.cli import look

    if options.command == "ls":
        return look.ls(place, options.folder, as_json=options.json)
    return look.users(place) if options.command == "users" else look.groups(place)


def _target(options: argparse.Namespace) -> Target:
    from mysticproto.model import ToEveryone, ToGlobal, ToGroup, ToUsers

    if bool(options.to) + (options.group is not None) + options.broadcast > 1:
        raise Failure(Status.USAGE, "--to, --group and --broadcast exclude each other")
    if options.group == "":
        raise Failure(Status.USAGE, "--group needs a name")
    if options.to:
        return ToUsers(tuple(dict.fromkeys(options.to)))
    if options.group is not None:
        return ToGroup(options.group)
    return ToEveryone() if options.broadcast else ToGlobal()


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
